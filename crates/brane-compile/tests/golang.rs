//! Programs of the Go compiler share their memory with the adapter.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use common::program::{end, exit_code};
use common::{accepted, binary, message, rejected};

const PROGRAM: &str = include_str!("golang.wat");
const MARK: &str = r#"(@custom "go:buildid" "x")"#;
const START: &str = "(call $runtime.osinit)";

/// The program with a part replaced, which must be there.
fn with(part: &str, other: &str) -> String {
    assert!(PROGRAM.contains(part), "{part}");
    PROGRAM.replace(part, other)
}

/// The program with a part of one function replaced, where it first comes.
fn with_in(function: &str, part: &[&str], other: &[&str]) -> String {
    let start = PROGRAM.find(&format!("(func ${function} ")).expect("the function");
    let (before, after) = PROGRAM.split_at(start);
    let [part, other] = [part, other].map(|lines| lines.join("\n        ") + "\n");
    assert!(after.contains(&part), "{part}");
    [before, &after.replacen(&part, &other, 1)].concat()
}

/// The program without its section of names.
fn without_names() -> Vec<u8> {
    let program = binary(PROGRAM);
    let mut module = wasm_encoder::Module::new();
    for payload in wasmparser::Parser::new(0).parse_all(&program) {
        let payload = payload.unwrap();
        let is_names =
            matches!(&payload, wasmparser::Payload::CustomSection(custom) if custom.name() == "name");
        if let (Some((id, range)), false) = (payload.as_section(), is_names) {
            module.section(&wasm_encoder::RawSection { id, data: &program[range] });
        }
    }
    module.finish()
}

fn refusal(module: &str) -> String {
    let header = rejected(module, "unsupported");
    let message = message(&header);
    assert!(message.starts_with("go module allocates memory in a way that is not known: "), "{message}");
    String::from(message)
}

#[test]
fn a_go_program_and_the_adapter_keep_out_of_each_others_memory() {
    assert_eq!(exit_code(PROGRAM), Some(0));
}

#[test]
fn the_mark_of_the_compiler_among_the_producers_is_enough() {
    let mark = r#"(@producers (language "Go" "go1.26.6") (processed-by "Go cmd/compile" "go1.26.6"))"#;
    assert_eq!(exit_code(with(MARK, mark)), Some(0));
}

#[test]
fn without_a_mark_the_program_overwrites_the_adapter() {
    for other in ["", r#"(@producers (language "Go" "1"))"#] {
        let trap = end(with(MARK, other)).unwrap_err();
        assert!(trap.contains("get-stderr"), "the adapter says that its state is not as it was: {trap}");
    }
}

#[test]
fn names_are_not_needed() {
    let module = without_names();
    assert!(module.len() < binary(PROGRAM).len());
    assert_eq!(exit_code(module), Some(0));
}

#[test]
fn names_that_disagree_are_refused() {
    for name in ["sbrk", "growMemory", "osinit"] {
        let name = format!("$runtime.{name}");
        let renamed = PROGRAM.replace(&name, "$other");
        assert!(refusal(&renamed).contains("expected names that agree"), "{name}");
        let swapped = renamed.replace("$take", &name);
        assert!(refusal(&swapped).contains("expected names that agree"), "{name}");
    }
}

#[test]
fn a_runtime_that_takes_memory_where_it_is_found_is_left_alone() {
    let sbrk = PROGRAM.find("(func $runtime.sbrk").unwrap();
    let start = sbrk + PROGRAM[sbrk..].find("        i64.const 64\n").unwrap();
    let end = PROGRAM.find("        (i64.store offset=56").unwrap();
    let older = "
        i64.const 80
        i32.wrap_i64
        i64.load
        local.set $page
        (i64.store32 (local.get $sp) (i64.div_u (i64.load offset=48 (local.get $sp)) (local.get $page)))
        (global.set $sp (i32.sub (local.get $sp) (i32.const 8)))
        (drop (call $runtime.growMemory (i32.const 0)))
        (i64.load32_s offset=8 (local.get $sp))
        i64.const 80
        i32.wrap_i64
        i64.load
        i64.mul
        local.set $bloc\n";
    let module = [&PROGRAM[..start], older, &PROGRAM[end..]].concat();
    assert_eq!(exit_code(module), Some(0));
}

#[test]
fn memory_is_taken_before_the_break_is_set_too() {
    assert_eq!(exit_code(with(START, &format!("(call $ask) {START}"))), Some(0));
}

