//! Memory for the adapter inside programs of the Go compiler, whose runtime takes all of memory for its heap.
//!
//! From Go 1.24 on the runtime keeps a break: `bloc`, the end of what it has handed out, and `blocMax`, the end of
//! memory as it was at the start and as the runtime has grown it since (src/runtime/mem_wasm.go, os_wasm.go). It never
//! looks at what `memory.grow` returns, so a page that anyone else grows ends up inside its heap. A module with such a
//! runtime gets one more function, `cabi_realloc_adapter`, which the encoder prefers for the adapter:
//!
//! - Once the break is set, it moves the break as `runtime.sbrk` does. The adapter never asks from within `sbrk`,
//!   which calls no WASI.
//! - Before, which is where the entry point of programs takes the adapter's stack, it moves the end of the program's
//!   data, from which the runtime will set its break, as if the linker had put that much more data there.
//!
//! Where these variables are is found by `gobreak`. Go 1.21 to 1.23 use what `memory.grow` returns and need no help.
//!
//! `TinyGo` is not covered. Its heap also assumes that it alone grows memory, but it leaves neither mark of Go: such a
//! module is wrapped as any other, and fails once its heap has grown over the adapter's page.

use wasm_encoder::{
    BlockType, CodeSection, ExportKind, ExportSection, Function, FunctionSection, InstructionSink, MemArg,
    TypeSection, ValType,
};
use wasmparser::{CustomSectionReader, KnownCustom, ProducersSectionReader};

use crate::gobreak::{self, Break};
use crate::gocode::GoCode;
use crate::reject::Reject;
use crate::sections::Edits;

/// Custom section in which Go's linker leaves the build's identity, unless asked not to.
const BUILD_ID: &str = "go:buildid";
/// What Go's linker says of itself in the section of producers.
const COMPILER: &str = "Go cmd/compile";
/// The export that the encoder looks for first when the adapter needs memory.
pub(crate) const ADAPTER_REALLOC: &str = "cabi_realloc_adapter";

/// Parameters of the allocator: old address, old length, alignment, new length. It returns an address.
const PARAMETERS: [ValType; 4] = [ValType::I32; 4];
const OLD_ADDRESS: u32 = 0;
const NEW_LENGTH: u32 = 3;
/// Locals: the length in whole pages, and the break before.
const LOCALS: [(u32, ValType); 1] = [(2, ValType::I64)];
const LENGTH: u32 = 4;
const BEFORE: u32 = 5;
const PAGE_BITS: i64 = 16;
const PAGE: i64 = 1 << PAGE_BITS;

/// Whether a custom section marks its module as made by Go's own compiler.
pub(crate) fn marked_by(custom: &CustomSectionReader<'_>) -> bool {
    match custom.as_known() {
        KnownCustom::Producers(fields) => names_compiler(fields).unwrap_or(false),
        _ => custom.name() == BUILD_ID,
    }
}

fn names_compiler(fields: ProducersSectionReader<'_>) -> wasmparser::Result<bool> {
    for field in fields {
        let field = field?;
        for value in field.values {
            if field.name == "processed-by" && value?.name == COMPILER {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Adds the adapter's allocator, if the runtime needs one.
///
/// # Errors
/// `Unsupported` when the runtime is not one that is known; `Malformed` when the module does not parse.
pub(crate) fn add_allocator(module: &[u8], edits: &mut Edits) -> Result<(), Reject> {
    let code = GoCode::of(module).map_err(|error| Reject::from_parser(&error))?;
    let Some(cells) = gobreak::find(&code)? else { return Ok(()) };
    let (mut types, mut functions) = (TypeSection::new(), FunctionSection::new());
    let (mut exports, mut bodies) = (ExportSection::new(), CodeSection::new());
    types.ty().function(PARAMETERS, [ValType::I32]);
    functions.function(code.types());
    exports.export(ADAPTER_REALLOC, ExportKind::Func, code.functions());
    bodies.function(&allocator(cells));
    edits.append(&types);
    edits.append(&functions);
    edits.append(&exports);
    edits.append(&bodies);
    Ok(())
}

/// Takes whole pages and returns where they begin.
///
/// It traps when memory cannot grow, when the program's data ends nowhere, and when it is asked to resize, which the
/// adapter never does.
fn allocator(cells: Break) -> Function {
    let mut function = Function::new(LOCALS);
    let mut code = function.instructions();
    trap_if(code.local_get(OLD_ADDRESS));
    round_up(code.local_get(NEW_LENGTH).i64_extend_i32_u()).local_set(LENGTH);
    code.i32_const(0).i64_load(at(cells.bloc)).local_tee(BEFORE).i64_eqz().if_(BlockType::Empty);
    move_data_end(&mut code, cells);
    code.else_();
    move_break(&mut code, cells);
    code.end().local_get(BEFORE).i32_wrap_i64().end();
    function
}

/// Before the runtime starts: its data ends later, and memory is as much larger.
fn move_data_end(code: &mut InstructionSink<'_>, Break { data_end, .. }: Break) {
    round_up(code.i32_const(0).i64_load(at(data_end))).local_tee(BEFORE);
    trap_if(code.i64_eqz());
    grow(code.local_get(LENGTH));
    code.i32_const(0).local_get(BEFORE).local_get(LENGTH).i64_add().i64_store(at(data_end));
}

/// Later: as `runtime.sbrk` does it.
fn move_break(code: &mut InstructionSink<'_>, Break { bloc, bloc_max, .. }: Break) {
    code.i32_const(0).local_get(BEFORE).local_get(LENGTH).i64_add().i64_store(at(bloc));
    code.i32_const(0).i64_load(at(bloc)).i32_const(0).i64_load(at(bloc_max)).i64_gt_u().if_(BlockType::Empty);
    grow(code.i32_const(0).i64_load(at(bloc)).i32_const(0).i64_load(at(bloc_max)).i64_sub());
    code.i32_const(0).i32_const(0).i64_load(at(bloc)).i64_store(at(bloc_max)).end();
}

/// Grows memory by so many bytes, whole pages.
fn grow(bytes: &mut InstructionSink<'_>) {
    trap_if(bytes.i64_const(PAGE_BITS).i64_shr_u().i32_wrap_i64().memory_grow(0).i32_const(-1).i32_eq());
}

fn round_up<'a, 'b>(bytes: &'a mut InstructionSink<'b>) -> &'a mut InstructionSink<'b> {
    bytes.i64_const(PAGE - 1).i64_add().i64_const(-PAGE).i64_and()
}

fn trap_if(condition: &mut InstructionSink<'_>) {
    condition.if_(BlockType::Empty).unreachable().end();
}

/// The 8 bytes at a fixed address.
fn at(address: u32) -> MemArg {
    MemArg { offset: u64::from(address), align: 3, memory_index: 0 }
}
