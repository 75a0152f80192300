//! S11: run a program that never was a file: memfd_create(2), then execveat(2) of the descriptor.

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene, c_string};

const PAGE: usize = 65536;

/// Runs a copy of this very program, which then writes the nonce.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let memfd = raw::call(libc::SYS_memfd_create, &[at(c"attack"), 0])?;
    copy_self(memfd)?;
    let words = ["attack", "bare", "none", "won", "exec", &scene.nonce()].map(c_string);
    let words = words.into_iter().collect::<Attempt<Vec<_>>>()?;
    let mut argv: Vec<usize> = words.iter().map(|word| at(&**word)).collect();
    argv.push(0);
    let environment = [0_usize];
    let empty_path = flags(libc::AT_EMPTY_PATH);
    raw::call(libc::SYS_execveat, &[memfd, at(c""), at(argv.as_slice()), at(&environment), empty_path])
        .map(|_| ())
}

fn copy_self(to: usize) -> Attempt {
    let from = raw::call(libc::SYS_openat, &[flags(libc::AT_FDCWD), at(c"/proc/self/exe"), 0])?;
    let mut page = vec![0_u8; PAGE];
    loop {
        match raw::call(libc::SYS_read, &[from, into(page.as_mut_slice()), page.len()])? {
            0 => return Ok(()),
            got => raw::call(libc::SYS_write, &[to, at(page.as_slice()), got])?,
        };
    }
}
