//! Reads from a Go program's code where its runtime keeps the break of its heap.
//!
//! Pure reading: `runtime.growMemory` is the one function with `memory.grow`, `runtime.sbrk` the one that calls it,
//! and the order in which the latter reaches static addresses tells which is which. Go's compiler writes every access
//! to a static variable as `i64.const`, `i32.wrap_i64` and a load or store without offset. Names are not needed; where
//! the module has them, they must agree. All but the known orders is refused.

use wasmparser::{
    CustomSectionReader, FunctionBody, KnownCustom, MemArg, Name, Operator, Parser, Payload, TypeRef,
};

use crate::reject::Reject;

/// Bytes of a page of linear memory.
const PAGE: u64 = 1 << 16;
const GROW: &str = "runtime.growMemory";
const SBRK: &str = "runtime.sbrk";
const HINT: &str = "use go 1.21 to 1.27, and no other tool on what `go build` makes";

/// Addresses of the two variables, each 8 bytes in linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// Of the end of what the runtime has handed out.
    pub(crate) bloc: u32,
    /// Of the end of what the runtime has grown.
    pub(crate) bloc_max: u32,
}

/// What `sbrk` does with a static address, or that it grows memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Load(i64),
    Store(i64),
    /// A number is added to what is there.
    Add(i64),
    Grow,
}

/// The parts of a Go module that matter here.
#[derive(Debug, Default)]
pub(crate) struct GoCode<'a> {
    types: u32,
    imported: u32,
    memory_pages: u64,
    bodies: Vec<FunctionBody<'a>>,
    /// Of functions, as far as the module has names.
    names: Vec<(u32, &'a str)>,
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
            // Names are a help to people: when they do not parse, the module has none.
            Payload::CustomSection(custom) => self.names.extend(names(&custom).unwrap_or_default()),
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

    /// Where the break is; none when the runtime keeps none and takes its memory where `memory.grow` finds it.
    ///
    /// # Errors
    /// `Unsupported` when the code is not as known, with what is different; `Malformed` when it does not parse.
    pub(crate) fn heap_break(&self) -> Result<Option<Break>, Reject> {
        let grows = |operator: &Operator<'_>| matches!(operator, Operator::MemoryGrow { mem: 0 });
        let grow = self.only(grows).map_err(invalid)?.ok_or_else(|| unknown("expected one memory.grow"))?;
        let calls = |operator: &Operator<'_>| matches!(operator, Operator::Call { function_index } if *function_index == grow.index);
        let sbrk = self.only(calls).map_err(invalid)?;
        let sbrk = sbrk.ok_or_else(|| unknown("expected one call of the function with memory.grow"))?;
        if !grow.is_grow_memory() || !self.may_be(GROW, grow.index) || !self.may_be(SBRK, sbrk.index) {
            return Err(unknown("expected it to grow memory in `runtime.growMemory`, for `runtime.sbrk`"));
        }
        let steps = steps(&sbrk.operators, grow.index).unwrap_or_default();
        match *steps.as_slice() {
            [Step::Load(page), Step::Grow, Step::Load(again)] if page == again => Ok(None),
            [
                Step::Load(bloc),
                Step::Load(max),
                Step::Load(page),
                Step::Grow,
                Step::Store(grown),
                Step::Add(moved),
            ] if moved == bloc && grown == max && bloc != max && page != bloc && page != max => {
                let cells = self.address(bloc).zip(self.address(max));
                let cells = cells.map(|(bloc, bloc_max)| Break { bloc, bloc_max });
                cells.map(Some).ok_or_else(|| unknown("expected variables inside of memory"))
            }
            _ => Err(unknown("expected `runtime.sbrk` to move a break, or to keep none")),
        }
    }

    /// The function with the only operator of a kind; none when there are several such operators, or none.
    fn only(&self, kind: impl Fn(&Operator<'_>) -> bool) -> wasmparser::Result<Option<Code<'a>>> {
        let mut found = None;
        for (index, body) in (self.imported..).zip(&self.bodies) {
            for operator in body.get_operators_reader()? {
                if kind(&operator?) && found.replace((index, body)).is_some() {
                    return Ok(None);
                }
            }
        }
        let Some((index, body)) = found else { return Ok(None) };
        let operators = body.get_operators_reader()?.into_iter().collect::<wasmparser::Result<_>>()?;
        Ok(Some(Code { index, operators }))
    }

    /// Whether no name in the module says otherwise.
    fn may_be(&self, name: &str, index: u32) -> bool {
        self.names.iter().all(|(other, called)| (*called == name) == (*other == index))
    }

    /// The address of 8 bytes in the memory that there is from the start.
    fn address(&self, constant: i64) -> Option<u32> {
        let address = u32::try_from(constant).ok()?;
        let end = u64::from(address) + 8;
        (address % 8 == 0 && end <= self.memory_pages.saturating_mul(PAGE)).then_some(address)
    }
}

/// One function of the program.
#[derive(Debug)]
struct Code<'a> {
    index: u32,
    operators: Vec<Operator<'a>>,
}

impl Code<'_> {
    /// Whether memory grows by the argument on Go's stack, and the result goes there too.
    fn is_grow_memory(&self) -> bool {
        self.operators.windows(3).any(|three| {
            matches!(
                three,
                [
                    Operator::I32Load { memarg: MemArg { offset: 8, .. } },
                    Operator::MemoryGrow { .. },
                    Operator::I32Store { memarg: MemArg { offset: 16, .. } },
                ]
            )
        })
    }
}

