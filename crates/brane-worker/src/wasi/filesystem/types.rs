//! The types of `wasi:filesystem/types`, and what they are in a volume.

use brane_tree::{Error, FileKind};
use wasmtime::component::{ComponentType, Lift, Lower, flags};

use crate::wasi::clocks::{Datetime, SECOND};

flags! {
    PathFlags {
        #[component(name = "symlink-follow")]
        const SYMLINK_FOLLOW;
    }
}

flags! {
    OpenFlags {
        #[component(name = "create")]
        const CREATE;
        #[component(name = "directory")]
        const DIRECTORY;
        #[component(name = "exclusive")]
        const EXCLUSIVE;
        #[component(name = "truncate")]
        const TRUNCATE;
    }
}

flags! {
    DescriptorFlags {
        #[component(name = "read")]
        const READ;
        #[component(name = "write")]
        const WRITE;
        #[component(name = "file-integrity-sync")]
        const FILE_INTEGRITY_SYNC;
        #[component(name = "data-integrity-sync")]
        const DATA_INTEGRITY_SYNC;
        #[component(name = "requested-write-sync")]
        const REQUESTED_WRITE_SYNC;
        #[component(name = "mutate-directory")]
        const MUTATE_DIRECTORY;
    }
}

impl PathFlags {
    pub(super) fn follow(self) -> bool {
        self.contains(Self::SYMLINK_FOLLOW)
    }
}

impl DescriptorFlags {
    /// Of these, the ones that ask for synchronous writes.
    pub(super) fn synchronous(self) -> Self {
        let all = Self::FILE_INTEGRITY_SYNC | Self::DATA_INTEGRITY_SYNC | Self::REQUESTED_WRITE_SYNC;
        self & all
    }
}

impl From<OpenFlags> for brane_tree::OpenFlags {
    fn from(flags: OpenFlags) -> Self {
        Self {
            create: flags.contains(OpenFlags::CREATE),
            directory: flags.contains(OpenFlags::DIRECTORY),
            exclusive: flags.contains(OpenFlags::EXCLUSIVE),
            truncate: flags.contains(OpenFlags::TRUNCATE),
        }
    }
}

impl From<DescriptorFlags> for brane_tree::DescriptorFlags {
    fn from(flags: DescriptorFlags) -> Self {
        Self {
            read: flags.contains(DescriptorFlags::READ),
            write: flags.contains(DescriptorFlags::WRITE),
            mutate_directory: flags.contains(DescriptorFlags::MUTATE_DIRECTORY),
        }
    }
}

impl From<brane_tree::DescriptorFlags> for DescriptorFlags {
    fn from(flags: brane_tree::DescriptorFlags) -> Self {
        let chosen = [
            (flags.read, Self::READ),
            (flags.write, Self::WRITE),
            (flags.mutate_directory, Self::MUTATE_DIRECTORY),
        ];
        chosen.into_iter().filter(|(set, _)| *set).fold(Self::empty(), |all, (_, flag)| all | flag)
    }
}

/// `descriptor-type`
#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the interface has cases that no volume has")]
pub(super) enum DescriptorType {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "block-device")]
    BlockDevice,
    #[component(name = "character-device")]
    CharacterDevice,
    #[component(name = "directory")]
    Directory,
    #[component(name = "fifo")]
    Fifo,
    #[component(name = "symbolic-link")]
    SymbolicLink,
    #[component(name = "regular-file")]
    RegularFile,
    #[component(name = "socket")]
    Socket,
}

impl From<FileKind> for DescriptorType {
    fn from(kind: FileKind) -> Self {
        match kind {
            FileKind::File => Self::RegularFile,
            FileKind::Directory => Self::Directory,
            FileKind::Symlink => Self::SymbolicLink,
        }
    }
}

