//! Birth of a template: a process in a user and a pid namespace of its own, exec'd there.
//!
//! The exec is what makes the later look possible: the kernel asks for capabilities in the user namespace in which a
//! program was *exec'd* (`mm->user_ns`) before it shows a non-dumpable process, and the owner has those in a namespace
//! that it created. Without the exec, an ordinary owner gets EACCES on a brane's `/proc/PID/{ns,fd,root}`.
//!
//! Whatever fails here, on either side of the clone, goes back to the caller, who tells the owner over the channel.

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use brane_wire::control::{FromTemplate, ToTemplate};
use rustix::process::{Gid, Resource, Rlimit, Uid};

use crate::control::Control;
use crate::error::{Failure, Named, StepError};
use crate::sys::{self, Clone};

/// Number of the control channel in a template.
const CONTROL: RawFd = 3;

/// Bytes of stack: the engine's 32 MiB for a guest, and some for the host.
const STACK: u64 = 40 << 20;

/// Clones into the new namespaces and becomes the template there; the caller's process ends with a report.
pub(crate) fn birth(control: &Control, program: &OwnedFd, name: String) -> Result<Infallible, Failure> {
    // CLONE_PARENT: the owner is to be the template's parent, since it is the one that waits for it.
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWPID | libc::CLONE_PARENT;
    match sys::clone3(flags, 0).named("clone user and pid namespace")? {
        Clone::Parent { pidfd, .. } => {
            control.send(&FromTemplate::Born {}, Some(pidfd.as_fd()))?;
            sys::exit(0)
        }
        Clone::Child => reborn(control, program, name),
    }
}

/// In the child: waits for the maps, takes the ids, execs.
fn reborn(control: &Control, program: &OwnedFd, name: String) -> Result<Infallible, Failure> {
    // Before anything that can fail: the owner writes the maps of a process that lives.
    let (ToTemplate::Mapped { drop_groups }, _) = control.receive()? else {
        return Err(Failure::Unexpected("mapped"));
    };
    let program = rustix::io::fcntl_dupfd_cloexec(program, CONTROL + 1).named("copy program")?;
    become_root_of_namespace(drop_groups)?;
    take_defaults()?;
    // Room for a guest's deepest stack and the host functions above it; the layout is fixed at the exec.
    let stack = Rlimit { current: Some(STACK), maximum: Some(STACK) };
    rustix::process::setrlimit(Resource::Stack, stack).named("limit stack")?;
    // The control channel is the one descriptor that survives the exec, at a number that does not depend on the owner.
    let parked = rustix::io::fcntl_dupfd_cloexec(control, CONTROL + 1).named("copy control channel")?;
    sys::place(parked.as_fd(), CONTROL, false).named("place control channel")?;
    sys::close_on_exec_above(CONTROL).named("mark descriptors close-on-exec")?;
    let errno = sys::exec(program.as_fd(), &[name, "template".to_owned(), CONTROL.to_string()]);
    Err(StepError { step: "exec template", errno }.into())
}

/// Takes user and group 0 of the new namespace, which are not the host's.
fn become_root_of_namespace(drop_groups: bool) -> Result<(), StepError> {
    if drop_groups {
        // A privileged owner's groups (disk, docker, ...) must not follow; an unprivileged one may not drop its own.
        rustix::thread::set_thread_groups(&[]).named("drop supplementary groups")?;
    }
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT).named("take group")?;
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT).named("take user")
}

/// What of the caller's would follow through the exec into every brane, and change how a guest's faults are seen.
fn take_defaults() -> Result<(), StepError> {
    // With SIGCHLD ignored, branes would be reaped by nobody, and how they ended be lost.
    sys::reset_signal_actions().named("reset signal actions")?;
    sys::unblock_signals().named("unblock signals")?;
    sys::leave_real_time().named("leave real-time scheduling")?;
    sys::reset_personality().named("reset personality")
}
