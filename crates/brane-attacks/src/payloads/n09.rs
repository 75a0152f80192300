//! N09: another process, in namespaces of its own or not.

use crate::bare::flags;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

pub(super) fn run(scene: &mut Scene) -> Attempt {
    let child = match scene.attempt() {
        "clone" => raw::call(libc::SYS_clone, &[flags(libc::SIGCHLD)])?,
        "clone-namespaces" => {
            raw::call(libc::SYS_clone, &[flags(libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::SIGCHLD)])?
        }
        "clone3" => {
            // struct clone_args up to its `tls`: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls.
            let wanted = [0, 0, 0, 0, flags(libc::SIGCHLD), 0, 0, 0];
            raw::call(libc::SYS_clone3, &[at(&wanted), size_of_val(&wanted)])?
        }
        _ => return Err(libc::EINVAL),
    };
    if child == 0 {
        // The new process: that it lives is the success, which its parent reports.
        cage::exit(0)
    }
    Ok(())
}
