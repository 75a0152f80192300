//! `wasi:io`: errors, pollables and streams, of the standard ones and of files.

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};
use wasmtime::{Result, StoreContextMut, bail};

use super::clocks::now;
use super::filesystem::streams as files;
use super::resources::{InputStream, IoError, OutputStream, Pollable, define};
use crate::host::Host;

type Store<'a> = StoreContextMut<'a, Host>;
type In = Resource<InputStream>;
type Out = Resource<OutputStream>;

/// Bytes that `check-write` permits, and most that one read returns.
const PERMIT: u64 = 64 << 10;
/// Most bytes that a `blocking-write-and-flush` may carry (wasi:io/streams).
const MAX_BLOCKING_WRITE: usize = 4096;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

/// `wasi:io/error`.
pub(super) fn error(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    define(instance, "error")?;
    instance.func_wrap("[method]error.to-debug-string", |store: Store<'_>, (error,): (Resource<IoError>,)| {
        Ok((store.data().table.get(&error)?.0.to_string(),))
    })
}

/// `wasi:io/poll`.
pub(super) fn poll(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    define(instance, "pollable")?;
    instance.func_wrap("[method]pollable.ready", |mut store: Store<'_>, (one,): (Resource<Pollable>,)| {
        Ok((is_ready(store.data_mut(), &one)?,))
    })?;
    instance.func_wrap("[method]pollable.block", |mut store: Store<'_>, (one,): (Resource<Pollable>,)| {
        wait_any(store.data_mut(), &[one]).map(|_| ())
    })?;
    instance.func_wrap("poll", |mut store: Store<'_>, (all,): (Vec<Resource<Pollable>>,)| {
        Ok((wait_any(store.data_mut(), &all)?,))
    })
}

/// Positions of the ready ones, at least one.
fn wait_any(host: &mut Host, all: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    if all.is_empty() {
        bail!("poll of an empty list");
    }
    loop {
        let ready = ready_ones(host, all)?;
        if !ready.is_empty() {
            return Ok(ready);
        }
        let (deadline, stdin) = waited_for(host, all)?;
        host.sleep(deadline.map(|deadline| deadline.saturating_sub(now())), stdin)?;
    }
}

fn ready_ones(host: &mut Host, all: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    let mut ready = Vec::new();
    for (position, one) in all.iter().enumerate() {
        if is_ready(host, one)? {
            ready.push(u32::try_from(position)?);
        }
    }
    Ok(ready)
}

fn is_ready(host: &mut Host, one: &Resource<Pollable>) -> Result<bool> {
    match host.table.get(one)? {
        Pollable::Now => Ok(true),
        Pollable::At(instant) => Ok(now() >= *instant),
        Pollable::Stdin => host.stdin_ready(),
    }
}

/// The earliest deadline, and whether standard input is among them.
fn waited_for(host: &Host, all: &[Resource<Pollable>]) -> Result<(Option<u64>, bool)> {
    let (mut deadline, mut stdin) = (None, false);
    for one in all {
        match host.table.get(one)? {
            Pollable::Now => {}
            Pollable::Stdin => stdin = true,
            Pollable::At(instant) => {
                deadline = Some(deadline.map_or(*instant, |earlier: u64| earlier.min(*instant)))
            }
        }
    }
    Ok((deadline, stdin))
}

/// `wasi:io/streams`.
pub(super) fn streams(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    for name in ["error", "pollable", "input-stream", "output-stream"] {
        define(instance, name)?;
    }
    input_stream(instance)?;
    output_stream(instance)?;
    zeroes_and_splice(instance)
}

fn input_stream(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap(
        "[method]input-stream.read",
        |mut store: Store<'_>, (stream, length): (In, u64)| {
            Ok((read(store.data_mut(), &stream, length, false)?,))
        },
    )?;
    instance.func_wrap(
        "[method]input-stream.blocking-read",
        |mut store: Store<'_>, (stream, length): (In, u64)| {
            Ok((read(store.data_mut(), &stream, length, true)?,))
        },
    )?;
    instance.func_wrap(
        "[method]input-stream.skip",
        |mut store: Store<'_>, (stream, length): (In, u64)| {
            Ok((skipped(read(store.data_mut(), &stream, length, false)?),))
        },
    )?;
    instance.func_wrap(
        "[method]input-stream.blocking-skip",
        |mut store: Store<'_>, (stream, length): (In, u64)| {
            Ok((skipped(read(store.data_mut(), &stream, length, true)?),))
        },
    )?;
    instance.func_wrap("[method]input-stream.subscribe", |mut store: Store<'_>, (stream,): (In,)| {
        let host = store.data_mut();
        let ready = match host.table.get(&stream)? {
            InputStream::Stdin => Pollable::Stdin,
            InputStream::File(_) => Pollable::Now,
        };
        Ok((host.table.push(ready)?,))
    })
}

