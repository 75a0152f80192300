//! What an owner asks about a brane's files, between calls and after the guest's end.
//!
//! Paths are relative to a mount and lead nowhere out of it, whatever links the guest left there. What is stored counts
//! against the guest's memory; what is refused is the owner's to tell, and no attempt of the guest.

use std::convert::Infallible;

use brane_tree::{Change, DescriptorFlags, Error, FileKind, Handle, OpenFlags, Stat, Volume};
use brane_wire::brane::{
    Entry, EntryKind, FileAnswer, FileCommand, FromBrane, MAX_ENTRIES, MAX_PIECE, ToBrane,
};
use serde_bytes::ByteBuf;
use wasmtime::{Result, bail};

use crate::host::Host;
use crate::wasi::wall_now;

/// Permission bits that say that a file can be executed.
const EXECUTABLE: u32 = 0o111;

impl Host {
    /// Answers commands about files until the owner ends this.
    pub(crate) fn serve_files(&mut self) -> Result<Infallible> {
        loop {
            match self.command()? {
                ToBrane::File { command } => self.file(&command)?,
                // It was asked for by the call that has ended.
                ToBrane::Stdin { .. } => {}
                _ => bail!("not about files"),
            }
        }
    }

    /// Answers one command.
    pub(crate) fn file(&mut self, command: &FileCommand) -> Result<()> {
        let answer = self.filed(command);
        self.limits.forget_shortage();
        let answer = answer.unwrap_or_else(|error| FileAnswer::Failed { code: error.code().to_owned() });
        self.send(&FromBrane::File { answer })
    }

    fn filed(&mut self, command: &FileCommand) -> brane_tree::Result<FileAnswer> {
        let (FileCommand::Stat { mount, .. }
        | FileCommand::List { mount, .. }
        | FileCommand::Fetch { mount, .. }
        | FileCommand::Store { mount, .. }) = command;
        let (volume, root) = self.files.mount(*mount)?;
        let mut change = Change { now: wall_now(), budget: &mut self.limits };
        let answer = match command {
            FileCommand::Stat { path, .. } => {
                entry(volume, &root, here(path), String::new()).map(FileAnswer::Found)
            }
            FileCommand::List { path, after, .. } => list(volume, &root, path, after, &mut change),
            FileCommand::Fetch { path, offset, .. } => fetch(volume, &root, path, *offset, &mut change),
            FileCommand::Store { path, offset, data, .. } => {
                store(volume, &root, path, (*offset, data), &mut change).map(|()| FileAnswer::Stored {})
            }
        };
        volume.close(root, change.budget)?;
        answer
    }
}

/// The mount itself has a name too.
fn here(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

fn entry(volume: &Volume, base: &Handle, path: &str, name: String) -> brane_tree::Result<Entry> {
    let Stat { kind, mode, size, .. } = volume.stat_at(base, path, false)?;
    // A link that leads out has a target that nobody is told.
    let target = match kind {
        FileKind::Symlink => volume.readlink_at(base, path).unwrap_or_default(),
        FileKind::File | FileKind::Directory => String::new(),
    };
    Ok(Entry {
        name,
        kind: kind_of(kind),
        size: if kind == FileKind::File { size } else { 0 },
        executable: kind == FileKind::File && mode & EXECUTABLE != 0,
        target,
    })
}

fn kind_of(kind: FileKind) -> EntryKind {
    match kind {
        FileKind::File => EntryKind::File,
        FileKind::Directory => EntryKind::Directory,
        FileKind::Symlink => EntryKind::Symlink,
    }
}

fn list(
    volume: &mut Volume,
    root: &Handle,
    path: &str,
    after: &str,
    change: &mut Change<'_>,
) -> brane_tree::Result<FileAnswer> {
    let open = OpenFlags { directory: true, ..OpenFlags::default() };
    let directory = volume.open_at(root, (here(path), true), open, DescriptorFlags::default(), change)?;
    let listed = entries(volume, &directory, after, change);
    volume.close(directory, change.budget)?;
    listed
}

fn entries(
    volume: &mut Volume,
    directory: &Handle,
    after: &str,
    change: &mut Change<'_>,
) -> brane_tree::Result<FileAnswer> {
    let mut stream = volume.read_directory(directory)?;
    stream.skip_to(after);
    let mut entries = Vec::new();
    let more = loop {
        match volume.next_entry(&mut stream)? {
            None => break false,
            Some(_) if entries.len() == MAX_ENTRIES => break true,
            Some(next) => entries.push(entry(volume, directory, &next.name, next.name.clone())?),
        }
    };
    volume.close_stream(stream, change.budget)?;
    Ok(FileAnswer::Listed { entries, more })
}

fn fetch(
    volume: &mut Volume,
    root: &Handle,
    path: &str,
    offset: u64,
    change: &mut Change<'_>,
) -> brane_tree::Result<FileAnswer> {
    let flags = DescriptorFlags { read: true, ..DescriptorFlags::default() };
    let file = volume.open_at(root, (here(path), true), OpenFlags::default(), flags, change)?;
    let read = volume.read(&file, offset, MAX_PIECE as u64);
    volume.close(file, change.budget)?;
    read.map(|(data, end)| FileAnswer::Fetched { data: ByteBuf::from(data), end })
}

fn store(
    volume: &mut Volume,
    root: &Handle,
    path: &str,
    (offset, data): (u64, &[u8]),
    change: &mut Change<'_>,
) -> brane_tree::Result<()> {
    let first = offset == 0;
    if first {
        make_parents(volume, root, path, change)?;
    }
    let open = OpenFlags { create: first, truncate: first, ..OpenFlags::default() };
    let flags = DescriptorFlags { write: true, ..DescriptorFlags::default() };
    let file = volume.open_at(root, (here(path), true), open, flags, change)?;
    let written = volume.write(&file, offset, data, change);
    volume.close(file, change.budget)?;
    written.map(|_| ())
}

/// Every directory on the way to `path` that is not there.
fn make_parents(
    volume: &mut Volume,
    root: &Handle,
    path: &str,
    change: &mut Change<'_>,
) -> brane_tree::Result<()> {
    for (end, _) in path.match_indices('/').filter(|(end, _)| *end > 0) {
        match volume.create_directory_at(root, path.get(..end).unwrap_or_default(), change) {
            Ok(()) | Err(Error::Exist) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
