//! N02: look for descriptors that should not be here, and read from what there is.

use super::n01::read;
use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

/// Descriptors of every process here: standard streams, or a brane's two pipes.
const USUAL: usize = 4;
const MOST: usize = 4096;

/// Succeeds if any further descriptor is open; says what the files among them hold.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let mut found = Err(libc::ENOENT);
    for number in 0..MOST {
        if raw::call(libc::SYS_fcntl, &[number, flags(libc::F_GETFD)]).is_ok() && number > USUAL {
            found = Ok(());
            // A pipe or a socket would wait; only what can be sought is read.
            if raw::call(libc::SYS_lseek, &[number, 0, 0]).is_ok() {
                read(scene, number)?;
            }
        }
    }
    found
}
