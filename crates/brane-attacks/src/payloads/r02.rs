//! R02: take memory and keep it, whatever the kernel answers, in every way that a limit on one kind of memory misses.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

const PAGE: usize = 4096;
const PIECE: usize = 1 << 20;
/// What one page of a page table maps.
const TABLE: usize = 2 << 20;

/// The rest is how many MiB are a success.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let take = match scene.attempt() {
        "private" => || piece(libc::MAP_PRIVATE).map(|_| ()),
        "shared" => || piece(libc::MAP_SHARED).map(|_| ()),
        "grows-down" => || piece(libc::MAP_PRIVATE | libc::MAP_GROWSDOWN).map(|_| ()),
        "made-read-only" => || {
            let kept = piece(libc::MAP_PRIVATE)?;
            raw::call(libc::SYS_mprotect, &[kept, PIECE, flags(libc::PROT_READ)]).map(|_| ())
        },
        "page-tables" => tables,
        _ => return Err(libc::EINVAL),
    };
    let enough = scene.number(0)?;
    let mut taken = 0;
    while taken < enough {
        taken += usize::from(take().is_ok());
    }
    Ok(())
}

/// A MiB of its own, every page of it touched.
fn piece(kind: libc::c_int) -> Attempt<usize> {
    let piece = map(PIECE, libc::PROT_READ | libc::PROT_WRITE, kind)?;
    (0..PIECE).step_by(PAGE).for_each(|offset| raw::poke(piece + offset, 1));
    Ok(piece)
}

/// A MiB of page tables: nothing is ever written, so that all of it is the one page of zeros.
fn tables() -> Attempt {
    let span = PIECE / PAGE * TABLE;
    let start = map(span, libc::PROT_READ, libc::MAP_PRIVATE | libc::MAP_NORESERVE)?;
    (0..span).step_by(TABLE).for_each(|offset| raw::peek(start + offset));
    Ok(())
}

fn map(length: usize, access: libc::c_int, kind: libc::c_int) -> Attempt<usize> {
    raw::call(libc::SYS_mmap, &[0, length, flags(access), flags(kind | libc::MAP_ANONYMOUS), usize::MAX, 0])
}
