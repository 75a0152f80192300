//! N05: take off, or turn away, the root that hides the host's files.

use super::n01;
use crate::bare::flags;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

/// The rest is the folder over which something is mounted, and a path that it hides.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let folder = scene.path(0)?;
    match scene.attempt() {
        "umount2" => raw::call(libc::SYS_umount2, &[at(&*folder), flags(libc::MNT_DETACH)])?,
        "pivot_root" => raw::call(libc::SYS_pivot_root, &[at(&*folder), at(&*folder)])?,
        _ => return Err(libc::EINVAL),
    };
    let hidden = scene.path(1)?;
    if scene.attempt() == "umount2" { n01::open(scene, &hidden) } else { Ok(()) }
}
