//! S05: io_uring, whose operations are system calls that no filter sees.

use crate::raw::{self, into};
use crate::scene::{Attempt, Scene};

/// Words of `struct io_uring_params`.
const PARAMS: usize = 15;

pub(super) fn run(_scene: &mut Scene) -> Attempt {
    let mut params = [0_u64; PARAMS];
    raw::call(libc::SYS_io_uring_setup, &[1, into(&mut params)]).map(|_| ())
}
