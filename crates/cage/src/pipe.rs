//! A brane's end of its two pipes: frames in, frames out, blocking.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use brane_wire::WireError;
use brane_wire::brane::{FromBrane, ToBrane};
use brane_wire::frame;
use rustix::io::Errno;

use crate::error::{Failure, StepError};

/// A frame could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum PipeError {
    /// The owner closed its end.
    #[error("the owner closed the pipe")]
    Closed,
    /// The kernel refused.
    #[error("pipe: {0}")]
    Errno(#[from] Errno),
    /// Not a frame of ours.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl From<PipeError> for Failure {
    fn from(error: PipeError) -> Self {
        match error {
            PipeError::Closed => Self::Closed,
            PipeError::Errno(errno) => Self::Step(StepError { step: "move frame", errno }),
            PipeError::Wire(error) => Self::Wire(error),
        }
    }
}

/// Commands in, events out.
#[derive(Debug)]
pub struct Pipe {
    commands: OwnedFd,
    events: OwnedFd,
}

impl Pipe {
    /// A pair of pipe ends.
    pub fn new(commands: OwnedFd, events: OwnedFd) -> Self {
        Self { commands, events }
    }

    /// Writes one event.
    pub fn send(&mut self, event: &FromBrane) -> Result<(), PipeError> {
        send_to(self.events.as_fd(), event)
    }

    /// The next command.
    pub fn receive(&mut self) -> Result<ToBrane, PipeError> {
        Ok(brane_wire::decode(&self.receive_payload()?)?)
    }

    /// The payload of the next command, undecoded.
    pub fn receive_payload(&mut self) -> Result<Vec<u8>, PipeError> {
        let mut header = [0; frame::HEADER];
        read_exact(self.commands.as_fd(), &mut header)?;
        let mut payload = vec![0; frame::payload_length(header)?];
        read_exact(self.commands.as_fd(), &mut payload)?;
        Ok(payload)
    }

    /// The descriptor on which a command shows, for ppoll(2).
    pub fn commands(&self) -> BorrowedFd<'_> {
        self.commands.as_fd()
    }
}

pub(crate) fn send_to(events: BorrowedFd<'_>, event: &FromBrane) -> Result<(), PipeError> {
    let framed = frame::frame(&brane_wire::encode(event)?)?;
    let mut rest = framed.as_slice();
    while !rest.is_empty() {
        match rustix::io::write(events, rest) {
            Ok(written) => rest = &rest[written..],
            Err(Errno::INTR) => {}
            Err(Errno::PIPE) => return Err(PipeError::Closed),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn read_exact(from: BorrowedFd<'_>, mut into: &mut [u8]) -> Result<(), PipeError> {
    while !into.is_empty() {
        match rustix::io::read(from, &mut *into) {
            Ok(0) => return Err(PipeError::Closed),
            Ok(got) => into = &mut into[got..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
