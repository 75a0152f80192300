//! S06: a socket of any domain and type.

use crate::raw;
use crate::scene::{Attempt, Scene};

/// The rest is domain and type.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    raw::call(libc::SYS_socket, &[scene.number(0)?, scene.number(1)?, 0]).map(|_| ())
}
