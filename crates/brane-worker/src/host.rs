//! What a brane's host functions share: the pipes, the late bindings, the resources.

use std::collections::VecDeque;

use brane_wire::brane::{FromBrane, Go, ToBrane};
use brane_wire::frame::MAX_CHUNK;
use cage::Pipe;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde_bytes::ByteBuf;
use wasmtime::component::ResourceTable;
use wasmtime::{Result, bail};

use crate::files::Files;
use crate::limits::Limits;

/// Most resources (streams, pollables, errors) that a guest may hold at once.
const MAX_RESOURCES: usize = 10_000;
/// Longest text about a refused call, in bytes.
const MAX_TRIED: usize = 2048;
/// Longest name of an interface or a function in such a record, in bytes: a component may have longer ones.
pub(crate) const MAX_NAME: usize = 1024;

/// The data of a brane's store.
pub(crate) struct Host {
    pipe: Pipe,
    stdin: Stdin,
    /// Commands that came before they were waited for.
    early: VecDeque<ToBrane>,
    /// Late bindings.
    pub(crate) go: Go,
    /// Streams, pollables and errors.
    pub(crate) table: ResourceTable,
    /// What has been handed out of memory.
    pub(crate) limits: Limits,
    /// The mounts.
    pub(crate) files: Files,
}

/// What is known of standard input.
#[derive(Debug, Default)]
struct Stdin {
    buffered: VecDeque<u8>,
    eof: bool,
    asked: bool,
}

/// A call that the owner asks for.
#[derive(Debug)]
pub(crate) struct Called {
    /// The exported interface that the function is in.
    pub(crate) interface: Option<String>,
    /// The function.
    pub(crate) export: String,
    /// Its arguments in MessagePack.
    pub(crate) args: ByteBuf,
}

/// A call that the guest's `exit` ended.
#[derive(Debug, thiserror::Error)]
#[error("exit {0}")]
pub(crate) struct Exit(pub(crate) u8);

