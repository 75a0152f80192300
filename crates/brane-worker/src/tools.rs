//! `branes:tools/tools`: functions of the owner's that a guest may call by name. What a tool does, it does over there.
//!
//! A name that was not granted is a refusal, recorded before the guest hears of it. Errors are JSON text as a tool's own
//! are, `{"type", "message"}`, with the type that Python has for such an error. The interface is
//! `guests/wit/tools.wit`.

use brane_wire::brane::{FromBrane, MAX_TOOL};
use serde_bytes::ByteBuf;
use wasmtime::component::{LinkerInstance, WasmStr};
use wasmtime::{Result, StoreContextMut, bail};

use crate::host::{Host, MAX_NAME, bounded};

/// The interface, without its version.
pub(crate) const INTERFACE: &str = "branes:tools/tools";

const NOT_GRANTED: &str = r#"{"type":"PermissionError","message":"no tool of this name is granted"}"#;
const TOO_LARGE: &str = r#"{"type":"ValueError","message":"the arguments are larger than 8 MiB as JSON"}"#;

type Store<'a> = StoreContextMut<'a, Host>;

/// Links the interface that the component calls `name`.
pub(crate) fn link(instance: &mut LinkerInstance<'_, Host>, name: &str) -> Result<()> {
    let interface = name.to_owned();
    instance.func_wrap("call", move |mut store: Store<'_>, (tool, arguments): (WasmStr, WasmStr)| {
        Ok((call(&mut store, &interface, &tool, &arguments)?,))
    })?;
    instance.func_wrap("names", |store: Store<'_>, ()| Ok((store.data().go.tools.clone(),)))
}

fn call(
    store: &mut Store<'_>,
    interface: &str,
    tool: &WasmStr,
    arguments: &WasmStr,
) -> Result<Result<String, String>> {
    // Both stay in the guest's memory until they are known to be small enough.
    let name = tool.to_str(&*store)?;
    if !store.data().go.tools.iter().any(|granted| *granted == name) {
        let tried = bounded(&name, MAX_NAME);
        store.data_mut().deny(interface, "call", &tried)?;
        return Ok(Err(NOT_GRANTED.to_owned()));
    }
    let text = arguments.to_str(&*store)?;
    if text.len() > MAX_TOOL {
        return Ok(Err(TOO_LARGE.to_owned()));
    }
    let asked = FromBrane::Asked {
        name: name.into_owned(),
        arguments: ByteBuf::from(text.into_owned().into_bytes()),
    };
    Ok(match store.data_mut().ask_tool(asked)? {
        Ok(value) => Ok(text_of(value)?),
        Err(error) => Err(text_of(error)?),
    })
}

fn text_of(json: ByteBuf) -> Result<String> {
    match String::from_utf8(json.into_vec()) {
        Ok(text) => Ok(text),
        Err(_) => bail!("a tool's answer is not text"),
    }
}
