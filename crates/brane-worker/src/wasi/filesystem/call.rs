//! What every call about files goes through: the volume does it, and what it refused is recorded before the answer.

use brane_tree::{Change, Error, Handle, Volume};
use wasmtime::Result;
use wasmtime::component::Resource;

use super::code::ErrorCode;
use super::types::DescriptorFlags;
use crate::host::{Host, bounded};
use crate::wasi::wall_now;

/// Interface of the records.
const INTERFACE: &str = "wasi:filesystem/types";
/// Longest path that a descriptor is known by in records, in bytes.
const MAX_KNOWN: usize = 256;

/// `descriptor`: an open file or directory.
pub(crate) struct Descriptor {
    pub(crate) handle: Handle,
    /// Which of the flags for synchronous writes it was opened with: told when asked, for every write is one.
    pub(super) synchronous: DescriptorFlags,
    /// What it was opened as, for records: the guest's text.
    pub(super) path: Box<str>,
}

pub(super) type Fd = Resource<Descriptor>;

/// What a call answers: `result<T, error-code>`.
pub(super) type Answer<T> = std::result::Result<T, ErrorCode>;

/// A call as a record of its refusal shows it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) function: &'static str,
    pub(super) base: &'a Fd,
    pub(super) path: &'a str,
}

/// Has `work` done on the volume of the call's descriptor.
pub(super) fn perform<T>(
    host: &mut Host,
    call: Call<'_>,
    work: impl FnOnce(&mut Volume, &Handle, &mut Change<'_>) -> brane_tree::Result<T>,
) -> Result<Answer<T>> {
    let Host { table, files, limits, .. } = host;
    let handle = &table.get(call.base)?.handle;
    let mut change = Change { now: wall_now(), budget: limits };
    let done = files.volume(handle).and_then(|volume| work(volume, handle, &mut change));
    settle(host, done, |host| Ok(named(&host.table.get(call.base)?.path, call.path)), call.function)
}

/// The same with two descriptors, of one volume or not: `rename-at` and `link-at`.
pub(super) fn perform_two<T>(
    host: &mut Host,
    call: Call<'_>,
    (to, to_path): (&Fd, &str),
    work: impl FnOnce(&mut Volume, &Handle, &Handle, &mut Change<'_>) -> brane_tree::Result<T>,
) -> Result<Answer<T>> {
    let Host { table, files, limits, .. } = host;
    let (from, other) = (&table.get(call.base)?.handle, &table.get(to)?.handle);
    let mut change = Change { now: wall_now(), budget: limits };
    let done = files.volume(from).and_then(|volume| work(volume, from, other, &mut change));
    // Between two mounts that may both be changed it is a mishap; what is read-only is not to get another name.
    let both = from.flags().mutate_directory && other.flags().mutate_directory;
    let done = done.map_err(|error| if both { Mishap::of(error) } else { Mishap::or_refusal(error) });
    settle_as(
        host,
        done,
        |host| {
            let from = named(&host.table.get(call.base)?.path, call.path);
            Ok(format!("{from} to {}", named(&host.table.get(to)?.path, to_path)))
        },
        call.function,
    )
}

/// Why a call failed, and whether that is to be recorded.
struct Mishap {
    error: Error,
    refusal: bool,
}

impl Mishap {
    fn of(error: Error) -> Self {
        Self { error, refusal: error.is_refusal() }
    }

    /// The same, but another volume is a refusal too.
    fn or_refusal(error: Error) -> Self {
        Self { error, refusal: error.is_refusal() || error == Error::CrossDevice }
    }
}

/// The answer to a call, its refusal recorded; `what` says what was asked.
fn settle<T>(
    host: &mut Host,
    done: brane_tree::Result<T>,
    what: impl FnOnce(&Host) -> Result<String>,
    function: &str,
) -> Result<Answer<T>> {
    settle_as(host, done.map_err(Mishap::of), what, function)
}

fn settle_as<T>(
    host: &mut Host,
    done: std::result::Result<T, Mishap>,
    what: impl FnOnce(&Host) -> Result<String>,
    function: &str,
) -> Result<Answer<T>> {
    host.settle_memory()?;
    match done {
        Ok(value) => Ok(Ok(value)),
        Err(Mishap { error, refusal }) => {
            if refusal {
                let tried = format!("{}: {error}", what(host)?);
                host.deny(INTERFACE, function, &tried)?;
            }
            Ok(Err(error.into()))
        }
    }
}

/// `path` as seen from a descriptor that is known as `base`.
pub(super) fn named(base: &str, path: &str) -> String {
    let known = match path {
        "" => base.to_owned(),
        _ if path.starts_with('/') => format!("{path} from {base}"),
        _ => format!("{}/{path}", base.trim_end_matches('/')),
    };
    bounded(&known, 2 * MAX_KNOWN)
}

/// A descriptor of what was opened, if there is room for one.
pub(super) fn keep(host: &mut Host, handle: Handle, flags: DescriptorFlags, path: &str) -> Result<Fd> {
    let (synchronous, path) = (flags.synchronous(), bounded(path, MAX_KNOWN).into());
    Ok(host.table.push(Descriptor { handle, synchronous, path })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_path_as_the_guest_sees_it() {
        assert_eq!(named("/data", "a/b"), "/data/a/b");
        assert_eq!(named("/", "a"), "/a");
        assert_eq!(named("/data", ""), "/data");
        assert_eq!(named("/data", "/etc/passwd"), "/etc/passwd from /data");
    }

    #[test]
    fn a_path_of_a_record_is_bounded() {
        assert_eq!(named("/data", &"x".repeat(5000)).len(), 2 * MAX_KNOWN);
    }

    #[test]
    fn between_two_mounts_only_what_is_read_only_is_refused() {
        assert!(!Mishap::of(Error::CrossDevice).refusal);
        assert!(Mishap::or_refusal(Error::CrossDevice).refusal);
        assert!(Mishap::of(Error::ReadOnly).refusal && Mishap::of(Error::Escape).refusal);
        assert!(!Mishap::or_refusal(Error::NoEntry).refusal);
    }
}