impl Host {
    /// A host for one brane.
    pub(crate) fn new(pipe: Pipe, go: Go, files: Files) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(MAX_RESOURCES);
        let limits = Limits::new(go.memory);
        Self { pipe, stdin: Stdin::default(), early: VecDeque::new(), go, table, limits, files }
    }

    /// Sends an event to the owner.
    pub(crate) fn send(&mut self, event: &FromBrane) -> Result<()> {
        Ok(self.pipe.send(event)?)
    }

    /// The next call. What is left of the last call's input is dropped.
    pub(crate) fn next_call(&mut self) -> Result<Called> {
        loop {
            match self.command()? {
                ToBrane::Call { interface, export, args } => {
                    self.stdin.begin();
                    return Ok(Called { interface, export, args });
                }
                // It was asked for by a call that returned before it came.
                ToBrane::Stdin { data, eof } => self.stdin.fill(&data, eof)?,
                ToBrane::File { command } => self.file(&command)?,
                _ => bail!("not a call"),
            }
        }
    }

    /// The next command between calls.
    pub(crate) fn command(&mut self) -> Result<ToBrane> {
        match self.early.pop_front() {
            Some(command) => Ok(command),
            None => Ok(self.pipe.receive()?),
        }
    }

    /// Tells the owner of a refusal and waits until its record is durable.
    pub(crate) fn deny(&mut self, interface: &str, function: &str, tried: &str) -> Result<()> {
        let event = FromBrane::Denied {
            interface: bounded(interface, MAX_NAME),
            function: bounded(function, MAX_NAME),
            tried: bounded(tried, MAX_TRIED),
        };
        self.send_and_wait(&event)
    }

    /// Sends `event` and waits for `Recorded`; input that arrives meanwhile is kept.
    pub(crate) fn send_and_wait(&mut self, event: &FromBrane) -> Result<()> {
        self.send(event)?;
        loop {
            match self.answer()? {
                ToBrane::Recorded {} => return Ok(()),
                ToBrane::Stdin { data, eof } => self.stdin.fill(&data, eof)?,
                _ => bail!("unexpected command during a call"),
            }
        }
    }

    /// Calls a tool of the owner's, and waits for what comes of it; input that arrives meanwhile is kept.
    pub(crate) fn ask_tool(&mut self, asked: FromBrane) -> Result<Result<ByteBuf, ByteBuf>> {
        self.send(&asked)?;
        // It may be large, and so may the answer.
        drop(asked);
        loop {
            match self.answer()? {
                ToBrane::Answered { result } => return Ok(result),
                ToBrane::Stdin { data, eof } => self.stdin.fill(&data, eof)?,
                _ => bail!("unexpected command during a call of a tool"),
            }
        }
    }

    /// The owner's next answer. What stands before it came right behind "go", while this instantiates: it is kept.
    fn answer(&mut self) -> Result<ToBrane> {
        loop {
            match self.pipe.receive()? {
                early @ (ToBrane::Call { .. } | ToBrane::File { .. }) => self.early.push_back(early),
                other => return Ok(other),
            }
        }
    }

    /// Writes to standard output (1) or error (2).
    pub(crate) fn output(&mut self, stream: u8, bytes: &[u8]) -> Result<()> {
        for chunk in bytes.chunks(MAX_CHUNK) {
            self.send(&FromBrane::Output { stream, data: ByteBuf::from(chunk) })?;
        }
        Ok(())
    }

    /// At most `max` bytes of standard input that are there now; `None` at its end.
    pub(crate) fn read_now(&mut self, max: usize) -> Result<Option<Vec<u8>>> {
        self.stdin_ready()?;
        if self.stdin.buffered.is_empty() && self.stdin.eof {
            return Ok(None);
        }
        let count = max.min(self.stdin.buffered.len());
        Ok(Some(self.stdin.buffered.drain(..count).collect()))
    }

    /// Whether a read of standard input would not block; asks for more if it would.
    pub(crate) fn stdin_ready(&mut self) -> Result<bool> {
        while !self.stdin.ready() {
            self.ask()?;
            if !self.poll_commands(Some(0))? {
                return Ok(false);
            }
            self.take_input()?;
        }
        Ok(true)
    }

    /// Waits until standard input is ready.
    pub(crate) fn wait_stdin(&mut self) -> Result<()> {
        while !self.stdin.ready() {
            self.ask()?;
            self.take_input()?;
        }
        Ok(())
    }

    /// Waits for `timeout` nanoseconds, forever if `None`; with `stdin`, no longer than until there is input.
    pub(crate) fn sleep(&mut self, timeout: Option<u64>, stdin: bool) -> Result<()> {
        if !stdin {
            return Ok(wait(&mut [], timeout).map(|_| ())?);
        }
        self.ask()?;
        if self.poll_commands(timeout)? { self.take_input() } else { Ok(()) }
    }

    fn ask(&mut self) -> Result<()> {
        if !self.stdin.asked {
            self.stdin.asked = true;
            self.send(&FromBrane::Pull { max: u32::try_from(MAX_CHUNK)? })?;
        }
        Ok(())
    }

    fn take_input(&mut self) -> Result<()> {
        match self.answer()? {
            ToBrane::Stdin { data, eof } => self.stdin.fill(&data, eof),
            _ => bail!("unexpected command while waiting for input"),
        }
    }

    fn poll_commands(&self, timeout: Option<u64>) -> Result<bool> {
        Ok(wait(&mut [PollFd::from_borrowed_fd(self.pipe.commands(), PollFlags::IN)], timeout)?)
    }
}

impl Stdin {
    fn ready(&self) -> bool {
        self.eof || !self.buffered.is_empty()
    }

    /// Input of a new call; what was asked for and did not come belongs to it.
    fn begin(&mut self) {
        self.buffered.clear();
        self.eof = false;
    }

    fn fill(&mut self, data: &[u8], eof: bool) -> Result<()> {
        if !self.asked {
            bail!("input that nobody asked for");
        }
        self.asked = false;
        self.eof |= eof;
        self.buffered.extend(data);
        Ok(())
    }
}

/// The one wait of a brane: ppoll(2) with nanoseconds. True if a descriptor is ready.
fn wait(descriptors: &mut [PollFd<'_>], timeout: Option<u64>) -> Result<bool, Errno> {
    let timeout = timeout.map(|nanoseconds| Timespec {
        tv_sec: i64::try_from(nanoseconds / 1_000_000_000).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanoseconds % 1_000_000_000).unwrap_or(0),
    });
    loop {
        match poll(descriptors, timeout.as_ref()) {
            Err(Errno::INTR) => {}
            other => return other.map(|ready| ready > 0),
        }
    }
}

/// `text`, cut to at most `max` bytes at a character's boundary.
pub(crate) fn bounded(text: &str, max: usize) -> String {
    text[..text.floor_char_boundary(max)].to_owned()
}
