//! The refusals: each an answer that the owner shows to the author of the code.
//!
//! Every message is bounded and free of control characters, however hostile the names in the input are.

use thiserror::Error;

/// Most bytes of a message.
const MAX_MESSAGE: usize = 2048;
/// Most bytes of one name in a list of names.
const MAX_NAME: usize = 256;

/// Why an input is not compiled.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Reject {
    /// Neither WebAssembly nor its text form.
    #[error("expected a webassembly component, core module or text, got {0}")]
    NotWasm(&'static str),
    /// WebAssembly that does not parse or validate.
    #[error("{0}")]
    Malformed(String),
    /// Native code, which is only ever made here.
    #[error("expected webassembly, got precompiled native code, which is never accepted from outside")]
    Precompiled,
    /// Valid, but needs something that is switched off or absent.
    #[error("{0}")]
    Unsupported(String),
    /// A core module that imports what WASI preview 1 does not have.
    #[error("core module imports {count} items that wasi preview 1 does not have: {list}", count = .0.count, list = .0)]
    ForeignImports(Foreign),
    /// Over a limit on size or number.
    #[error("{0}")]
    TooLarge(String),
}

impl Reject {
    /// Sorts an error of the parser or validator: a feature that is off, a limit, or plainly invalid.
    pub(crate) fn from_parser(error: &wasmparser::Error) -> Self {
        if let Some(features) = error.missing_wasm_feature() {
            let names = features.iter_names().map(|(name, _)| name.to_ascii_lowercase().replace('_', "-"));
            let names = names.collect::<Vec<_>>().join(", ");
            return Self::Unsupported(format!("needs {names}, which is switched off: {error}"));
        }
        let text = format!("does not validate: {error}");
        if error.message().contains("limit") { Self::TooLarge(text) } else { Self::Malformed(text) }
    }

    /// The word for this refusal in the header.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::NotWasm(_) => "not-wasm",
            Self::Malformed(_) => "malformed",
            Self::Precompiled => "precompiled",
            Self::Unsupported(_) => "unsupported",
            Self::ForeignImports(_) => "foreign-imports",
            Self::TooLarge(_) => "too-large",
        }
    }

    /// The message, cleaned and cut to 2 KiB.
    pub(crate) fn message(&self) -> String {
        clean(&self.to_string(), MAX_MESSAGE)
    }
}

/// Imports that nothing can satisfy, in the order of the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// How many there are.
    pub(crate) count: usize,
    /// The first of them, cleaned, as `module::name`.
    pub(crate) names: Vec<String>,
}

impl Foreign {
    /// Most names that are kept.
    const MAX_NAMES: usize = 1000;

    /// Counts one more import, and names it while there is room.
    pub(crate) fn push(&mut self, module: &str, name: &str) {
        self.count += 1;
        if self.names.len() < Self::MAX_NAMES {
            self.names.push(format!("{}::{}", clean(module, MAX_NAME), clean(name, MAX_NAME)));
        }
    }

    /// How many imports are counted but not named.
    pub(crate) fn more(&self) -> usize {
        self.count - self.names.len()
    }
}

impl std::fmt::Display for Foreign {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.names.join(", "))
    }
}

/// One line of at most `max` bytes: spaces for runs of white space, escapes for all else that does not print.
pub(crate) fn clean(text: &str, max: usize) -> String {
    const CUT: &str = "\u{2026}";
    let mut line = String::new();
    for word in text.split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            push_printable(&mut line, character);
            if line.len() > max {
                line.truncate(line.floor_char_boundary(max - CUT.len()));
                line.push_str(CUT);
                return line;
            }
        }
    }
    line
}

/// Quotes and backslashes stay as they are, what does not print becomes an escape such as `\u{1b}`.
fn push_printable(line: &mut String, character: char) {
    match character {
        '"' | '\'' | '\\' => line.push(character),
        _ => line.extend(character.escape_debug()),
    }
}
