//! Runs a compiled program on a host that has an exit, random numbers, and traps for all else.

use wasmtime::component::{Component, Linker, Val};
use wasmtime::{Engine, Store, StoreContextMut};

use super::accepted;

pub(crate) const RUN: &str = "wasi:cli/run@0.2.12";
pub(crate) const EXIT: &str = "wasi:cli/exit@0.2.12";
const RANDOM: &str = "wasi:random/random@0.2.12";

/// The exit code that the host is told, if any.
type State = Option<u8>;

/// Compiles the module, runs its `_start`, and returns the exit code that the host is told, if any.
pub(crate) fn exit_code(module: impl AsRef<[u8]>) -> Option<u8> {
    end(module).expect("the program does not trap")
}

/// The same for a program that may trap: then the message of the trap.
pub(crate) fn end(module: impl AsRef<[u8]>) -> Result<Option<u8>, String> {
    let engine = Engine::new(&brane_engine::config()).expect("an engine");
    // SAFETY: the bytes come straight from the compiler of this workspace.
    let component = unsafe { Component::deserialize(&engine, accepted(module).artifact) };
    let component = component.expect("a component");
    let linker = host(&engine, &component).expect("a host");
    let mut store = Store::new(&engine, None);
    let instance = linker.instantiate(&mut store, &component).expect("an instance");
    let run = instance.get_export_index(&mut store, None, RUN).expect("an interface to run");
    let run = instance.get_export_index(&mut store, Some(&run), "run").expect("a function to run");
    let run = instance.get_func(&mut store, run).expect("a function to run");
    let outcome = run.call(&mut store, &[], &mut [Val::Bool(false)]);
    match (outcome, *store.data()) {
        (Err(trap), None) => Err(format!("{trap:?}")),
        (outcome, code) => {
            assert_eq!(outcome.is_ok(), code.is_none(), "{outcome:?}");
            Ok(code)
        }
    }
}

fn host(engine: &Engine, component: &Component) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    linker.allow_shadowing(true);
    linker.define_unknown_imports_as_traps(component)?;
    let exit = |mut store: StoreContextMut<'_, State>, (code,): (u8,)| -> wasmtime::Result<()> {
        *store.data_mut() = Some(code);
        wasmtime::bail!("the guest has left")
    };
    linker.instance(EXIT)?.func_wrap("exit-with-code", exit)?;
    let random = |_: StoreContextMut<'_, State>, (length,): (u64,)| -> wasmtime::Result<(Vec<u8>,)> {
        Ok((vec![4; usize::try_from(length)?],))
    };
    linker.instance(RANDOM)?.func_wrap("get-random-bytes", random)?;
    Ok(linker)
}
