//! `wasi:clocks`: the kernel's monotonic and real-time clocks.

use rustix::time::{ClockId, Timespec, clock_getres, clock_gettime};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};
use wasmtime::{Result, StoreContextMut};

use super::resources::{Pollable, define};
use crate::host::Host;

type Store<'a> = StoreContextMut<'a, Host>;

/// Nanoseconds of a second.
pub(super) const SECOND: u64 = 1_000_000_000;

#[derive(ComponentType, Lift, Lower)]
#[component(record)]
pub(super) struct Datetime {
    pub(super) seconds: u64,
    pub(super) nanoseconds: u32,
}

impl Datetime {
    /// `time` nanoseconds since the epoch.
    pub(super) fn of(time: u64) -> Self {
        Self { seconds: time / SECOND, nanoseconds: u32::try_from(time % SECOND).unwrap_or(0) }
    }
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

/// Nanoseconds since the epoch; none before it.
pub(super) fn wall_now() -> u64 {
    let time = clock_gettime(ClockId::Realtime);
    if time.tv_sec < 0 { 0 } else { nanoseconds(time) }
}

fn nanoseconds(time: Timespec) -> u64 {
    // Neither part is negative on these clocks.
    time.tv_sec.cast_unsigned().saturating_mul(SECOND).saturating_add(time.tv_nsec.cast_unsigned())
}

fn datetime(time: Timespec) -> Result<(Datetime,)> {
    Ok((Datetime { seconds: u64::try_from(time.tv_sec)?, nanoseconds: u32::try_from(time.tv_nsec)? },))
}
