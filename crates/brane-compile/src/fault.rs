//! How the program ends when it has no answer.
//!
//! Not by `abort`: that is a `tgkill`, which the jail reads as an attempt to escape. Nothing is printed, for a
//! panic's text may quote untrusted bytes; the exit code is all that the owner gets.
//! One case is out of reach without `unsafe`: when memory runs out, the standard library reports on stderr and aborts.

use std::io;

use thiserror::Error;

use crate::reject::Reject;

/// Exit code for a defect (`EX_SOFTWARE` of sysexits.h).
const EXIT_SOFTWARE: u8 = 70;
/// Exit code for a failed read or write (`EX_IOERR` of sysexits.h).
const EXIT_IO: u8 = 74;

/// Exit code for settings that this host cannot have (`EX_CONFIG`).
const EXIT_CONFIG: u8 = 78;

/// Why there is no artifact.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// The input is refused, which is an answer.
    #[error(transparent)]
    Input(#[from] Reject),
    /// Stdin or stdout failed.
    #[error("stdin or stdout failed: {0}")]
    Io(#[from] io::Error),
    /// The compiler could not be set up on this host.
    #[error("no compiler for this host: {0}")]
    Engine(wasmtime::Error),
    /// The header could not be written as JSON.
    #[error("header is not serializable: {0}")]
    Json(#[from] serde_json::Error),
}

impl Fault {
    /// The exit code that names this fault.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Io(_) => EXIT_IO,
            Self::Engine(_) => EXIT_CONFIG,
            Self::Input(_) | Self::Json(_) => EXIT_SOFTWARE,
        }
    }
}

/// Makes a panic, on whatever thread, end the process silently with exit code 70.
#[allow(clippy::exit, reason = "the one way out of a panic that is neither an abort nor a printed payload")]
pub(crate) fn exit_on_panic() {
    std::panic::set_hook(Box::new(|_| std::process::exit(i32::from(EXIT_SOFTWARE))));
}
