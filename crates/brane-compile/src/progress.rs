//! How far the compiler is, for the owner's progress bar.
//!
//! The compiler tells a profiler of this thread when it starts on a function. This one takes no times; it counts, and
//! prints "done total" in ASCII digits when another percent is done. (A cache that only counts would do as well, but
//! makes the compiler 10% slower.)

use std::any::Any;
use std::cell::Cell;
use std::io::Write;

use cranelift_codegen::timing::{self, Pass, Profiler};

/// Functions done, of those that there are.
#[derive(Debug)]
struct Progress {
    total: u32,
    done: Cell<u32>,
}

/// Says that nothing is done yet, and from now on counts what this thread compiles.
pub(crate) fn start(total: u32) {
    print(0, total);
    timing::set_thread_profiler(Box::new(Progress { total, done: Cell::new(0) }));
}

/// Says that all is done.
pub(crate) fn finish(total: u32) {
    print(total, total);
}

impl Progress {
    /// One more function. Trampolines count too, so the last percent is left to `finish`.
    fn step(&self) {
        let done = self.done.get().saturating_add(1);
        self.done.set(done);
        if done < self.total && done.is_multiple_of((self.total / 100).max(1)) {
            print(done, self.total);
        }
    }
}

impl Profiler for Progress {
    fn start_pass(&self, pass: Pass) -> Box<dyn Any> {
        if pass == Pass::compile {
            self.step();
        }
        Box::new(())
    }
}

/// Progress is a courtesy: a closed stderr does not stop the work.
fn print(done: u32, total: u32) {
    let line = format!("{done} {total}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap_or_default();
}
