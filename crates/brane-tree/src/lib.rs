//! A bounded filesystem in memory, without a single system call.
//!
//! A [`Volume`] is one mounted tree with the operations of a `wasi:filesystem@0.2` descriptor. An [`Image`] is where a
//! volume's first content comes from: bytes that somebody else mapped and sealed, never copied until they are written.
//!
//! What it promises to a host that serves hostile guests:
//!
//! - no call panics, waits, or looks at a clock (times are nanoseconds since the epoch, given by the caller);
//! - what a guest can make it hold is charged before it is allocated, to the volume's [`Bounds`] and to the caller's
//!   [`Budget`], and given back when it goes;
//! - no call costs more than its arguments, the bounds on a path, and the chunks or entries that it makes or frees;
//! - a path never leaves the directory it starts in: [`Error::Escape`] tells the host so;
//! - an attempt to change what is read-only and would otherwise succeed is [`Error::ReadOnly`].
//!
//! What it leaves to others: the table of descriptors and a bound on their number (each [`Handle`] and
//! [`DirectoryStream`] is the caller's), streams, recording, and reading more than [`READ_MAX`] bytes at once.
//!
//! Where WASI is silent, it does what Linux does. Source: `wasi:filesystem/types` 0.2 and its page on path resolution.

#![forbid(unsafe_code)]

mod bounds;
mod check;
mod content;
mod data;
mod entries;
mod error;
mod handle;
mod image;
mod listing;
mod meta;
mod node;
mod open;
mod rename;
mod resolve;
mod tree;
mod volume;

pub use bounds::{Bounds, Budget, CHUNK_COST, Change, INODE_COST, NAME_COST, Usage};
pub use content::CHUNK;
pub use data::READ_MAX;
pub use error::{Error, Result};
pub use handle::{DescriptorFlags, Handle, OpenFlags};
pub use image::{IMAGE_DEPTH, IMAGE_TIME, Image, ImageError, MAGIC, VERSION};
pub use listing::{DirectoryEntry, DirectoryStream};
pub use meta::{MetadataHash, NewTimestamp};
pub use node::{FileKind, Stat};
pub use resolve::MAX_FOLLOWED;
pub use volume::{MAX_LINKS, Rights, Volume};
