//! The parts of a core module that tell where the runtime of a Go program keeps its break.
//!
//! Pure reading, and no judgement: what the code must look like is in `gobreak`.

use wasmparser::{CustomSectionReader, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

/// Bytes of a page of linear memory.
const PAGE: u64 = 1 << 16;
/// Most bytes of a function whose operators are kept; those that are looked for have less than a thousand.
const MAX_BODY: usize = 1 << 16;

/// The parts of a Go module that matter here.
#[derive(Debug, Default)]
pub(crate) struct GoCode<'a> {
    types: u32,
    imported: u32,
    memory_pages: u64,
    bodies: Vec<FunctionBody<'a>>,
    names: Option<CustomSectionReader<'a>>,
}

impl<'a> GoCode<'a> {
    /// Reads the sections; function bodies are left for later.
    pub(crate) fn of(module: &'a [u8]) -> wasmparser::Result<Self> {
        let mut code = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            code.note(payload?)?;
        }
        Ok(code)
    }

    fn note(&mut self, payload: Payload<'a>) -> wasmparser::Result<()> {
        match payload {
            Payload::TypeSection(groups) => {
                for group in groups {
                    self.types = self.types.saturating_add(len(group?.types()));
                }
            }
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let is_function = matches!(import?.ty, TypeRef::Func(_) | TypeRef::FuncExact(_));
                    self.imported += u32::from(is_function);
                }
            }
            Payload::MemorySection(memories) => {
                for memory in memories.into_iter().take(1) {
                    self.memory_pages = memory?.initial;
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(custom) if custom.name() == "name" => self.names = Some(custom),
            _ => {}
        }
        Ok(())
    }

    /// How many types there are.
    pub(crate) fn types(&self) -> u32 {
        self.types
    }

    /// How many functions there are, with the imported ones.
    pub(crate) fn functions(&self) -> u32 {
        self.imported.saturating_add(len(self.bodies.iter()))
    }

    /// The function in which the only place of a kind is, `length` operators long; none when there are several such
    /// places, or none.
    pub(crate) fn only(
        &self,
        length: usize,
        kind: impl Fn(&[Operator<'_>]) -> bool,
    ) -> wasmparser::Result<Option<Code<'a>>> {
        let mut found = None;
        for (index, body) in (self.imported..).zip(&self.bodies) {
            for _ in 0..count(body, length, &kind)? {
                if found.replace(Code { index, body: body.clone() }).is_some() {
                    return Ok(None);
                }
            }
        }
        Ok(found)
    }

    /// Whether no name in the module says otherwise. Names that do not parse say nothing.
    pub(crate) fn may_be(&self, name: &str, index: u32) -> bool {
        self.names.as_ref().is_none_or(|section| agrees(section, name, index).unwrap_or(true))
    }

    /// The address of 8 bytes in the memory that there is from the start.
    pub(crate) fn address(&self, constant: i64) -> Option<u32> {
        let address = u32::try_from(constant).ok()?;
        let end = u64::from(address) + 8;
        (address % 8 == 0 && end <= self.memory_pages.saturating_mul(PAGE)).then_some(address)
    }
}

/// One function of the program.
#[derive(Debug)]
pub(crate) struct Code<'a> {
    pub(crate) index: u32,
    body: FunctionBody<'a>,
}

impl<'a> Code<'a> {
    /// What it does; nothing of it when it is far too long.
    pub(crate) fn operators(&self) -> wasmparser::Result<Vec<Operator<'a>>> {
        if self.body.range().len() > MAX_BODY {
            return Ok(Vec::new());
        }
        effective(&self.body)?.collect()
    }
}

/// The operators of a function, without those that do nothing.
fn effective<'a>(
    body: &FunctionBody<'a>,
) -> wasmparser::Result<impl Iterator<Item = wasmparser::Result<Operator<'a>>>> {
    let all = body.get_operators_reader()?.into_iter();
    Ok(all.filter(|operator| !matches!(operator, Ok(Operator::Nop))))
}

/// How many places of a kind there are. Only the operators of one place are kept: a hostile function may be long.
fn count(
    body: &FunctionBody<'_>,
    length: usize,
    kind: impl Fn(&[Operator<'_>]) -> bool,
) -> wasmparser::Result<usize> {
    let mut place = Vec::with_capacity(length);
    let mut count = 0;
    for operator in effective(body)? {
        if place.len() == length {
            place.remove(0);
        }
        place.push(operator?);
        count += usize::from(place.len() == length && kind(&place));
    }
    Ok(count)
}

/// Whether the function, and no other, has that name, or it has none and no other has it.
fn agrees(section: &CustomSectionReader<'_>, name: &str, index: u32) -> wasmparser::Result<bool> {
    let KnownCustom::Name(subsections) = section.as_known() else { return Ok(true) };
    for subsection in subsections {
        if let Name::Function(names) = subsection? {
            for called in names {
                let called = called?;
                if (called.name == name) != (called.index == index) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

fn len(items: impl ExactSizeIterator) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
