//! Listing directories, one entry a call, in the order of their names.

use brane_tree::{DirectoryStream, Handle};
use wasmtime::Result;
use wasmtime::component::{LinkerInstance, Resource};

use super::Store;
use super::call::{Answer, Fd, perform};
use super::code::ErrorCode;
use super::descriptor::on;
use super::types::DirectoryEntry;
use crate::host::Host;

/// `directory-entry-stream`
pub(crate) struct Listing {
    pub(crate) handle: Handle,
    pub(crate) stream: DirectoryStream,
}

/// Links them.
pub(super) fn link(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const READ: &str = "[method]descriptor.read-directory";
    instance
        .func_wrap(READ, |mut store: Store<'_>, (fd,): (Fd,)| Ok((begin(store.data_mut(), READ, &fd)?,)))?;
    instance.func_wrap(
        "[method]directory-entry-stream.read-directory-entry",
        |mut store: Store<'_>, (listing,): (Resource<Listing>,)| Ok((next(store.data_mut(), &listing)?,)),
    )
}

fn begin(host: &mut Host, function: &'static str, fd: &Fd) -> Result<Answer<Resource<Listing>>> {
    if !host.files.admit() {
        return Ok(Err(ErrorCode::InsufficientMemory));
    }
    let begun = perform(host, on(function, fd), |volume, directory, _| {
        let stream = volume.read_directory(directory)?;
        Ok(Listing { handle: volume.duplicate(directory)?, stream })
    })?;
    match begun {
        Ok(listing) => Ok(Ok(host.table.push(listing)?)),
        Err(code) => {
            host.files.dismiss();
            Ok(Err(code))
        }
    }
}

fn next(host: &mut Host, listing: &Resource<Listing>) -> Result<Answer<Option<DirectoryEntry>>> {
    let Host { table, files, .. } = host;
    let Listing { handle, stream } = table.get_mut(listing)?;
    let entry = files.volume(handle).and_then(|volume| volume.next_entry(stream));
    Ok(entry.map(|entry| entry.map(DirectoryEntry::from)).map_err(ErrorCode::from))
}
