//! Validates a component without its function bodies, and keeps what stands at its root.
//!
//! All features are on here: to refuse those that are off is left to the compiler, which names them.

use wasmparser::component_types::ComponentItem;
use wasmparser::types::{Types, TypesRef};
use wasmparser::{Parser, Payload, ValidPayload, Validator, WasmFeatures};

/// An item with its name.
pub(crate) type Named<'a> = (&'a str, &'a ComponentItem);

/// The names at the root, in order, and the types behind them.
#[derive(Default)]
pub(crate) struct Outline<'a> {
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
    types: Option<Types>,
}

impl<'a> Outline<'a> {
    /// Reads and validates all but function bodies.
    pub(crate) fn of(component: &'a [u8]) -> wasmparser::Result<Self> {
        let mut outline = Self::default();
        let mut validator = Validator::new_with_features(WasmFeatures::all());
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match validator.payload(&payload)? {
                ValidPayload::Parser(_) => depth += 1,
                ValidPayload::End(types) if depth == 0 => outline.types = Some(types),
                ValidPayload::End(_) => depth -= 1,
                ValidPayload::Ok if depth == 0 => outline.note(&payload)?,
                ValidPayload::Ok | ValidPayload::Func(..) => {}
            }
        }
        Ok(outline)
    }

    fn note(&mut self, payload: &Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    self.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    self.exports.push(export?.name.name);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The types behind the names; none when the component has no end.
    pub(crate) fn types(&self) -> Option<TypesRef<'_>> {
        self.types.as_ref().map(Types::as_ref)
    }

    /// The imports at the root, in order.
    pub(crate) fn imports<'t>(&'t self, types: &TypesRef<'t>) -> Vec<Named<'t>> {
        find(&self.imports, |name| types.component_item_for_import(name))
    }

    /// The exports at the root, in order.
    pub(crate) fn exports<'t>(&'t self, types: &TypesRef<'t>) -> Vec<Named<'t>> {
        find(&self.exports, |name| types.component_item_for_export(name))
    }
}

fn find<'a>(names: &[&'a str], item: impl Fn(&'a str) -> Option<&'a ComponentItem>) -> Vec<Named<'a>> {
    names.iter().filter_map(|name| Some((*name, item(name)?))).collect()
}
