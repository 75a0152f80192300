//! From a path to a place in the tree, never outside the directory that the path starts in.
//!
//! The walk keeps the directories it came through, so that `..` goes back the way it came and cannot go further than
//! it started. An absolute path, an absolute link's target, and a `..` too many are [`Error::Escape`], even if the
//! rest would come back. Where a path ends in a slash it means a directory, and a link there is followed.
//!
//! Work: at most [`MAX_FOLLOWED`] links, each target and the path itself at most as long as a path may be.

use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{Kind, NodeId, Text};
use crate::volume::Volume;

/// Symbolic links that one path may lead through, as on Linux.
pub const MAX_FOLLOWED: u32 = 40;

/// What happens at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// A link is followed.
    Follow,
    /// A link is what is meant, unless a slash follows.
    NoFollow,
    /// A link is followed, but not before a slash: no file can be made there.
    Create,
    /// The name is what is meant, whatever it names.
    Name,
}

impl Last {
    pub(crate) fn following(follow: bool) -> Self {
        if follow { Self::Follow } else { Self::NoFollow }
    }

    /// Whether the last name of a path is where it ends, even if it names a link.
    fn stops(self, slash: bool) -> bool {
        match self {
            Self::Follow => false,
            Self::NoFollow => !slash,
            Self::Create => slash,
            Self::Name => true,
        }
    }
}

/// How a path ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Tail {
    /// With a name in [`Found::parent`].
    Name(String),
    /// With `.`: the directory itself.
    Dot,
    /// With `..`.
    DotDot,
}

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) parent: NodeId,
    pub(crate) tail: Tail,
    /// Nothing, where the last name does not exist.
    pub(crate) node: Option<NodeId>,
    /// A slash follows the last name.
    pub(crate) slash: bool,
}

struct Walk<'a> {
    volume: &'a Volume,
    /// The directories from the start to here.
    trail: Vec<NodeId>,
    here: NodeId,
    /// What is left to walk, the innermost link's target last.
    rest: Vec<&'a str>,
    followed: u32,
}

impl Volume {
    /// Where `path` leads from the directory of `base`.
    pub(crate) fn resolve(&self, base: &Handle, path: &str, last: Last) -> Result<Found> {
        let here = self.own_directory(base)?;
        self.check_path(path)?;
        Walk { volume: self, trail: Vec::new(), here, rest: vec![path], followed: 0 }.run(last)
    }

    /// The node that `path` leads to.
    pub(crate) fn resolve_node(&self, base: &Handle, path: &str, last: Last) -> Result<NodeId> {
        self.resolve(base, path, last)?.node.ok_or(Error::NoEntry)
    }

    /// Refuses what is no path, from outside or as a link's target.
    pub(crate) fn check_path(&self, path: &str) -> Result<()> {
        if path.is_empty() {
            return Err(Error::NoEntry);
        }
        if path.len() > self.bounds().path {
            return Err(Error::NameTooLong);
        }
        if path.contains('\0') {
            return Err(Error::Invalid);
        }
        if path.starts_with('/') { Err(Error::Escape) } else { Ok(()) }
    }
}

impl<'a> Walk<'a> {
    fn run(mut self, last: Last) -> Result<Found> {
        let mut tail = Tail::Dot;
        while let Some(name) = self.next() {
            match name {
                "." => tail = Tail::Dot,
                ".." => {
                    self.here = self.trail.pop().ok_or(Error::Escape)?;
                    tail = Tail::DotDot;
                }
                _ => {
                    if let Some(found) = self.step(name, last)? {
                        return Ok(found);
                    }
                }
            }
        }
        Ok(Found { parent: self.here, tail, node: Some(self.here), slash: false })
    }

    /// The next component.
    fn next(&mut self) -> Option<&'a str> {
        while let Some(rest) = self.rest.pop() {
            let rest = rest.trim_start_matches('/');
            let (name, after) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            if !after.is_empty() {
                self.rest.push(after);
            }
            if !name.is_empty() {
                return Some(name);
            }
        }
        None
    }

    /// Goes on to `name`, or stops there.
    fn step(&mut self, name: &'a str, last: Last) -> Result<Option<Found>> {
        let volume = self.volume;
        if name.len() > volume.bounds().name {
            return Err(Error::NameTooLong);
        }
        let at_end = self.at_end();
        let slash = at_end && !self.rest.is_empty();
        let node = volume.entry(self.here, name)?;
        let found = Found { parent: self.here, tail: Tail::Name(name.to_owned()), node, slash };
        if at_end && last.stops(slash) {
            return Ok(Some(found));
        }
        let Some(node) = node else {
            return if at_end { Ok(Some(found)) } else { Err(Error::NoEntry) };
        };
        match &volume.node(node)?.kind {
            Kind::Symlink(target) => self.follow(target).map(|()| None),
            Kind::File(_) if slash || !at_end => Err(Error::NotDirectory),
            Kind::Directory(_) if !at_end => {
                self.trail.push(core::mem::replace(&mut self.here, node));
                Ok(None)
            }
            Kind::File(_) | Kind::Directory(_) => Ok(Some(found)),
        }
    }

    fn follow(&mut self, target: &'a Text) -> Result<()> {
        self.followed += 1;
        if self.followed > MAX_FOLLOWED {
            return Err(Error::Loop);
        }
        if target.starts_with('/') {
            return Err(Error::Escape);
        }
        self.rest.push(target);
        Ok(())
    }

    /// Whether only slashes are left.
    fn at_end(&self) -> bool {
        self.rest.iter().rev().all(|rest| rest.bytes().all(|byte| byte == b'/'))
    }
}
