//! Stage 4: exactly what the plan grants or denies is put into the linker, and nothing else.
//!
//! The component's own imports are walked, not a list from outside: an import that the link set does not name has no
//! definition, and such imports are named in one refusal, up to a number: the plan named all of them before, unless the
//! description lied. No code of the component has run by then.

use std::collections::HashMap;

use brane_wire::job::{LinkSet, State};
use cage::Failure;
use wasmtime::Engine;
use wasmtime::component::types::{ComponentInstance, ComponentItem};
use wasmtime::component::{Component, InstancePre, Linker};

use crate::host::{Host, MAX_NAME, bounded};
use crate::{denied, tools, wasi};

/// Longest text about an import that does not fit, in bytes: it holds names of the component.
const MAX_REASON: usize = 4096;
/// Most imports that are named: all of them together fit a control message.
const MAX_REASONS: usize = 128;

/// Links `component` against `set`.
pub(crate) fn link(
    engine: &Engine,
    component: &Component,
    set: &LinkSet,
) -> Result<InstancePre<Host>, Failure> {
    let states: HashMap<&str, State> =
        set.interfaces.iter().map(|linked| (linked.name.as_str(), linked.state)).collect();
    let mut linker = Linker::new(engine);
    let mut refused = Vec::new();
    for (name, import) in component.component_type().imports(engine) {
        let state = states.get(without_version(name));
        match (import.ty, state) {
            (ComponentItem::ComponentInstance(interface), Some(state)) => {
                add(engine, &mut linker, name, &interface, *state)
                    .map_err(|error| refusal(&format!("link {name}: {error:#}")))?;
            }
            _ if refused.len() < MAX_REASONS => refused.push(bounded(name, MAX_NAME)),
            _ => {}
        }
    }
    if !refused.is_empty() {
        return Err(Failure::Refused(refused));
    }
    linker.instantiate_pre(component).map_err(|error| refusal(&format!("{error:#}")))
}

/// `wasi:cli/stdout` of `wasi:cli/stdout@0.2.3`.
pub(crate) fn without_version(name: &str) -> &str {
    name.split_once('@').map_or(name, |(base, _)| base)
}

fn add(
    engine: &Engine,
    linker: &mut Linker<Host>,
    name: &str,
    interface: &ComponentInstance,
    state: State,
) -> wasmtime::Result<()> {
    let mut instance = linker.instance(name)?;
    match state {
        State::Denied => denied::link(engine, &mut instance, name, interface),
        State::Granted if without_version(name) == tools::INTERFACE => tools::link(&mut instance, name),
        State::Granted => wasi::link(&mut instance, name),
    }
}

/// An import of a shape that this host cannot have: the component's fault.
fn refusal(why: &str) -> Failure {
    Failure::Refused(vec![bounded(why, MAX_REASON)])
}
