//! What is known about a node beside its content.

use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{FileKind, Kind, NodeId, Stat};
use crate::resolve::Last;
use crate::volume::Volume;

/// What to do with a time, as WASI's `new-timestamp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NewTimestamp {
    /// It stays.
    NoChange,
    /// It becomes the time that the caller gives.
    Now,
    /// It becomes this, in nanoseconds since the epoch.
    At(u64),
}

/// WASI's `metadata-hash-value`. Guests take `lower` for an inode number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MetadataHash {
    /// The lower 64 bits.
    pub lower: u64,
    /// The upper 64 bits.
    pub upper: u64,
}

impl Volume {
    /// WASI's `stat`.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a handle of another volume.
    pub fn stat(&self, handle: &Handle) -> Result<Stat> {
        Ok(self.node(self.own(handle)?)?.stat())
    }

    /// WASI's `stat-at`.
    ///
    /// # Errors
    /// Those of paths.
    pub fn stat_at(&self, base: &Handle, path: &str, follow: bool) -> Result<Stat> {
        Ok(self.node(self.resolve_node(base, path, Last::following(follow))?)?.stat())
    }

    /// WASI's `set-times`.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], and [`Error::BadDescriptor`] for a handle of another volume.
    pub fn set_times(
        &mut self,
        handle: &Handle,
        accessed: NewTimestamp,
        modified: NewTimestamp,
        now: u64,
    ) -> Result<()> {
        let id = self.own(handle)?;
        self.allow_change(handle)?;
        self.set_node_times(id, accessed, modified, now)
    }

    /// WASI's `set-times-at`.
    ///
    /// # Errors
    /// [`Error::ReadOnly`], and those of paths.
    pub fn set_times_at(
        &mut self,
        base: &Handle,
        (path, follow): (&str, bool),
        accessed: NewTimestamp,
        modified: NewTimestamp,
        now: u64,
    ) -> Result<()> {
        let id = self.resolve_node(base, path, Last::following(follow))?;
        self.allow_change(base)?;
        self.set_node_times(id, accessed, modified, now)
    }

    /// WASI's `readlink-at`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no symbolic link, [`Error::Escape`] for one with an absolute target, and those of
    /// paths.
    pub fn readlink_at(&self, base: &Handle, path: &str) -> Result<String> {
        let id = self.resolve_node(base, path, Last::NoFollow)?;
        match &self.node(id)?.kind {
            Kind::Symlink(target) if target.starts_with('/') => Err(Error::Escape),
            Kind::Symlink(target) => Ok(target.to_string()),
            Kind::File(_) | Kind::Directory(_) => Err(Error::Invalid),
        }
    }

    /// WASI's `metadata-hash`: of the volume's number and the node's, so that it stays for as long as the node.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for a handle of another volume.
    pub fn metadata_hash(&self, handle: &Handle) -> Result<MetadataHash> {
        Ok(hash(self.id(), self.own(handle)?))
    }

    /// WASI's `metadata-hash-at`.
    ///
    /// # Errors
    /// Those of paths.
    pub fn metadata_hash_at(&self, base: &Handle, path: &str, follow: bool) -> Result<MetadataHash> {
        Ok(hash(self.id(), self.resolve_node(base, path, Last::following(follow))?))
    }

    /// WASI's `get-type`, of a path.
    pub(crate) fn kind_of(&self, id: NodeId) -> Result<FileKind> {
        Ok(self.node(id)?.file_kind())
    }

    fn set_node_times(
        &mut self,
        id: NodeId,
        accessed: NewTimestamp,
        modified: NewTimestamp,
        now: u64,
    ) -> Result<()> {
        let times = &mut self.node_mut(id)?.times;
        times.accessed = accessed.apply(times.accessed, now);
        times.modified = modified.apply(times.modified, now);
        times.changed = now;
        Ok(())
    }
}

impl NewTimestamp {
    fn apply(self, old: u64, now: u64) -> u64 {
        match self {
            Self::NoChange => old,
            Self::Now => now,
            Self::At(time) => time,
        }
    }
}

/// An odd constant that no pair of small numbers makes, so that no node has zero, which C libraries take for no inode.
const SALT: u64 = 0x9e37_79b9_7f4a_7c15;

/// No two nodes of a guest have the same lower half: both numbers are small, and start from opposite ends.
fn hash(volume: u32, NodeId(node): NodeId) -> MetadataHash {
    let lower = mix(u64::from(volume).reverse_bits() ^ node ^ SALT);
    MetadataHash { lower, upper: mix(lower ^ SALT) }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014), which is a bijection.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
