//! The header: exactly one line of JSON, in front of the artifact.
//!
//! JSON escapes what could break the line, so a name from the input is carried whole and cannot forge a second line.

use serde::Serialize;

use crate::fault::Fault;
use crate::input::Kind;
use crate::interface::{Description, MAX_DESCRIPTION};
use crate::reject::Reject;

/// Version of header and artifact together.
const FORMAT: u32 = 1;
/// What made the artifact; the crate's version is pinned by the lock file, and a test holds the two together.
const COMPILER: &str = "wasmtime 48.0.8";

/// A header as it goes out, newline included.
#[derive(Debug)]
pub(crate) struct Header(Vec<u8>);

impl Header {
    /// The bytes, ending in the only newline.
    pub(crate) fn line(&self) -> &[u8] {
        &self.0
    }

    fn new(value: &impl Serialize) -> Result<Self, Fault> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        Ok(Self(line))
    }
}

/// What there is to say about a compiled component.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// What the input was.
    pub(crate) kind: Kind,
    /// Whether the input was text.
    pub(crate) text: bool,
    /// Length of the artifact that follows the header.
    pub(crate) artifact_bytes: usize,
    /// What the component imports and exports.
    pub(crate) description: Description,
}

/// The header in front of an artifact.
///
/// # Errors
/// `Reject::TooLarge` when the description is longer than its limit.
pub(crate) fn success(compiled: &Compiled) -> Result<Header, Fault> {
    #[derive(Serialize)]
    struct Success<'a> {
        status: &'static str,
        format: u32,
        kind: Kind,
        adapted: bool,
        text: bool,
        artifact_bytes: usize,
        compiler: &'static str,
        description: &'a Description,
    }
    let header = Header::new(&Success {
        status: "compiled",
        format: FORMAT,
        kind: compiled.kind,
        adapted: compiled.kind == Kind::CoreModule,
        text: compiled.text,
        artifact_bytes: compiled.artifact_bytes,
        compiler: COMPILER,
        description: &compiled.description,
    })?;
    if header.0.len() > MAX_DESCRIPTION {
        return Err(Reject::TooLarge(format!("description is over {MAX_DESCRIPTION} bytes")).into());
    }
    Ok(header)
}

/// The header of a refusal, with nothing after it.
pub(crate) fn rejection(reject: &Reject) -> Result<Header, Fault> {
    #[derive(Serialize)]
    struct Rejection<'a> {
        status: &'static str,
        kind: &'static str,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        imports: Option<&'a [String]>,
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<usize>,
    }
    let foreign = match reject {
        Reject::ForeignImports(foreign) => Some(foreign),
        _ => None,
    };
    Header::new(&Rejection {
        status: "rejected",
        kind: reject.kind(),
        message: reject.message(),
        imports: foreign.map(|foreign| foreign.names.as_slice()),
        more: foreign.map(crate::reject::Foreign::more),
    })
}
