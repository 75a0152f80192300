//! The description spells out every type of the component model.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod common;

use common::{accepted, message, rejected};
use serde_json::{Value, json};

fn imports(component: &str) -> Value {
    accepted(component).header["description"]["imports"].clone()
}

#[test]
fn every_value_type_is_spelled_out() {
    let cases = [
        ("bool", json!("bool")),
        ("s8", json!("s8")),
        ("u8", json!("u8")),
        ("s16", json!("s16")),
        ("u16", json!("u16")),
        ("s32", json!("s32")),
        ("u32", json!("u32")),
        ("s64", json!("s64")),
        ("u64", json!("u64")),
        ("f32", json!("f32")),
        ("f64", json!("f64")),
        ("char", json!("char")),
        ("string", json!("string")),
        ("(list u8)", json!({"list": "u8"})),
        ("(tuple u8 string)", json!({"tuple": ["u8", "string"]})),
        ("(option (list char))", json!({"option": {"list": "char"}})),
        ("(result)", json!({"result": [null, null]})),
        ("(result u8)", json!({"result": ["u8", null]})),
        ("(result (error string))", json!({"result": [null, "string"]})),
        ("(record (field \"a\" u8) (field \"b\" f64))", json!({"record": [["a", "u8"], ["b", "f64"]]})),
        (
            "(variant (case \"none\") (case \"some\" u8))",
            json!({"variant": [["none", null], ["some", "u8"]]}),
        ),
        ("(enum \"red\" \"green\")", json!({"enum": ["red", "green"]})),
        ("(flags \"read\" \"write\")", json!({"flags": ["read", "write"]})),
    ];
    for (text, expected) in cases {
        // Named types must be exported before a function may use them.
        let component = format!(
            r#"(component (import "i" (instance
                (type $d {text}) (export "t" (type $t (eq $d)))
                (export "f" (func (param "x" $t) (result $t))))))"#
        );
        let function = json!({"name": "f", "params": [["x", expected]], "result": expected});
        let item = json!([{
            "name": "i", "kind": "instance", "functions": [function], "resources": [],
            "types": [["t", expected]],
        }]);
        assert_eq!(imports(&component), item, "{text}");
    }
}

#[test]
fn resources_are_named_across_interfaces() {
    let component = r#"(component
        (import "my:io/streams@0.2.0" (instance $streams
            (export "stream" (type $s (sub resource)))
            (export "[method]stream.flush" (func (param "self" (borrow $s))))))
        (alias export $streams "stream" (type $stream))
        (import "my:cli/stdout@0.2.0" (instance
            (alias outer 1 $stream (type $outer))
            (export "stream" (type $s (eq $outer)))
            (export "get" (func (result (own $s)))))))"#;
    let expected = json!([
        {"name": "my:io/streams@0.2.0", "kind": "instance", "resources": ["stream"], "functions": [
            {"name": "[method]stream.flush", "params": [["self", {"borrow": "stream"}]], "result": null}]},
        {"name": "my:cli/stdout@0.2.0", "kind": "instance", "resources": ["stream"], "functions": [
            {"name": "get", "params": [], "result": {"own": "stream"}}]},
    ]);
    assert_eq!(imports(component), expected);
}

#[test]
fn items_of_every_kind_appear() {
    let component = r#"(component
        (import "host:exec/run" (instance (export "run" (func (param "command" string) (result u32)))))
        (import "plain" (func (param "a" u8)))
        (import "mod" (core module))
        (import "res" (type $r (sub resource)))
        (type $u u8) (import "num" (type (eq $u)))
        (import "outer" (instance (export "inner" (instance (export "f" (func))))))
        (core module $m) (export "code" (core module $m)))"#;
    let header = accepted(component).header;
    let description = &header["description"];
    let expected = json!([
        {"name": "host:exec/run", "kind": "instance", "resources": [], "functions": [
            {"name": "run", "params": [["command", "string"]], "result": "u32"}]},
        {"name": "plain", "kind": "function", "params": [["a", "u8"]], "result": null},
        {"name": "mod", "kind": "module"},
        {"name": "res", "kind": "resource"},
        {"name": "num", "kind": "type", "type": "u8"},
        {"name": "outer", "kind": "instance", "functions": [], "resources": [], "items": [
            {"name": "inner", "kind": "instance", "resources": [], "functions": [
                {"name": "f", "params": [], "result": null}]}]},
    ]);
    assert_eq!(description["imports"], expected);
    let exports = json!([
        {"name": "code", "kind": "module"},
    ]);
    assert_eq!(description["exports"], exports);
}

