//! What a volume may hold, and who pays.
//!
//! These count against [`Bounds::bytes`] and are asked of the caller's [`Budget`] before they are allocated:
//!
//! | what | bytes |
//! |---|---|
//! | a node that the guest made | [`INODE_COST`], and the target of a symbolic link |
//! | a name that the guest made | [`NAME_COST`] and its length |
//! | a chunk that the guest wrote | [`CHUNK_COST`] and its length, a power of two from 256 to [`CHUNK`](crate::CHUNK) |
//!
//! What came with an image costs nothing, and gives nothing back when it goes. A hole costs nothing. The fixed costs
//! are above what the maps behind them need at their emptiest.

use crate::error::{Error, Result};
use crate::node::Node;

/// Bytes that a node counts for.
pub const INODE_COST: usize = 512;
/// Bytes that a name counts for, beside its length.
pub const NAME_COST: usize = 128;
/// Bytes that a written chunk counts for, beside its length.
pub const CHUNK_COST: usize = 64;

// A map's leaf has at least 5 of 11 places in use; a directory also has a map of heights.
const _: () =
    assert!(INODE_COST >= 200 + size_of::<Node>() * 11 / 5, "a node costs more than it is charged for");

/// The most that a writable volume takes from its guest. What came with an image does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes, as this module's table counts them. No file grows beyond this size either, holes included.
    pub bytes: u64,
    /// Nodes.
    pub inodes: u64,
    /// Directories below each other, not counting the root. The work of making and moving them grows with it.
    pub depth: u32,
    /// Bytes of one name.
    pub name: usize,
    /// Bytes of one path, and of the target of a symbolic link.
    pub path: usize,
}

impl Default for Bounds {
    /// 64 MiB, 65,536 nodes, 64 directories deep, and Linux's 255 and 4,095 bytes.
    fn default() -> Self {
        Self { bytes: 64 << 20, inodes: 65_536, depth: 64, name: 255, path: 4_095 }
    }
}

/// Whoever pays for memory beside the volume: the guest's memory limit.
pub trait Budget {
    /// Takes `bytes`, or says no and takes nothing.
    fn take(&mut self, bytes: usize) -> bool;
    /// Returns `bytes` that were taken.
    fn give(&mut self, bytes: usize);
}

/// What every change brings along.
pub struct Change<'a> {
    /// The time, in nanoseconds since the epoch.
    pub now: u64,
    /// Who pays.
    pub budget: &'a mut dyn Budget,
}

impl core::fmt::Debug for Change<'_> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.debug_struct("Change").field("now", &self.now).finish_non_exhaustive()
    }
}

/// What a volume has taken from its guest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes, as this module's table counts them.
    pub bytes: u64,
    /// Nodes.
    pub inodes: u64,
}

/// Bounds and what is used of them.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) bounds: Bounds,
    pub(crate) used: Usage,
}

impl Account {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { bounds, used: Usage::default() }
    }

    /// Takes `bytes` from both sides or from neither.
    pub(crate) fn take(&mut self, bytes: usize, budget: &mut dyn Budget) -> Result<()> {
        let used = self.used.bytes.checked_add(bytes as u64).ok_or(Error::InsufficientSpace)?;
        if used > self.bounds.bytes {
            return Err(Error::InsufficientSpace);
        }
        if bytes > 0 && !budget.take(bytes) {
            return Err(Error::InsufficientMemory);
        }
        self.used.bytes = used;
        Ok(())
    }

    /// Returns `bytes` to both sides.
    pub(crate) fn give(&mut self, bytes: usize, budget: &mut dyn Budget) {
        self.used.bytes = self.used.bytes.saturating_sub(bytes as u64);
        if bytes > 0 {
            budget.give(bytes);
        }
    }

    /// Takes or returns what lies between `old` and `new`.
    pub(crate) fn exchange(&mut self, old: usize, new: usize, budget: &mut dyn Budget) -> Result<()> {
        match new.checked_sub(old) {
            Some(more) => self.take(more, budget),
            None => {
                self.give(old - new, budget);
                Ok(())
            }
        }
    }

    /// Takes `bytes` for a new node, and the node itself.
    pub(crate) fn take_inode(&mut self, bytes: usize, budget: &mut dyn Budget) -> Result<()> {
        if self.used.inodes >= self.bounds.inodes {
            return Err(Error::InsufficientSpace);
        }
        self.take(bytes, budget)?;
        self.used.inodes += 1;
        Ok(())
    }

    /// Returns a node and its `bytes`.
    pub(crate) fn give_inode(&mut self, bytes: usize, budget: &mut dyn Budget) {
        self.used.inodes = self.used.inodes.saturating_sub(1);
        self.give(bytes, budget);
    }

    /// Refuses a file that is to grow from `old` to a `new` size above the bound.
    pub(crate) fn allow_size(&self, old: u64, new: u64) -> Result<()> {
        if new > old && new > self.bounds.bytes { Err(Error::FileTooLarge) } else { Ok(()) }
    }
}
