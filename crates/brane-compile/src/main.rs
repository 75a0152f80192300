//! `brane-compile`: untrusted WebAssembly in on stdin, one JSON header line and native code out on stdout.
//!
//! It runs inside a jail and promises: one thread, no file, no network; memory and time are capped from outside. A
//! refusal of the input is an answer like any other (exit 0). Any other end is a fault of the host: exit code 70 is a
//! defect, 71 the memory cap, 74 a failure of stdin or stdout, 78 engine settings that do not fit the host. Stderr
//! carries progress, lines of two ASCII numbers: functions done and functions in all. Whether the component may have
//! what it imports is decided elsewhere, from the description in the header.

#![forbid(unsafe_code)]

mod adapt;
mod answer;
mod compile;
mod describe;
mod fault;
mod gobreak;
mod gocode;
mod golang;
mod input;
mod interface;
mod outline;
mod progress;
mod reject;
mod sections;

use std::io::{self, Write};
use std::process::ExitCode;

use answer::{Compiled, Header};
use fault::Fault;
use input::{Kind, Wasm};

#[global_allocator]
static ALLOCATOR: cage::ExitingAllocator = cage::ExitingAllocator;

fn main() -> ExitCode {
    fault::exit_on_panic();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => ExitCode::from(fault.exit_code()),
    }
}

/// Reads stdin, writes the answer to stdout.
fn run() -> Result<(), Fault> {
    match process() {
        Ok((header, artifact)) => write_answer(&header, &artifact),
        Err(Fault::Input(reject)) => write_answer(&answer::rejection(&reject)?, &[]),
        Err(fault) => Err(fault),
    }
}

/// From input to header line and artifact.
fn process() -> Result<(Header, Vec<u8>), Fault> {
    let input = input::recognise(input::read(io::stdin().lock())?)?;
    let functions = input::count_functions(&input.bytes)?;
    let Wasm { kind, text, bytes } = input;
    let component = match kind {
        Kind::Component => bytes,
        Kind::CoreModule => {
            let module = bytes; // Gone after the wrapping, before the compiler takes its own memory.
            adapt::to_component(&module)?
        }
    };
    let description = describe::describe(&component)?;
    let artifact = compile::compile(&component, functions)?;
    let compiled = Compiled { kind, text, artifact_bytes: artifact.len(), description };
    Ok((answer::success(&compiled)?, artifact))
}

fn write_answer(header: &Header, artifact: &[u8]) -> Result<(), Fault> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(header.line())?;
    stdout.write_all(artifact)?;
    Ok(stdout.flush()?)
}
