//! Finds where the runtime of a Go program keeps the break of its heap, from the shape of its code.
//!
//! `runtime.growMemory` is the one function with `memory.grow`, `runtime.sbrk` the one that calls it, and the order in
//! which the latter reaches static addresses tells which is which. `runtime.osinit` is the one function that sets the
//! break from where the program's data ends. Go's compiler writes every access to a static variable as `i64.const`,
//! `i32.wrap_i64` and a load or store without offset. Names are not needed; where the module has them, they must
//! agree. All but the shapes of Go 1.21 to 1.27 is refused: to guess would corrupt the program.

use wasmparser::{MemArg, Operator};

use crate::gocode::{Code, GoCode};
use crate::reject::Reject;

const GROW: &str = "runtime.growMemory";
const SBRK: &str = "runtime.sbrk";
const INIT: &str = "runtime.osinit";
const HINT: &str = "use go 1.21 to 1.27 without -gcflags, and no other tool on what `go build` makes";

/// Addresses of the variables, each 8 bytes in linear memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// Of the end of what the runtime has handed out.
    pub(crate) bloc: u32,
    /// Of the end of what the runtime has grown.
    pub(crate) bloc_max: u32,
    /// Of the end of the program's data, from which the runtime sets its break when it starts.
    pub(crate) data_end: u32,
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

/// Where the break is; none when the runtime keeps none and takes its memory where `memory.grow` finds it.
///
/// # Errors
/// `Unsupported` when the code is not as known, with what is different; `Malformed` when it does not parse.
pub(crate) fn find(program: &GoCode<'_>) -> Result<Option<Break>, Reject> {
    let grow = one(program, 3, is_growth, "memory.grow as in `runtime.growMemory`")?;
    one(program, 1, |place| matches!(place, [Operator::MemoryGrow { .. }]), "memory.grow")?;
    let calls = |place: &[Operator<'_>]| match place {
        [Operator::Call { function_index }] => *function_index == grow.index,
        _ => false,
    };
    let sbrk = one(program, 1, calls, "call of `runtime.growMemory`")?;
    if !program.may_be(GROW, grow.index) || !program.may_be(SBRK, sbrk.index) {
        return Err(unknown("expected names that agree with the code of `runtime.sbrk`"));
    }
    match *steps(&operators(&sbrk)?, grow.index).unwrap_or_default() {
        [Step::Load(page), Step::Grow, Step::Load(again)] if page == again => Ok(None),
        [
            Step::Load(bloc),
            Step::Load(max),
            Step::Load(page),
            Step::Grow,
            Step::Store(grown),
            Step::Add(moved),
        ] if moved == bloc && grown == max && bloc != max && page != bloc && page != max => {
            set_at_start(program, bloc, max).map(Some)
        }
        _ => Err(unknown("expected `runtime.sbrk` to move a break, or to keep none")),
    }
}

/// The same with what the break is set from, once the function that sets it is found.
fn set_at_start(program: &GoCode<'_>, bloc: i64, max: i64) -> Result<Break, Reject> {
    let sets = |place: &[Operator<'_>]| data_end(place, bloc, max).is_some();
    let init = one(program, 16, sets, "place that sets the break, as in `runtime.osinit`")?;
    if !program.may_be(INIT, init.index) {
        return Err(unknown("expected names that agree with the code of `runtime.osinit`"));
    }
    let end = operators(&init)?.windows(16).find_map(|place| data_end(place, bloc, max));
    let [bloc, bloc_max, data_end] = [Some(bloc), Some(max), end].map(|address| program.address(address?));
    let cells = bloc.zip(bloc_max).zip(data_end);
    let cells = cells.map(|((bloc, bloc_max), data_end)| Break { bloc, bloc_max, data_end });
    cells.ok_or_else(|| unknown("expected variables inside of memory"))
}

/// The function with the one place of a kind.
fn one<'a>(
    program: &GoCode<'a>,
    length: usize,
    kind: impl Fn(&[Operator<'_>]) -> bool,
    what: &str,
) -> Result<Code<'a>, Reject> {
    let found = program.only(length, kind).map_err(|error| Reject::from_parser(&error))?;
    found.ok_or_else(|| unknown(&format!("expected one {what}")))
}

fn operators<'a>(code: &Code<'a>) -> Result<Vec<Operator<'a>>, Reject> {
    code.operators().map_err(|error| Reject::from_parser(&error))
}

/// Whether memory grows by the argument on Go's stack, and the result goes there too.
fn is_growth(place: &[Operator<'_>]) -> bool {
    use Operator::{I32Load, I32Store, MemoryGrow};
    matches!(
        place,
        [
            I32Load { memarg: MemArg { offset: 8, memory: 0, .. } },
            MemoryGrow { mem: 0 },
            I32Store { memarg: MemArg { offset: 16, memory: 0, .. } },
        ]
    )
}

/// The address of what is rounded up to a page and then stored as the break.
fn data_end(place: &[Operator<'_>], bloc: i64, max: i64) -> Option<i64> {
    use Operator::{I32WrapI64, I64Add, I64And, I64Const, I64Load, I64Store, LocalGet, LocalSet};
    match place {
        [
            I64Const { value: end },
            I32WrapI64,
            I64Load { memarg: from },
            I64Const { value: 0xffff },
            I64Add,
            I64Const { value: -0x10000 },
            I64And,
            LocalSet { local_index: rounded },
            I64Const { value: first },
            I32WrapI64,
            LocalGet { local_index: one },
            I64Store { memarg: to_first },
            I64Const { value: second },
            I32WrapI64,
            LocalGet { local_index: two },
            I64Store { memarg: to_second },
        ] if [first, second] == [&bloc, &max]
            && [one, two] == [rounded; 2]
            && [from, to_first, to_second].into_iter().all(is_plain) =>
        {
            Some(*end)
        }
        _ => None,
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

fn unknown(difference: &str) -> Reject {
    Reject::Unsupported(format!(
        "go module allocates memory in a way that is not known: {difference}; {HINT}"
    ))
}
