//! Reads the input and says what it is.
//!
//! Only the first bytes decide: a WebAssembly header, an ELF header (native code, refused unseen), or text that
//! opens with a parenthesis. Whether the rest is valid is left to the compiler.

use std::io::{self, Read};

use serde::Serialize;
use wasmparser::{Parser, Payload};

use crate::fault::Fault;
use crate::reject::Reject;

/// Most bytes of input.
const MAX_INPUT: usize = 256 << 20;
/// Most bytes of text: parsing takes up to eighty times its size in memory.
const MAX_TEXT: usize = 16 << 20;
/// Most core functions in all modules of an input together.
const MAX_FUNCTIONS: u32 = 1_000_000;
/// Most imports, and most exports, of all components of an input together.
const MAX_ITEMS: u32 = 10_000;
/// Least growth of the read buffer.
const CHUNK: usize = 1 << 20;

const ELF: &[u8] = b"\x7fELF";
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

/// What an input is, once it is binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A component: compiled as it is.
    Component,
    /// A core module: wrapped into a component first.
    CoreModule,
}

/// Binary WebAssembly, not validated yet.
#[derive(Debug)]
pub(crate) struct Wasm {
    /// What its header says.
    pub(crate) kind: Kind,
    /// Whether it was text before.
    pub(crate) text: bool,
    /// All of it.
    pub(crate) bytes: Vec<u8>,
}

/// Reads to the end, or refuses once there are more than 256 MiB.
///
/// The buffer grows by a quarter at a time, so that reading never needs twice the input's memory.
pub(crate) fn read(mut from: impl Read) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    loop {
        let more = CHUNK.max(bytes.len() / 4);
        bytes.try_reserve_exact(more).map_err(io::Error::other)?;
        let room = u64::try_from(more).map_err(io::Error::other)?;
        let count = from.by_ref().take(room).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_INPUT {
            return Err(Reject::TooLarge(format!("input is over {MAX_INPUT} bytes")).into());
        }
        if count < more {
            return Ok(bytes);
        }
    }
}

/// Tells the kinds of input apart, and turns text into binary.
pub(crate) fn recognise(bytes: Vec<u8>) -> Result<Wasm, Reject> {
    if bytes.starts_with(ELF) || wasmtime::Engine::detect_precompiled(&bytes).is_some() {
        return Err(Reject::Precompiled);
    }
    if bytes.starts_with(b"\0asm") {
        return Ok(Wasm { kind: kind_of(&bytes)?, text: false, bytes });
    }
    let bytes = assemble(text_of(&bytes)?)?;
    Ok(Wasm { kind: kind_of(&bytes)?, text: true, bytes })
}

fn kind_of(bytes: &[u8]) -> Result<Kind, Reject> {
    if bytes.starts_with(COMPONENT) {
        Ok(Kind::Component)
    } else if bytes.starts_with(CORE_MODULE) {
        Ok(Kind::CoreModule)
    } else {
        let got = bytes.get(4..8).unwrap_or_default();
        Err(Reject::Malformed(format!(
            "expected webassembly version 1 or component version 13, got bytes {got:?}"
        )))
    }
}

/// The text, if that is what the bytes look like: UTF-8 that opens with a parenthesis or a comment.
fn text_of(bytes: &[u8]) -> Result<&str, Reject> {
    if bytes.is_empty() {
        return Err(Reject::NotWasm("nothing"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Reject::NotWasm("other binary data"))?;
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if !start.starts_with('(') && !start.starts_with(";;") {
        return Err(Reject::NotWasm("other text"));
    }
    if text.len() > MAX_TEXT {
        return Err(Reject::TooLarge(format!("text is over {MAX_TEXT} bytes; send it in binary form")));
    }
    Ok(text)
}

fn assemble(text: &str) -> Result<Vec<u8>, Reject> {
    wat::parse_str(text).map_err(|error| {
        let report = error.to_string();
        let (what, rest) = report.split_once('\n').unwrap_or((&report, ""));
        let place = rest.lines().next().unwrap_or_default().trim().trim_start_matches("--> <anon>:");
        Reject::Malformed(format!("text does not parse: {what} (at line and column {place})"))
    })
}

/// Counts the functions that there are to compile, in all modules, and holds the input to its limits.
///
/// # Errors
/// `Malformed` when sections do not parse; `TooLarge` over a million functions, or ten thousand imports or exports of
/// components (the compiler's time grows with their square).
pub(crate) fn count_functions(wasm: &[u8]) -> Result<u32, Reject> {
    let (mut functions, mut imports, mut exports) = (0_u32, 0_u32, 0_u32);
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(|error| Reject::from_parser(&error))? {
            Payload::CodeSectionStart { count, .. } => {
                add(&mut functions, count, MAX_FUNCTIONS, "functions")?
            }
            Payload::ComponentImportSection(section) => {
                add(&mut imports, section.count(), MAX_ITEMS, "component imports")?;
            }
            Payload::ComponentExportSection(section) => {
                add(&mut exports, section.count(), MAX_ITEMS, "component exports")?;
            }
            _ => {}
        }
    }
    Ok(functions)
}

fn add(sum: &mut u32, count: u32, max: u32, what: &str) -> Result<(), Reject> {
    *sum = sum.saturating_add(count);
    if *sum > max {
        return Err(Reject::TooLarge(format!("expected at most {max} {what}, got {sum} or more")));
    }
    Ok(())
}
