//! R05: burn processor time, and do not hear the signal that ends it.

use std::time::{Duration, Instant};

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

/// The rest is how many seconds are a success.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let enough = Duration::from_secs(scene.word(0)?.parse().map_err(|_| libc::EINVAL)?);
    if scene.attempt() == "catch" {
        // struct sigaction as the kernel has it, SIG_IGN in its first word.
        let ignore = [1_usize, 0, 0, 0];
        raw::call(libc::SYS_rt_sigaction, &[flags(libc::SIGXCPU), raw::at(&ignore), 0, size_of::<u64>()])?;
    }
    let begun = Instant::now();
    while begun.elapsed() < enough {
        std::hint::spin_loop();
    }
    Ok(())
}
