//! Stage 5: "go", then calls, in a sealed brane.

use std::convert::Infallible;

use brane_wire::brane::{FromBrane, Go, ToBrane};
use cage::{Late, Pipe};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use wasmtime::component::{ComponentExportIndex, Func, Instance, InstancePre, Type, Val};
use wasmtime::{GcHeapOutOfMemory, Result, Store, ThrownException, Trap, WasmBacktrace, bail};

use crate::files::Files;
use crate::host::{Called, Exit, Host, bounded};
use crate::link::without_version;
use crate::values::{self, ValueError};
use crate::{direct, wasi};

/// Longest text about a trap, in bytes.
const MAX_DETAIL: usize = 4096;
/// The kind of trap that is a limit of the owner's.
const MEMORY_LIMIT: &str = "memory-limit";
/// The kind of trap that is an exception which the guest did not catch.
const UNCAUGHT: &str = "uncaught-exception";
/// And the one that is a result which cannot be sent.
const RESULT_LIMIT: &str = "result-limit";
/// How wasmtime says that a guest handed over more than 128 MiB at once, as its host has them.
const TOO_MUCH: &str = "too much data is being copied between the host and the guest";
/// The interface of a command, without its version, and its function.
const RUN: (&str, &str) = ("wasi:cli/run", "run");

/// The owner asks for what the component does not export: it was to know.
#[derive(Debug, thiserror::Error)]
#[error("the component does not export a function {0}")]
struct NotExported(String);

/// Serves one brane to its end.
pub(crate) fn run(linked: &InstancePre<Host>, mut pipe: Pipe, late: &Late, mut files: Files) -> Infallible {
    match start(&mut pipe) {
        Ok(go) => match bind(&mut files, &go, late) {
            Ok(()) => serve(linked, Host::new(pipe, go, files)),
            Err(detail) => failed(&mut pipe, detail),
        },
        // Without a "go" there is nobody to tell.
        Err(_) => cage::exit(1),
    }
}

/// Receives "go" and echoes its digest, so that the owner knows which bindings this brane took.
fn start(pipe: &mut Pipe) -> Result<Go> {
    let payload = pipe.receive_payload()?;
    let ToBrane::Go(go) = brane_wire::decode(&payload)? else { bail!("no go") };
    let digest = Sha256::digest(&payload);
    pipe.send(&FromBrane::Started { go: ByteBuf::from(digest.to_vec()) })?;
    Ok(go)
}

/// Makes volumes of what is bound late.
fn bind(files: &mut Files, go: &Go, late: &Late) -> std::result::Result<(), String> {
    let image = match go.late {
        0 => None,
        length => Some(late.bytes(length).ok_or_else(|| format!("no late image of {length} bytes"))?),
    };
    files.bind(image, go.memory, wasi::wall_now()).map_err(|error| error.to_string())
}

/// The late image is the owner's: that it does not fit is no fault of the guest.
fn failed(pipe: &mut Pipe, detail: String) -> ! {
    let event = FromBrane::Failed {
        step: "read late image".to_owned(),
        errno: 0,
        detail: bounded(&detail, MAX_DETAIL),
    };
    // If the owner is gone, so is everybody who could read this.
    let _ = pipe.send(&event);
    cage::exit(1)
}

/// Instantiates, then answers calls until one ends the guest.
fn serve(linked: &InstancePre<Host>, host: Host) -> ! {
    let mut store = Store::new(linked.engine(), host);
    store.limiter(|host| host);
    let event = match linked.instantiate(&mut store) {
        Ok(instance) => match calls(&mut store, instance) {
            Ok(never) => match never {},
            Err(error) => end_of(&error),
        },
        Err(error) if store.data().limits.refused() && !error.is::<Trap>() => too_large(&error),
        Err(error) => end_of(&error),
    };
    end(store.data_mut(), &event)
}

/// Tells how the guest ended. After an exit its files may be asked for; after a trap nothing stays.
fn end(host: &mut Host, event: &FromBrane) -> ! {
    let stays = host.go.stays && matches!(event, FromBrane::Exited { .. });
    // If the owner is gone, so is everybody who could read this.
    if host.send(event).is_ok() && stays {
        // It ends when the owner ends it or closes the pipe.
        let _ = host.serve_files();
    }
    cage::exit(0)
}

fn calls(store: &mut Store<Host>, instance: Instance) -> Result<Infallible> {
    loop {
        let called = store.data_mut().next_call()?;
        let value = call(store, instance, called)?;
        store.data_mut().send(&FromBrane::Returned { value })?;
    }
}

