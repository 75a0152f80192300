//! What a worker's template links: layer 1 of the plan, as data.

use serde::{Deserialize, Serialize};

/// The job of a worker's template.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSet {
    /// Interfaces that the component may import; what is not here is absent.
    pub interfaces: Vec<Linked>,
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
