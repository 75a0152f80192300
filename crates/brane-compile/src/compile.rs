//! From a component to native code for this host.
//!
//! The engine's settings are the shared ones, since the artifact loads only under those it was made with; added are
//! only settings that do not outlive the compilation.

use std::sync::Arc;

use wasmtime::{Engine, OptLevel};

use crate::fault::Fault;
use crate::progress::Progress;
use crate::reject::Reject;

/// Compiles all functions of the component, on this thread, and returns the artifact.
///
/// # Errors
/// `Reject` when the component is invalid, needs a feature that is off, or is over a limit of the compiler; `Engine`
/// when there is no compiler for this host.
pub(crate) fn compile(component: &[u8], functions: u32) -> Result<Vec<u8>, Fault> {
    let progress = Arc::new(Progress::start(functions));
    let mut config = brane_engine::config();
    config.cranelift_opt_level(OptLevel::Speed);
    if std::env::var_os("NOPROG").is_none() {
        config.enable_incremental_compilation(progress.clone()).map_err(Fault::Engine)?;
    }
    let engine = Engine::new(&config).map_err(Fault::Engine)?;
    let artifact = engine.precompile_component(component).map_err(|error| refusal(&error))?;
    progress.finish();
    Ok(artifact)
}

/// Sorts the compiler's errors: a feature that is off, a limit, or plainly invalid.
fn refusal(error: &wasmtime::Error) -> Reject {
    let text = format!("{error:#}");
    let parser_error = error.chain().find_map(|cause| cause.downcast_ref::<wasmparser::Error>());
    if let Some(features) = parser_error.and_then(wasmparser::Error::missing_wasm_feature) {
        return Reject::Unsupported(format!(
            "needs {}, which is switched off: {text}",
            feature_names(features)
        ));
    }
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if says(&["implementation limit", "limit exceeded", "too large"]) {
        Reject::TooLarge(text)
    } else if says(&[
        "not enabled",
        "unsupported",
        "not supported",
        "not implemented",
        "proposal",
        " feature",
    ]) {
        Reject::Unsupported(text)
    } else {
        Reject::Malformed(text)
    }
}

fn feature_names(features: wasmparser::WasmFeatures) -> String {
    let names = features.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-"));
    names.collect::<Vec<_>>().join(", ")
}
