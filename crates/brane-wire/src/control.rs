//! Owner and template: set-up, and one fork a brane.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

/// Most bytes of a late image: a brane maps so many before there are any.
pub const MAX_LATE: u64 = 16 << 30;

/// From the owner to a process that is, or becomes, a template.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ToTemplate {
    /// The user namespace has its maps.
    Mapped {
        /// Whether supplementary groups can and must be dropped (an unprivileged owner may not).
        drop_groups: bool,
    },
    /// Enter the template's own cage and prepare. Descriptors beside it: pidfd of the owner, the artifact,
    /// then one for each tree of the job.
    Setup {
        /// Stage 1: BPF instructions (`struct sock_filter`) for the template, inherited by its branes.
        first_filter: ByteBuf,
        /// Stage 2: BPF instructions for each brane, with a listener.
        second_filter: ByteBuf,
        /// What the program itself is to prepare; its meaning is the program's.
        job: ByteBuf,
    },
    /// Fork one brane. Descriptors beside it: commands (read), events (write), status (write), then the memfd of the late
    /// image where `late` says so, then `extra`.
    Fork {
        /// User and group of the brane, as the template's user namespace numbers them.
        id: u32,
        /// Descriptor numbers that the further descriptors get in the brane.
        extra: Vec<i32>,
        /// Whether there is a late image, empty so far, to be mapped before the seal.
        late: bool,
    },
}

/// From a template to its owner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FromTemplate {
    /// The template-to-be exists in its own user and pid namespace. Beside it: its pidfd.
    Born {},
    /// Caged and prepared: forks may be asked for.
    Ready {},
    /// A brane was cloned and its ids are mapped. Beside it: its pidfd.
    Forked {},
    /// The program refuses its job; this is not a fault of the host.
    Refused {
        /// Why, one entry a reason (for a worker: each refused import).
        reasons: Vec<String>,
    },
    /// A step failed.
    Failed {
        /// Name of the step.
        step: String,
        /// errno, or 0 where there is none.
        errno: i32,
        /// More, in words.
        detail: String,
    },
}

/// How a brane ended, written to its status pipe by the template that reaped it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Died {
    /// Exit code, or 0 when a signal ended it.
    pub code: i32,
    /// The signal that ended it, or 0.
    pub signal: i32,
    /// Processor time in user mode, microseconds.
    pub user_us: u64,
    /// Processor time in the kernel, microseconds.
    pub system_us: u64,
    /// Largest resident set, KiB.
    pub max_rss_kib: u64,
}
