//! Stage 5: "go", then calls, in a sealed brane.

use std::convert::Infallible;

use brane_wire::brane::{FromBrane, Go, ToBrane, Value};
use cage::Pipe;
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};
use wasmtime::component::{ComponentExportIndex, Instance, InstancePre, Val};
use wasmtime::{Result, Store, Trap, WasmBacktrace, bail};

use crate::host::{Exit, Host, bounded};
use crate::link::without_version;

/// Longest text about a trap, in bytes.
const MAX_DETAIL: usize = 4096;
/// The kind of trap that is a limit of the owner's.
const MEMORY_LIMIT: &str = "memory-limit";
/// The export of a command, without its version.
const RUN: &str = "wasi:cli/run";

/// Serves one brane to its end.
pub(crate) fn run(linked: &InstancePre<Host>, mut pipe: Pipe) -> Infallible {
    match start(&mut pipe) {
        Ok(go) => serve(linked, Host::new(pipe, go)),
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
    // If the owner is gone, so is everybody who could read this.
    let _ = store.data_mut().send(&event);
    cage::exit(0)
}

fn calls(store: &mut Store<Host>, instance: Instance) -> Result<Infallible> {
    loop {
        let (export, args) = store.data_mut().next_call()?;
        let value =
            if export == RUN { command(store, instance)? } else { call(store, instance, &export, args)? };
        store.data_mut().send(&FromBrane::Returned { value })?;
    }
}

/// Calls `wasi:cli/run`; its result is the guest's exit code.
fn command(store: &mut Store<Host>, instance: Instance) -> Result<Option<Value>> {
    let Some(index) = run_export(store, instance) else {
        bail!("the component does not export wasi:cli/run")
    };
    let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, &index)?;
    let (result,) = run.call(&mut *store, ())?;
    Err(Exit(result.map_or(1, |()| 0)).into())
}

fn run_export(store: &mut Store<Host>, instance: Instance) -> Option<ComponentExportIndex> {
    let component = instance.instance_pre(&*store).component().clone();
    let engine = store.engine().clone();
    let name = component
        .component_type()
        .exports(&engine)
        .map(|(name, _)| name.to_owned())
        .find(|name| without_version(name) == RUN)?;
    let (_, interface) = instance.get_export(&mut *store, None, &name)?;
    instance.get_export_index(&mut *store, Some(&interface), "run")
}

fn call(
    store: &mut Store<Host>,
    instance: Instance,
    export: &str,
    args: Vec<Value>,
) -> Result<Option<Value>> {
    let Some(function) = instance.get_func(&mut *store, export) else {
        bail!("the component does not export a function {export}")
    };
    let params: Vec<Val> = args.into_iter().map(to_val).collect();
    let mut results = vec![Val::Bool(false); function.ty(&*store).results().len()];
    function.call(&mut *store, &params, &mut results)?;
    results.into_iter().next().map(from_val).transpose()
}

fn to_val(value: Value) -> Val {
    match value {
        Value::String(text) => Val::String(text),
        Value::U8(number) => Val::U8(number),
        Value::Strings(texts) => Val::List(texts.into_iter().map(Val::String).collect()),
        Value::Result(result) => Val::Result(match result {
            Ok(text) => Ok(Some(Box::new(Val::String(text)))),
            Err(text) => Err(Some(Box::new(Val::String(text)))),
        }),
    }
}

fn from_val(value: Val) -> Result<Value> {
    Ok(match value {
        Val::String(text) => Value::String(text),
        Val::U8(number) => Value::U8(number),
        Val::Result(Ok(Some(text))) => Value::Result(Ok(string(*text)?)),
        Val::Result(Err(Some(text))) => Value::Result(Err(string(*text)?)),
        _ => bail!("a call cannot return this type yet"),
    })
}

fn string(value: Val) -> Result<String> {
    match value {
        Val::String(text) => Ok(text),
        _ => bail!("a call cannot return this type yet"),
    }
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
    let kind = error.downcast_ref::<Trap>().map_or_else(|| "host".to_owned(), trap_name);
    let backtrace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    FromBrane::Trapped {
        kind,
        detail: bounded(&error.root_cause().to_string(), MAX_DETAIL),
        backtrace: bounded(&backtrace, MAX_DETAIL),
    }
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
