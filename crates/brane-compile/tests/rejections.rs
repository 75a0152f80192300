//! Every kind of refusal is an answer with a clear message.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use common::{accepted, binary, compile, message, rejected, run};

const CORE: &str = r#"(module (memory (export "memory") 1) (func (export "_start")))"#;

#[test]
fn what_is_not_webassembly_is_named() {
    for (input, got) in [
        (&b""[..], "got nothing"),
        (b"hello", "got other text"),
        (b"#!/bin/sh\n", "got other text"),
        (b"\xff\xfe\x00", "got other binary data"),
        (b"\0asn\x01\0\0\0", "got other text"),
    ] {
        assert!(message(&rejected(input, "not-wasm")).ends_with(got));
    }
}

#[test]
fn text_that_does_not_parse_is_malformed_with_its_place() {
    let header = rejected("(module\n  (foo))", "malformed");
    assert_eq!(message(&header), "text does not parse: expected valid module field (at line and column 2:4)");
}

#[test]
fn an_unknown_version_is_malformed() {
    let header = rejected(b"\0asm\x02\0\0\0", "malformed");
    assert!(message(&header).contains("got bytes [2, 0, 0, 0]"));
}

#[test]
fn every_truncation_of_a_core_module_is_answered() {
    let module = binary(CORE);
    for end in 8..module.len() {
        let header = compile(&module[..end]).header;
        assert_eq!(header["status"], "rejected", "cut at {end}");
    }
}

