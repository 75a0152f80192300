//! The engine settings that compiler and worker must share to the letter.
//!
//! Precompiled code loads only under the settings it was compiled with, so both ends take them from here and nowhere
//! else. Everything that is not needed is off: no threads, no component-model async (the cargo features are absent), no
//! garbage-collected types, no epochs and no fuel (deadlines are enforced from outside, by killing the process).
//!
//! Exceptions are on, because C++ programs are published with them. An exception lives in a heap that the runtime
//! collects; a guest can make nothing else in it, and it counts as the guest's memory.

#![forbid(unsafe_code)]

use wasmtime::Config;

/// Most bytes of native stack that a guest may use before it traps.
///
/// CPython bounds its recursion by its own linear stack, which native frames outgrow: with less, deep but legal code
/// traps where it should raise RecursionError. `cage` gives a template, and so its branes, a stack above this.
pub const MAX_WASM_STACK: usize = 32 << 20;

/// Settings for `wasmtime::Engine`, the same in compiler and worker.
pub fn config() -> Config {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.wasm_exceptions(true);
    // The collector is compiled in for exceptions; structs, arrays and i31 of a guest's own stay refused.
    config.wasm_gc(false);
    // The engine checks the two against each other even where async is not compiled in.
    config.async_stack_size(MAX_WASM_STACK);
    config.max_wasm_stack(MAX_WASM_STACK);
    config
}
