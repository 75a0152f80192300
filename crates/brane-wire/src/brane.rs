//! Owner and brane: sealing, then "go", then one call after the other.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// From the owner to a brane.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ToBrane {
    /// The owner holds the seccomp listener: close your copy.
    Taken {},
    /// All that is bound late.
    Go(Go),
    /// Call an export.
    Call {
        /// Name of the export: `wasi:cli/run`, or a function that the component exports.
        export: String,
        /// Arguments.
        args: Vec<Value>,
    },
    /// Answer to [`FromBrane::Pull`].
    Stdin {
        /// At most as many bytes as were asked for.
        data: ByteBuf,
        /// Whether these are the last.
        eof: bool,
    },
    /// The record of a refusal is durable: go on.
    Recorded {},
}

/// Late bindings of one brane.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Go {
    /// Command line, the program's name first.
    pub args: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Bytes that the guest's linear memories may have in all.
    pub memory: u64,
}

/// From a brane to its owner. All of it is to be taken as hostile.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromBrane {
    /// The last filter is installed.
    Sealed {
        /// Number of the listener, to be taken with pidfd_getfd(2).
        listener: i32,
    },
    /// The brane closed its copy of the listener and waits to be looked at.
    Parked {},
    /// First answer to "go".
    Started {
        /// SHA-256 of the payload of the "go" frame.
        go: ByteBuf,
    },
    /// The guest wants standard input.
    Pull {
        /// At most so many bytes.
        max: u32,
    },
    /// Output of the guest.
    Output {
        /// 1 is standard output, 2 is standard error.
        stream: u8,
        /// At most [`crate::frame::MAX_CHUNK`] bytes.
        data: ByteBuf,
    },
    /// Layer 1 refused a call. The brane waits for [`ToBrane::Recorded`].
    Denied {
        /// Interface, with its version.
        interface: String,
        /// Function.
        function: String,
        /// What was asked, bounded text.
        tried: String,
    },
    /// A limit refused a request that the guest may handle. The brane waits for [`ToBrane::Recorded`].
    Limited {
        /// Name of the limit.
        limit: String,
        /// How much the guest asked for in all.
        asked: u64,
    },
    /// A call returned.
    Returned {
        /// What it returned, if anything.
        value: Option<Value>,
    },
    /// The guest called exit.
    Exited {
        /// Its code.
        code: u8,
    },
    /// The guest trapped.
    Trapped {
        /// The trap's name, such as `memory-out-of-bounds`; `host` where a host function ended the call.
        kind: String,
        /// The cause in words, bounded.
        detail: String,
        /// Where in the guest, bounded; the guest's own names.
        backtrace: String,
    },
    /// A step of the brane itself failed.
    Failed {
        /// Name of the step.
        step: String,
        /// errno, or 0.
        errno: i32,
        /// More, bounded text.
        detail: String,
    },
}

/// A value of a call, as much of WIT as calls carry so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Value {
    /// `string`
    String(String),
    /// `u8`
    U8(u8),
    /// `list<string>`
    Strings(Vec<String>),
    /// `result<string, string>`
    Result(Result<String, String>),
}
