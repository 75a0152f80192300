//! `wasi:cli`: what came late with "go", standard streams, exit; terminals, of which there are none.

use wasmtime::component::{LinkerInstance, Resource};
use wasmtime::{Result, StoreContextMut};

use super::resources::{Dummy, InputStream, OutputStream};
use crate::host::{Exit, Host};

type Store<'a> = StoreContextMut<'a, Host>;

/// `wasi:cli/environment`.
pub(super) fn environment(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("get-environment", |store: Store<'_>, ()| Ok((store.data().go.env.clone(),)))?;
    instance.func_wrap("get-arguments", |store: Store<'_>, ()| Ok((store.data().go.args.clone(),)))?;
    instance.func_wrap("initial-cwd", |_: Store<'_>, ()| Ok((None::<String>,)))
}

/// `wasi:cli/exit`; with a code since 0.2.3.
pub(super) fn exit(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("exit", |_: Store<'_>, (status,): (Result<(), ()>,)| -> Result<()> {
        Err(Exit(status.map_or(1, |()| 0)).into())
    })?;
    instance
        .func_wrap("exit-with-code", |_: Store<'_>, (code,): (u8,)| -> Result<()> { Err(Exit(code).into()) })
}

/// `wasi:cli/stdin`.
pub(super) fn stdin(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("get-stdin", |mut store: Store<'_>, ()| {
        Ok((store.data_mut().table.push(InputStream::Stdin)?,))
    })
}

/// `wasi:cli/stdout`.
pub(super) fn stdout(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    standard(instance, "get-stdout", 1)
}

/// `wasi:cli/stderr`.
pub(super) fn stderr(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    standard(instance, "get-stderr", 2)
}

fn standard(instance: &mut LinkerInstance<'_, Host>, name: &str, stream: u8) -> Result<()> {
    instance.func_wrap(name, move |mut store: Store<'_>, ()| {
        Ok((store.data_mut().table.push(OutputStream::Standard(stream))?,))
    })
}

/// `wasi:cli/terminal-stdin`: no stream of a brane is a terminal.
pub(super) fn terminal_stdin(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    no_terminal(instance, "terminal-input", "get-terminal-stdin")
}

/// `wasi:cli/terminal-stdout`, likewise.
pub(super) fn terminal_stdout(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    no_terminal(instance, "terminal-output", "get-terminal-stdout")
}

/// `wasi:cli/terminal-stderr`, likewise.
pub(super) fn terminal_stderr(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    no_terminal(instance, "terminal-output", "get-terminal-stderr")
}

fn no_terminal(instance: &mut LinkerInstance<'_, Host>, resource: &str, name: &str) -> Result<()> {
    super::resources::define(instance, resource)?;
    instance.func_wrap(name, |_: Store<'_>, ()| Ok((None::<Resource<Dummy>>,)))
}