fn call(store: &mut Store<Host>, instance: Instance, called: Called) -> Result<Option<ByteBuf>> {
    let Called { interface, export, args } = called;
    let interface = interface.as_deref();
    let Some(index) = find(store, instance, interface, &export) else {
        return Err(NotExported(bounded(&export, MAX_DETAIL)).into());
    };
    if (interface.map(without_version), export.as_str()) == (Some(RUN.0), RUN.1) {
        return command(store, instance, &index);
    }
    let Some(function) = instance.get_func(&mut *store, index) else {
        return Err(NotExported(bounded(&export, MAX_DETAIL)).into());
    };
    match direct::call(store, &function, &args) {
        Some(value) => value,
        None => call_by_type(store, &function, args),
    }
}

/// Calls `wasi:cli/run`; its result is the guest's exit code.
fn command(
    store: &mut Store<Host>,
    instance: Instance,
    index: &ComponentExportIndex,
) -> Result<Option<ByteBuf>> {
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, index)?;
    let (result,) = run.call(&mut *store, ())?;
    Err(Exit(result.map_or(1, |()| 0)).into())
}

fn find(
    store: &mut Store<Host>,
    instance: Instance,
    interface: Option<&str>,
    export: &str,
) -> Option<ComponentExportIndex> {
    let Some(wanted) = interface else { return instance.get_export_index(&mut *store, None, export) };
    let outer = match instance.get_export_index(&mut *store, None, wanted) {
        Some(outer) => outer,
        None => versioned(store, instance, wanted)?,
    };
    instance.get_export_index(&mut *store, Some(&outer), export)
}

/// The exported interface that is called `wanted` but for its version.
fn versioned(store: &mut Store<Host>, instance: Instance, wanted: &str) -> Option<ComponentExportIndex> {
    let component = instance.instance_pre(&*store).component().clone();
    let engine = store.engine().clone();
    let names = component.component_type();
    let name = names.exports(&engine).map(|(name, _)| name).find(|name| without_version(name) == wanted)?;
    instance.get_export_index(&mut *store, None, name)
}

fn call_by_type(store: &mut Store<Host>, function: &Func, args: ByteBuf) -> Result<Option<ByteBuf>> {
    let ty = function.ty(&*store);
    let types: Vec<Type> = ty.params().map(|(_, of)| of).collect();
    let params = values::arguments(types, &args)?;
    // They may be large, and so may the result.
    drop(args);
    let of = ty.results().next();
    let mut results = vec![Val::Bool(false); usize::from(of.is_some())];
    function.call(&mut *store, &params, &mut results).map_err(or_many)?;
    drop(params);
    Ok(match (of, results.first()) {
        (Some(of), Some(value)) => Some(values::result(&of, value)?),
        _ => None,
    })
}

/// `error`, or that there is more in a result than wasmtime gives out. It has no type of its own for that.
fn or_many(error: wasmtime::Error) -> wasmtime::Error {
    if error.root_cause().to_string().starts_with(TOO_MUCH) { ValueError::Many.into() } else { error }
}

/// A guest whose memories are larger at birth than its limit never ran.
fn too_large(error: &wasmtime::Error) -> FromBrane {
    let detail = bounded(&error.root_cause().to_string(), MAX_DETAIL);
    FromBrane::Trapped { kind: MEMORY_LIMIT.to_owned(), detail, backtrace: String::new() }
}

/// What ended the guest.
fn end_of(error: &wasmtime::Error) -> FromBrane {
    if let Some(Exit(code)) = error.downcast_ref() {
        return FromBrane::Exited { code: *code };
    }
    if let Some(event) = not_carried_out(error) {
        return event;
    }
    let kind = match error.downcast_ref::<Trap>() {
        Some(trap) => trap_name(trap),
        None if error.is::<ThrownException>() => UNCAUGHT.to_owned(),
        // The heap of exceptions grows as memories do; the guest cannot handle that it may not.
        None if error.is::<GcHeapOutOfMemory<()>>() => MEMORY_LIMIT.to_owned(),
        None => "host".to_owned(),
    };
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    FromBrane::Trapped {
        kind,
        detail: bounded(&error.root_cause().to_string(), MAX_DETAIL),
        backtrace: bounded(&backtrace, MAX_DETAIL),
    }
}

/// The end of a guest whose call was not, or whose result cannot be sent.
fn not_carried_out(error: &wasmtime::Error) -> Option<FromBrane> {
    let value: Option<&ValueError> = error.downcast_ref();
    let detail = bounded(&error.root_cause().to_string(), MAX_DETAIL);
    if matches!(value, Some(ValueError::Long | ValueError::Many)) {
        return Some(FromBrane::Trapped { kind: RESULT_LIMIT.to_owned(), detail, backtrace: String::new() });
    }
    let is_the_owners = value.is_some() || error.is::<NotExported>();
    is_the_owners.then(|| FromBrane::Failed { step: "carry out call".to_owned(), errno: 0, detail })
}

/// `memory-out-of-bounds` of `MemoryOutOfBounds`.
fn trap_name(trap: &Trap) -> String {
    let mut name = String::new();
    for letter in format!("{trap:?}").chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
