//! Denied interfaces: every function is there, refuses, and is recorded before the guest hears of it.
//!
//! The functions are made from the component's own import types, so that a denial fits any version of an interface:
//! `access-denied` where the result has an error that can say so, a trap where it has none.

use wasmtime::component::types::{ComponentFunc, ComponentInstance, ComponentItem, Type};
use wasmtime::component::{LinkerInstance, Val};
use wasmtime::{Engine, Result, StoreContextMut, bail};

use crate::host::{Host, bounded};
use crate::link::without_version;
use crate::wasi::{network, resources};

/// Error cases that say "refused", the plainest first (`access` is wasi:filesystem's EACCES).
const REFUSALS: [&str; 4] = ["access-denied", "access", "not-permitted", "closed"];
/// Longest argument text of a record, in bytes.
const MAX_ARGUMENT: usize = 512;

/// Links every item of `interface` as denied.
pub(crate) fn link(
    engine: &Engine,
    instance: &mut LinkerInstance<'_, Host>,
    name: &str,
    interface: &ComponentInstance,
) -> Result<()> {
    for (item, found) in interface.exports(engine) {
        match found.ty {
            ComponentItem::Resource(_) => resources::define(instance, item)?,
            ComponentItem::ComponentFunc(_) if network::is_local(without_version(name), item) => {
                network::link(instance, name, item)?;
            }
            ComponentItem::ComponentFunc(_) => refuse(instance, name, item)?,
            ComponentItem::Type(_) => {}
            _ => bail!("{item} is neither a function nor a type"),
        }
    }
    Ok(())
}

fn refuse(instance: &mut LinkerInstance<'_, Host>, interface: &str, function: &str) -> Result<()> {
    let (interface, name) = (interface.to_owned(), function.to_owned());
    instance.func_new(function, move |store, ty, params, results| {
        refused(store, &ty, &interface, &name, params, results)
    })
}

/// Records the refusal, then answers with it.
pub(crate) fn refused(
    mut store: StoreContextMut<'_, Host>,
    ty: &ComponentFunc,
    interface: &str,
    function: &str,
    params: &[Val],
    results: &mut [Val],
) -> Result<()> {
    store.data_mut().deny(interface, function, &arguments(params))?;
    drop_handles(&mut store, params)?;
    match (ty.results().next().and_then(|result| refusal(&result)), results) {
        (Some(refusal), [result]) => {
            *result = refusal;
            Ok(())
        }
        _ => bail!("{interface} {function} is denied"),
    }
}

/// Gives back the handles among `params`: a borrow that outlives its call is a trap, and what is owned is ours.
pub(crate) fn drop_handles(store: &mut StoreContextMut<'_, Host>, params: &[Val]) -> Result<()> {
    for param in params {
        match param {
            Val::Resource(handle) => handle.resource_drop(&mut *store)?,
            Val::List(inner) | Val::Tuple(inner) => drop_handles(store, inner)?,
            Val::Record(fields) => {
                fields.iter().try_for_each(|(_, field)| drop_handles(store, std::slice::from_ref(field)))?
            }
            Val::Option(Some(inner)) | Val::Variant(_, Some(inner)) => {
                drop_handles(store, std::slice::from_ref(inner))?
            }
            _ => {}
        }
    }
    Ok(())
}

/// The value of type `ty` that says "refused", if there is one.
fn refusal(ty: &Type) -> Option<Val> {
    let Type::Result(result) = ty else { return None };
    let error = match result.err() {
        None => return Some(Val::Result(Err(None))),
        Some(Type::Enum(error)) => {
            let names: Vec<&str> = error.names().collect();
            Val::Enum((*REFUSALS.iter().find(|refusal| names.contains(refusal))?).to_owned())
        }
        Some(Type::Variant(error)) => {
            let bare: Vec<String> =
                error.cases().filter(|case| case.ty.is_none()).map(|case| case.name.to_owned()).collect();
            let name = REFUSALS.iter().find(|refusal| bare.iter().any(|name| name == *refusal))?;
            Val::Variant((*name).to_owned(), None)
        }
        Some(_) => return None,
    };
    Some(Val::Result(Err(Some(Box::new(error)))))
}

/// Arguments as a record shows them: handles left out, addresses as people write them.
fn arguments(params: &[Val]) -> String {
    let shown: Vec<String> =
        params.iter().filter(|param| !matches!(param, Val::Resource(_))).map(argument).collect();
    shown.join(", ")
}

fn argument(value: &Val) -> String {
    match network::address(value) {
        Some(address) => address,
        None => match value {
            Val::String(text) => bounded(text, MAX_ARGUMENT),
            Val::List(items) => format!("list of {}", items.len()),
            other => bounded(&format!("{other:?}"), MAX_ARGUMENT),
        },
    }
}
