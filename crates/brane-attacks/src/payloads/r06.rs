//! R06: use up descriptors.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

/// More than a brane may hold.
const MANY: usize = 64;

pub(super) fn run(scene: &mut Scene) -> Attempt {
    for _ in 0..MANY {
        match scene.attempt() {
            "dup" => raw::call(libc::SYS_dup, &[1])?,
            "fcntl" => raw::call(libc::SYS_fcntl, &[1, flags(libc::F_DUPFD), 0])?,
            _ => return Err(libc::EINVAL),
        };
    }
    Ok(())
}
