//! R02: take memory and touch it, whatever the kernel answers.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

const PAGE: usize = 4096;
const PIECE: usize = 1 << 20;

/// The rest is how many MiB are a success.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let kind = match scene.attempt() {
        "private" => libc::MAP_PRIVATE,
        "shared" => libc::MAP_SHARED,
        "grows-down" => libc::MAP_PRIVATE | libc::MAP_GROWSDOWN,
        _ => return Err(libc::EINVAL),
    };
    let enough = scene.number(0)?;
    let mut taken = 0;
    while taken < enough {
        taken += usize::from(take(kind).is_ok());
    }
    Ok(())
}

fn take(kind: libc::c_int) -> Attempt {
    let access = flags(libc::PROT_READ | libc::PROT_WRITE);
    let piece = raw::call(libc::SYS_mmap, &[0, PIECE, access, flags(kind | libc::MAP_ANONYMOUS), usize::MAX, 0])?;
    (0..PIECE).step_by(PAGE).for_each(|offset| raw::poke(piece + offset, 1));
    Ok(())
}
