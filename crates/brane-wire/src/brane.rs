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
        /// The exported interface that the function is in, with its version or without; none for one that the component
        /// exports itself.
        interface: Option<String>,
        /// Name of the function. `run` of `wasi:cli/run` ends the guest.
        export: String,
        /// MessagePack of an array of the arguments, each by its type: `src/branes/values` has the table.
        args: ByteBuf,
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
    /// Answer to [`FromBrane::Asked`].
    Answered {
        /// JSON text: the value that the tool returned, or how it failed.
        result: Result<ByteBuf, ByteBuf>,
    },
    /// Between calls, and after the guest's end where "go" said so: something about the brane's files.
    File {
        /// What.
        command: FileCommand,
    },
}

/// What an owner asks about a brane's files. Paths are relative to a mount, `""` is the mount itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FileCommand {
    /// What is there; a link is not followed.
    Stat {
        /// Number of the mount.
        mount: u16,
        /// Where.
        path: String,
    },
    /// The next entries of a directory, in the order of their names.
    List {
        /// Number of the mount.
        mount: u16,
        /// The directory.
        path: String,
        /// The name after which to go on; `""` at the beginning.
        after: String,
    },
    /// A piece of a file; the answer is at most [`MAX_PIECE`] bytes.
    Fetch {
        /// Number of the mount.
        mount: u16,
        /// The file.
        path: String,
        /// From where, in bytes.
        offset: u64,
    },
    /// Writes a piece of a file; at offset 0 the file is made, its directories too, or emptied.
    Store {
        /// Number of the mount.
        mount: u16,
        /// The file.
        path: String,
        /// From where, in bytes.
        offset: u64,
        /// At most [`MAX_PIECE`] bytes.
        data: ByteBuf,
    },
}

/// Largest text of a tool's arguments, or of what came of it, in bytes.
pub const MAX_TOOL: usize = 8 << 20;
/// Largest piece of a file in one message, in bytes.
pub const MAX_PIECE: usize = 1 << 20;
/// Most entries of a directory in one message.
pub const MAX_ENTRIES: usize = 256;

/// The answer to a [`FileCommand`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FileAnswer {
    /// To [`FileCommand::Stat`].
    Found(Entry),
    /// To [`FileCommand::List`].
    Listed {
        /// At most [`MAX_ENTRIES`].
        entries: Vec<Entry>,
        /// Whether there are more after the last.
        more: bool,
    },
    /// To [`FileCommand::Fetch`].
    Fetched {
        /// The bytes; fewer than [`MAX_PIECE`] only at the end.
        data: ByteBuf,
        /// Whether the file ends behind them.
        end: bool,
    },
    /// To [`FileCommand::Store`].
    Stored {},
    /// It cannot be done.
    Failed {
        /// An error code of `wasi:filesystem/types`, such as `no-entry`.
        code: String,
    },
}

/// One entry of a directory. The name is the guest's, hostile text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its name; `""` for what [`FileCommand::Stat`] named.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Bytes of a file, 0 otherwise.
    pub size: u64,
    /// Whether a file's mode says that it can be executed.
    pub executable: bool,
    /// Where a link leads, `""` otherwise.
    pub target: String,
}

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A file.
    File,
    /// A symbolic link.
    Symlink,
}

/// Late bindings of one brane.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Go {
    /// Command line, the program's name first.
    pub args: Vec<String>,
    /// Environment.
    pub env: Vec<(String, String)>,
    /// Bytes that the guest's linear memories may have in all, and what it writes into files.
    pub memory: u64,
    /// Bytes of the late image, which the brane maps since before its seal; 0 where it has none.
    pub late: u64,
    /// Names of the tools that the guest may call.
    pub tools: Vec<String>,
    /// Whether the brane outlives its guest, to answer [`FileCommand`]s until it is killed.
    pub stays: bool,
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
    /// The guest calls a tool. The brane waits for [`ToBrane::Answered`].
    Asked {
        /// Which; one that was granted.
        name: String,
        /// JSON text of its arguments, `{"args": [...], "kwargs": {...}}`.
        arguments: ByteBuf,
    },
    /// Answer to [`ToBrane::File`].
    File {
        /// The answer.
        answer: FileAnswer,
    },
    /// A call returned.
    Returned {
        /// MessagePack of what it returned, if anything.
        value: Option<ByteBuf>,
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
