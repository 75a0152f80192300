//! WASI 0.2 as this host implements it, one module a package; what a grant links.
//!
//! By name and type, without interface files: the types of each function below are those of the published interface,
//! and the linker checks them against the component's. Any 0.2.x version string is served.

mod cli;
mod clocks;
pub(crate) mod filesystem;
mod io;
pub(crate) mod network;
mod random;
pub(crate) mod resources;

use wasmtime::component::LinkerInstance;
use wasmtime::{Result, bail};

use crate::host::Host;
use crate::link::without_version;

/// Does in the template what happens once in a process: the first use of a clock asks the kernel where the vDSO is.
pub(crate) fn prepare() {
    clocks::now();
}

/// The time of day, in nanoseconds since the epoch: what files are dated with.
pub(crate) fn wall_now() -> u64 {
    clocks::wall_now()
}

/// Links the host's implementation of the interface `name`.
pub(crate) fn link(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    match without_version(name) {
        "wasi:cli/environment" => cli::environment(instance),
        "wasi:cli/exit" => cli::exit(instance),
        "wasi:cli/stdin" => cli::stdin(instance),
        "wasi:cli/stdout" => cli::stdout(instance),
        "wasi:cli/stderr" => cli::stderr(instance),
        "wasi:cli/terminal-input" => resources::define(instance, "terminal-input"),
        "wasi:cli/terminal-output" => resources::define(instance, "terminal-output"),
        "wasi:cli/terminal-stdin" => cli::terminal_stdin(instance),
        "wasi:cli/terminal-stdout" => cli::terminal_stdout(instance),
        "wasi:cli/terminal-stderr" => cli::terminal_stderr(instance),
        "wasi:clocks/monotonic-clock" => clocks::monotonic(instance),
        "wasi:clocks/wall-clock" => clocks::wall(instance),
        "wasi:filesystem/preopens" => filesystem::preopens(instance),
        "wasi:filesystem/types" => filesystem::types(instance),
        "wasi:io/error" => io::error(instance),
        "wasi:io/poll" => io::poll(instance),
        "wasi:io/streams" => io::streams(instance),
        "wasi:random/random" => random::random(instance),
        "wasi:random/insecure" => random::insecure(instance),
        "wasi:random/insecure-seed" => random::insecure_seed(instance),
        _ => bail!("this worker has no implementation of it"),
    }
}
