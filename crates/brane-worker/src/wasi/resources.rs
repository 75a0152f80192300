//! The resource types of all interfaces, by name: one name is one type wherever it is used.

use brane_tree::{Error, Handle};
use wasmtime::component::{LinkerInstance, Resource, ResourceTableError, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::filesystem::call::Descriptor;
use super::filesystem::directory::Listing;
use super::filesystem::{close, close_stream};
use crate::host::Host;

/// What a handle of the guest's stands for, and what is done when the guest drops it.
pub(crate) trait Held: Send + Sized + 'static {
    /// Gives back what it holds.
    fn close(self, _host: &mut Host) {}
}

/// `wasi:io/error.error`: what was wrong with a file.
pub(crate) struct IoError(pub(crate) Error);

/// A file that is read from `offset` on.
pub(crate) struct FileInput {
    pub(crate) handle: Handle,
    pub(crate) offset: u64,
}

/// A file that is written at `offset`, or at its end.
pub(crate) struct FileOutput {
    pub(crate) handle: Handle,
    pub(crate) offset: Option<u64>,
}

/// `wasi:io/streams.input-stream`.
pub(crate) enum InputStream {
    Stdin,
    File(FileInput),
}

/// `wasi:io/streams.output-stream`.
pub(crate) enum OutputStream {
    /// 1 or 2.
    Standard(u8),
    File(FileOutput),
}

/// `wasi:io/poll.pollable`.
pub(crate) enum Pollable {
    /// Ready at once: files, output, which blocks in the write, and whatever is refused.
    Now,
    /// Standard input.
    Stdin,
    /// The monotonic clock at so many nanoseconds.
    At(u64),
}

/// `wasi:sockets/ip-name-lookup.resolve-address-stream`: the one address that a literal means.
pub(crate) struct Resolved(pub(crate) Option<std::net::IpAddr>);

/// A handle with nothing behind it: terminals, networks, sockets that will be refused.
pub(crate) struct Dummy;

impl Held for IoError {}
impl Held for Pollable {}
impl Held for Resolved {}
impl Held for Dummy {}

impl Held for InputStream {
    fn close(self, host: &mut Host) {
        if let Self::File(file) = self {
            close(host, file.handle);
        }
    }
}

impl Held for OutputStream {
    fn close(self, host: &mut Host) {
        if let Self::File(file) = self {
            close(host, file.handle);
        }
    }
}

impl Held for Descriptor {
    fn close(self, host: &mut Host) {
        close(host, self.handle);
    }
}

impl Held for Listing {
    fn close(self, host: &mut Host) {
        close_stream(host, self.handle, self.stream);
    }
}

/// Defines the resource `name` of an interface.
pub(crate) fn define(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    match name {
        "descriptor" => dropped::<Descriptor>(instance, name),
        "directory-entry-stream" => dropped::<Listing>(instance, name),
        "error" => dropped::<IoError>(instance, name),
        "input-stream" => dropped::<InputStream>(instance, name),
        "output-stream" => dropped::<OutputStream>(instance, name),
        "pollable" => dropped::<Pollable>(instance, name),
        "resolve-address-stream" => dropped::<Resolved>(instance, name),
        _ => dropped::<Dummy>(instance, name),
    }
}

fn dropped<T: Held>(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, handle| forget::<T>(&mut store, handle))
}

fn forget<T: Held>(store: &mut StoreContextMut<'_, Host>, handle: u32) -> Result<()> {
    let host = store.data_mut();
    match host.table.delete(Resource::<T>::new_own(handle)) {
        Ok(held) => {
            held.close(host);
            Ok(())
        }
        // A guest may drop a stream before the pollables that it got from it.
        Err(ResourceTableError::HasChildren) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
