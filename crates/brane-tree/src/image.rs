//! Tree images: where a volume's first content comes from.
//!
//! # Format
//!
//! | bytes | what |
//! |---|---|
//! | 0..8 | the magic [`MAGIC`], `branetr1` |
//! | 8..16 | where the index starts, an unsigned 64-bit number, little end first |
//! | 16..24 | how many bytes it has, likewise |
//! | anywhere | the files' bytes, in any order, shared or not |
//! | where said | the index |
//!
//! The index is one MessagePack map, with the keys in this order, and nothing after it:
//!
//! ```text
//! {"version": 1, "entries": [[parent, name, kind, mode, offset, size, target], ...]}
//! ```
//!
//! | field | type | rule |
//! |---|---|---|
//! | `parent` | unsigned | position in `entries` of the directory it is in, before its own |
//! | `name` | string | 1 to 255 bytes without `/` and NUL, neither `.` nor `..`; once in a directory |
//! | `kind` | string | `directory`, `file` or `symlink` |
//! | `mode` | unsigned | permission bits, at most `0o777` |
//! | `offset`, `size` | unsigned | where in the image a file's bytes are; 0 and 0 for other kinds |
//! | `target` | string | 1 to 4095 bytes without NUL for a `symlink`; empty for other kinds |
//!
//! Entry 0 is the root: a directory, its own parent, with an empty name. There are at most [`IMAGE_DEPTH`] directories
//! below each other, the root not counted. Times are not kept: everything has [`IMAGE_TIME`]. An absolute target is
//! allowed, and following it is an escape.
//!
//! One image may hold several trees to be mounted apart: [`Image::volume`] takes the path of the directory that
//! becomes a volume's root.
//!
//! Whatever is not so is refused, although the owner wrote it: the image is read next to a guest.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::content::Content;
use crate::node::{Directory, Kind, Node, NodeId, Text};
use crate::volume::{Rights, Volume};

/// How an image begins.
pub const MAGIC: &[u8; 8] = b"branetr1";
/// The version of the index.
pub const VERSION: u32 = 1;
/// The time of all that is in an image: 2000-01-01T00:00:00Z, in nanoseconds since the epoch.
pub const IMAGE_TIME: u64 = 946_684_800 * 1_000_000_000;
/// Directories that an image may have below each other.
pub const IMAGE_DEPTH: u32 = 128;

const MAX_NAME: usize = 255;
const MAX_TARGET: usize = 4_095;
/// The first byte of a MessagePack map of two. Its length is in it.
const MAP_OF_TWO: u8 = 0x82;

/// Why an image, or a part of it, is not used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It does not begin with the magic and the place of an index inside it.
    #[error("not a tree image: {0}")]
    Header(&'static str),
    /// The index is not the MessagePack that it should be.
    #[error("malformed index: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// The index is well-formed, but not as a whole what it should be.
    #[error("malformed index: {0}")]
    Index(&'static str),
    /// An entry breaks a rule.
    #[error("entry {position}: {rule}")]
    Entry {
        /// Its position in `entries`.
        position: usize,
        /// What is wrong.
        rule: &'static str,
    },
    /// There is no such directory in the image.
    #[error("no such directory in the image")]
    NoSubtree,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index<'a> {
    version: u32,
    #[serde(borrow)]
    entries: Vec<Row<'a>>,
}

/// `[parent, name, kind, mode, offset, size, target]`
type Row<'a> = (u32, &'a str, &'a str, u32, u64, u64, &'a str);

