//! Whether a volume keeps what it promises: everything computed again, the long way.

use std::collections::BTreeMap;

use crate::bounds::Usage;
use crate::node::{Kind, Node, NodeId, name_cost};
use crate::volume::Volume;

impl Volume {
    /// Computes the account, the links, the parents and the heights again. Its work grows with the volume: it is for
    /// tests, and for finding out what went wrong.
    ///
    /// # Errors
    /// Says what does not hold.
    pub fn check(&self) -> Result<(), &'static str> {
        let names = self.count_names()?;
        self.check_nodes(&names)?;
        if self.recount() != self.usage() {
            return Err("the account is not the sum of what is held");
        }
        if self.bounds().bytes < self.usage().bytes || self.bounds().inodes < self.usage().inodes {
            return Err("the account is above its bounds");
        }
        Ok(())
    }

    /// How many names each node has, going down from the root.
    fn count_names(&self) -> Result<BTreeMap<NodeId, u32>, &'static str> {
        let mut names = BTreeMap::from([(self.root, 1)]);
        let mut waiting = vec![self.root];
        while let Some(at) = waiting.pop() {
            let directory = self.directory(at).map_err(|_| "a directory is missing")?;
            for child in directory.entries.values() {
                *names.entry(*child).or_insert(0) += 1;
                if let Ok(below) = self.directory(*child) {
                    if below.parent != at {
                        return Err("a directory has another parent than it says");
                    }
                    waiting.push(*child);
                }
            }
        }
        Ok(names)
    }

    fn check_nodes(&self, names: &BTreeMap<NodeId, u32>) -> Result<(), &'static str> {
        if names.keys().any(|id| !self.nodes.contains_key(id)) {
            return Err("a name leads nowhere");
        }
        for (id, node) in &self.nodes {
            let links = names.get(id).copied().unwrap_or(0);
            if node.links != links {
                return Err("links are not the names of a node");
            }
            if links == 0 && node.opens == 0 {
                return Err("a node is neither named nor open");
            }
            self.check_kind(node)?;
        }
        Ok(())
    }

    fn check_kind(&self, node: &Node) -> Result<(), &'static str> {
        match &node.kind {
            Kind::File(content) if !content.is_sound() => Err("a file's chunks are not sound"),
            Kind::Directory(directory) => {
                let mut heights: BTreeMap<u32, u32> = BTreeMap::new();
                for below in directory.entries.values().filter_map(|child| self.directory(*child).ok()) {
                    *heights.entry(below.height()).or_insert(0) += 1;
                }
                if node.links == 0 && !directory.entries.is_empty() {
                    return Err("an unlinked directory has entries");
                }
                if heights == directory.heights {
                    Ok(())
                } else {
                    Err("a directory's heights are not its children's")
                }
            }
            Kind::File(_) | Kind::Symlink(_) => Ok(()),
        }
    }

    fn recount(&self) -> Usage {
        let mut used = Usage::default();
        for node in self.nodes.values() {
            used.inodes += u64::from(!node.seeded);
            used.bytes += node.cost() as u64;
            if let Kind::Directory(directory) = &node.kind {
                used.bytes += directory.entries.keys().map(|name| name_cost(name) as u64).sum::<u64>();
            }
        }
        used
    }
}
