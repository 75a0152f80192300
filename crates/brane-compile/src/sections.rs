//! Copies a core module with a few sections changed, all else byte for byte as it was.
//!
//! Nothing is checked here: whoever asks for a change knows that its indices fit, and the validator sees the result.

use wasm_encoder::{Encode, ImportSection, Module, RawSection, Section};
use wasmparser::{BinaryReader, Parser, Payload};

/// What is to be different in a copy.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    imports: Option<ImportSection>,
    more: Vec<(u8, Vec<u8>)>,
}

impl Edits {
    /// Puts these imports in the place of all that there are.
    pub(crate) fn replace_imports(&mut self, imports: ImportSection) {
        self.imports = Some(imports);
    }

    /// Adds these entries at the end of a section that the module has.
    pub(crate) fn append(&mut self, section: &impl Section) {
        let mut bytes = Vec::new();
        section.encode(&mut bytes);
        self.more.push((section.id(), bytes));
    }

    /// Whether a copy would be the same.
    pub(crate) fn is_empty(&self) -> bool {
        self.imports.is_none() && self.more.is_empty()
    }

    /// The copy.
    ///
    /// # Errors
    /// What the parser says about a module whose sections it cannot tell apart.
    pub(crate) fn apply(&self, module: &[u8]) -> wasmparser::Result<Vec<u8>> {
        let mut copy = Module::new();
        for payload in Parser::new(0).parse_all(module) {
            let payload = payload?;
            if let (Payload::ImportSection(_), Some(imports)) = (&payload, &self.imports) {
                copy.section(imports);
            } else if let Some((id, range)) = payload.as_section() {
                let data = module.get(range).unwrap_or_default();
                match self.more(id) {
                    Some(more) => copy.section(&RawSection { id, data: &joined(data, more)? }),
                    None => copy.section(&RawSection { id, data }),
                };
            }
        }
        Ok(copy.finish())
    }

    fn more(&self, id: u8) -> Option<&[u8]> {
        let more = self.more.iter().find(|(section, _)| *section == id);
        more.map(|(_, bytes)| bytes.as_slice())
    }
}

/// The content of a section with the entries of another, encoded one: the number of entries comes before them.
fn joined(section: &[u8], more: &[u8]) -> wasmparser::Result<Vec<u8>> {
    let mut first = BinaryReader::new(section, 0);
    let mut second = BinaryReader::new(more, 0);
    second.read_var_u32()?; // The size, which an encoded section has before its content.
    let count = first.read_var_u32()?.saturating_add(second.read_var_u32()?);
    let mut bytes = Vec::with_capacity(section.len() + more.len());
    count.encode(&mut bytes);
    bytes.extend_from_slice(first.read_bytes(first.bytes_remaining())?);
    bytes.extend_from_slice(second.read_bytes(second.bytes_remaining())?);
    Ok(bytes)
}
