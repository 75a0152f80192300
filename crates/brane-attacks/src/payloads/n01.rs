//! N01: open a file of the host, and say what is in it.

use std::ffi::CStr;

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene};

/// The rest is a path.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let path = scene.path(0)?;
    open(scene, &path)
}

/// Opens `path` and says what is in it.
pub(super) fn open(scene: &mut Scene, path: &CStr) -> Attempt {
    let here = flags(libc::AT_FDCWD);
    let file = match scene.attempt() {
        "openat2" => {
            let how = [0_u64; 3];
            raw::call(libc::SYS_openat2, &[here, at(path), at(&how), size_of_val(&how)])?
        }
        _ => raw::call(libc::SYS_openat, &[here, at(path), 0])?,
    };
    read(scene, file)
}

/// Says the first page of `file`.
pub(super) fn read(scene: &mut Scene, file: usize) -> Attempt {
    let mut page = [0_u8; 4096];
    let got = raw::call(libc::SYS_read, &[file, into(&mut page), page.len()])?;
    scene.say(page.get(..got).unwrap_or_default());
    Ok(())
}
