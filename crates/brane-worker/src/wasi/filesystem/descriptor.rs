//! Methods of open files and directories.

use brane_tree::FileKind;
use wasmtime::Result;
use wasmtime::component::LinkerInstance;

use super::Store;
use super::call::{Answer, Call, Fd, perform};
use super::code::ErrorCode;
use super::types::{Advice, DescriptorFlags, DescriptorStat, DescriptorType, MetadataHash, NewTimestamp};
use crate::host::Host;

/// Links them.
pub(super) fn link(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    about(instance)?;
    data(instance)?;
    times(instance)?;
    for function in ["[method]descriptor.sync", "[method]descriptor.sync-data"] {
        // What is in memory is where it belongs.
        instance.func_wrap(function, |_: Store<'_>, (_,): (Fd,)| Ok((Ok::<(), ErrorCode>(()),)))?;
    }
    instance.func_wrap(
        "[method]descriptor.advise",
        |store: Store<'_>, (fd, _, _, _): (Fd, u64, u64, Advice)| {
            let kind = store.data().table.get(&fd)?.handle.kind();
            Ok((if kind == FileKind::File { Ok(()) } else { Err(ErrorCode::BadDescriptor) },))
        },
    )
}

fn about(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("[method]descriptor.get-flags", |store: Store<'_>, (fd,): (Fd,)| {
        let descriptor = store.data().table.get(&fd)?;
        let flags = DescriptorFlags::from(descriptor.handle.flags()) | descriptor.synchronous;
        Ok((Ok::<_, ErrorCode>(flags),))
    })?;
    instance.func_wrap("[method]descriptor.get-type", |store: Store<'_>, (fd,): (Fd,)| {
        let kind: DescriptorType = store.data().table.get(&fd)?.handle.kind().into();
        Ok((Ok::<_, ErrorCode>(kind),))
    })?;
    const STAT: &str = "[method]descriptor.stat";
    instance.func_wrap(STAT, |mut store: Store<'_>, (fd,): (Fd,)| {
        let stat = perform(store.data_mut(), on(STAT, &fd), |volume, handle, _| volume.stat(handle))?;
        Ok((stat.map(DescriptorStat::from),))
    })?;
    const HASH: &str = "[method]descriptor.metadata-hash";
    instance.func_wrap(HASH, |mut store: Store<'_>, (fd,): (Fd,)| {
        let hash =
            perform(store.data_mut(), on(HASH, &fd), |volume, handle, _| volume.metadata_hash(handle))?;
        Ok((hash.map(MetadataHash::from),))
    })?;
    instance.func_wrap("[method]descriptor.is-same-object", |store: Store<'_>, (one, two): (Fd, Fd)| {
        let table = &store.data().table;
        Ok((table.get(&one)?.handle.is_same_object(&table.get(&two)?.handle),))
    })
}

fn data(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const READ: &str = "[method]descriptor.read";
    instance.func_wrap(READ, |mut store: Store<'_>, (fd, length, offset): (Fd, u64, u64)| {
        let read: Answer<(Vec<u8>, bool)> =
            perform(store.data_mut(), on(READ, &fd), |volume, file, _| volume.read(file, offset, length))?;
        Ok((read,))
    })?;
    const WRITE: &str = "[method]descriptor.write";
    instance.func_wrap(WRITE, |mut store: Store<'_>, (fd, bytes, offset): (Fd, Vec<u8>, u64)| {
        let written = perform(store.data_mut(), on(WRITE, &fd), |volume, file, change| {
            volume.write(file, offset, &bytes, change)
        })?;
        Ok((written.map(|count| count as u64),))
    })?;
    const SET_SIZE: &str = "[method]descriptor.set-size";
    instance.func_wrap(SET_SIZE, |mut store: Store<'_>, (fd, size): (Fd, u64)| {
        Ok((perform(store.data_mut(), on(SET_SIZE, &fd), |volume, file, change| {
            volume.set_size(file, size, change)
        })?,))
    })
}

fn times(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const SET_TIMES: &str = "[method]descriptor.set-times";
    instance.func_wrap(
        SET_TIMES,
        |mut store: Store<'_>, (fd, accessed, modified): (Fd, NewTimestamp, NewTimestamp)| {
            Ok((perform(store.data_mut(), on(SET_TIMES, &fd), |volume, handle, change| {
                volume.set_times(handle, accessed.known()?, modified.known()?, change.now)
            })?,))
        },
    )
}

/// A call about the descriptor itself.
pub(super) fn on<'a>(function: &'static str, base: &'a Fd) -> Call<'a> {
    Call { function, base, path: "" }
}
