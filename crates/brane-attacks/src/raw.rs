//! System calls as an attacker makes them: a number and up to six words, pointers good or bad.
//!
//! Nothing here is sound as a library: a payload that passes a wrong pointer breaks its own process, which is all that a
//! payload is for. Pointers that are meant to be good come from [`at`] and [`into`], of values that outlive the call.

use std::ptr;

use crate::scene::Attempt;

/// One system call; its result, or errno.
pub(crate) fn call(number: libc::c_long, words: &[usize]) -> Attempt<usize> {
    let mut six = [0; 6];
    for (to, from) in six.iter_mut().zip(words) {
        *to = *from;
    }
    let [a, b, c, d, e, f] = six;
    // SAFETY: see the module: the words are the attack. What a call writes, it writes where its payload pointed it.
    let result = unsafe { libc::syscall(number, a, b, c, d, e, f) };
    usize::try_from(result).map_err(|_| errno())
}

/// The address of a value to be read.
pub(crate) fn at<T: ?Sized>(value: &T) -> usize {
    ptr::from_ref(value).cast::<u8>().expose_provenance()
}

/// The address of a value to be written.
pub(crate) fn into<T: ?Sized>(value: &mut T) -> usize {
    ptr::from_mut(value).cast::<u8>().expose_provenance()
}

/// Writes `byte` to `address`, which must be mapped for writing.
pub(crate) fn poke(address: usize, byte: u8) {
    // SAFETY: callers mapped the page; if they did not, this process ends, which is theirs to risk.
    unsafe { ptr::with_exposed_provenance_mut::<u8>(address).write_volatile(byte) }
}

/// Reads the byte at `address`, which must be mapped, and drops it.
pub(crate) fn peek(address: usize) {
    // SAFETY: as in `poke`.
    unsafe { ptr::with_exposed_provenance::<u8>(address).read_volatile() };
}

/// Calls the machine code at `address`, which takes nothing and returns a number.
pub(crate) fn jump(address: usize) -> u32 {
    // SAFETY: callers wrote a whole function there and made the page executable.
    unsafe {
        let code: extern "C" fn() -> u32 = std::mem::transmute(ptr::with_exposed_provenance::<u8>(address));
        code()
    }
}

/// The i386 system call `number`, without arguments, from 64-bit code; its result in 32 bits.
#[cfg(target_arch = "x86_64")]
pub(crate) fn int80(number: u32) -> u32 {
    let result: u32;
    // SAFETY: the gate changes eax and, on old kernels, r8 to r11; the call itself has no pointers.
    unsafe {
        std::arch::asm!(
            "int 0x80",
            inlateout("eax") number => result,
            out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            options(nostack),
        );
    }
    result
}

/// Dies of SIGILL, without any system call.
pub(crate) fn illegal() -> ! {
    // SAFETY: the instruction never completes.
    unsafe { std::arch::asm!("ud2", options(noreturn, nostack)) }
}

/// Default actions for the signals that the language's runtime handles, and for SIGPIPE.
pub(crate) fn default_signals() -> Attempt {
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGPIPE] {
        // SAFETY: SIG_DFL is no code of ours.
        if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR {
            return Err(errno());
        }
    }
    Ok(())
}

/// Effective user.
pub(crate) fn user() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Effective group.
pub(crate) fn group() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::getegid() }
}

fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}
