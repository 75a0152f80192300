//! R08: crash, so that memory would be written to a file.

use crate::raw;
use crate::scene::{Attempt, Scene};

pub(super) fn run(scene: &mut Scene) -> Attempt {
    match scene.attempt() {
        "segv" => raw::poke(0, 0),
        "ill" => raw::illegal(),
        _ => {}
    }
    Err(libc::EINVAL)
}
