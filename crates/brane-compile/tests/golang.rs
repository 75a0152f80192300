//! Programs of the Go compiler share their memory with the adapter.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use common::program::{end, exit_code};
use common::{accepted, message, rejected};

const PROGRAM: &str = include_str!("golang.wat");
const MARK: &str = r#"(@custom "go:buildid" "x")"#;
const STORE_BREAK: &str = "(i64.store (i32.const 64) (i64.const 65536))";

/// The program with a part replaced, which must be there.
fn with(part: &str, other: &str) -> String {
    assert!(PROGRAM.contains(part), "{part}");
    PROGRAM.replace(part, other)
}

/// The program with a run of instructions of the same indentation replaced, however they are laid out.
fn with_code(part: &[&str], other: &[&str]) -> String {
    with(&part.join("\n        "), &other.join("\n        "))
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
    let trap = end(with(MARK, "")).unwrap_err();
    assert!(trap.contains("unreachable"), "{trap}");
    assert!(end(with(MARK, r#"(@producers (language "Go" "1"))"#)).is_err());
}

#[test]
fn names_are_not_needed() {
    let module = PROGRAM.replace("$runtime.sbrk", "$a").replace("$runtime.growMemory", "$b");
    assert_eq!(exit_code(module), Some(0));
}

#[test]
fn names_that_disagree_are_refused() {
    let swapped = PROGRAM.replace("$runtime.sbrk", "$other").replace("$take", "$runtime.sbrk");
    assert!(refusal(&swapped).contains("for `runtime.sbrk`"));
    let swapped = PROGRAM.replace("$runtime.growMemory", "$other").replace("$take", "$runtime.growMemory");
    assert!(refusal(&swapped).contains("`runtime.growMemory`"));
    assert!(refusal(&PROGRAM.replace("$runtime.growMemory", "$runtime.grow")).contains("growMemory"));
}

#[test]
fn a_runtime_that_takes_memory_where_it_is_found_is_left_alone() {
    let start = PROGRAM.find("        i64.const 64\n").unwrap();
    let end = PROGRAM.find("        (i64.store offset=56").unwrap();
    let older = "
        i64.const 80
        i32.wrap_i64
        i64.load
        local.set $page
        (i64.div_u (i64.load offset=48 (local.get $sp)) (local.get $page))
        (i32.store (local.get $sp) (i32.wrap_i64))
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
fn a_program_that_calls_wasi_before_its_break_is_set_traps() {
    let trap = end(with(STORE_BREAK, &format!("(call $ask) {STORE_BREAK}"))).unwrap_err();
    assert!(trap.contains("cabi_realloc_adapter") || trap.contains("unreachable"), "{trap}");
}

#[test]
fn a_program_whose_memory_cannot_grow_for_the_adapter_traps() {
    let memory = r#"(memory (export "memory") 3)"#;
    let small = with(memory, r#"(memory (export "memory") 3 25)"#);
    assert!(end(small).unwrap_err().contains("unreachable"));
    // What it takes itself, two pages of the adapter, and two that are there beyond its break.
    let enough = with(memory, r#"(memory (export "memory") 3 26)"#);
    assert_eq!(exit_code(enough), Some(0));
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
}

#[test]
fn a_program_that_calls_for_growth_in_two_places_is_refused() {
    let module = with("(call $ask)\n", "(drop (call $runtime.growMemory (i32.const 0)))\n");
    assert!(refusal(&module).contains("expected one call"));
}

#[test]
fn another_order_of_the_variables_is_refused() {
    let unlike = "expected `runtime.sbrk` to move a break";
    let swapped =
        PROGRAM.replace("i64.const 64\n", "i64.const 0\n").replace("i64.const 72\n", "i64.const 64\n");
    let swapped = swapped.replacen("i64.const 0\n", "i64.const 72\n", 1);
    assert!(refusal(&swapped).contains(unlike));
    let unread = with_code(&["i64.const 80", "i32.wrap_i64", "i64.load"], &["i64.const 65536"]);
    assert!(refusal(&unread).contains(unlike));
    let at_offset = with_code(
        &["i64.const 80", "i32.wrap_i64", "i64.load"],
        &["i64.const 72", "i32.wrap_i64", "i64.load offset=8"],
    );
    assert!(refusal(&at_offset).contains(unlike));
    let same = with_code(&["i64.const 80", "i32.wrap_i64"], &["i64.const 72", "i32.wrap_i64"]);
    assert!(refusal(&same).contains(unlike));
}

#[test]
fn variables_outside_of_memory_are_refused() {
    for address in ["196608", "65", "-8", "4294967296"] {
        let module = with("i64.const 64\n", &format!("i64.const {address}\n"));
        assert!(refusal(&module).contains("inside of memory"), "{address}");
    }
    accepted(with("i64.const 64\n", "i64.const 196600\n"));
}

#[test]
fn a_library_of_go_is_given_the_allocator_too() {
    let library = with("(export \"_start\")", "(export \"_initialize\")");
    assert_eq!(accepted(library).header["adapted"], true);
}
