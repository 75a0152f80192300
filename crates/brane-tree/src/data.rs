//! Reading and writing files.
//!
//! A write is whole or not at all. It is not for [`Handle`]s that were not opened for it.

use crate::bounds::Change;
use crate::content::Content;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{FileKind, Kind, NodeId};
use crate::volume::Volume;

/// The most that one [`Volume::read`] gives.
pub const READ_MAX: usize = 1 << 20;

impl Volume {
    /// WASI's `read`: at most `length` bytes from `offset` on, at most [`READ_MAX`], and whether the file ends there.
    ///
    /// # Errors
    /// [`Error::IsDirectory`], or [`Error::BadDescriptor`] for a handle that is not open for reading.
    pub fn read(&self, file: &Handle, offset: u64, length: u64) -> Result<(Vec<u8>, bool)> {
        let content = self.readable(file)?;
        let left = content.size().saturating_sub(offset);
        let count = usize::try_from(length.min(left)).unwrap_or(READ_MAX).min(READ_MAX);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(count).map_err(|_| Error::InsufficientMemory)?;
        bytes.resize(count, 0);
        content.read(offset, &mut bytes);
        Ok((bytes, count as u64 == left))
    }

    /// Fills `buffer` from `offset` on, as far as the file goes; how far that was. It allocates nothing.
    ///
    /// # Errors
    /// Those of [`Volume::read`].
    pub fn read_into(&self, file: &Handle, offset: u64, buffer: &mut [u8]) -> Result<usize> {
        Ok(self.readable(file)?.read(offset, buffer))
    }

    /// WASI's `write`: all of `bytes` at `offset`, with a hole before them if the file is shorter.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] on a read-only volume, [`Error::BadDescriptor`] for a handle that is not open for writing,
    /// [`Error::FileTooLarge`], and those of bounds.
    pub fn write(
        &mut self,
        file: &Handle,
        offset: u64,
        bytes: &[u8],
        change: &mut Change<'_>,
    ) -> Result<usize> {
        let id = self.own_writable(file)?;
        self.write_node(id, Some(offset), bytes, change)
    }

    /// Writes all of `bytes` where the file ends.
    ///
    /// # Errors
    /// Those of [`Volume::write`].
    pub fn append(&mut self, file: &Handle, bytes: &[u8], change: &mut Change<'_>) -> Result<usize> {
        let id = self.own_writable(file)?;
        self.write_node(id, None, bytes, change)
    }

    /// WASI's `set-size`: cuts the file, or lets it end in a hole.
    ///
    /// # Errors
    /// Those of [`Volume::write`].
    pub fn set_size(&mut self, file: &Handle, size: u64, change: &mut Change<'_>) -> Result<()> {
        let id = self.own_writable(file)?;
        self.resize(id, size, change)
    }

    /// Cuts or stretches a file, and marks it modified.
    pub(crate) fn resize(&mut self, id: NodeId, size: u64, change: &mut Change<'_>) -> Result<()> {
        let Self { nodes, account, .. } = self;
        let node = nodes.get_mut(&id).ok_or(Error::BadDescriptor)?;
        let Kind::File(content) = &mut node.kind else { return Err(Error::BadDescriptor) };
        account.allow_size(content.size(), size)?;
        let freed = content.resize(size);
        account.give(freed, change.budget);
        node.touch(change.now);
        Ok(())
    }

    fn write_node(
        &mut self,
        id: NodeId,
        offset: Option<u64>,
        bytes: &[u8],
        change: &mut Change<'_>,
    ) -> Result<usize> {
        let Self { nodes, account, .. } = self;
        let node = nodes.get_mut(&id).ok_or(Error::BadDescriptor)?;
        let Kind::File(content) = &mut node.kind else { return Err(Error::BadDescriptor) };
        if bytes.is_empty() {
            return Ok(0);
        }
        let offset = offset.unwrap_or(content.size());
        let end = offset.checked_add(bytes.len() as u64).ok_or(Error::FileTooLarge)?;
        account.allow_size(content.size(), end)?;
        let growth = content.growth(offset, bytes.len());
        account.take(growth, change.budget)?;
        if let Err(made) = content.reserve(offset, bytes.len()) {
            account.give(growth - made, change.budget);
            return Err(Error::InsufficientMemory);
        }
        content.write(offset, bytes);
        node.touch(change.now);
        Ok(bytes.len())
    }

    fn readable(&self, file: &Handle) -> Result<&Content> {
        match &self.node(self.own(file)?)?.kind {
            Kind::File(content) if file.flags.read => Ok(content),
            Kind::Directory(_) => Err(Error::IsDirectory),
            Kind::File(_) | Kind::Symlink(_) => Err(Error::BadDescriptor),
        }
    }

    /// The file behind a handle that is open for writing.
    fn own_writable(&self, file: &Handle) -> Result<NodeId> {
        let id = self.own(file)?;
        if file.kind != FileKind::File {
            return Err(Error::BadDescriptor);
        }
        self.allow_change(file)?;
        if file.flags.write { Ok(id) } else { Err(Error::BadDescriptor) }
    }
}
