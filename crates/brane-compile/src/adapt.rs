//! WASI preview 1 core module to component, through the standard adapter.
//!
//! With one change: the adapter turns `proc_exit(code)` into `exit(ok or error)` and so loses the code. The module's
//! import of `proc_exit` is pointed at `exit-with-code` of `wasi:cli/exit` before the adapter sees it. The two have
//! the same core type, and the canonical ABI takes the low 8 bits of the code, as POSIX `_exit` does.
//!
//! A program of the Go compiler also gets an allocator for the adapter, see `golang`.
//!
//! Imports that the adapter cannot satisfy are listed all at once, for the encoder names only the first.

use std::borrow::Cow;
use std::collections::HashSet;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME as WASI, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER as COMMAND,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER as REACTOR,
};
use wasm_encoder::{EntityType, ImportSection};
use wasmparser::{ExternalKind, ImportSectionReader, Parser, Payload, TypeRef};
use wit_component::ComponentEncoder;

use crate::golang;
use crate::reject::{Foreign, Reject};
use crate::sections::Edits;

/// The adapter's interface for leaving; matched by semantic version, so any 0.2 of the adapter will do.
const EXIT_INTERFACE: &str = "wasi:cli/exit@0.2.0";
const EXIT_FUNCTION: &str = "exit-with-code";
const NO_ENTRY: &str = "core module has no entry point: expected an exported function `_start`, wasi imports or a wit \
    world; export `_start`, or make it a component with `wasm-tools component new`";
const NO_MEMORY: &str = "core module exports no memory: expected one named `memory`, as wasi preview 1 asks; add \
    `(memory (export \"memory\") 1)`";
/// Custom section in which binding generators leave the module's WIT world.
const WORLD_SECTION: &str = "component-type";

/// Wraps a core module into a component that does the same.
///
/// # Errors
/// `ForeignImports` with every import that WASI preview 1 does not have; `Unsupported` when the module has no entry
/// point or does not follow the preview 1 conventions; `Malformed` when it does not parse.
pub(crate) fn to_component(module: &[u8]) -> Result<Vec<u8>, Reject> {
    let survey = Survey::of(module).map_err(invalid)?;
    if survey.foreign.count > 0 {
        return Err(Reject::ForeignImports(survey.foreign));
    }
    let adapter = survey.adapter()?;
    let edits = survey.edits(module)?;
    let edited = match edits.is_empty() {
        true => Cow::Borrowed(module),
        false => Cow::Owned(edits.apply(module).map_err(invalid)?),
    };
    ComponentEncoder::default()
        .module(&edited)
        .and_then(|encoder| encoder.adapter(WASI, adapter))
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| Reject::Unsupported(format!("core module cannot become a component: {error:#}")))
}

fn invalid(error: wasmparser::Error) -> Reject {
    Reject::from_parser(&error)
}

/// What matters of a core module before it is wrapped.
#[derive(Debug, Default)]
struct Survey<'a> {
    imports: Option<ImportSectionReader<'a>>,
    foreign: Foreign,
    uses_wasi: bool,
    has_start: bool,
    has_memory: bool,
    has_world: bool,
    has_allocator: bool,
    is_go: bool,
}

impl<'a> Survey<'a> {
    fn of(module: &'a [u8]) -> wasmparser::Result<Self> {
        let mut survey = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(imports) => survey.imports = Some(imports),
                Payload::ExportSection(exports) => {
                    for export in exports {
                        let export = export?;
                        survey.has_start |= export.name == "_start" && export.kind == ExternalKind::Func;
                        survey.has_memory |= export.name == "memory" && export.kind == ExternalKind::Memory;
                        survey.has_allocator |= export.name == golang::ADAPTER_REALLOC;
                    }
                }
                Payload::CustomSection(custom) => {
                    survey.has_world |= custom.name().starts_with(WORLD_SECTION);
                    survey.is_go |= golang::marked_by(&custom);
                }
                _ => {}
            }
        }
        survey.sort_imports()?;
        Ok(survey)
    }

    /// Tells WASI's functions from imports that nobody will satisfy.
    ///
    /// A module that carries its own WIT world may import from it; the encoder checks those.
    fn sort_imports(&mut self) -> wasmparser::Result<()> {
        let Some(imports) = self.imports.clone() else { return Ok(()) };
        let known = adapter_functions()?;
        for import in imports.into_imports() {
            let import = import?;
            let is_function = matches!(import.ty, TypeRef::Func(_));
            if import.module == WASI && is_function && known.contains(import.name) {
                self.uses_wasi = true;
            } else if import.module == WASI || !is_function || !self.has_world {
                self.foreign.push(import.module, import.name);
            }
        }
        Ok(())
    }

    /// What is to be different in the module before it is wrapped.
    fn edits(&self, module: &[u8]) -> Result<Edits, Reject> {
        let mut edits = Edits::default();
        if let Some(imports) = &self.imports {
            edits.replace_imports(redirect_exit(imports).map_err(invalid)?);
        }
        if self.is_go && !self.has_allocator {
            golang::add_allocator(module, &mut edits)?;
        }
        Ok(edits)
    }

    /// The adapter that suits: for programs, or for libraries.
    fn adapter(&self) -> Result<&'static [u8], Reject> {
        if !self.has_start && !self.uses_wasi && !self.has_world {
            return Err(Reject::Unsupported(String::from(NO_ENTRY)));
        }
        if !self.has_memory {
            return Err(Reject::Unsupported(String::from(NO_MEMORY)));
        }
        Ok(if self.has_start { COMMAND } else { REACTOR })
    }
}

/// What a module may import from preview 1: the adapter's exports, but for its own plumbing.
fn adapter_functions() -> wasmparser::Result<HashSet<&'static str>> {
    let mut names = HashSet::new();
    for payload in Parser::new(0).parse_all(REACTOR) {
        if let Payload::ExportSection(exports) = payload? {
            for export in exports {
                names.insert(export?.name);
            }
        }
    }
    names.retain(|name| *name != "cabi_import_realloc" && *name != "reset_adapter_state");
    Ok(names)
}

/// The imports, with `proc_exit` from `wasi:cli/exit`.
///
/// All imports are functions: anything else was found foreign before.
fn redirect_exit(imports: &ImportSectionReader<'_>) -> wasmparser::Result<ImportSection> {
    let mut section = ImportSection::new();
    for import in imports.clone().into_imports() {
        let import = import?;
        let (from, name) = match (import.module, import.name) {
            (WASI, "proc_exit") => (EXIT_INTERFACE, EXIT_FUNCTION),
            other => other,
        };
        if let TypeRef::Func(index) = import.ty {
            section.import(from, name, EntityType::Function(index));
        }
    }
    Ok(section)
}
