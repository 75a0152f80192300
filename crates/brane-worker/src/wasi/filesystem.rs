//! `wasi:filesystem` with no preopened directory: there is no descriptor, and no way to come by one.

use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{LinkerInstance, Resource, Val};
use wasmtime::{Engine, Result, StoreContextMut, bail};

use super::resources::{Dummy, define};
use crate::host::Host;

/// `wasi:filesystem/preopens`: an empty list.
pub(super) fn preopens(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    define(instance, "descriptor")?;
    instance.func_wrap("get-directories", |_: StoreContextMut<'_, Host>, ()| {
        Ok((Vec::<(Resource<Dummy>, String)>::new(),))
    })
}

/// `wasi:filesystem/types`: methods of descriptors that cannot exist.
pub(super) fn types(
    engine: &Engine,
    instance: &mut LinkerInstance<'_, Host>,
    interface: &ComponentInstance,
) -> Result<()> {
    for (name, found) in interface.exports(engine) {
        match (name, found.ty) {
            (_, ComponentItem::Resource(_)) => define(instance, name)?,
            ("filesystem-error-code", ComponentItem::ComponentFunc(_)) => no_error_code(instance)?,
            (_, ComponentItem::ComponentFunc(_)) => unreachable(instance, name)?,
            _ => {}
        }
    }
    Ok(())
}

/// No stream error comes from a file, so there is never a code behind one.
fn no_error_code(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_new("filesystem-error-code", |_, _, _, results| {
        if let [result] = results {
            *result = Val::Option(None);
        }
        Ok(())
    })
}

/// Every such method takes a descriptor; the runtime refuses a handle that is none before this is called.
fn unreachable(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    instance.func_new(name, |_, _, _, _| bail!("no descriptor exists"))
}
