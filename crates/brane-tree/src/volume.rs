//! A volume: nodes by number, from the first name or open to the last.
//!
//! Kept true, and looked at by [`Volume::check`]: a node is in the map while it has a name or is open; its links are
//! its names; a directory knows its parent and its height; the account is the sum of what the nodes and names count
//! for. Numbers of nodes only go up, so that a number never means another node.

use std::collections::BTreeMap;

use crate::bounds::{Account, Bounds, Budget, Change, Usage};
use crate::error::{Error, Result};
use crate::handle::{DescriptorFlags, Handle};
use crate::node::{Directory, FileKind, Kind, Node, NodeId, Text, new_name_cost};

/// Names that a file may have.
pub const MAX_LINKS: u32 = 65_000;

/// Whether a volume may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Not at all.
    ReadOnly,
    /// By so much.
    Writable(Bounds),
}

/// One mounted tree.
#[derive(Debug)]
pub struct Volume {
    id: u32,
    writable: bool,
    pub(crate) account: Account,
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    next: u64,
    pub(crate) root: NodeId,
}

impl Volume {
    /// An empty, writable volume. `id` is to be another for every volume of a guest.
    #[must_use]
    pub fn new(id: u32, bounds: Bounds, now: u64) -> Self {
        Self::empty(id, Rights::Writable(bounds), now)
    }

    /// A volume without content, that can be changed or not.
    #[must_use]
    pub fn empty(id: u32, rights: Rights, now: u64) -> Self {
        Self::with_root(id, rights, 0o755, now)
    }

    /// A volume with nothing but its root.
    pub(crate) fn with_root(id: u32, rights: Rights, mode: u32, now: u64) -> Self {
        let (writable, bounds) = match rights {
            Rights::Writable(bounds) => (true, bounds),
            Rights::ReadOnly => (false, Bounds { bytes: 0, inodes: 0, ..Bounds::default() }),
        };
        let root = NodeId(0);
        let mut node = Node::new(Kind::Directory(Directory::new(root)), mode, true, now);
        node.links = 1;
        let nodes = BTreeMap::from([(root, node)]);
        Self { id, writable, account: Account::new(bounds), nodes, next: 1, root }
    }

    /// The number it was made with.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Whether it may be changed at all.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.writable
    }

    /// What it may take from its guest.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.account.bounds
    }

    /// What it has taken from its guest.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.account.used
    }

    /// Opens the root: what a guest is given as a preopen.
    ///
    /// # Errors
    /// [`Error::ReadOnly`] if `flags` ask for changes to a read-only volume.
    pub fn open_root(&mut self, flags: DescriptorFlags) -> Result<Handle> {
        if (flags.write || flags.mutate_directory) && !self.writable {
            return Err(Error::ReadOnly);
        }
        let flags = DescriptorFlags { write: false, ..flags };
        self.hold(self.root)?;
        let mutable = flags.mutate_directory;
        Ok(Handle { volume: self.id, node: self.root, kind: FileKind::Directory, flags, mutable })
    }

    pub(crate) fn node(&self, id: NodeId) -> Result<&Node> {
        self.nodes.get(&id).ok_or(Error::BadDescriptor)
    }

    pub(crate) fn node_mut(&mut self, id: NodeId) -> Result<&mut Node> {
        self.nodes.get_mut(&id).ok_or(Error::BadDescriptor)
    }

    pub(crate) fn directory(&self, id: NodeId) -> Result<&Directory> {
        match &self.node(id)?.kind {
            Kind::Directory(directory) => Ok(directory),
            Kind::File(_) | Kind::Symlink(_) => Err(Error::NotDirectory),
        }
    }

    pub(crate) fn directory_mut(&mut self, id: NodeId) -> Result<&mut Directory> {
        match &mut self.node_mut(id)?.kind {
            Kind::Directory(directory) => Ok(directory),
            Kind::File(_) | Kind::Symlink(_) => Err(Error::NotDirectory),
        }
    }

    /// What `name` names in a directory.
    pub(crate) fn entry(&self, directory: NodeId, name: &str) -> Result<Option<NodeId>> {
        Ok(self.directory(directory)?.entries.get(name).copied())
    }

    /// Adds a node with a name, paid for.
    pub(crate) fn make(
        &mut self,
        (parent, name): (NodeId, &str),
        (kind, mode): (Kind, u32),
        change: &mut Change<'_>,
    ) -> Result<NodeId> {
        let node = Node::new(kind, mode, false, change.now);
        self.account.take_inode(node.cost() + new_name_cost(name), change.budget)?;
        let id = self.insert(node);
        self.attach(parent, Text::Owned(name.to_owned()), id);
        self.touch(parent, change.now);
        Ok(id)
    }

    /// Adds a node.
    pub(crate) fn insert(&mut self, node: Node) -> NodeId {
        let id = NodeId(self.next);
        self.next = self.next.saturating_add(1);
        self.nodes.insert(id, node);
        id
    }

    /// Counts one more open.
    pub(crate) fn hold(&mut self, id: NodeId) -> Result<()> {
        let node = self.node_mut(id)?;
        node.opens = node.opens.checked_add(1).ok_or(Error::Overflow)?;
        Ok(())
    }

    /// Counts one open less.
    pub(crate) fn release(&mut self, id: NodeId, budget: &mut dyn Budget) {
        if let Ok(node) = self.node_mut(id) {
            node.opens = node.opens.saturating_sub(1);
            self.sweep(id, budget);
        }
    }

    /// Frees a node that has no name and is not open.
    pub(crate) fn sweep(&mut self, id: NodeId, budget: &mut dyn Budget) {
        if self.nodes.get(&id).is_none_or(|node| node.links > 0 || node.opens > 0) {
            return;
        }
        if let Some(node) = self.nodes.remove(&id) {
            match node.seeded {
                true => self.account.give(node.cost(), budget),
                false => self.account.give_inode(node.cost(), budget),
            }
        }
    }

    /// A directory's entries or a file's content changed.
    pub(crate) fn touch(&mut self, id: NodeId, now: u64) {
        if let Ok(node) = self.node_mut(id) {
            node.touch(now);
        }
    }

    /// Something beside the content changed.
    pub(crate) fn mark_changed(&mut self, id: NodeId, now: u64) {
        if let Ok(node) = self.node_mut(id) {
            node.times.changed = now;
        }
    }
}
