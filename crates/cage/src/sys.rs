//! System calls that rustix has no safe form of, one function each.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CString, c_char};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::Errno;
use rustix::thread::UnshareFlags;

/// Which side of [`clone3`] this is.
pub(crate) enum Clone {
    /// The new process.
    Child,
    /// The old one; the new one's number in this pid namespace, and its pidfd.
    Parent { pid: i32, pidfd: OwnedFd },
}

/// clone3(2) without shared memory: a fork into new namespaces.
///
/// `flags` are `CLONE_NEW*` and `CLONE_PARENT`; `CLONE_PIDFD` is added. `exit_signal` must be 0 with `CLONE_PARENT`.
pub(crate) fn clone3(flags: i32, exit_signal: i32) -> Result<Clone, Errno> {
    let mut pidfd: RawFd = -1;
    let mut args = libc::clone_args {
        flags: u64::from((flags | libc::CLONE_PIDFD).cast_unsigned()),
        pidfd: ptr::from_mut(&mut pidfd) as u64,
        child_tid: 0,
        parent_tid: 0,
        exit_signal: u64::from(exit_signal.cast_unsigned()),
        stack: 0,
        stack_size: 0,
        tls: 0,
        set_tid: 0,
        set_tid_size: 0,
        cgroup: 0,
    };
    // SAFETY: no CLONE_VM and no stack, so the child gets a copy of this address space and returns here like fork's;
    // the process has one thread, so no lock of another thread is held in the copy. `args` and `pidfd` outlive the call.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, ptr::from_mut(&mut args), size_of::<libc::clone_args>()) };
    match pid {
        -1 => Err(last_errno()),
        0 => Ok(Clone::Child),
        pid => Ok(Clone::Parent { pid: i32::try_from(pid).map_err(|_| Errno::RANGE)?, pidfd: own(pidfd) }),
    }
}

/// Gives every signal its default action: what a caller ignores stays ignored over an exec (sigaction(2)).
pub(crate) fn reset_signal_actions() -> Result<(), Errno> {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: the default action runs no code of this process.
        if unsafe { libc::signal(signal, libc::SIG_DFL) } == libc::SIG_ERR && !is_fixed(signal) {
            return Err(last_errno());
        }
    }
    Ok(())
}

/// Whether the kernel or libc keeps this signal's action for itself.
fn is_fixed(signal: i32) -> bool {
    matches!(signal, libc::SIGKILL | libc::SIGSTOP) || (32..libc::SIGRTMIN()).contains(&signal)
}

/// Blocks no signal: the mask, too, survives an exec, and a fault that is blocked kills instead of being a trap.
pub(crate) fn unblock_signals() -> Result<(), Errno> {
    // SAFETY: an all-zero set is the empty one, and it outlives the call.
    let none: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: as above; nothing is written back.
    check(i64::from(unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const none, ptr::null_mut()) }))
}

/// Leaves a real-time policy (sched(7)), under which a guest would not let its owner run.
pub(crate) fn leave_real_time() -> Result<(), Errno> {
    // SAFETY: takes and returns numbers.
    let policy = unsafe { libc::sched_getscheduler(0) };
    if !matches!(policy & !libc::SCHED_RESET_ON_FORK, libc::SCHED_FIFO | libc::SCHED_RR) {
        return Ok(());
    }
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: `ordinary` outlives the call.
    check(i64::from(unsafe { libc::sched_setscheduler(0, libc::SCHED_OTHER, &raw const ordinary) }))
}

/// The ordinary execution domain (personality(2)): one that a caller has, without random addresses, survives an exec.
pub(crate) fn reset_personality() -> Result<(), Errno> {
    // SAFETY: takes and returns numbers.
    check(i64::from(unsafe { libc::personality(0) }))
}

/// execveat(2) of `program` itself with an empty environment; returns only an error.
pub fn exec(program: BorrowedFd<'_>, args: &[String]) -> Errno {
    let Ok(args) = args.iter().map(|arg| CString::new(arg.as_str())).collect::<Result<Vec<_>, _>>() else {
        return Errno::INVAL;
    };
    let mut argv: Vec<*const c_char> = args.iter().map(|arg| arg.as_ptr()).collect();
    argv.push(ptr::null());
    let environment: [*const c_char; 1] = [ptr::null()];
    // SAFETY: path, argv and environment are NUL-terminated and live until the call returns, which it does only on error.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    last_errno()
}

/// unshare(2).
pub(crate) fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    // SAFETY: only CLONE_NEW* flags are passed in this crate, never CLONE_FILES, so no descriptor that another thread
    // believes it owns changes its meaning (and there is no other thread).
    unsafe { rustix::thread::unshare_unsafe(flags) }
}

/// seccomp(2) SECCOMP_SET_MODE_FILTER; `program` is an array of `struct sock_filter` as bytes.
///
/// With `SECCOMP_FILTER_FLAG_NEW_LISTENER` the result is the listener, else 0. An empty program is EINVAL.
pub(crate) fn install_filter(program: &[u8], flags: u64) -> Result<RawFd, Errno> {
    let (instructions, rest) = program.as_chunks::<8>();
    let count = u16::try_from(instructions.len()).map_err(|_| Errno::TOOBIG)?;
    if count == 0 || !rest.is_empty() {
        return Err(Errno::INVAL);
    }
    let instructions: Vec<libc::sock_filter> = instructions.iter().map(instruction).collect();
    let header = libc::sock_fprog { len: count, filter: instructions.as_ptr().cast_mut() };
    // SAFETY: the kernel copies `count` instructions from the array, which outlives the call, and does not write to it.
    let listener = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, ptr::from_ref(&header))
    };
    if listener < 0 { Err(last_errno()) } else { i32::try_from(listener).map_err(|_| Errno::RANGE) }
}

