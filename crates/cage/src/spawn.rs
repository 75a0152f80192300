//! One brane: a fork of the template in seven namespaces of its own.

use std::io::Read;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::UnshareFlags;

use crate::error::{Named, StepError};
use crate::seal::BRANE_ID;
use crate::sys::{self, Clone};

/// Which side of a spawn this is.
pub(crate) enum Spawned {
    /// The brane, ids mapped, not yet sealed.
    Brane,
    /// The template; the brane's number in the template's pid namespace, and its pidfd.
    Template { pid: i32, pidfd: OwnedFd },
}

/// Forks branes and keeps the network namespace for the next one.
#[derive(Debug)]
pub(crate) struct Spawner {
    /// The host's /proc.
    proc: OwnedFd,
    /// Whether the template's network namespace is one that no brane has been in.
    fresh_network: bool,
}

impl Spawner {
    /// The namespace that the template just entered is fresh.
    pub(crate) fn new(proc: OwnedFd) -> Self {
        Self { proc, fresh_network: true }
    }

    /// Forks one brane as user and group `id` of the template's user namespace.
    pub(crate) fn fork(&mut self, id: u32) -> Result<Spawned, StepError> {
        self.renew_network()?;
        let (ready, mapped) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).named("make map pipe")?;
        self.fresh_network = false;
        // The network namespace is not among these: it is the template's own fresh one, which the template leaves
        // before the next fork. Cloning into a new one costs 0.6 ms and has a tail of 5 ms.
        let flags = libc::CLONE_NEWUSER
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWCGROUP;
        match sys::clone3(flags, libc::SIGCHLD).named("clone brane")? {
            Clone::Child => {
                drop(mapped);
                wait_until_mapped(ready)?;
                Ok(Spawned::Brane)
            }
            Clone::Parent { pid, pidfd } => {
                if let Err(error) = self.map(pidfd.as_fd(), id) {
                    // It waits for its maps; with the pipe's end it ends, and must not stay a zombie.
                    drop(mapped);
                    let _ = sys::wait4(pid);
                    return Err(error);
                }
                rustix::io::write(&mapped, &[1]).named("release brane")?;
                Ok(Spawned::Template { pid, pidfd })
            }
        }
    }

    /// Makes the template's network namespace one that no brane has been in.
    pub(crate) fn renew_network(&mut self) -> Result<(), StepError> {
        if !self.fresh_network {
            sys::unshare(UnshareFlags::NEWNET).named("make network namespace")?;
            self.fresh_network = true;
        }
        Ok(())
    }

    /// Writes both maps of the brane behind `pidfd`: one id, to `id`.
    ///
    /// By the template, because an owner outside cannot write the maps of a nested namespace, even as root.
    fn map(&self, pidfd: BorrowedFd<'_>, id: u32) -> Result<(), StepError> {
        let number = self.host_number(pidfd)?;
        let map = format!("{BRANE_ID} {id} 1\n");
        for (file, step) in [("uid_map", "write brane uid map"), ("gid_map", "write brane gid map")] {
            let path = format!("{number}/{file}");
            let file = rustix::fs::openat(&self.proc, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty());
            rustix::io::write(file.named(step)?, map.as_bytes()).named(step)?;
        }
        Ok(())
    }

    /// The brane's number in the host's pid namespace: fdinfo shows a pidfd as the instance of /proc sees it (proc(5)).
    fn host_number(&self, pidfd: BorrowedFd<'_>) -> Result<u32, StepError> {
        const STEP: &str = "read pidfd info";
        let path = format!("self/fdinfo/{}", pidfd.as_raw_fd());
        let file = rustix::fs::openat(&self.proc, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .named(STEP)?;
        let mut text = String::new();
        std::fs::File::from(file).read_to_string(&mut text).map_err(|_| Errno::IO).named(STEP)?;
        let number = text.lines().find_map(|line| line.strip_prefix("Pid:"));
        number.and_then(|number| number.trim().parse().ok()).ok_or(Errno::SRCH).named(STEP)
    }
}

fn wait_until_mapped(ready: OwnedFd) -> Result<(), StepError> {
    let mut byte = [0];
    match rustix::io::read(ready, &mut byte).named("wait for maps")? {
        // The template failed to write the maps, or died.
        0 => Err(Errno::PIPE).named("wait for maps"),
        _ => Ok(()),
    }
}