#[test]
fn a_program_whose_data_ends_nowhere_traps() {
    let trap = end(with(r#""\00\00\01\00\00\00\00\00""#, r#""\00""#)).unwrap_err();
    assert!(trap.contains("unreachable"), "{trap}");
}

#[test]
fn the_adapter_takes_no_more_memory_than_it_asks_for() {
    let memory = r#"(memory (export "memory") 3)"#;
    // One page of data, two of the adapter, 21 of the heap. Two are there beyond the data, then the heap grows to fit.
    let enough = with(memory, r#"(memory (export "memory") 3 24)"#);
    assert_eq!(exit_code(enough), Some(0));
    let small = with(memory, r#"(memory (export "memory") 3 23)"#);
    assert!(end(small).unwrap_err().contains("unreachable"));
    let none = with(memory, r#"(memory (export "memory") 3 3)"#);
    assert!(end(none).unwrap_err().contains("unreachable"));
}

#[test]
fn an_allocator_that_the_program_brings_is_kept() {
    let own = "(func (export \"cabi_realloc_adapter\") (param i32 i32 i32 i32) (result i32) unreachable)
        (func $runtime.growMemory";
    let trap = end(with("(func $runtime.growMemory", own)).unwrap_err();
    assert!(trap.contains("unreachable"), "{trap}");
}

#[test]
fn a_program_that_grows_memory_in_two_places_is_refused() {
    let module = with("(call $ask)\n", "(call $ask) (drop (memory.grow (i32.const 0)))\n");
    assert!(refusal(&module).contains("expected one memory.grow"));
    let never = with("        memory.grow\n", "        drop i32.const -1\n");
    assert!(refusal(&never).contains("expected one memory.grow"));
    let elsewhere = with("i32.load offset=8\n        memory.grow", "i32.load offset=12\n        memory.grow");
    assert!(refusal(&elsewhere).contains("expected one memory.grow"));
}

#[test]
fn a_program_that_calls_for_growth_in_two_places_is_refused() {
    let module = with("(call $ask)\n", "(drop (call $runtime.growMemory (i32.const 0)))\n");
    assert!(refusal(&module).contains("expected one call"));
}

#[test]
fn another_use_of_the_variables_is_refused() {
    let page = ["i64.const 80", "i32.wrap_i64", "i64.load"];
    let others: [&[&str]; 4] = [
        &["i64.const 65536"],
        &["i64.const 72", "i32.wrap_i64", "i64.load offset=8"],
        &["i64.const 72", "i32.wrap_i64", "i64.load"],
        &["i64.const 64", "i32.wrap_i64", "i64.load"],
    ];
    for other in others {
        let message = refusal(&with_in("runtime.sbrk", &page, other));
        assert!(message.contains("expected `runtime.sbrk` to move a break"), "{message}");
    }
    let swapped = with_in("runtime.sbrk", &["i64.const 64"], &["i64.const 72"]);
    assert!(refusal(&swapped).contains("expected `runtime.sbrk` to move a break"));
}

#[test]
fn another_start_of_the_break_is_refused() {
    let none = "expected one place that sets the break";
    for (part, other) in [("i64.const 64", "i64.const 96"), ("i64.const 65535", "i64.const 4095")] {
        assert!(refusal(&with_in("runtime.osinit", &[part], &[other])).contains(none), "{part}");
    }
    let start = PROGRAM.find("        i64.const 88\n").unwrap();
    let end = PROGRAM[start..].find("        i64.const 72\n        i32.wrap_i64\n        (").unwrap();
    let sets = &PROGRAM[start..start + end];
    assert!(refusal(&with(sets, &sets.repeat(2))).contains(none));
}

#[test]
fn variables_outside_of_memory_are_refused() {
    for variable in ["i64.const 64\n", "i64.const 72\n", "i64.const 88\n"] {
        for address in ["196608", "65", "-8", "4294967296"] {
            let module = with(variable, &format!("i64.const {address}\n"));
            assert!(refusal(&module).contains("inside of memory"), "{variable} {address}");
        }
    }
    accepted(with("i64.const 64\n", "i64.const 196600\n"));
}

#[test]
fn a_library_of_go_is_given_the_allocator_too() {
    let library = with("(export \"_start\")", "(export \"_initialize\")");
    assert_eq!(accepted(library).header["adapted"], true);
}
