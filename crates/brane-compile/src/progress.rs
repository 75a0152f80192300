//! How far the compiler is, for the owner's progress bar.
//!
//! The compiler offers no such hook, but it asks its cache about every function before compiling it. This cache never
//! holds anything; it counts the questions. A line goes out when another percent is done.

use std::borrow::Cow;
use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};

use wasmtime::CacheStore;

/// Counts functions and prints "done total" lines to stderr.
#[derive(Debug)]
pub(crate) struct Progress {
    total: u32,
    done: AtomicU32,
}

impl Progress {
    /// Starts at none of `total`, and says so.
    pub(crate) fn start(total: u32) -> Self {
        let progress = Self { total, done: AtomicU32::new(0) };
        progress.print(0);
        progress
    }

    /// Says that all is done.
    pub(crate) fn finish(&self) {
        self.print(self.total);
    }

    /// One more function. Trampolines count too, so the count stops short of the total until the end.
    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        if done < self.total && done.is_multiple_of((self.total / 100).max(1)) {
            self.print(done);
        }
    }

    /// Progress is a courtesy: a closed stderr does not stop the work.
    fn print(&self, done: u32) {
        let line = format!("{done} {}\n", self.total);
        std::io::stderr().write_all(line.as_bytes()).unwrap_or_default();
    }
}

impl CacheStore for Progress {
    fn get(&self, _key: &[u8]) -> Option<Cow<'_, [u8]>> {
        self.step();
        None
    }

    fn insert(&self, _key: &[u8], _value: Vec<u8>) -> bool {
        true
    }
}
