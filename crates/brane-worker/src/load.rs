//! Loads precompiled code: the one place where bytes become machine code.

use cage::{Artifact, Failure};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The engine and the component behind `artifact`.
pub(crate) fn load(artifact: Artifact) -> Result<(Engine, Component), Failure> {
    let engine =
        Engine::new(&brane_engine::config()).map_err(|error| Failure::Program(format!("engine: {error}")))?;
    // Now, in the template: afterwards a brane needs neither sigaltstack(2) nor the mapping behind it.
    Engine::tls_eager_initialize();
    let component = artifact.with_path(|path| deserialize(&engine, path))?;
    let component = component.map_err(|error| Failure::Program(format!("artifact: {error:#}")))?;
    Ok((engine, component))
}

#[expect(unsafe_code, reason = "loading machine code is trusting it")]
fn deserialize(engine: &Engine, path: &str) -> wasmtime::Result<Component> {
    // SAFETY: the code must come from wasmtime's own compiler, and must not change while it is mapped. The owner checked
    // the authentication code of these very bytes, which its own compile step made, and then sealed the memfd against
    // writing; wasmtime checks version and settings itself.
    unsafe { Component::deserialize_file(engine, path) }
}