/// An image that keeps all the rules.
#[derive(Debug)]
pub struct Image {
    entries: Vec<Entry>,
    names: BTreeMap<(usize, &'static str), usize>,
}

#[derive(Debug)]
struct Entry {
    parent: usize,
    name: &'static str,
    what: What,
    mode: u32,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// So many directories below the root.
    Directory(u32),
    File(&'static [u8]),
    Symlink(&'static str),
}

impl Image {
    /// Reads and checks an image. The files' bytes are not looked at.
    ///
    /// # Errors
    /// Says what is not as the module's description has it.
    pub fn parse(bytes: &'static [u8]) -> Result<Self, ImageError> {
        let index = read_index(index_bytes(bytes)?)?;
        if index.version != VERSION {
            return Err(ImageError::Index("unknown version"));
        }
        if index.entries.is_empty() {
            return Err(ImageError::Index("no root"));
        }
        let mut image = Self { entries: Vec::with_capacity(index.entries.len()), names: BTreeMap::new() };
        for (position, row) in index.entries.into_iter().enumerate() {
            image.add(position, row, bytes).map_err(|rule| ImageError::Entry { position, rule })?;
        }
        Ok(image)
    }

    /// A volume whose root is the directory at `path`, no links followed; the empty path is the whole image. `id` is
    /// to be another for every volume of a guest. Names longer than the bounds allow are listed, but not reached.
    ///
    /// # Errors
    /// [`ImageError::NoSubtree`].
    pub fn volume(&self, id: u32, path: &str, rights: Rights) -> Result<Volume, ImageError> {
        let top = self.find(path).ok_or(ImageError::NoSubtree)?;
        let mode = self.entries.get(top).ok_or(ImageError::NoSubtree)?.mode;
        let mut volume = Volume::with_root(id, rights, mode, IMAGE_TIME);
        let mut placed = vec![None; self.entries.len()];
        if let Some(place) = placed.get_mut(top) {
            *place = Some(volume.root);
        }
        for (position, entry) in self.entries.iter().enumerate().skip(top + 1) {
            let id =
                placed.get(entry.parent).copied().flatten().map(|parent| entry.place(&mut volume, parent));
            if let Some(place) = placed.get_mut(position) {
                *place = id;
            }
        }
        Ok(volume)
    }

    /// The position of the directory at `path`.
    fn find(&self, path: &str) -> Option<usize> {
        let mut at = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = *self.names.get(&(at, name))?;
        }
        matches!(self.entries.get(at)?.what, What::Directory(_)).then_some(at)
    }

    /// Checks one entry and keeps it.
    fn add(&mut self, position: usize, row: Row<'static>, bytes: &'static [u8]) -> Result<(), &'static str> {
        let (parent, name, kind, mode, offset, size, target) = row;
        if mode > 0o777 {
            return Err("mode above 0o777");
        }
        if kind != "file" && (offset, size) != (0, 0) {
            return Err("offset and size of what is no file");
        }
        if kind != "symlink" && !target.is_empty() {
            return Err("target of what is no symlink");
        }
        let parent = usize::try_from(parent).map_err(|_| "parent is not before it")?;
        let depth = if position == 0 { check_root(parent, name, kind)? } else { self.depth_below(parent)? };
        let what = match kind {
            "directory" if depth > IMAGE_DEPTH => return Err("too deep"),
            "directory" => What::Directory(depth),
            "file" => What::File(slice(bytes, offset, size).ok_or("bytes outside of the image")?),
            "symlink" => What::Symlink(check_target(target)?),
            _ => return Err("unknown kind"),
        };
        if position > 0 {
            check_name(name)?;
            if self.names.insert((parent, name), position).is_some() {
                return Err("name given twice");
            }
        }
        self.entries.push(Entry { parent, name, what, mode });
        Ok(())
    }

    /// How deep a directory in `parent` is.
    fn depth_below(&self, parent: usize) -> Result<u32, &'static str> {
        match self.entries.get(parent).map(|entry| entry.what) {
            Some(What::Directory(depth)) => Ok(depth + 1),
            Some(_) => Err("parent is no directory"),
            None => Err("parent is not before it"),
        }
    }
}

impl Entry {
    /// Makes it a node of `volume`.
    fn place(&self, volume: &mut Volume, parent: NodeId) -> NodeId {
        let kind = match self.what {
            What::Directory(_) => Kind::Directory(Directory::new(parent)),
            What::File(bytes) => Kind::File(Content::of_image(bytes)),
            What::Symlink(target) => Kind::Symlink(Text::Borrowed(target)),
        };
        let id = volume.insert(Node::new(kind, self.mode, true, IMAGE_TIME));
        volume.attach(parent, Text::Borrowed(self.name), id);
        id
    }
}

/// The bytes that the header says are the index.
fn index_bytes(bytes: &'static [u8]) -> Result<&'static [u8], ImageError> {
    let (magic, rest) = bytes.split_first_chunk::<8>().ok_or(ImageError::Header("too short"))?;
    let (offset, rest) = rest.split_first_chunk::<8>().ok_or(ImageError::Header("too short"))?;
    let (length, _) = rest.split_first_chunk::<8>().ok_or(ImageError::Header("too short"))?;
    if magic != MAGIC {
        return Err(ImageError::Header("another magic"));
    }
    slice(bytes, u64::from_le_bytes(*offset), u64::from_le_bytes(*length))
        .ok_or(ImageError::Header("index outside of the image"))
}

fn read_index(bytes: &'static [u8]) -> Result<Index<'static>, ImageError> {
    if bytes.first() != Some(&MAP_OF_TWO) {
        return Err(ImageError::Index("not a map of two"));
    }
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(8);
    let index = Index::deserialize(&mut reader)?;
    // The reader does not say how far it came. At the end, not even the marker of a number is left.
    match u8::deserialize(&mut reader) {
        Err(rmp_serde::decode::Error::InvalidMarkerRead(_)) => Ok(index),
        _ => Err(ImageError::Index("bytes after it")),
    }
}

fn slice(bytes: &'static [u8], offset: u64, length: u64) -> Option<&'static [u8]> {
    let start = usize::try_from(offset).ok()?;
    let end = start.checked_add(usize::try_from(length).ok()?)?;
    bytes.get(start..end)
}

fn check_root(parent: usize, name: &str, kind: &str) -> Result<u32, &'static str> {
    if parent == 0 && name.is_empty() && kind == "directory" { Ok(0) } else { Err("not a root") }
}

fn check_name(name: &str) -> Result<(), &'static str> {
    match name {
        "" | "." | ".." => Err("name that no entry can have"),
        _ if name.len() > MAX_NAME => Err("name too long"),
        _ if name.contains(['/', '\0']) => Err("name with / or NUL"),
        _ => Ok(()),
    }
}

fn check_target(target: &'static str) -> Result<&'static str, &'static str> {
    match target {
        "" => Err("symlink without a target"),
        _ if target.len() > MAX_TARGET => Err("target too long"),
        _ if target.contains('\0') => Err("target with NUL"),
        _ => Ok(target),
    }
}
