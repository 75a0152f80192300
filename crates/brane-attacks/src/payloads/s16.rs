//! S16: take other ids or capabilities.

use crate::raw::{self, into};
use crate::scene::{Attempt, Scene};

/// _LINUX_CAPABILITY_VERSION_3
const VERSION: u32 = 0x2008_0522;

pub(super) fn run(scene: &mut Scene) -> Attempt {
    match scene.attempt() {
        "setuid" => raw::call(libc::SYS_setuid, &[0]),
        "setgid" => raw::call(libc::SYS_setgid, &[0]),
        "setresuid" => raw::call(libc::SYS_setresuid, &[0, 0, 0]),
        "setgroups" => raw::call(libc::SYS_setgroups, &[0, 0]),
        "capset" => {
            let (mut header, mut none) = ([VERSION, 0], [0_u32; 6]);
            raw::call(libc::SYS_capset, &[into(&mut header), into(&mut none)])
        }
        _ => Err(libc::EINVAL),
    }
    .map(|_| ())
}
