//! Memory of a guest: a sum over its linear memories and tables, refused above the limit and recorded once.

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
    recorded: bool,
}

impl Limits {
    /// At most `memory` bytes in all.
    pub(crate) fn new(memory: u64) -> Self {
        Self { allowed: usize::try_from(memory).unwrap_or(usize::MAX), used: 0, recorded: false }
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
    /// Whether anything was refused.
    pub(crate) fn refused(&self) -> bool {
        self.recorded
    }
}

impl Host {
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
