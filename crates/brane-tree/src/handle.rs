//! Handles: what a guest holds of a node, and what it asked for when it opened it.

use crate::error::{Error, Result};
use crate::node::{FileKind, NodeId};
use crate::volume::Volume;

/// What a handle is for, as WASI's `descriptor-flags`. The three that ask for synchronous writes mean nothing here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DescriptorFlags {
    /// A file's data can be read.
    pub read: bool,
    /// A file's data can be written.
    pub write: bool,
    /// What lies below a directory can be changed.
    pub mutate_directory: bool,
}

/// What to do on the way to a handle, as WASI's `open-flags`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenFlags {
    /// Make a file where there is none.
    pub create: bool,
    /// Fail if it is not a directory.
    pub directory: bool,
    /// With `create`, fail if it exists.
    pub exclusive: bool,
    /// Cut the file to nothing.
    pub truncate: bool,
}

/// An open node. It is given back with [`Volume::close`]: dropped without, the node stays for as long as the volume.
#[derive(Debug)]
#[must_use = "a handle is given back with close()"]
pub struct Handle {
    pub(crate) volume: u32,
    pub(crate) node: NodeId,
    pub(crate) kind: FileKind,
    pub(crate) flags: DescriptorFlags,
    /// Whether the directory that it was opened from could be changed: it goes down from handle to handle, asked for
    /// or not, because the C libraries of guests do not ask.
    pub(crate) mutable: bool,
}

impl Handle {
    /// WASI's `get-flags`: what was asked for; and of a directory, whether it can be changed.
    #[must_use]
    pub fn flags(&self) -> DescriptorFlags {
        let mutate_directory = self.kind == FileKind::Directory && self.mutable;
        DescriptorFlags { mutate_directory, ..self.flags }
    }

    /// WASI's `get-type`.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        self.kind
    }

    /// The number of the volume that it belongs to.
    #[must_use]
    pub fn volume(&self) -> u32 {
        self.volume
    }

    /// WASI's `is-same-object`.
    #[must_use]
    pub fn is_same_object(&self, other: &Self) -> bool {
        self.volume == other.volume && self.node == other.node
    }
}

impl Volume {
    /// The node behind a handle of this volume.
    pub(crate) fn own(&self, handle: &Handle) -> Result<NodeId> {
        if handle.volume == self.id() { Ok(handle.node) } else { Err(Error::BadDescriptor) }
    }

    /// The directory behind a handle of this volume.
    pub(crate) fn own_directory(&self, handle: &Handle) -> Result<NodeId> {
        let node = self.own(handle)?;
        if handle.kind == FileKind::Directory { Ok(node) } else { Err(Error::NotDirectory) }
    }

    /// Refuses a change through `handle`, if that may not change anything. Asked when all else is well.
    pub(crate) fn allow_change(&self, handle: &Handle) -> Result<()> {
        if self.is_writable() && handle.mutable { Ok(()) } else { Err(Error::ReadOnly) }
    }
}
