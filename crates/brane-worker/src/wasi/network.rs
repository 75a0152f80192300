//! The few functions of a *denied* `wasi:sockets` that answer instead of refusing, because nothing leaves by them.
//!
//! A guest that resolves a literal address, makes a socket and connects is to be refused at the connect, where the
//! record can show address and port. So handles are handed out with nothing behind them, and literals are parsed here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use wasmtime::component::{LinkerInstance, Resource, Val};
use wasmtime::{Result, StoreContextMut, bail};

use super::resources::{Dummy, Pollable, Resolved};
use crate::denied::{drop_handles, refused};
use crate::host::Host;

/// Whether `function` of `interface` answers locally when the interface is denied.
pub(crate) fn is_local(interface: &str, function: &str) -> bool {
    interface.starts_with("wasi:sockets/")
        && (function.ends_with(".subscribe")
            || matches!(
                function,
                "instance-network"
                    | "create-tcp-socket"
                    | "create-udp-socket"
                    | "resolve-addresses"
                    | "[method]resolve-address-stream.resolve-next-address"
                    | "[method]tcp-socket.is-listening"
            ))
}

/// Links such a function.
pub(crate) fn link(instance: &mut LinkerInstance<'_, Host>, interface: &str, function: &str) -> Result<()> {
    match function {
        "instance-network" => instance.func_wrap(function, |mut store: StoreContextMut<'_, Host>, ()| {
            Ok((store.data_mut().table.push(Dummy)?,))
        }),
        "create-tcp-socket" | "create-udp-socket" => answer(instance, function, |store| {
            let socket = store.data_mut().table.push(Dummy)?.try_into_resource_any(store)?;
            Ok(ok(Val::Resource(socket)))
        }),
        "resolve-addresses" => resolve(instance, interface),
        "[method]tcp-socket.is-listening" => answer(instance, function, |_| Ok(Val::Bool(false))),
        "[method]resolve-address-stream.resolve-next-address" => next_address(instance, function),
        _ => answer(instance, function, |store| {
            let ready = store.data_mut().table.push(Pollable::Now)?.try_into_resource_any(store)?;
            Ok(Val::Resource(ready))
        }),
    }
}

/// Links a function that answers whatever its arguments are.
fn answer(
    instance: &mut LinkerInstance<'_, Host>,
    function: &str,
    value: fn(&mut StoreContextMut<'_, Host>) -> Result<Val>,
) -> Result<()> {
    instance.func_new(function, move |mut store, _, params, results| {
        let [result] = results else { bail!("one result expected") };
        *result = value(&mut store)?;
        drop_handles(&mut store, params)
    })
}

/// A literal resolves to itself; any other name would have to be asked for outside, and is refused.
fn resolve(instance: &mut LinkerInstance<'_, Host>, interface: &str) -> Result<()> {
    const NAME: &str = "resolve-addresses";
    let interface = interface.to_owned();
    instance.func_new(NAME, move |mut store, ty, params, results| {
        let literal = match params {
            [_, Val::String(name)] => name.parse().ok(),
            _ => None,
        };
        match (literal, &mut *results) {
            (Some(address), [result]) => {
                let stream = store
                    .data_mut()
                    .table
                    .push(Resolved(Some(address)))?
                    .try_into_resource_any(&mut store)?;
                *result = ok(Val::Resource(stream));
                drop_handles(&mut store, params)
            }
            _ => refused(store, &ty, &interface, NAME, params, results),
        }
    })
}

/// The literal's address the first time, then the end.
fn next_address(instance: &mut LinkerInstance<'_, Host>, function: &str) -> Result<()> {
    instance.func_new(function, |mut store, _, params, results| {
        let ([Val::Resource(stream)], [result]) = (params, results) else { bail!("a stream expected") };
        // This conversion gives the borrow back.
        let stream: Resource<Resolved> = stream.try_into_resource(&mut store)?;
        let address = store.data_mut().table.get_mut(&stream)?.0.take();
        *result = ok(Val::Option(address.map(|address| Box::new(address_value(address)))));
        Ok(())
    })
}

fn ok(value: Val) -> Val {
    Val::Result(Ok(Some(Box::new(value))))
}

fn address_value(address: IpAddr) -> Val {
    let (family, parts) = match address {
        IpAddr::V4(address) => ("ipv4", address.octets().map(Val::U8).to_vec()),
        IpAddr::V6(address) => ("ipv6", address.segments().map(Val::U16).to_vec()),
    };
    Val::Variant(family.to_owned(), Some(Box::new(Val::Tuple(parts))))
}

/// `192.0.2.1:80` of an `ip-socket-address`, or of an option of one.
pub(crate) fn address(value: &Val) -> Option<String> {
    match value {
        Val::Option(Some(value)) => address(value),
        Val::Variant(family, Some(record)) => match (family.as_str(), record.as_ref()) {
            ("ipv4" | "ipv6", Val::Record(fields)) => {
                socket_address(fields).map(|address| address.to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

fn socket_address(fields: &[(String, Val)]) -> Option<SocketAddr> {
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (Some(Val::U16(port)), Some(Val::Tuple(parts))) = (field("port"), field("address")) else {
        return None;
    };
    let octets: Vec<u8> =
        parts.iter().filter_map(|part| if let Val::U8(octet) = part { Some(*octet) } else { None }).collect();
    let segments: Vec<u16> = parts
        .iter()
        .filter_map(|part| if let Val::U16(segment) = part { Some(*segment) } else { None })
        .collect();
    let ip = match (<[u8; 4]>::try_from(octets), <[u16; 8]>::try_from(segments)) {
        (Ok(octets), _) => IpAddr::V4(Ipv4Addr::from(octets)),
        (_, Ok(segments)) => IpAddr::V6(Ipv6Addr::from(segments)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, *port))
}