/// What the code does with static addresses, in its order; none when it does anything unknown with one.
fn steps(mut operators: &[Operator<'_>], grow: u32) -> Option<Vec<Step>> {
    use Operator::{Call, I32WrapI64, I64Add, I64Const, I64Load, I64Store, LocalGet};
    let mut steps = Vec::new();
    while !operators.is_empty() {
        let (step, length) = match operators {
            [
                I64Const { value },
                I32WrapI64,
                I64Const { value: again },
                I32WrapI64,
                I64Load { memarg: from },
                LocalGet { .. },
                I64Add,
                I64Store { memarg: to },
                ..,
            ] if value == again && is_plain(from) && is_plain(to) => (Some(Step::Add(*value)), 8),
            [I64Const { value }, I32WrapI64, I64Load { memarg }, ..] if is_plain(memarg) => {
                (Some(Step::Load(*value)), 3)
            }
            [I64Const { value }, I32WrapI64, LocalGet { .. }, I64Load { .. }, I64Store { memarg }, ..]
                if is_plain(memarg) =>
            {
                (Some(Step::Store(*value)), 5)
            }
            [I64Const { .. }, I32WrapI64, ..] => return None,
            [Call { function_index }, ..] if *function_index == grow => (Some(Step::Grow), 1),
            _ => (None, 1),
        };
        steps.extend(step);
        operators = operators.get(length..)?;
    }
    Some(steps)
}

fn is_plain(memarg: &MemArg) -> bool {
    memarg.offset == 0 && memarg.memory == 0
}

/// The functions that have names.
fn names<'a>(custom: &CustomSectionReader<'a>) -> wasmparser::Result<Vec<(u32, &'a str)>> {
    let mut found = Vec::new();
    let KnownCustom::Name(subsections) = custom.as_known() else { return Ok(found) };
    for subsection in subsections {
        if let Name::Function(names) = subsection? {
            for name in names {
                let name = name?;
                found.push((name.index, name.name));
            }
        }
    }
    Ok(found)
}

fn len(items: impl ExactSizeIterator) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}

fn invalid(error: wasmparser::Error) -> Reject {
    Reject::from_parser(&error)
}

fn unknown(difference: &str) -> Reject {
    Reject::Unsupported(format!(
        "go module allocates memory in a way that is not known: {difference}; {HINT}"
    ))
}
