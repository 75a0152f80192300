//! What a worker's template links: layer 1 of the plan, as data.

use serde::{Deserialize, Serialize};

/// The job of a worker's template.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSet {
    /// Interfaces that the component may import; what is not here is absent.
    pub interfaces: Vec<Linked>,
    /// What the guest finds preopened, in this order; commands about files name a mount by its place here.
    pub mounts: Vec<Mount>,
}

/// One preopened directory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mount {
    /// Where the guest sees it: an absolute path.
    pub path: String,
    /// What is there.
    pub kind: MountKind,
}

/// What a mount holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MountKind {
    /// A read-only tree, in the next of the descriptors beside `Setup`.
    Tree,
    /// Writable and in memory, seeded by the late image where that has a directory of the mount's number.
    Scratch,
    /// Read-only, from the late image.
    Files,
}

/// One interface and how it is linked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// Name without a version, such as `wasi:cli/stdout`.
    pub name: String,
    /// Denied or granted.
    pub state: State,
}

/// How an interface is linked. Absent is not a state: it is not being in the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Linked to functions that refuse and record.
    Denied,
    /// Linked to the host's implementation.
    Granted,
}
