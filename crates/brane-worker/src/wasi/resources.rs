//! The resource types of all interfaces, by name: one name is one type wherever it is used.

use wasmtime::component::{LinkerInstance, Resource, ResourceTableError, ResourceType};
use wasmtime::{Result, StoreContextMut};

use crate::host::Host;

/// `wasi:io/error.error`: its text.
pub(crate) struct IoError(pub(crate) String);

/// `wasi:io/streams.input-stream`.
pub(crate) enum InputStream {
    Stdin,
}

/// `wasi:io/streams.output-stream`: 1 or 2.
pub(crate) enum OutputStream {
    Standard(u8),
}

/// `wasi:io/poll.pollable`.
pub(crate) enum Pollable {
    /// Ready at once: output, which blocks in the write, and whatever is refused.
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

/// Defines the resource `name` of an interface.
pub(crate) fn define(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    match name {
        "error" => dropped::<IoError>(instance, name),
        "input-stream" => dropped::<InputStream>(instance, name),
        "output-stream" => dropped::<OutputStream>(instance, name),
        "pollable" => dropped::<Pollable>(instance, name),
        "resolve-address-stream" => dropped::<Resolved>(instance, name),
        _ => dropped::<Dummy>(instance, name),
    }
}

fn dropped<T: Send + 'static>(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, handle| forget::<T>(&mut store, handle))
}

fn forget<T: Send + 'static>(store: &mut StoreContextMut<'_, Host>, handle: u32) -> Result<()> {
    match store.data_mut().table.delete(Resource::<T>::new_own(handle)) {
        // A guest may drop a stream before the pollables that it got from it.
        Ok(_) | Err(ResourceTableError::HasChildren) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
