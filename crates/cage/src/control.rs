//! The control channel: one `SOCK_SEQPACKET` datagram a message, descriptors beside it.
//!
//! Only owner and template hold an end of it; a brane never does, since a socket can carry descriptors.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use brane_wire::control::{FromTemplate, ToTemplate};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::error::{Failure, Named};

/// Largest message: two filters of 4,096 instructions and a link set fit well.
const MAX_MESSAGE: usize = 192 << 10;
/// Most descriptors beside a message: owner, artifact and the trees of a template.
const MAX_DESCRIPTORS: usize = 34;

/// The template's end of the control channel.
#[derive(Debug)]
pub(crate) struct Control(OwnedFd);

impl Control {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Sends `message` with `descriptor` beside it.
    pub(crate) fn send(
        &self,
        message: &FromTemplate,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<(), Failure> {
        let bytes = brane_wire::encode(message)?;
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
        if !descriptors.is_empty() {
            beside.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        sendmsg(&self.0, &[IoSlice::new(&bytes)], &mut beside, SendFlags::NOSIGNAL)
            .named("send control message")?;
        Ok(())
    }

    /// The next message and its descriptors, close-on-exec.
    pub(crate) fn receive(&self) -> Result<(ToTemplate, Vec<OwnedFd>), Failure> {
        let mut bytes = vec![0; MAX_MESSAGE];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS))];
        let mut beside = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut bytes)];
        let got = recvmsg(&self.0, &mut into, &mut beside, RecvFlags::CMSG_CLOEXEC)
            .named("receive control message")?;
        let descriptors = beside.drain().flat_map(descriptors_of).collect();
        if got.flags.contains(ReturnFlags::CTRUNC) {
            // Too many for this process's limit: the kernel drops what does not fit and does not say so otherwise.
            return Err(Errno::MFILE).named("receive control message")?;
        }
        match got.bytes {
            0 => Err(Failure::Closed),
            length => Ok((brane_wire::decode(&bytes[..length])?, descriptors)),
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn descriptors_of(message: RecvAncillaryMessage<'_>) -> Vec<OwnedFd> {
    match message {
        RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
        _ => Vec::new(),
    }
}
