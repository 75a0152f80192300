//! `wasi:random`: getrandom(2) at every call, the insecure ones too. A generator of our own would repeat after a fork.

use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use wasmtime::component::LinkerInstance;
use wasmtime::{Result, StoreContextMut, bail};

use crate::host::Host;

type Store<'a> = StoreContextMut<'a, Host>;

/// Most bytes of one request: they stand in the host's memory before they are in the guest's.
const MAX_BYTES: u64 = 16 << 20;

/// `wasi:random/random`.
pub(super) fn random(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    generator(instance, "get-random-bytes", "get-random-u64")
}

/// `wasi:random/insecure`.
pub(super) fn insecure(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    generator(instance, "get-insecure-random-bytes", "get-insecure-random-u64")
}

/// `wasi:random/insecure-seed`.
pub(super) fn insecure_seed(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("insecure-seed", |_: Store<'_>, ()| Ok(((number()?, number()?),)))
}

fn generator(instance: &mut LinkerInstance<'_, Host>, bytes: &str, word: &str) -> Result<()> {
    instance.func_wrap(bytes, |mut store: Store<'_>, (length,): (u64,)| {
        Ok((some_bytes(store.data_mut(), length)?,))
    })?;
    instance.func_wrap(word, |_: Store<'_>, ()| Ok((number()?,)))
}

fn some_bytes(host: &mut Host, length: u64) -> Result<Vec<u8>> {
    if length > MAX_BYTES {
        host.refuse_memory(length)?;
        bail!("{length} random bytes at once, at most {MAX_BYTES} allowed");
    }
    let mut bytes = vec![0; usize::try_from(length)?];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn number() -> Result<u64> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_ne_bytes(bytes))
}

fn fill(mut bytes: &mut [u8]) -> Result<()> {
    while !bytes.is_empty() {
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok(got) => bytes = &mut bytes[got..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
