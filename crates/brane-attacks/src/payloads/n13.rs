//! N13: make a node in the file system.

use crate::bare::flags;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

/// An ordinary user may make a FIFO but no device; the call is the same.
const FIFO: libc::mode_t = libc::S_IFIFO | 0o600;

/// The rest is a path, and for a device its number.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let path = scene.path(0)?;
    let (mode, device) = match scene.attempt() {
        "fifo" => (FIFO, 0),
        "device" => (libc::S_IFCHR | 0o600, scene.number(1)?),
        _ => return Err(libc::EINVAL),
    };
    let mode = usize::try_from(mode).map_err(|_| libc::EINVAL)?;
    raw::call(libc::SYS_mknodat, &[flags(libc::AT_FDCWD), at(&*path), mode, device]).map(|_| ())
}
