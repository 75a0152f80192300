//! Renaming, as rename(2) has it.

use crate::bounds::Change;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{Kind, NodeId, Text, name_cost, new_name_cost};
use crate::resolve::{Found, Last, Tail};
use crate::volume::Volume;

/// A rename whose ends are known.
struct Move<'a> {
    id: NodeId,
    from: NodeId,
    old: &'a str,
    to: NodeId,
    new: &'a str,
    /// What the new name names so far.
    replaced: Option<NodeId>,
}

impl Volume {
    /// WASI's `rename-at`. A file takes the place of a file, a directory that of an empty directory; two names of
    /// one file stay as they are.
    ///
    /// # Errors
    /// [`Error::CrossDevice`] for a new base on another volume, [`Error::Busy`] for `.` and `..`, [`Error::Invalid`] for
    /// a directory into itself, [`Error::IsDirectory`], [`Error::NotDirectory`], [`Error::NotEmpty`],
    /// [`Error::ReadOnly`], and those of paths and of bounds.
    pub fn rename_at(
        &mut self,
        (old_base, old_path): (&Handle, &str),
        (new_base, new_path): (&Handle, &str),
        change: &mut Change<'_>,
    ) -> Result<()> {
        let source = self.resolve(old_base, old_path, Last::Name)?;
        if new_base.volume != self.id() {
            return Err(Error::CrossDevice);
        }
        let target = self.resolve(new_base, new_path, Last::Name)?;
        let (Tail::Name(old), Tail::Name(new)) = (&source.tail, &target.tail) else {
            return Err(Error::Busy);
        };
        let id = source.node.ok_or(Error::NoEntry)?;
        self.allow_move(id, &source, &target)?;
        self.allow_change(old_base)?;
        self.allow_change(new_base)?;
        if target.node == Some(id) {
            return Ok(());
        }
        self.allow_height(id, target.parent)?;
        self.carry_out(
            &Move { id, from: source.parent, old, to: target.parent, new, replaced: target.node },
            change,
        )
    }

    /// What rename(2) refuses, in its order.
    fn allow_move(&self, id: NodeId, source: &Found, target: &Found) -> Result<()> {
        let directory = self.node(id)?.is_directory();
        if !directory && (source.slash || target.slash) {
            return Err(Error::NotDirectory);
        }
        if directory && self.is_within(target.parent, id)? {
            return Err(Error::Invalid);
        }
        let Some(replaced) = target.node else { return self.allow_entries(target.parent) };
        if replaced == id {
            return Ok(());
        }
        match &self.node(replaced)?.kind {
            Kind::Directory(_) if self.is_within(source.parent, replaced)? => Err(Error::NotEmpty),
            Kind::Directory(_) if !directory => Err(Error::IsDirectory),
            Kind::Directory(replaced) if !replaced.entries.is_empty() => Err(Error::NotEmpty),
            Kind::File(_) | Kind::Symlink(_) if directory => Err(Error::NotDirectory),
            _ => Ok(()),
        }
    }

    /// Refuses a tree that would be too deep below `parent`.
    fn allow_height(&self, id: NodeId, parent: NodeId) -> Result<()> {
        match &self.node(id)?.kind {
            Kind::Directory(directory) => self.allow_depth(parent, directory.height()),
            Kind::File(_) | Kind::Symlink(_) => Ok(()),
        }
    }

    /// Whether a directory is `ancestor` or below it.
    fn is_within(&self, directory: NodeId, ancestor: NodeId) -> Result<bool> {
        let mut at = directory;
        loop {
            if at == ancestor {
                return Ok(true);
            }
            // An unlinked directory is below nothing.
            if at == self.root || self.node(at)?.links == 0 {
                return Ok(false);
            }
            at = self.directory(at)?.parent;
        }
    }

    /// The name is paid for out of the old one: after that, nothing fails.
    fn carry_out(&mut self, step: &Move<'_>, change: &mut Change<'_>) -> Result<()> {
        let old_cost = self.entry_cost(step.from, step.old)?;
        let freed = match step.replaced {
            Some(_) => old_cost + self.entry_cost(step.to, step.new)?,
            None => old_cost,
        };
        self.account.exchange(freed, new_name_cost(step.new), change.budget)?;
        self.detach(step.from, step.old);
        if step.replaced.is_some() {
            self.detach(step.to, step.new);
        }
        self.attach(step.to, Text::Owned(step.new.to_owned()), step.id);
        self.touch(step.from, change.now);
        self.touch(step.to, change.now);
        self.mark_changed(step.id, change.now);
        if let Some(replaced) = step.replaced {
            self.mark_changed(replaced, change.now);
            self.sweep(replaced, change.budget);
        }
        Ok(())
    }

    fn entry_cost(&self, directory: NodeId, name: &str) -> Result<usize> {
        let entry = self.directory(directory)?.entries.get_key_value(name);
        Ok(entry.map_or(0, |(name, _)| name_cost(name)))
    }
}
