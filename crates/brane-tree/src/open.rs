//! Opening and closing.

use crate::bounds::{Budget, Change};
use crate::content::Content;
use crate::error::{Error, Result};
use crate::handle::{DescriptorFlags, Handle, OpenFlags};
use crate::node::{FileKind, Kind, NodeId};
use crate::resolve::{Found, Last, Tail};
use crate::volume::Volume;

/// What an `open_at` asks for beside the path.
#[derive(Debug, Clone, Copy)]
struct Wish {
    open: OpenFlags,
    flags: DescriptorFlags,
}

impl Wish {
    /// Whether it needs a directory that can be changed.
    fn changes(&self) -> bool {
        self.open.create || self.open.truncate || self.flags.write || self.flags.mutate_directory
    }

    /// Whether it cannot be meant of a directory.
    fn needs_file(&self) -> bool {
        self.open.create || self.open.truncate || self.flags.write
    }
}

impl Volume {
    /// WASI's `open-at`.
    ///
    /// The new handle can be used for changes if `base` can, asked for or not; `mutate_directory` means nothing of a
    /// file. A link at the end is made into a file by `create` if it is followed and leads nowhere, as on Linux.
    ///
    /// # Errors
    /// - [`Error::ReadOnly`] for `create`, `truncate`, `write` or `mutate_directory` where `base` is not for changes;
    /// - [`Error::Loop`] for a link that is not followed, with `directory` [`Error::NotDirectory`];
    /// - [`Error::Invalid`] for `directory` together with `create`, `exclusive` or `truncate`;
    /// - those of paths and of bounds.
    pub fn open_at(
        &mut self,
        base: &Handle,
        (path, follow): (&str, bool),
        open: OpenFlags,
        flags: DescriptorFlags,
        change: &mut Change<'_>,
    ) -> Result<Handle> {
        let last = match open.create {
            true if follow && !open.exclusive => Last::Create,
            true => Last::Name,
            false => Last::following(follow),
        };
        let found = self.resolve(base, path, last)?;
        if open.directory && (open.create || open.exclusive || open.truncate) {
            return Err(Error::Invalid);
        }
        if open.create && found.slash {
            return Err(Error::IsDirectory);
        }
        let wish = Wish { open, flags };
        let node = match found.node {
            Some(node) => self.open_existing(base, node, wish, change)?,
            None => self.open_new(base, &found, wish, change)?,
        };
        self.handle(node, flags, base.mutable)
    }

    fn open_existing(
        &mut self,
        base: &Handle,
        id: NodeId,
        wish: Wish,
        change: &mut Change<'_>,
    ) -> Result<NodeId> {
        if wish.open.create && wish.open.exclusive {
            return Err(Error::Exist);
        }
        match self.node(id)?.file_kind() {
            FileKind::File | FileKind::Symlink if wish.open.directory => return Err(Error::NotDirectory),
            FileKind::Symlink => return Err(Error::Loop),
            FileKind::Directory if wish.needs_file() => return Err(Error::IsDirectory),
            FileKind::File | FileKind::Directory => {}
        }
        if wish.changes() {
            self.allow_change(base)?;
        }
        if wish.open.truncate {
            self.resize(id, 0, change)?;
        }
        Ok(id)
    }

    fn open_new(
        &mut self,
        base: &Handle,
        found: &Found,
        wish: Wish,
        change: &mut Change<'_>,
    ) -> Result<NodeId> {
        let (Tail::Name(name), true) = (&found.tail, wish.open.create) else { return Err(Error::NoEntry) };
        self.allow_entries(found.parent)?;
        self.allow_change(base)?;
        self.make((found.parent, name), (Kind::File(Content::default()), 0o644), change)
    }

    /// A second handle of the same kind: for a stream that may outlive the first.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a handle of another volume, [`Error::Overflow`] for too many.
    pub fn duplicate(&mut self, handle: &Handle) -> Result<Handle> {
        let node = self.own(handle)?;
        self.handle(node, handle.flags, handle.mutable)
    }

    /// Gives a handle back. The last one of an unlinked node frees it.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a handle of another volume.
    pub fn close(&mut self, handle: Handle, budget: &mut dyn Budget) -> Result<()> {
        let node = self.own(&handle)?;
        self.release(node, budget);
        Ok(())
    }

    fn handle(&mut self, id: NodeId, flags: DescriptorFlags, mutable: bool) -> Result<Handle> {
        self.hold(id)?;
        let kind = self.node(id)?.file_kind();
        Ok(Handle { volume: self.id(), node: id, kind, flags, mutable })
    }
}