/// `descriptor-stat`
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct DescriptorStat {
    #[component(name = "type")]
    kind: DescriptorType,
    #[component(name = "link-count")]
    links: u64,
    size: u64,
    #[component(name = "data-access-timestamp")]
    accessed: Option<Datetime>,
    #[component(name = "data-modification-timestamp")]
    modified: Option<Datetime>,
    #[component(name = "status-change-timestamp")]
    changed: Option<Datetime>,
}

impl From<brane_tree::Stat> for DescriptorStat {
    fn from(stat: brane_tree::Stat) -> Self {
        Self {
            kind: stat.kind.into(),
            links: stat.links,
            size: stat.size,
            accessed: Some(Datetime::of(stat.accessed)),
            modified: Some(Datetime::of(stat.modified)),
            changed: Some(Datetime::of(stat.changed)),
        }
    }
}

/// `new-timestamp`
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
pub(super) enum NewTimestamp {
    #[component(name = "no-change")]
    NoChange,
    #[component(name = "now")]
    Now,
    #[component(name = "timestamp")]
    Timestamp(Datetime),
}

impl NewTimestamp {
    /// What it means in a volume, whose times end in the year 2554.
    pub(super) fn known(&self) -> brane_tree::Result<brane_tree::NewTimestamp> {
        match self {
            Self::NoChange => Ok(brane_tree::NewTimestamp::NoChange),
            Self::Now => Ok(brane_tree::NewTimestamp::Now),
            Self::Timestamp(Datetime { seconds, nanoseconds }) => seconds
                .checked_mul(SECOND)
                .and_then(|time| time.checked_add(u64::from(*nanoseconds)))
                .filter(|_| u64::from(*nanoseconds) < SECOND)
                .map(brane_tree::NewTimestamp::At)
                .ok_or(Error::Invalid),
        }
    }
}

/// `advice`
#[derive(ComponentType, Lift, Lower, Clone, Copy)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "made by guests alone, and taken by nobody")]
pub(super) enum Advice {
    #[component(name = "normal")]
    Normal,
    #[component(name = "sequential")]
    Sequential,
    #[component(name = "random")]
    Random,
    #[component(name = "will-need")]
    WillNeed,
    #[component(name = "dont-need")]
    DontNeed,
    #[component(name = "no-reuse")]
    NoReuse,
}

/// `metadata-hash-value`
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct MetadataHash {
    lower: u64,
    upper: u64,
}

impl From<brane_tree::MetadataHash> for MetadataHash {
    fn from(hash: brane_tree::MetadataHash) -> Self {
        Self { lower: hash.lower, upper: hash.upper }
    }
}

/// `directory-entry`
#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct DirectoryEntry {
    #[component(name = "type")]
    kind: DescriptorType,
    name: String,
}

impl From<brane_tree::DirectoryEntry> for DirectoryEntry {
    fn from(entry: brane_tree::DirectoryEntry) -> Self {
        Self { kind: entry.kind.into(), name: entry.name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanoseconds: u32) -> brane_tree::Result<brane_tree::NewTimestamp> {
        NewTimestamp::Timestamp(Datetime { seconds, nanoseconds }).known()
    }

    #[test]
    fn a_time_becomes_nanoseconds() {
        assert_eq!(at(2, 5), Ok(brane_tree::NewTimestamp::At(2_000_000_005)));
        assert_eq!(at(0, 0), Ok(brane_tree::NewTimestamp::At(0)));
    }

    #[test]
    fn a_time_that_no_volume_can_have_is_invalid() {
        assert_eq!(at(u64::MAX, 0), Err(Error::Invalid));
        assert_eq!(at(u64::MAX / SECOND, 999_999_999), Err(Error::Invalid));
        assert_eq!(at(1, 1_000_000_000), Err(Error::Invalid));
    }

    #[test]
    fn flags_go_there_and_back() {
        let all = brane_tree::DescriptorFlags { read: true, write: true, mutate_directory: true };
        for flags in [all, brane_tree::DescriptorFlags::default()] {
            assert_eq!(brane_tree::DescriptorFlags::from(DescriptorFlags::from(flags)), flags);
        }
    }
}
