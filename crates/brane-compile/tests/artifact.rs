//! What comes out loads under the shared settings, and the header tells the truth about it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use std::collections::BTreeSet;

use common::{accepted, binary};
use wasmtime::Engine;
use wasmtime::component::Component;

const COMPONENT: &str = r#"(component
    (core module $m (func (export "add") (param i32 i32) (result i32)
        local.get 0 local.get 1 i32.add))
    (core instance $i (instantiate $m))
    (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))"#;

#[test]
fn an_artifact_loads_under_exactly_the_shared_settings() {
    let artifact = accepted(COMPONENT).artifact;
    let engine = Engine::new(&brane_engine::config()).unwrap();
    assert_eq!(Engine::detect_precompiled(&artifact), Some(wasmtime::Precompiled::Component));
    // SAFETY: the bytes come straight from the compiler of this workspace.
    let component = unsafe { Component::deserialize(&engine, artifact) }.unwrap();
    assert!(component.get_export_index(None, "add").is_some());
}

#[test]
fn the_same_input_gives_the_same_artifact_in_text_and_binary() {
    let (text, bytes) = (accepted(COMPONENT), accepted(binary(COMPONENT)));
    assert_eq!(text.header["text"], true);
    assert_eq!(bytes.header["text"], false);
    assert!(text.artifact == bytes.artifact);
}

#[test]
fn the_header_has_all_documented_fields() {
    let header = accepted(COMPONENT).header;
    let keys: BTreeSet<&str> = header.as_object().unwrap().keys().map(String::as_str).collect();
    let expected =
        ["adapted", "artifact_bytes", "compiler", "description", "format", "kind", "status", "text"];
    assert_eq!(keys, BTreeSet::from(expected));
    assert_eq!(header["format"], 1);
    assert_eq!(header["kind"], "component");
    assert_eq!(header["adapted"], false);
}

#[test]
fn the_compiler_is_named_with_the_version_of_the_lock_file() {
    let lock = include_str!("../../../Cargo.lock");
    let package =
        lock.split("[[package]]").find(|package| package.contains("name = \"wasmtime\"\n")).unwrap();
    let version = package.split("version = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    assert_eq!(accepted(COMPONENT).header["compiler"], format!("wasmtime {version}"));
}

#[test]
fn progress_climbs_from_none_to_all() {
    let functions = "(func (param i32) (result i32) local.get 0)".repeat(500);
    let progress = accepted(format!("(component (core module {functions}))")).progress;
    let done: Vec<u32> = progress
        .lines()
        .map(|line| line.strip_suffix(" 500").expect("done and total").parse().expect("a number"))
        .collect();
    assert!(done.is_sorted() && done.len() > 50 && done.len() < 200, "{done:?}");
    assert_eq!((done[0], done[done.len() - 1]), (0, 500));
}