fn instruction(bytes: &[u8; 8]) -> libc::sock_filter {
    let [code0, code1, jt, jf, k0, k1, k2, k3] = *bytes;
    libc::sock_filter {
        code: u16::from_ne_bytes([code0, code1]),
        jt,
        jf,
        k: u32::from_ne_bytes([k0, k1, k2, k3]),
    }
}

/// keyctl(2) KEYCTL_JOIN_SESSION_KEYRING with no name: a new, empty, anonymous keyring.
pub(crate) fn join_session_keyring() -> Result<(), Errno> {
    // SAFETY: the operation reads one pointer, which is null: no memory of ours is involved.
    check(unsafe {
        libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, ptr::null::<c_char>())
    })
}

/// prctl(2) PR_CAPBSET_DROP of capability `number`; EINVAL past the kernel's last one.
pub(crate) fn drop_bounding(number: u32) -> Result<(), Errno> {
    // SAFETY: the operation takes a number and touches no memory.
    check(unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(number), 0, 0, 0) }.into())
}

/// close_range(2) of `first..=last`.
pub(crate) fn close_range(first: RawFd, last: RawFd) -> Result<(), Errno> {
    if first > last {
        return Ok(());
    }
    // SAFETY: callers hold no owner of a descriptor in the range that is used afterwards.
    check(unsafe { libc::syscall(libc::SYS_close_range, first.cast_unsigned(), last.cast_unsigned(), 0) })
}

/// close_range(2) CLOSE_RANGE_CLOEXEC: every descriptor above `number` ends with the next exec.
pub(crate) fn close_on_exec_above(number: RawFd) -> Result<(), Errno> {
    let first = (number + 1).cast_unsigned();
    // SAFETY: takes numbers only, and closes nothing now.
    check(unsafe {
        libc::syscall(libc::SYS_close_range, first, RawFd::MAX.cast_unsigned(), libc::CLOSE_RANGE_CLOEXEC)
    })
}

/// dup3(2) of `from` onto the number `to`, close-on-exec only if `cloexec`.
pub(crate) fn place(from: BorrowedFd<'_>, to: RawFd, cloexec: bool) -> Result<(), Errno> {
    let flags = if cloexec { libc::O_CLOEXEC } else { 0 };
    // SAFETY: takes numbers only; callers own the number `to`.
    check(unsafe { libc::dup3(from.as_raw_fd(), to, flags) }.into())
}

/// close(2) of a number that no value owns.
pub(crate) fn close(number: RawFd) -> Result<(), Errno> {
    // SAFETY: takes a number only; callers own it.
    check(unsafe { libc::close(number) }.into())
}

/// Whether `number` is an open descriptor.
pub(crate) fn is_open(number: RawFd) -> bool {
    // SAFETY: F_GETFD takes a number and touches no memory.
    unsafe { libc::fcntl(number, libc::F_GETFD) >= 0 }
}

/// Owner of a descriptor that was passed by number.
pub(crate) fn own(number: RawFd) -> OwnedFd {
    // SAFETY: callers pass a number that the kernel, or the process that exec'd this one, just handed over, once.
    unsafe { OwnedFd::from_raw_fd(number) }
}

/// How a child ended: wait status and its own resource usage.
pub(crate) fn wait4(pid: i32) -> Result<(i32, libc::rusage), Errno> {
    let mut status = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are valid for writes; rusage is plain numbers, for which all zeroes are a value.
    let (got, usage) =
        unsafe { (libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()), usage.assume_init()) };
    if got < 0 { Err(last_errno()) } else { Ok((status, usage)) }
}

/// exit_group(2) with no handler and no destructor.
pub fn exit(code: i32) -> ! {
    // SAFETY: does not return and touches no memory.
    unsafe { libc::_exit(code) }
}

fn check(result: i64) -> Result<(), Errno> {
    if result < 0 { Err(last_errno()) } else { Ok(()) }
}

fn last_errno() -> Errno {
    Errno::from_raw_os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// The system's allocator, but a failed allocation ends the process with [`OUT_OF_MEMORY`].
///
/// The default is abort, whose tgkill(2) the jail would report as an escape.
#[derive(Debug)]
pub struct ExitingAllocator;

/// Exit code of a process whose own allocation failed.
pub const OUT_OF_MEMORY: i32 = 71;

/// Smallest block that grows by being copied. The system's allocator maps blocks of their own from 128 KiB on, and grows
/// those by mremap(2), which no policy allows: it would stretch an executable mapping of a file over what comes behind it.
const COPIED: usize = 64 << 10;

// SAFETY: every call goes to the system's allocator, and a null result never returns.
unsafe impl GlobalAlloc for ExitingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is passed on.
        allocated(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise about `pointer` and `layout` is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise about `layout` is passed on.
        allocated(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if layout.size() < COPIED {
            // SAFETY: the caller's promise about all three is passed on.
            return allocated(unsafe { System.realloc(pointer, layout, size) });
        }
        // SAFETY: `size` is not 0 and fits with this alignment, which is the caller's promise.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        // SAFETY: both blocks are at least this long, and the new one is another; the old one is the caller's to give up.
        unsafe {
            ptr::copy_nonoverlapping(pointer, new, layout.size().min(size));
            self.dealloc(pointer, layout);
        }
        new
    }
}

fn allocated(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() { exit(OUT_OF_MEMORY) } else { pointer }
}
