//! From a component to native code for this host.
//!
//! The engine's settings are the shared ones, since the artifact loads only under those it was made with; added are
//! only settings that do not outlive the compilation.

use wasmtime::{Engine, OptLevel};

use crate::fault::Fault;
use crate::progress;
use crate::reject::Reject;

/// Compiles all functions of the component, on this thread, and returns the artifact.
///
/// # Errors
/// `Reject` when the component is invalid, needs a feature that is off, or is over a limit of the compiler; `Engine`
/// when there is no compiler for this host.
pub(crate) fn compile(component: &[u8], functions: u32) -> Result<Vec<u8>, Fault> {
    let mut config = brane_engine::config();
    config.cranelift_opt_level(OptLevel::Speed);
    let engine = Engine::new(&config).map_err(Fault::Engine)?;
    progress::start(functions);
    let artifact = engine.precompile_component(component).map_err(|error| refusal(&error))?;
    progress::finish(functions);
    Ok(artifact)
}

/// Sorts the compiler's errors: what the parser says, a limit, something that it cannot do, or plainly invalid.
fn refusal(error: &wasmtime::Error) -> Reject {
    if let Some(parser_error) = error.chain().find_map(|cause| cause.downcast_ref::<wasmparser::Error>()) {
        return Reject::from_parser(parser_error);
    }
    let text = format!("does not compile: {error:#}");
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["limit", "too large"]) {
        Reject::TooLarge(text)
    } else if says(&["unsupported", "not supported", "not implemented", "not enabled"]) {
        Reject::Unsupported(text)
    } else {
        Reject::Malformed(text)
    }
}
