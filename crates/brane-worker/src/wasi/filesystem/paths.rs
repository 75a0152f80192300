//! Methods that take a path below a directory.

use wasmtime::Result;
use wasmtime::component::LinkerInstance;

use super::Store;
use super::call::{Answer, Call, Fd, keep, named, perform, perform_two};
use super::code::ErrorCode;
use super::types::{DescriptorFlags, DescriptorStat, MetadataHash, NewTimestamp, OpenFlags, PathFlags};
use crate::host::Host;

/// Links them.
pub(super) fn link(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    opening(instance)?;
    looking(instance)?;
    times(instance)?;
    making(instance)?;
    removing(instance)?;
    moving(instance)
}

fn opening(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const OPEN: &str = "[method]descriptor.open-at";
    instance.func_wrap(
        OPEN,
        |mut store: Store<'_>,
         (fd, follow, path, open, flags): (Fd, PathFlags, String, OpenFlags, DescriptorFlags)| {
            let call = Call { function: OPEN, base: &fd, path: &path };
            Ok((open_at(store.data_mut(), call, follow, open, flags)?,))
        },
    )
}

fn open_at(
    host: &mut Host,
    call: Call<'_>,
    follow: PathFlags,
    open: OpenFlags,
    flags: DescriptorFlags,
) -> Result<Answer<Fd>> {
    if !host.files.admit() {
        // The interface has no word for too many open files.
        return Ok(Err(ErrorCode::InsufficientMemory));
    }
    let opened = perform(host, call, |volume, base, change| {
        volume.open_at(base, (call.path, follow.follow()), open.into(), flags.into(), change)
    })?;
    match opened {
        Ok(handle) => {
            let known = named(&host.table.get(call.base)?.path, call.path);
            Ok(Ok(keep(host, handle, flags, &known)?))
        }
        Err(code) => {
            host.files.dismiss();
            Ok(Err(code))
        }
    }
}

fn looking(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const STAT: &str = "[method]descriptor.stat-at";
    instance.func_wrap(STAT, |mut store: Store<'_>, (fd, follow, path): (Fd, PathFlags, String)| {
        let call = Call { function: STAT, base: &fd, path: &path };
        let stat =
            perform(store.data_mut(), call, |volume, base, _| volume.stat_at(base, &path, follow.follow()))?;
        Ok((stat.map(DescriptorStat::from),))
    })?;
    const HASH: &str = "[method]descriptor.metadata-hash-at";
    instance.func_wrap(HASH, |mut store: Store<'_>, (fd, follow, path): (Fd, PathFlags, String)| {
        let call = Call { function: HASH, base: &fd, path: &path };
        let hash = perform(store.data_mut(), call, |volume, base, _| {
            volume.metadata_hash_at(base, &path, follow.follow())
        })?;
        Ok((hash.map(MetadataHash::from),))
    })?;
    const READLINK: &str = "[method]descriptor.readlink-at";
    instance.func_wrap(READLINK, |mut store: Store<'_>, (fd, path): (Fd, String)| {
        let call = Call { function: READLINK, base: &fd, path: &path };
        Ok((perform(store.data_mut(), call, |volume, base, _| volume.readlink_at(base, &path))?,))
    })
}

fn times(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const SET_TIMES: &str = "[method]descriptor.set-times-at";
    instance.func_wrap(
        SET_TIMES,
        |mut store: Store<'_>,
         (fd, follow, path, accessed, modified): (Fd, PathFlags, String, NewTimestamp, NewTimestamp)| {
            let call = Call { function: SET_TIMES, base: &fd, path: &path };
            Ok((perform(store.data_mut(), call, |volume, base, change| {
                let (accessed, modified) = (accessed.known()?, modified.known()?);
                volume.set_times_at(base, (&path, follow.follow()), accessed, modified, change.now)
            })?,))
        },
    )
}

fn making(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const CREATE: &str = "[method]descriptor.create-directory-at";
    instance.func_wrap(CREATE, |mut store: Store<'_>, (fd, path): (Fd, String)| {
        let call = Call { function: CREATE, base: &fd, path: &path };
        Ok((perform(store.data_mut(), call, |volume, base, change| {
            volume.create_directory_at(base, &path, change)
        })?,))
    })?;
    const SYMLINK: &str = "[method]descriptor.symlink-at";
    instance.func_wrap(SYMLINK, |mut store: Store<'_>, (fd, target, path): (Fd, String, String)| {
        let shown = format!("{path} to {target}");
        let call = Call { function: SYMLINK, base: &fd, path: &shown };
        Ok((perform(store.data_mut(), call, |volume, base, change| {
            volume.symlink_at(&target, base, &path, change)
        })?,))
    })
}

fn removing(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const DIRECTORY: &str = "[method]descriptor.remove-directory-at";
    instance.func_wrap(DIRECTORY, |mut store: Store<'_>, (fd, path): (Fd, String)| {
        let call = Call { function: DIRECTORY, base: &fd, path: &path };
        Ok((perform(store.data_mut(), call, |volume, base, change| {
            volume.remove_directory_at(base, &path, change)
        })?,))
    })?;
    const FILE: &str = "[method]descriptor.unlink-file-at";
    instance.func_wrap(FILE, |mut store: Store<'_>, (fd, path): (Fd, String)| {
        let call = Call { function: FILE, base: &fd, path: &path };
        Ok((perform(store.data_mut(), call, |volume, base, change| {
            volume.unlink_file_at(base, &path, change)
        })?,))
    })
}

fn moving(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    const RENAME: &str = "[method]descriptor.rename-at";
    instance.func_wrap(
        RENAME,
        |mut store: Store<'_>, (fd, old, new_fd, new): (Fd, String, Fd, String)| {
            let call = Call { function: RENAME, base: &fd, path: &old };
            Ok((perform_two(store.data_mut(), call, (&new_fd, &new), |volume, from, to, change| {
                volume.rename_at((from, &old), (to, &new), change)
            })?,))
        },
    )?;
    const LINK: &str = "[method]descriptor.link-at";
    instance.func_wrap(
        LINK,
        |mut store: Store<'_>, (fd, follow, old, new_fd, new): (Fd, PathFlags, String, Fd, String)| {
            let call = Call { function: LINK, base: &fd, path: &old };
            Ok((perform_two(store.data_mut(), call, (&new_fd, &new), |volume, from, to, change| {
                volume.link_at((from, &old, follow.follow()), (to, &new), change)
            })?,))
        },
    )
}
