//! The tree: names, and how deep it is. The steps that every change of it is made of.
//!
//! A name is paid for before it is attached. Heights of directories are kept exact at every step, so that a rename
//! knows how deep its tree reaches without walking it; all work here grows with the depth of the tree at most.

use crate::bounds::Change;
use crate::error::{Error, Result};
use crate::node::{Kind, NodeId, Text, name_cost};
use crate::volume::Volume;

impl Volume {
    /// Refuses an unlinked directory, which nothing can be made in.
    pub(crate) fn allow_entries(&self, directory: NodeId) -> Result<()> {
        if self.node(directory)?.links == 0 { Err(Error::NoEntry) } else { Ok(()) }
    }

    /// Refuses a directory below `parent` with `height` levels below itself, if that is too deep.
    pub(crate) fn allow_depth(&self, parent: NodeId, height: u32) -> Result<()> {
        let depth = self.depth(parent)?.saturating_add(1).saturating_add(height);
        if depth > self.bounds().depth { Err(Error::NameTooLong) } else { Ok(()) }
    }

    /// Directories between a linked directory and the root.
    fn depth(&self, directory: NodeId) -> Result<u32> {
        let mut depth: u32 = 0;
        let mut at = directory;
        while at != self.root {
            at = self.directory(at)?.parent;
            depth = depth.saturating_add(1);
        }
        Ok(depth)
    }

    /// Gives a node a name, paid for, that is not there yet.
    pub(crate) fn attach(&mut self, parent: NodeId, name: Text, id: NodeId) {
        let mut height = None;
        if let Ok(node) = self.node_mut(id) {
            node.links = node.links.saturating_add(1);
            if let Kind::Directory(directory) = &mut node.kind {
                directory.parent = parent;
                height = Some(directory.height());
            }
        }
        if let Ok(directory) = self.directory_mut(parent) {
            directory.entries.insert(name, id);
        }
        self.change_height(parent, None, height);
    }

    /// Takes a name away; what it named and what it counted for. The node stays.
    pub(crate) fn detach(&mut self, parent: NodeId, name: &str) -> Option<(NodeId, usize)> {
        let (text, id) = self.directory_mut(parent).ok()?.entries.remove_entry(name)?;
        let node = self.node_mut(id).ok()?;
        node.links = node.links.saturating_sub(1);
        let height = match &node.kind {
            Kind::Directory(directory) => Some(directory.height()),
            Kind::File(_) | Kind::Symlink(_) => None,
        };
        self.change_height(parent, height, None);
        Some((id, name_cost(&text)))
    }

    /// Takes a name away with what it counted for, and the node with its last name if nobody has it open.
    pub(crate) fn remove(&mut self, parent: NodeId, name: &str, change: &mut Change<'_>) {
        if let Some((id, cost)) = self.detach(parent, name) {
            self.account.give(cost, change.budget);
            self.touch(parent, change.now);
            self.mark_changed(id, change.now);
            self.sweep(id, change.budget);
        }
    }

    /// A child directory of `directory` changed its height; upwards until nothing changes.
    fn change_height(&mut self, directory: NodeId, old: Option<u32>, new: Option<u32>) {
        let (mut at, mut old, mut new) = (directory, old, new);
        while old != new {
            let Ok(directory) = self.directory_mut(at) else { return };
            let before = directory.height();
            old.into_iter().for_each(|height| directory.remove_height(height));
            new.into_iter().for_each(|height| directory.add_height(height));
            (old, new) = (Some(before), Some(directory.height()));
            if at == directory.parent {
                return;
            }
            at = directory.parent;
        }
    }
}
