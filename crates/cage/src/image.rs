//! Content that is handed over as a memfd and mapped, never copied: trees in the template, the late image in a brane.
//!
//! A tree is sealed before it comes. The late image comes empty, is mapped while the brane can still map a file, and is
//! written and sealed by the owner before "go", which says how long it is: nothing is read of it earlier, since
//! [`Late::bytes`] is the only way to it and takes that length.

use std::os::fd::{AsFd, OwnedFd};

use brane_wire::control::MAX_LATE;
use rustix::fs::SealFlags;
use rustix::io::Errno;

use crate::error::{Named, StepError};
use crate::sys::{self, Mapping};

/// The late image of one brane, if it has one.
#[derive(Debug)]
pub struct Late(Option<Mapping>);

impl Late {
    /// Maps the late image behind `descriptor`, which has nothing in it yet, and closes the descriptor.
    pub(crate) fn map(descriptor: Option<OwnedFd>) -> Result<Self, StepError> {
        let Some(descriptor) = descriptor else { return Ok(Self(None)) };
        let length = usize::try_from(MAX_LATE).map_err(|_| Errno::OVERFLOW).named("map late image")?;
        Ok(Self(Some(sys::map(descriptor.as_fd(), length).named("map late image")?)))
    }

    /// All of it: the `length` bytes that "go" says, by when the owner has written and sealed it.
    ///
    /// Nothing if there is no late image, or none of this length can be.
    pub fn bytes(&self, length: u64) -> Option<&'static [u8]> {
        self.0.as_ref()?.bytes(usize::try_from(length).ok()?)
    }
}

/// Maps a tree, whole, and closes its descriptor. One that could still be written is refused.
pub(crate) fn tree(descriptor: OwnedFd) -> Result<&'static [u8], StepError> {
    let seals = rustix::fs::fcntl_get_seals(&descriptor).named("check seals of tree")?;
    if !seals.contains(SealFlags::WRITE | SealFlags::SHRINK | SealFlags::GROW) {
        return Err(Errno::PERM).named("check seals of tree");
    }
    let size = rustix::fs::fstat(&descriptor).named("read size of tree")?.st_size;
    let length = usize::try_from(size).map_err(|_| Errno::OVERFLOW).named("read size of tree")?;
    let mapping = sys::map(descriptor.as_fd(), length).named("map tree")?;
    mapping.bytes(length).ok_or(Errno::OVERFLOW).named("map tree")
}
