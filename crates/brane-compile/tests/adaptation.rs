//! Preview 1 modules become components that behave the same.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use common::program::{EXIT, RUN, exit_code};
use common::{accepted, binary, message, rejected};

fn imports(module: &str) -> Vec<String> {
    let header = accepted(module).header;
    let items = header["description"]["imports"].as_array().unwrap();
    items.iter().map(|item| String::from(item["name"].as_str().unwrap())).collect()
}

fn leaves_with(code: i32) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") i32.const {code} call $exit unreachable))"#
    )
}

#[test]
fn the_exit_code_survives() {
    assert_eq!(exit_code(leaves_with(3)), Some(3));
    assert_eq!(exit_code(leaves_with(0)), Some(0));
    assert_eq!(exit_code(leaves_with(255)), Some(255));
}

#[test]
fn of_a_larger_exit_code_the_low_8_bits_survive() {
    assert_eq!(exit_code(leaves_with(256 + 7)), Some(7));
    assert_eq!(exit_code(leaves_with(-1)), Some(255));
}

#[test]
fn a_program_without_wasi_imports_runs() {
    assert_eq!(exit_code(r#"(module (memory (export "memory") 1) (func (export "_start")))"#), None);
}

#[test]
fn an_adapted_module_says_so() {
    let header = accepted(binary(&leaves_with(3))).header;
    assert_eq!(header["kind"], "core-module");
    assert_eq!(header["adapted"], true);
    assert_eq!(header["text"], false);
    let exit = header["description"]["imports"].as_array().unwrap();
    let exit = exit.iter().find(|item| item["name"] == EXIT).unwrap();
    assert_eq!(exit["functions"].as_array().unwrap().len(), 1, "only exit-with-code is left: {exit}");
    assert_eq!(header["description"]["exports"][0]["name"], RUN);
}

#[test]
fn all_sections_but_the_imports_are_kept() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $twice (param i32)))
        (table 1 funcref) (elem (i32.const 0) $leave)
        (memory (export "memory") 1)
        (global $code (mut i32) (i32.const 0))
        (data (i32.const 16) "\2a")
        (func $leave (call $twice (i32.load (i32.const 16))))
        (func (export "_start") (call_indirect (i32.const 0)) unreachable))"#;
    assert_eq!(exit_code(module), Some(42));
}

#[test]
fn a_library_is_wrapped_without_an_entry_point() {
    let module = r#"(module
        (import "wasi_snapshot_preview1" "random_get" (func (param i32 i32) (result i32)))
        (memory (export "memory") 1) (func (export "_initialize")))"#;
    let header = accepted(module).header;
    assert_eq!(header["description"]["exports"], serde_json::json!([]));
    assert!(imports(module).contains(&String::from("wasi:random/random@0.2.12")));
}

/// A module as binding generators make it: its WIT world is in a custom section.
fn with_world(module: &str, wit: &str) -> Vec<u8> {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("world.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = binary(module);
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding).unwrap();
    module
}

#[test]
fn a_module_with_its_own_world_keeps_it() {
    let module = r#"(module (import "my:pkg/host" "ask" (func (result i32)))
        (memory (export "memory") 1) (func (export "answer") (result i32) i32.const 42))"#;
    let wit = "package my:pkg; interface host { ask: func() -> u32; }
        world w { import host; export answer: func() -> u32; }";
    let description = &accepted(with_world(module, wit)).header["description"];
    assert_eq!(description["imports"][0]["name"], "my:pkg/host");
    assert_eq!(description["exports"][0]["name"], "answer");
}

#[test]
fn a_module_that_imports_more_than_its_world_is_refused() {
    let module = r#"(module (import "my:pkg/other" "ask" (func (result i32))) (memory (export "memory") 1))"#;
    let header = rejected(with_world(module, "package my:pkg; world w {}"), "unsupported");
    assert!(message(&header).contains("my:pkg/other::ask"));
}
