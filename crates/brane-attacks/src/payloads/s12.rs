//! S12: make machine code and run it.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

const PAGE: usize = 4096;
/// What the code returns.
const ANSWER: u32 = 42;
/// `mov eax, 42; ret`
const CODE: [u8; 6] = [0xb8, 42, 0, 0, 0, 0xc3];

pub(super) fn run(scene: &mut Scene) -> Attempt {
    let (write, execute) =
        (flags(libc::PROT_READ | libc::PROT_WRITE), flags(libc::PROT_READ | libc::PROT_EXEC));
    let first = match scene.attempt() {
        "mmap" => write | execute,
        _ => write,
    };
    let page = raw::call(
        libc::SYS_mmap,
        &[0, PAGE, first, flags(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS), usize::MAX, 0],
    )?;
    for (offset, byte) in CODE.iter().enumerate() {
        raw::poke(page + offset, *byte);
    }
    match scene.attempt() {
        "mprotect" => drop(raw::call(libc::SYS_mprotect, &[page, PAGE, execute])?),
        "pkey_mprotect" => drop(raw::call(libc::SYS_pkey_mprotect, &[page, PAGE, execute, usize::MAX])?),
        _ => {}
    }
    if raw::jump(page) == ANSWER { Ok(()) } else { Err(libc::EFAULT) }
}
