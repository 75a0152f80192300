//! N01: open a file of the host, and say what is in it.

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene};

/// The rest is a path.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let path = scene.path(0)?;
    let file = match scene.attempt() {
        "openat2" => {
            let how = [0_u64; 3];
            raw::call(libc::SYS_openat2, &[flags(libc::AT_FDCWD), at(&*path), at(&how), size_of_val(&how)])?
        }
        _ => raw::call(libc::SYS_openat, &[flags(libc::AT_FDCWD), at(&*path), 0])?,
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
