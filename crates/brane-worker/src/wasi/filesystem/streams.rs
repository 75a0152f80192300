//! Files as streams. A stream has a handle of its own and goes on when the descriptor that it came from is dropped.

use brane_tree::{Change, Error, FileKind, Handle, READ_MAX};
use wasmtime::Result;
use wasmtime::component::{LinkerInstance, Resource};

use super::Store;
use super::call::{Answer, Fd, perform};
use super::code::ErrorCode;
use super::descriptor::on;
use crate::host::Host;
use crate::wasi::resources::{FileInput, FileOutput, InputStream, OutputStream};
use crate::wasi::wall_now;

/// Links the methods of descriptors that make them.
pub(super) fn link(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const READ: &str = "[method]descriptor.read-via-stream";
    instance.func_wrap(READ, |mut store: Store<'_>, (fd, offset): (Fd, u64)| {
        let host = store.data_mut();
        Ok((match handle(host, READ, &fd, false)? {
            Ok(handle) => Ok(host.table.push(InputStream::File(FileInput { handle, offset }))?),
            Err(code) => Err(code),
        },))
    })?;
    const WRITE: &str = "[method]descriptor.write-via-stream";
    instance.func_wrap(WRITE, |mut store: Store<'_>, (fd, offset): (Fd, u64)| {
        Ok((writer(store.data_mut(), WRITE, &fd, Some(offset))?,))
    })?;
    const APPEND: &str = "[method]descriptor.append-via-stream";
    instance.func_wrap(APPEND, |mut store: Store<'_>, (fd,): (Fd,)| {
        Ok((writer(store.data_mut(), APPEND, &fd, None)?,))
    })
}

fn writer(
    host: &mut Host,
    function: &'static str,
    fd: &Fd,
    offset: Option<u64>,
) -> Result<Answer<Resource<OutputStream>>> {
    Ok(match handle(host, function, fd, true)? {
        Ok(handle) => Ok(host.table.push(OutputStream::File(FileOutput { handle, offset }))?),
        Err(code) => Err(code),
    })
}

/// A handle of its own for a stream, if the descriptor is open for that.
fn handle(host: &mut Host, function: &'static str, fd: &Fd, write: bool) -> Result<Answer<Handle>> {
    if !host.files.admit() {
        return Ok(Err(ErrorCode::InsufficientMemory));
    }
    let made = perform(host, on(function, fd), |volume, file, _| match file.kind() {
        FileKind::Directory => Err(Error::IsDirectory),
        _ if write && !file.flags().write || !write && !file.flags().read => Err(Error::BadDescriptor),
        _ => volume.duplicate(file),
    })?;
    if made.is_err() {
        host.files.dismiss();
    }
    Ok(made)
}

/// At most `length` bytes from where the stream is; nothing at the end of the file.
pub(crate) fn read(
    host: &mut Host,
    stream: &Resource<InputStream>,
    length: u64,
) -> Result<brane_tree::Result<Vec<u8>>> {
    let Host { table, files, .. } = host;
    let InputStream::File(FileInput { handle, offset }) = table.get_mut(stream)? else {
        return Ok(Err(Error::BadDescriptor));
    };
    let read = files
        .volume(handle)
        .and_then(|volume| volume.read(handle, *offset, length.min(READ_MAX as u64)))
        .map(|(bytes, _)| bytes);
    if let Ok(bytes) = &read {
        *offset = offset.saturating_add(bytes.len() as u64);
    }
    Ok(read)
}

/// Writes all of `bytes` where the stream is, or where the file ends.
pub(crate) fn write(
    host: &mut Host,
    stream: &Resource<OutputStream>,
    bytes: &[u8],
) -> Result<brane_tree::Result<()>> {
    let Host { table, files, limits, .. } = host;
    let OutputStream::File(FileOutput { handle, offset }) = table.get_mut(stream)? else {
        return Ok(Err(Error::BadDescriptor));
    };
    let mut change = Change { now: wall_now(), budget: limits };
    let written = files.volume(handle).and_then(|volume| match offset {
        Some(at) => volume.write(handle, *at, bytes, &mut change),
        None => volume.append(handle, bytes, &mut change),
    });
    if let (Ok(count), Some(at)) = (&written, offset) {
        *at = at.saturating_add(*count as u64);
    }
    host.settle_memory()?;
    Ok(written.map(|_| ()))
}
