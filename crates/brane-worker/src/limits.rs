//! Memory of a guest: a sum over its linear memories, tables, exceptions and files, refused above the limit and recorded
//! once.

use brane_tree::Budget;
use brane_wire::brane::FromBrane;
use wasmtime::{ResourceLimiter, Result};

use crate::host::Host;

/// Bytes that one table element is counted as: a pointer and its bookkeeping.
const TABLE_ELEMENT: usize = 16;

/// What has been handed out.
#[derive(Debug)]
pub(crate) struct Limits {
    allowed: usize,
    used: usize,
    /// What would have been used in all, when a volume was last refused more.
    short: Option<usize>,
    recorded: bool,
}

impl Limits {
    /// At most `memory` bytes in all.
    pub(crate) fn new(memory: u64) -> Self {
        Self { allowed: usize::try_from(memory).unwrap_or(usize::MAX), used: 0, short: None, recorded: false }
    }

    /// Takes `bytes` more, or says how many that would have been in all.
    fn take(&mut self, bytes: usize) -> Result<(), usize> {
        let wanted = self.used.saturating_add(bytes);
        if wanted > self.allowed {
            return Err(wanted);
        }
        self.used = wanted;
        Ok(())
    }
}

impl Limits {
    /// Forgets what a volume was refused: it was not the guest that asked.
    pub(crate) fn forget_shortage(&mut self) {
        self.short = None;
    }

    /// Whether anything was refused.
    pub(crate) fn refused(&self) -> bool {
        self.recorded
    }
}

impl Budget for Limits {
    fn take(&mut self, bytes: usize) -> bool {
        match Self::take(self, bytes) {
            Ok(()) => true,
            Err(asked) => {
                self.short = Some(asked);
                false
            }
        }
    }

    fn give(&mut self, bytes: usize) {
        self.used = self.used.saturating_sub(bytes);
    }
}

impl Host {
    /// Records, the first time, what a volume was refused since it was last asked.
    pub(crate) fn settle_memory(&mut self) -> Result<()> {
        match self.limits.short.take() {
            Some(asked) => self.refuse_memory(u64::try_from(asked)?),
            None => Ok(()),
        }
    }

    /// Takes `bytes`; a refusal is the guest's to handle, and recorded the first time.
    pub(crate) fn take_memory(&mut self, bytes: usize) -> Result<bool> {
        let Err(asked) = self.limits.take(bytes) else { return Ok(true) };
        self.refuse_memory(u64::try_from(asked)?)?;
        Ok(false)
    }

    /// Records, the first time, that `asked` bytes were refused.
    pub(crate) fn refuse_memory(&mut self, asked: u64) -> Result<()> {
        if std::mem::replace(&mut self.limits.recorded, true) {
            return Ok(());
        }
        self.send_and_wait(&FromBrane::Limited { limit: "memory".to_owned(), asked })
    }
}

impl ResourceLimiter for Host {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.take_memory(desired.saturating_sub(current))
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.take_memory(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT))
    }
}
