//! The last steps of a brane: from here on it has nothing left to give up.
//!
//! Order matters. Ids before capabilities (changing ids needs them), descriptors before limits (placing them needs room),
//! dumpable last of the settings (the maps had to be written before), the filter last of all.

use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, OwnedFd, RawFd};

use brane_wire::brane::{FromBrane, ToBrane};
use rustix::io::Errno;
use rustix::process::{DumpableBehavior, Gid, Resource, Rlimit, Uid};
use rustix::thread::CapabilitySet;

use crate::error::{Failure, Named, StepError};
use crate::pipe::Pipe;
use crate::sys;

/// Number of the descriptor on which a brane reads commands.
pub const COMMANDS: RawFd = 3;
/// Number of the descriptor on which a brane writes events.
pub const EVENTS: RawFd = 4;
/// User and group inside a brane: not 0, so that no exec could regain capabilities.
pub(crate) const BRANE_ID: u32 = 1000;
/// Above every number at which a descriptor is placed or kept.
const PARKING: RawFd = 64;

/// Descriptors of a brane: everything else is closed.
#[derive(Debug)]
pub(crate) struct Descriptors {
    /// Descriptors and the numbers that they get.
    pub(crate) placed: Vec<(OwnedFd, RawFd)>,
    /// Numbers that stay as they are, because the prepared program knows them.
    pub(crate) kept: Vec<RawFd>,
}

/// Seals this process, hands the listener to the owner, and returns parked.
///
/// The descriptors must not be dropped: a step that fails before they are arranged is told over one of them, and
/// arranging closes them by number.
pub(crate) fn seal(descriptors: &ManuallyDrop<Descriptors>, second_filter: &[u8]) -> Result<Pipe, Failure> {
    take_ids()?;
    drop_capabilities()?;
    arrange(descriptors)?;
    set_limits()?;
    // Nobody of the same uid may read this memory or attach; the owner can, through its capabilities in the
    // namespace that the template was exec'd in.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).named("set not dumpable")?;
    let listener = sys::install_filter(second_filter, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER);
    hand_over(listener.named("install second filter")?)
}

fn take_ids() -> Result<(), StepError> {
    let (user, group) = (Uid::from_raw(BRANE_ID), Gid::from_raw(BRANE_ID));
    rustix::thread::set_thread_res_gid(group, group, group).named("take brane group")?;
    rustix::thread::set_thread_res_uid(user, user, user).named("take brane user")
}

fn drop_capabilities() -> Result<(), StepError> {
    // The bounding set first: emptying it needs CAP_SETPCAP. EINVAL says that the kernel's last one is behind us.
    for number in 0.. {
        match sys::drop_bounding(number) {
            Err(Errno::INVAL) => break,
            other => other.named("drop bounding set")?,
        }
    }
    rustix::thread::clear_ambient_capability_set().named("clear ambient set")?;
    let none = CapabilitySet::empty();
    let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
    rustix::thread::set_capabilities(None, sets).named("drop capabilities")
}

/// Puts the named descriptors at their numbers and closes every other.
fn arrange(descriptors: &Descriptors) -> Result<(), StepError> {
    let mut numbers = descriptors.kept.clone();
    let mut parked = Vec::new();
    for (descriptor, number) in &descriptors.placed {
        // First out of the way of one another.
        let away = rustix::io::fcntl_dupfd_cloexec(descriptor, PARKING).named("park descriptor")?;
        parked.push((away, *number));
    }
    for (descriptor, number) in &parked {
        sys::place(descriptor.as_fd(), *number, *number > libc::STDERR_FILENO).named("place descriptor")?;
        numbers.push(*number);
    }
    // Their numbers are closed below, as ranges.
    std::mem::forget(parked);
    close_others(numbers)
}

fn close_others(mut numbers: Vec<RawFd>) -> Result<(), StepError> {
    numbers.sort_unstable();
    let mut first = 0;
    for number in numbers {
        sys::close_range(first, number - 1).named("close descriptors")?;
        first = number + 1;
    }
    sys::close_range(first, RawFd::MAX).named("close descriptors")
}

/// Limits that hold whatever the filter lets through; memory is set from outside, once the size at birth is known.
fn set_limits() -> Result<(), StepError> {
    let limits = [
        (Resource::Core, 0, "limit core"), // no dump of a guest's memory, and none that fills a disk
        (Resource::Nofile, 16, "limit nofile"), // what a brane holds, and nothing to spend
        (Resource::Nproc, 1, "limit nproc"), // itself
        (Resource::Fsize, 0, "limit fsize"), // there is no file
        (Resource::Memlock, 0, "limit memlock"), // nothing pinned
        (Resource::Msgqueue, 0, "limit msgqueue"), // no queues
        (Resource::Sigpending, 16, "limit sigpending"),
    ];
    for (resource, limit, step) in limits {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        rustix::process::setrlimit(resource, limit).named(step)?;
    }
    Ok(())
}

/// Lets the owner take the listener, closes this copy, and tells.
fn hand_over(listener: RawFd) -> Result<Pipe, Failure> {
    let mut pipe = Pipe::new(sys::own(COMMANDS), sys::own(EVENTS));
    pipe.send(&FromBrane::Sealed { listener })?;
    let ToBrane::Taken {} = pipe.receive()? else { return Err(Failure::Unexpected("taken")) };
    sys::close(listener).named("close listener")?;
    pipe.send(&FromBrane::Parked {})?;
    Ok(pipe)
}

/// Tells the owner that sealing failed, over the events descriptor: `before` until descriptors are arranged.
pub(crate) fn report(before: RawFd, failure: &Failure) {
    let (step, errno, detail) = match failure {
        Failure::Step(StepError { step, errno }) => (*step, errno.raw_os_error(), errno.to_string()),
        _ => ("seal", 0, failure.to_string()),
    };
    let event = FromBrane::Failed { step: step.to_owned(), errno, detail };
    let number = if sys::is_open(before) { before } else { EVENTS };
    // Best effort: if this cannot be written, the owner sees the end of the pipe, which is a failure too.
    let _ = crate::pipe::send_to(sys::own(number).as_fd(), &event);
}
