//! `wasi:filesystem` over volumes in memory: no path of it leads to a file of the machine.
//!
//! The volumes decide (`brane-tree`); here is what a guest holds of them. What would leave a mount, or change what is
//! read-only and else would have, is refused and recorded before the guest hears of it. Whatever is missing, in the way or
//! too large is a mishap that a guest may handle, and no record.

pub(crate) mod call;
pub(crate) mod code;
mod descriptor;
pub(crate) mod directory;
mod paths;
pub(crate) mod streams;
mod types;

use brane_tree::{DirectoryStream, Handle};
use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut};

use super::resources::{IoError, define};
use crate::host::Host;
use code::ErrorCode;
use types::DescriptorFlags;

type Store<'a> = StoreContextMut<'a, Host>;

/// `wasi:filesystem/preopens`: the mounts, in the order of the plan.
pub(super) fn preopens(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    define(instance, "descriptor")?;
    instance.func_wrap("get-directories", |mut store: Store<'_>, ()| {
        let host = store.data_mut();
        let mut directories = Vec::new();
        for (path, root) in host.files.preopens()? {
            directories.push((call::keep(host, root, DescriptorFlags::empty(), &path)?, path));
        }
        Ok((directories,))
    })
}

/// `wasi:filesystem/types`.
pub(super) fn types(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    for name in ["descriptor", "directory-entry-stream", "error", "input-stream", "output-stream"] {
        define(instance, name)?;
    }
    descriptor::link(instance)?;
    paths::link(instance)?;
    streams::link(instance)?;
    directory::link(instance)?;
    instance.func_wrap("filesystem-error-code", |store: Store<'_>, (error,): (Resource<IoError>,)| {
        Ok((Some(ErrorCode::from(store.data().table.get(&error)?.0)),))
    })
}

/// Gives a handle back to its volume.
pub(crate) fn close(host: &mut Host, handle: Handle) {
    host.files.dismiss();
    if let Ok(volume) = host.files.volume(&handle) {
        // Only a handle of another volume fails.
        let _ = volume.close(handle, &mut host.limits);
    }
}

/// Gives a directory stream back, and the handle that it came from.
pub(crate) fn close_stream(host: &mut Host, handle: Handle, stream: DirectoryStream) {
    if let Ok(volume) = host.files.volume(&handle) {
        let _ = volume.close_stream(stream, &mut host.limits);
    }
    close(host, handle);
}
