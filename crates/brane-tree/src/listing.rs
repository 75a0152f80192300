//! Listing directories.
//!
//! A stream goes through the names in the order of their bytes and remembers only the last one. What is there all the
//! time is given once; what comes or goes meanwhile may be given or not. Nothing is copied when a stream begins.

use std::ops::Bound;

use crate::bounds::Budget;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{FileKind, NodeId};
use crate::volume::Volume;

/// One entry, as WASI's `directory-entry`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// File, directory or symbolic link.
    pub kind: FileKind,
    /// Its name.
    pub name: String,
}

/// A place in a directory. It keeps the directory open, and is given back with [`Volume::close_stream`].
#[derive(Debug)]
#[must_use = "a stream is given back with close_stream()"]
pub struct DirectoryStream {
    volume: u32,
    directory: NodeId,
    last: Option<String>,
}

impl DirectoryStream {
    /// Goes on behind `name`, whether anything has that name or not; at the beginning for an empty one.
    pub fn skip_to(&mut self, name: &str) {
        self.last = (!name.is_empty()).then(|| name.to_owned());
    }
}

impl Volume {
    /// WASI's `read-directory`. A directory's handle need not be open for reading.
    ///
    /// # Errors
    /// [`Error::NotDirectory`], [`Error::BadDescriptor`] for a handle of another volume, [`Error::Overflow`] for too many.
    pub fn read_directory(&mut self, base: &Handle) -> Result<DirectoryStream> {
        let directory = self.own_directory(base)?;
        self.hold(directory)?;
        Ok(DirectoryStream { volume: self.id(), directory, last: None })
    }

    /// WASI's `read-directory-entry`: the next entry, or none at the end.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a stream of another volume.
    pub fn next_entry(&self, stream: &mut DirectoryStream) -> Result<Option<DirectoryEntry>> {
        let directory = self.directory(self.own_stream(stream)?)?;
        let after = stream.last.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let Some((name, id)) = directory.entries.range::<str, _>((after, Bound::Unbounded)).next() else {
            return Ok(None);
        };
        let (kind, name) = (self.kind_of(*id)?, name.to_string());
        stream.last = Some(name.clone());
        Ok(Some(DirectoryEntry { kind, name }))
    }

    /// Gives a stream back.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a stream of another volume.
    pub fn close_stream(&mut self, stream: DirectoryStream, budget: &mut dyn Budget) -> Result<()> {
        let directory = self.own_stream(&stream)?;
        self.release(directory, budget);
        Ok(())
    }

    fn own_stream(&self, stream: &DirectoryStream) -> Result<NodeId> {
        if stream.volume == self.id() { Ok(stream.directory) } else { Err(Error::BadDescriptor) }
    }
}
