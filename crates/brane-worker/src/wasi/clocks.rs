//! `wasi:clocks`: the kernel's monotonic and real-time clocks.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};
use wasmtime::{Result, StoreContextMut};

use super::resources::{Pollable, define};
use crate::host::Host;

type Store<'a> = StoreContextMut<'a, Host>;

const SECOND: u64 = 1_000_000_000;

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

/// `wasi:clocks/monotonic-clock`.
pub(super) fn monotonic(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    define(instance, "pollable")?;
    instance.func_wrap("now", |_: Store<'_>, ()| Ok((now(),)))?;
    instance.func_wrap("resolution", |_: Store<'_>, ()| {
        Ok((nanoseconds(clock_getres(ClockId::Monotonic)).max(1),))
    })?;
    instance.func_wrap("subscribe-instant", |mut store: Store<'_>, (instant,): (u64,)| {
        Ok((store.data_mut().table.push(Pollable::At(instant))?,))
    })?;
    instance.func_wrap("subscribe-duration", |mut store: Store<'_>, (duration,): (u64,)| {
        Ok((store.data_mut().table.push(Pollable::At(now().saturating_add(duration)))?,))
    })
}

/// `wasi:clocks/wall-clock`.
pub(super) fn wall(instance: &mut LinkerInstance<'_, Host>) -> Result<()> {
    instance.func_wrap("now", |_: Store<'_>, ()| datetime(clock_gettime(ClockId::Realtime)))?;
    instance.func_wrap("resolution", |_: Store<'_>, ()| datetime(clock_getres(ClockId::Realtime)))
}

/// Nanoseconds of the monotonic clock.
pub(super) fn now() -> u64 {
    nanoseconds(clock_gettime(ClockId::Monotonic))
}

fn nanoseconds(time: Timespec) -> u64 {
    // Neither part is negative on these clocks.
    time.tv_sec.cast_unsigned().saturating_mul(SECOND).saturating_add(time.tv_nsec.cast_unsigned())
}

fn datetime(time: Timespec) -> Result<(Datetime,)> {
    Ok((Datetime { seconds: u64::try_from(time.tv_sec)?, nanoseconds: u32::try_from(time.tv_nsec)? },))
}
