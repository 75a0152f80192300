//! S03: the system calls of another architecture, whose numbers mean other things.

use crate::raw;
use crate::scene::{Attempt, Scene};

/// getpid(2) of i386.
const GETPID: u32 = 20;

pub(super) fn run(_scene: &mut Scene) -> Attempt {
    let result = raw::int80(GETPID).cast_signed();
    if result > 0 { Ok(()) } else { Err(result.saturating_neg()) }
}