#[test]
fn every_truncation_of_a_component_is_answered() {
    let component = binary(r#"(component (import "a" (func (param "x" (list string)))) (core module))"#);
    for end in 8..component.len() {
        let header = compile(&component[..end]).header;
        let whole_sections = header["status"] == "compiled";
        assert!(whole_sections || header["kind"] == "malformed", "cut at {end}: {header}");
    }
}

#[test]
fn an_invalid_function_body_is_malformed() {
    let component = binary("(component (core module (func (result i32) i64.const 1)))");
    assert!(message(&rejected(component, "malformed")).contains("type mismatch"));
}

#[test]
fn an_artifact_is_never_taken_back() {
    let artifact = accepted(CORE).artifact;
    assert!(message(&rejected(artifact, "precompiled")).contains("never accepted from outside"));
}

#[test]
fn any_elf_file_is_precompiled() {
    rejected(b"\x7fELF\x02\x01\x01\0", "precompiled");
}

#[test]
fn a_feature_that_is_off_is_named() {
    for (input, feature) in [
        ("(component (core module (type (struct)) (func (drop (struct.new 0)))))", "gc"),
        ("(component (core module (type (array i8))))", "gc"),
        ("(component (core module (table 1 anyref)))", "gc"),
        ("(component (core module (memory 1 1 shared)))", "threads"),
        ("(component (core module (type $f (func)) (type (cont $f))))", "stack-switching"),
        (r#"(component (import "f" (func async)))"#, "cm-async"),
        (r#"(component (import "f" (func (param "x" (stream u8)))))"#, "cm-async"),
    ] {
        let header = rejected(input, "unsupported");
        assert!(message(&header).contains(&format!("needs {feature}, which is switched off")), "{header}");
    }
}

#[test]
fn a_feature_that_is_off_is_named_where_only_a_function_uses_it() {
    for (body, feature) in
        [("(drop (ref.i31 (i32.const 1)))", "gc"), ("(drop (i32.atomic.load (i32.const 0)))", "threads")]
    {
        let input = format!("(component (core module (memory 1) (func {body})))");
        let header = rejected(input, "unsupported");
        assert!(message(&header).contains(&format!("{feature} support is not enabled")), "{header}");
    }
}

#[test]
fn exceptions_are_compiled() {
    accepted("(component (core module (tag (param i32)) (func (throw 0 (i32.const 1)))))");
}

#[test]
fn a_component_that_imports_a_component_is_unsupported() {
    let header = rejected(r#"(component (import "c" (component)))"#, "unsupported");
    assert!(message(&header).contains("component imports are not supported"));
}

#[test]
fn foreign_imports_are_all_listed() {
    let module = r#"(module
        (import "env" "one" (func))
        (import "wasi_snapshot_preview1" "fd_write" (func (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fork" (func))
        (import "wasi_snapshot_preview1" "proc_exit" (global i32))
        (import "wasi_snapshot_preview1" "cabi_import_realloc" (func))
        (import "wasi:cli/exit@0.2.0" "exit-with-code" (func (param i32)))
        (import "env" "memory" (memory 1))
        (memory (export "memory") 1)
        (func (export "_start")))"#;
    let header = rejected(module, "foreign-imports");
    let expected = [
        "env::one",
        "wasi_snapshot_preview1::fork",
        "wasi_snapshot_preview1::proc_exit",
        "wasi_snapshot_preview1::cabi_import_realloc",
        "wasi:cli/exit@0.2.0::exit-with-code",
        "env::memory",
    ];
    assert_eq!(header["imports"], serde_json::json!(expected));
    assert_eq!(header["more"], 0);
    assert!(expected.iter().all(|name| message(&header).contains(name)));
}

#[test]
fn hostile_names_are_escaped_and_cut() {
    let long = "x".repeat(100_000);
    let module = format!(
        r#"(module (import "new\0aline" "\1b[2Jescape") (import "nul\00" "\u{{202e}}back") (import "quote\22" "{long}"))"#
    )
    .replace("\")", "\" (func))");
    let header = rejected(module, "foreign-imports");
    let names = header["imports"].as_array().unwrap();
    assert_eq!(names[0], "new line::\\u{1b}[2Jescape");
    assert_eq!(names[1], "nul\\0::\\u{202e}back");
    assert!(names[2].as_str().unwrap().starts_with("quote\"::xxx"));
    assert!(names[2].as_str().unwrap().len() < 600);
}

#[test]
fn ten_thousand_foreign_imports_are_counted() {
    let imports: String = (0..10_000).map(|n| format!(r#"(import "env" "f{n}" (func))"#)).collect();
    let header = rejected(format!("(module {imports})"), "foreign-imports");
    assert_eq!(header["imports"].as_array().unwrap().len(), 1000);
    assert_eq!(header["more"], 9000);
}

#[test]
fn a_core_module_without_entry_point_is_told_what_to_do() {
    let header = rejected(r#"(module (func (export "add")))"#, "unsupported");
    assert!(message(&header).contains("export `_start`"));
}

#[test]
fn a_core_module_without_memory_is_told_what_to_do() {
    let header = rejected(r#"(module (func (export "_start")))"#, "unsupported");
    assert!(message(&header).contains(r#"add `(memory (export "memory") 1)`"#));
}

#[test]
fn a_wasi_function_of_the_wrong_type_is_refused() {
    for function in ["proc_exit", "fd_write"] {
        let module = format!(
            r#"(module (import "wasi_snapshot_preview1" "{function}" (func (param i64)))
                (memory (export "memory") 1) (func (export "_start")))"#
        );
        assert!(message(&rejected(module, "unsupported")).contains("type mismatch for function"));
    }
}

#[test]
fn text_over_its_limit_is_too_large() {
    let text = format!("(module) ;; {}", "x".repeat(16 << 20));
    assert!(message(&rejected(text, "too-large")).contains("text is over 16777216 bytes"));
}

#[test]
fn input_over_its_limit_is_too_large() {
    let input = vec![0; (256 << 20) + 1];
    assert!(message(&rejected(input, "too-large")).contains("input is over 268435456 bytes"));
}

#[test]
fn more_than_a_million_functions_are_too_many() {
    let mut module = binary("(module)");
    section(&mut module, 1, &[1, 0x60, 0, 0]);
    let count = 1_000_001_usize;
    let types: Vec<u8> = leb(count).into_iter().chain(std::iter::repeat_n(0, count)).collect();
    let bodies = leb(count).into_iter().chain(std::iter::repeat_n([2, 0, 0x0b], count).flatten());
    section(&mut module, 3, &types);
    section(&mut module, 10, &bodies.collect::<Vec<u8>>());
    assert!(message(&rejected(module, "too-large")).contains("expected at most 1000000 functions"));
}

fn section(module: &mut Vec<u8>, id: u8, data: &[u8]) {
    module.push(id);
    module.extend(leb(data.len()));
    module.extend(data);
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return bytes;
        }
    }
}

#[test]
fn a_refusal_prints_nothing_but_progress() {
    let output = run(b"(component (core module (tag)))");
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(lines.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ' || byte == b'\n'), "{lines}");
}
