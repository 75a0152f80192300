//! Nodes: files, directories and symbolic links, without their names.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::bounds::{INODE_COST, NAME_COST};
use crate::content::Content;

/// A node's number, never used again in its volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NodeId(pub(crate) u64);

/// A name or a link's target: of an image, or made by the guest.
pub(crate) type Text = Cow<'static, str>;

/// What a node is, as WASI's `descriptor-type` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// `regular-file`
    File,
    /// `directory`
    Directory,
    /// `symbolic-link`
    Symlink,
}

/// What `stat` says about a node. Times are nanoseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stat {
    /// File, directory or symbolic link.
    pub kind: FileKind,
    /// Permission bits, at most `0o777`. Kept, not enforced.
    pub mode: u32,
    /// Names; 1 for a directory, 0 for anything unlinked.
    pub links: u64,
    /// Bytes of a file or of a link's target; 0 for a directory.
    pub size: u64,
    /// When it was made, or what was last set. Reading does not change it.
    pub accessed: u64,
    /// When the content last changed.
    pub modified: u64,
    /// When anything last changed.
    pub changed: u64,
}

/// When a node was accessed, modified and changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub(crate) accessed: u64,
    pub(crate) modified: u64,
    pub(crate) changed: u64,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) mode: u32,
    /// It came with an image and costs nothing.
    pub(crate) seeded: bool,
    pub(crate) links: u32,
    pub(crate) opens: u32,
    pub(crate) times: Times,
}

#[derive(Debug)]
pub(crate) enum Kind {
    File(Content),
    Directory(Directory),
    Symlink(Text),
}

#[derive(Debug)]
pub(crate) struct Directory {
    /// The root is its own parent. Means nothing once the directory is unlinked.
    pub(crate) parent: NodeId,
    pub(crate) entries: BTreeMap<Text, NodeId>,
    /// How many child directories have how many levels of directories below them: [`Directory::height`] is exact
    /// and no rename has to walk the tree it moves.
    pub(crate) heights: BTreeMap<u32, u32>,
}

impl Node {
    pub(crate) fn new(kind: Kind, mode: u32, seeded: bool, now: u64) -> Self {
        let times = Times { accessed: now, modified: now, changed: now };
        Self { kind, mode, seeded, links: 0, opens: 0, times }
    }

    pub(crate) fn file_kind(&self) -> FileKind {
        match self.kind {
            Kind::File(_) => FileKind::File,
            Kind::Directory(_) => FileKind::Directory,
            Kind::Symlink(_) => FileKind::Symlink,
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    pub(crate) fn stat(&self) -> Stat {
        let size = match &self.kind {
            Kind::File(content) => content.size(),
            Kind::Directory(_) => 0,
            Kind::Symlink(target) => target.len() as u64,
        };
        let Times { accessed, modified, changed } = self.times;
        let (kind, mode, links) = (self.file_kind(), self.mode, u64::from(self.links));
        Stat { kind, mode, links, size, accessed, modified, changed }
    }

    /// The content changed.
    pub(crate) fn touch(&mut self, now: u64) {
        self.times.modified = now;
        self.times.changed = now;
    }

    /// What it counts for, names apart.
    pub(crate) fn cost(&self) -> usize {
        let fixed = if self.seeded { 0 } else { INODE_COST };
        fixed
            + match &self.kind {
                Kind::File(content) => content.cost(),
                Kind::Directory(_) => 0,
                Kind::Symlink(target) => owned_length(target),
            }
    }
}

impl Directory {
    pub(crate) fn new(parent: NodeId) -> Self {
        Self { parent, entries: BTreeMap::new(), heights: BTreeMap::new() }
    }

    /// Levels of directories below this one.
    pub(crate) fn height(&self) -> u32 {
        self.heights.last_key_value().map_or(0, |(height, _)| height.saturating_add(1))
    }

    pub(crate) fn add_height(&mut self, height: u32) {
        *self.heights.entry(height).or_insert(0) += 1;
    }

    pub(crate) fn remove_height(&mut self, height: u32) {
        if let Some(count) = self.heights.get_mut(&height) {
            *count -= 1;
            if *count == 0 {
                self.heights.remove(&height);
            }
        }
    }
}

/// What a name counts for.
pub(crate) fn name_cost(name: &Text) -> usize {
    match name {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => new_name_cost(text),
    }
}

/// What `name` would count for, made by a guest.
pub(crate) fn new_name_cost(name: &str) -> usize {
    NAME_COST + name.len()
}

fn owned_length(text: &Text) -> usize {
    match text {
        Cow::Borrowed(_) => 0,
        Cow::Owned(text) => text.len(),
    }
}