fn output_stream(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("[method]output-stream.check-write", |_: Store<'_>, (_,): (Out,)| {
        Ok((Ok::<u64, StreamError>(PERMIT),))
    })?;
    instance.func_wrap(
        "[method]output-stream.write",
        |mut store: Store<'_>, (stream, bytes): (Out, Vec<u8>)| {
            Ok((write(store.data_mut(), &stream, &bytes)?,))
        },
    )?;
    instance.func_wrap(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: Store<'_>, (stream, bytes): (Out, Vec<u8>)| {
            if bytes.len() > MAX_BLOCKING_WRITE {
                bail!("blocking write of {} bytes, at most {MAX_BLOCKING_WRITE} allowed", bytes.len());
            }
            Ok((write(store.data_mut(), &stream, &bytes)?,))
        },
    )?;
    for name in ["[method]output-stream.flush", "[method]output-stream.blocking-flush"] {
        instance.func_wrap(name, |_: Store<'_>, (_,): (Out,)| Ok((Ok::<(), StreamError>(()),)))?;
    }
    instance.func_wrap("[method]output-stream.subscribe", |mut store: Store<'_>, (_,): (Out,)| {
        Ok((store.data_mut().table.push(Pollable::Now)?,))
    })
}

fn zeroes_and_splice(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    for name in
        ["[method]output-stream.write-zeroes", "[method]output-stream.blocking-write-zeroes-and-flush"]
    {
        instance.func_wrap(name, |mut store: Store<'_>, (stream, length): (Out, u64)| {
            if length > PERMIT {
                bail!("{length} zeroes, at most {PERMIT} allowed");
            }
            Ok((write(store.data_mut(), &stream, &vec![0; usize::try_from(length)?])?,))
        })?;
    }
    for (name, blocking) in
        [("[method]output-stream.splice", false), ("[method]output-stream.blocking-splice", true)]
    {
        instance.func_wrap(name, move |mut store: Store<'_>, (to, from, length): (Out, In, u64)| {
            Ok((splice(store.data_mut(), &to, &from, length, blocking)?,))
        })?;
    }
    Ok(())
}

fn read(host: &mut Host, stream: &In, length: u64, blocking: bool) -> Result<Result<Vec<u8>, StreamError>> {
    if length == 0 {
        return Ok(Ok(Vec::new()));
    }
    match host.table.get(stream)? {
        InputStream::Stdin => read_stdin(host, length, blocking),
        InputStream::File(_) => read_file(host, stream, length),
    }
}

fn read_file(host: &mut Host, stream: &In, length: u64) -> Result<Result<Vec<u8>, StreamError>> {
    Ok(match files::read(host, stream, length)? {
        Ok(bytes) if bytes.is_empty() => Err(StreamError::Closed),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(failed(host, error)?),
    })
}

fn failed(host: &mut Host, error: brane_tree::Error) -> Result<StreamError> {
    Ok(StreamError::LastOperationFailed(host.table.push(IoError(error))?))
}

fn read_stdin(host: &mut Host, length: u64, blocking: bool) -> Result<Result<Vec<u8>, StreamError>> {
    if blocking {
        host.wait_stdin()?;
    }
    let bytes = host.read_now(usize::try_from(length.min(PERMIT))?)?;
    Ok(bytes.ok_or(StreamError::Closed))
}

fn skipped(read: Result<Vec<u8>, StreamError>) -> Result<u64, StreamError> {
    read.map(|bytes| bytes.len() as u64)
}

fn write(host: &mut Host, stream: &Out, bytes: &[u8]) -> Result<Result<(), StreamError>> {
    if let OutputStream::Standard(number) = host.table.get(stream)? {
        let number = *number;
        host.output(number, bytes)?;
        return Ok(Ok(()));
    }
    Ok(match files::write(host, stream, bytes)? {
        Ok(()) => Ok(()),
        Err(error) => Err(failed(host, error)?),
    })
}

fn splice(
    host: &mut Host,
    to: &Out,
    from: &In,
    length: u64,
    blocking: bool,
) -> Result<Result<u64, StreamError>> {
    match read(host, from, length, blocking)? {
        Ok(bytes) => Ok(write(host, to, &bytes)?.map(|()| bytes.len() as u64)),
        Err(closed) => Ok(Err(closed)),
    }
}
