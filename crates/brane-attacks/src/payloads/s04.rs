//! S04: type into a terminal, or do anything else by ioctl(2).

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene};

/// The kernel looks at 32 bits of a request; a filter that compares 64 misses this one (CVE-2019-10063).
const ABOVE: usize = 1 << 32;
const KEY: &[u8] = b"k";

/// Standard input is a terminal, where there is one.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let mut size = [0_u16; 4];
    let type_in = usize::try_from(libc::TIOCSTI).map_err(|_| libc::EINVAL)?;
    let window = usize::try_from(libc::TIOCGWINSZ).map_err(|_| libc::EINVAL)?;
    match scene.attempt() {
        "tiocsti" => raw::call(libc::SYS_ioctl, &[0, type_in, at(KEY)]),
        "tiocsti-bit-32" => raw::call(libc::SYS_ioctl, &[0, type_in | ABOVE, at(KEY)]),
        "window-size" => raw::call(libc::SYS_ioctl, &[0, window, into(&mut size)]),
        "pipe" => raw::call(libc::SYS_ioctl, &[flags(cage::COMMANDS), window, into(&mut size)]),
        _ => Err(libc::EINVAL),
    }
    .map(|_| ())
}
