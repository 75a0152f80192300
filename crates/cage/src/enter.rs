//! The template's own cage, entered once; every brane starts from it.

use std::os::fd::OwnedFd;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, UnmountFlags};
use rustix::thread::UnshareFlags;

use crate::error::{Named, StepError};
use crate::sys;

/// Host name inside, in place of the host's own.
const HOST_NAME: &[u8] = b"brane";

/// Enters the cage; returns the host's /proc, by which the template reaches its branes' id maps.
///
/// `first_filter` is stage 1: it kills foreign architectures and allows all else, without a listener. A stage-1 errno
/// or kill would win over stage 2's notification, and a second listener in one chain is EBUSY.
pub(crate) fn enter(first_filter: &[u8]) -> Result<OwnedFd, StepError> {
    // No setuid program and no file capability may give anything back; also a condition of unprivileged filters.
    rustix::thread::set_no_new_privs(true).named("set no-new-privs")?;
    // Away from the owner's terminal and its Ctrl-C: the owner ends its branes itself.
    rustix::process::setsid().named("start session")?;
    // Keyrings are not namespaced. Joined once, here: one a brane would run out of the user's quota.
    sys::join_session_keyring().named("join session keyring")?;
    // The host's /proc, opened while there is a path to it.
    let proc =
        rustix::fs::openat(CWD, "/proc", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .named("open /proc")?;
    sys::unshare(
        UnshareFlags::NEWNS
            | UnshareFlags::NEWIPC
            | UnshareFlags::NEWUTS
            | UnshareFlags::NEWCGROUP
            | UnshareFlags::NEWNET,
    )
    .named("unshare template namespaces")?;
    rustix::system::sethostname(HOST_NAME).named("set host name")?;
    empty_root()?;
    sys::install_filter(first_filter, 0).named("install first filter")?;
    Ok(proc)
}

/// Makes an empty, read-only tmpfs the only mount. Once, here: its umount has a tail of milliseconds.
fn empty_root() -> Result<(), StepError> {
    let sealed = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    // Nothing below may show in the namespace that this one was copied from.
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
        .named("make mounts private")?;
    // On /proc, because it is the one directory that was just proved to be there. One inode is the root itself.
    rustix::mount::mount("tmpfs", "/proc", "tmpfs", sealed, Some(c"size=4k,nr_inodes=1,mode=0555"))
        .named("mount empty root")?;
    rustix::process::chdir("/proc").named("enter empty root")?;
    // The same path for new and old root stacks the old one on top, from where it is taken off: no folder needed.
    rustix::process::pivot_root(".", ".").named("pivot root")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH).named("detach old root")?;
    rustix::process::chdir("/").named("enter root")?;
    rustix::mount::mount_remount("/", MountFlags::BIND | MountFlags::RDONLY | sealed, c"")
        .named("make root read-only")
}
