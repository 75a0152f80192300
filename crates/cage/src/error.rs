//! What can go wrong on the way into a cage.

use std::convert::Infallible;

use brane_wire::WireError;
use brane_wire::control::FromTemplate;
use rustix::io::Errno;

/// One step that the kernel refused.
#[derive(Debug, thiserror::Error)]
#[error("{step}: {errno}")]
pub struct StepError {
    /// Name of the step, as docs/layers/2-process.md lists it.
    pub step: &'static str,
    /// What the kernel said.
    pub errno: Errno,
}

/// Gives the result of a system call the name of its step.
pub(crate) trait Named<T> {
    /// `self`, an error named `step`.
    fn named(self, step: &'static str) -> Result<T, StepError>;
}

impl<T> Named<T> for Result<T, Errno> {
    fn named(self, step: &'static str) -> Result<T, StepError> {
        self.map_err(|errno| StepError { step, errno })
    }
}

/// Why a template ends before it is ready, or a brane before it is parked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The kernel refused a step: the host's fault.
    #[error(transparent)]
    Step(#[from] StepError),
    /// The owner sent something else than what its turn is.
    #[error("unexpected message while waiting for {0}")]
    Unexpected(&'static str),
    /// A message could not be read or written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The owner is gone.
    #[error("the owner closed the channel")]
    Closed,
    /// The program refuses its job, for these reasons.
    #[error("refused: {0:?}")]
    Refused(Vec<String>),
    /// The program cannot prepare.
    #[error("{0}")]
    Program(String),
}

impl From<Infallible> for Failure {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Failure {
    /// The message that tells the owner.
    pub(crate) fn report(self) -> FromTemplate {
        match self {
            Self::Step(StepError { step, errno }) => FromTemplate::Failed {
                step: step.to_owned(),
                errno: errno.raw_os_error(),
                detail: errno.to_string(),
            },
            Self::Refused(reasons) => FromTemplate::Refused { reasons },
            other => FromTemplate::Failed { step: "prepare".to_owned(), errno: 0, detail: other.to_string() },
        }
    }
}
