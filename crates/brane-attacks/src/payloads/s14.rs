//! S14: the kernel's instruments: programs, counters, faults, comparisons.

use crate::bare::flags;
use crate::raw::{self, at, into};
use crate::scene::{Attempt, Scene};

const UFFD_USER_MODE_ONLY: usize = 1;
/// `struct perf_event_attr` of the first version: type SOFTWARE and size 64, config TASK_CLOCK.
const ATTRIBUTES: [u64; 8] = [1 | 64 << 32, 1, 0, 0, 0, EXCLUDE_KERNEL, 0, 0];
/// exclude_kernel and exclude_hv, which an ordinary user must ask for.
const EXCLUDE_KERNEL: u64 = 1 << 5 | 1 << 6;
const KCMP_VM: usize = 1;
const BPF_MAP_CREATE: usize = 0;

/// The rest is the number of a process.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let nobody = usize::MAX;
    match scene.attempt() {
        "perf_event_open" => raw::call(libc::SYS_perf_event_open, &[at(&ATTRIBUTES), 0, nobody, nobody, 0]),
        "userfaultfd" => raw::call(libc::SYS_userfaultfd, &[UFFD_USER_MODE_ONLY | flags(libc::O_CLOEXEC)]),
        "kcmp" => {
            let process = scene.number(0)?;
            raw::call(libc::SYS_kcmp, &[process, process, KCMP_VM, 0, 0])
        }
        "bpf" => {
            // An array of one: type, key_size, value_size, max_entries.
            let mut map = [2_u32, 4, 4, 1];
            raw::call(libc::SYS_bpf, &[BPF_MAP_CREATE, into(&mut map), size_of_val(&map)])
        }
        _ => Err(libc::EINVAL),
    }
    .map(|_| ())
}
