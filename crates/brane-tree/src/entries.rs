//! Making and removing names: directories, symbolic links, hard links.

use crate::bounds::Change;
use crate::error::{Error, Result};
use crate::handle::Handle;
use crate::node::{Directory, Kind, Text, new_name_cost};
use crate::resolve::{Found, Last, Tail};
use crate::volume::{MAX_LINKS, Volume};

impl Volume {
    /// WASI's `create-directory-at`.
    ///
    /// # Errors
    /// [`Error::Exist`], [`Error::ReadOnly`], and those of paths and of bounds.
    pub fn create_directory_at(&mut self, base: &Handle, path: &str, change: &mut Change<'_>) -> Result<()> {
        let found = self.resolve(base, path, Last::Name)?;
        let name = self.new_name(&found)?;
        self.allow_change(base)?;
        self.allow_depth(found.parent, 0)?;
        let kind = Kind::Directory(Directory::new(found.parent));
        self.make((found.parent, name), (kind, 0o755), change)?;
        Ok(())
    }

    /// WASI's `symlink-at`: a link at `path` that holds `target`. Where that leads is looked at when it is followed.
    ///
    /// # Errors
    /// [`Error::Escape`] for an absolute target, [`Error::Exist`], [`Error::ReadOnly`], and those of paths and bounds.
    pub fn symlink_at(
        &mut self,
        target: &str,
        base: &Handle,
        path: &str,
        change: &mut Change<'_>,
    ) -> Result<()> {
        self.check_path(target)?;
        let found = self.resolve(base, path, Last::Name)?;
        let name = self.new_name(&found)?;
        if found.slash {
            return Err(Error::NoEntry);
        }
        self.allow_change(base)?;
        // The target is as long as a path at most: copying it before it is paid for is no way to take much memory.
        let kind = Kind::Symlink(Text::Owned(target.to_owned()));
        self.make((found.parent, name), (kind, 0o777), change)?;
        Ok(())
    }

    /// WASI's `link-at`: another name for a file or a symbolic link.
    ///
    /// # Errors
    /// [`Error::CrossDevice`] for a new base on another volume, [`Error::NotPermitted`] for a directory,
    /// [`Error::Exist`], [`Error::ReadOnly`], [`Error::TooManyLinks`], and those of paths and of bounds.
    pub fn link_at(
        &mut self,
        (old_base, old_path, follow): (&Handle, &str, bool),
        (new_base, new_path): (&Handle, &str),
        change: &mut Change<'_>,
    ) -> Result<()> {
        let id = self.resolve_node(old_base, old_path, Last::following(follow))?;
        if new_base.volume != self.id() {
            return Err(Error::CrossDevice);
        }
        let found = self.resolve(new_base, new_path, Last::Name)?;
        let name = self.new_name(&found)?;
        if found.slash {
            return Err(Error::NoEntry);
        }
        let node = self.node(id)?;
        if node.is_directory() {
            return Err(Error::NotPermitted);
        }
        if node.links >= MAX_LINKS {
            return Err(Error::TooManyLinks);
        }
        self.allow_change(old_base)?;
        self.allow_change(new_base)?;
        self.account.take(new_name_cost(name), change.budget)?;
        self.attach(found.parent, Text::Owned(name.to_owned()), id);
        self.touch(found.parent, change.now);
        self.mark_changed(id, change.now);
        Ok(())
    }

    /// WASI's `remove-directory-at`. Whoever has it open keeps an empty directory that nothing can be made in.
    ///
    /// # Errors
    /// [`Error::NotDirectory`], [`Error::NotEmpty`], [`Error::Invalid`] for `.`, [`Error::ReadOnly`], and those of paths.
    pub fn remove_directory_at(&mut self, base: &Handle, path: &str, change: &mut Change<'_>) -> Result<()> {
        let found = self.resolve(base, path, Last::Name)?;
        let name = match &found.tail {
            Tail::Name(name) => name,
            Tail::Dot => return Err(Error::Invalid),
            Tail::DotDot => return Err(Error::NotEmpty),
        };
        if !self.directory(found.node.ok_or(Error::NoEntry)?)?.entries.is_empty() {
            return Err(Error::NotEmpty);
        }
        self.allow_change(base)?;
        self.remove(found.parent, name, change);
        Ok(())
    }

    /// WASI's `unlink-file-at`. The file stays while it has another name or is open.
    ///
    /// # Errors
    /// [`Error::IsDirectory`], [`Error::NotDirectory`] for a file's name before a slash, [`Error::ReadOnly`], and
    /// those of paths.
    pub fn unlink_file_at(&mut self, base: &Handle, path: &str, change: &mut Change<'_>) -> Result<()> {
        let found = self.resolve(base, path, Last::Name)?;
        let Tail::Name(name) = &found.tail else { return Err(Error::IsDirectory) };
        if self.node(found.node.ok_or(Error::NoEntry)?)?.is_directory() {
            return Err(Error::IsDirectory);
        }
        if found.slash {
            return Err(Error::NotDirectory);
        }
        self.allow_change(base)?;
        self.remove(found.parent, name, change);
        Ok(())
    }

    /// The name that a path ends in, if it is free.
    pub(crate) fn new_name<'a>(&self, found: &'a Found) -> Result<&'a str> {
        let (Tail::Name(name), None) = (&found.tail, found.node) else { return Err(Error::Exist) };
        self.allow_entries(found.parent)?;
        Ok(name)
    }
}
