//! N11: put something else in the place of the executable that this process came from.

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene, c_string};

const MODE: usize = 0o700;

pub(super) fn run(scene: &mut Scene) -> Attempt {
    let here = flags(libc::AT_FDCWD);
    let write = flags(libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC);
    match scene.attempt() {
        // ETXTBSY while it runs, on every system: how CVE-2019-5736 begins.
        "exe" => drop(raw::call(libc::SYS_openat, &[here, at(c"/proc/self/exe"), flags(libc::O_WRONLY)])),
        "readlink" => {}
        _ => return Err(libc::EINVAL),
    }
    let mut path = [0_u8; 1024];
    let got = raw::call(libc::SYS_readlinkat, &[here, at(c"/proc/self/exe"), into(&mut path), path.len()])?;
    let path = String::from_utf8_lossy(path.get(..got).unwrap_or_default()).into_owned();
    let (beside, path) = (c_string(&format!("{path}.new"))?, c_string(&path)?);
    let file = raw::call(libc::SYS_openat, &[here, at(&*beside), write, MODE])?;
    raw::call(libc::SYS_write, &[file, at(b"#!"), 2])?;
    raw::call(libc::SYS_renameat2, &[here, at(&*beside), here, at(&*path), 0]).map(|_| ())
}