#[test]
fn named_types_stand_in_order_of_declaration_with_what_they_are_made_of() {
    let component = r#"(component (import "i" (instance
        (type $point (record (field "x" f32) (field "y" f32)))
        (export "point" (type $p (eq $point)))
        (type $shape (variant (case "dot" $p) (case "nothing")))
        (export "shape" (type $s (eq $shape)))
        (type $count u32) (export "count" (type (eq $count))))))"#;
    let point = json!({"record": [["x", "f32"], ["y", "f32"]]});
    let expected = json!([
        ["point", point],
        ["shape", {"variant": [["dot", point], ["nothing", null]]}],
        ["count", "u32"],
    ]);
    assert_eq!(imports(component)[0]["types"], expected);
}

#[test]
fn an_exported_type_is_spelled_out() {
    let component = r#"(component (type $d (enum "red" "green")) (export "color" (type $d)))"#;
    let exports = accepted(component).header["description"]["exports"].clone();
    assert_eq!(exports, json!([{"name": "color", "kind": "type", "type": {"enum": ["red", "green"]}}]));
}

#[test]
fn ten_thousand_imports_are_described() {
    let list: String = (0..10_000).map(|n| format!(r#"(import "f{n}" (func (param "x" string)))"#)).collect();
    let described = imports(&format!("(component {list})"));
    assert_eq!(described.as_array().unwrap().len(), 10_000);
    assert_eq!(described[9_999]["name"], "f9999");
}

#[test]
fn ten_thousand_resources_are_named() {
    let list: String = (0..5_000)
        .map(|n| {
            format!(
                r#"(import "r{n}" (type $r{n} (sub resource)))
                (import "f{n}" (func (param "x" (borrow $r{n}))))"#
            )
        })
        .collect();
    let described = imports(&format!("(component {list})"));
    assert_eq!(described[9_999]["params"][0][1], json!({"borrow": "r4999"}));
}

#[test]
fn more_than_ten_thousand_imports_are_too_large() {
    let list: String = (0..10_001).map(|n| format!(r#"(import "f{n}" (func))"#)).collect();
    let header = rejected(format!("(component {list})"), "too-large");
    assert!(message(&header).contains("expected at most 10000 component imports"));
}

#[test]
fn ten_thousand_instances_are_too_large() {
    let list: String = (0..10_000).map(|n| format!(r#"(import "host:h/i{n}" (instance))"#)).collect();
    assert!(message(&rejected(format!("(component {list})"), "too-large")).contains("exceeds limit of 1000"));
}

#[test]
fn types_that_explode_when_spelled_out_are_too_large() {
    let long = "x".repeat(900);
    let fields: String = (0..100).map(|n| format!(r#"(field "f{n}-{long}" u8)"#)).collect();
    let record = format!(r#"(type $d (record {fields})) (import "r" (type $r (eq $d)))"#);
    let functions: String = (0..100).map(|n| format!(r#"(import "f{n}" (func (param "x" $r)))"#)).collect();
    let header = rejected(format!("(component {record} {functions})"), "too-large");
    assert!(message(&header).contains("description"));
}

#[test]
fn named_types_are_paid_for_from_the_same_budget() {
    let long = "x".repeat(900);
    let fields: String = (0..100).map(|n| format!(r#"(field "f{n}-{long}" u8)"#)).collect();
    let names: String = (0..100).map(|n| format!(r#"(import "t{n}" (type (eq $d)))"#)).collect();
    let header = rejected(format!("(component (type $d (record {fields})) {names})"), "too-large");
    assert!(message(&header).contains("description"));
}

#[test]
fn named_types_deeper_than_64_are_too_large() {
    let lists: String = (1..70).map(|n| format!("(type $t{n} (list $t{}))", n - 1)).collect();
    let component = format!(r#"(component (type $t0 (list u8)) {lists} (import "t" (type (eq $t69))))"#);
    assert!(message(&rejected(component, "too-large")).contains("deeper than 64"));
}

#[test]
fn types_deeper_than_64_are_too_large() {
    let lists: String = (1..70).map(|n| format!("(type $t{n} (list $t{}))", n - 1)).collect();
    let component =
        format!(r#"(component (type $t0 (list u8)) {lists} (import "f" (func (param "x" $t69))))"#);
    assert!(message(&rejected(component, "too-large")).contains("deeper than 64"));
}

#[test]
fn control_characters_in_an_import_name_cannot_break_the_header() {
    let component = "(component (import \"url=<a\\0a{\\22status\\22:1}\\1b>\" (func)))";
    let described = imports(component);
    assert_eq!(described[0]["name"], "url=<a\n{\"status\":1}\u{1b}>");
}
