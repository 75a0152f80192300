//! N10: signal a process of the host.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

/// The rest is the number of a process.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let (victim, kill) = (scene.number(0)?, flags(libc::SIGKILL));
    match scene.attempt() {
        "kill" => raw::call(libc::SYS_kill, &[victim, kill]),
        "tkill" => raw::call(libc::SYS_tkill, &[victim, kill]),
        "tgkill" => raw::call(libc::SYS_tgkill, &[victim, victim, kill]),
        "pidfd" => {
            let pidfd = raw::call(libc::SYS_pidfd_open, &[victim, 0])?;
            raw::call(libc::SYS_pidfd_send_signal, &[pidfd, kill, 0, 0])
        }
        _ => Err(libc::EINVAL),
    }
    .map(|_| ())
}
