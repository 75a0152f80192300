//! Runs the real program on some input and takes its answer apart.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod program;

use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::Value;

/// What came out for one input.
pub(crate) struct Answer {
    pub(crate) header: Value,
    pub(crate) artifact: Vec<u8>,
    pub(crate) progress: String,
}

/// Sends `input` to the program and expects an answer of the documented form.
pub(crate) fn compile(input: impl AsRef<[u8]>) -> Answer {
    let output = run(input.as_ref());
    assert_eq!(output.status.code(), Some(0), "an answer ends with exit code 0");
    let end = output.stdout.iter().position(|&byte| byte == b'\n').expect("a header line");
    let header: Value = serde_json::from_slice(&output.stdout[..end]).expect("the header is JSON");
    let artifact = output.stdout[end + 1..].to_vec();
    let progress = String::from_utf8(output.stderr).expect("progress is ASCII");
    Answer { header, artifact, progress }
}

/// Sends `input` to the program and waits for its end.
pub(crate) fn run(input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_brane-compile"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env_clear()
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A refusal may come before all input is read: then the pipe breaks, which is right.
    let writer = thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the writer ends");
    output
}

/// Expects success.
pub(crate) fn accepted(input: impl AsRef<[u8]>) -> Answer {
    let answer = compile(input);
    assert_eq!(answer.header["status"], "compiled", "{}", answer.header);
    assert_eq!(answer.header["artifact_bytes"], answer.artifact.len());
    answer
}

/// Expects a refusal of that kind, and returns its header.
pub(crate) fn rejected(input: impl AsRef<[u8]>, kind: &str) -> Value {
    let answer = compile(input);
    assert_eq!(answer.header["status"], "rejected", "{}", answer.header);
    assert_eq!(answer.header["kind"], kind, "{}", answer.header);
    assert!(answer.artifact.is_empty(), "nothing follows a refusal");
    let message = message(&answer.header);
    assert!(!message.is_empty() && message.len() <= 2048, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(!message.starts_with(char::is_uppercase) && !message.ends_with('.'), "{message}");
    answer.header
}

/// The message of a refusal.
pub(crate) fn message(header: &Value) -> &str {
    header["message"].as_str().expect("a message")
}

/// Binary form of text.
pub(crate) fn binary(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("valid text")
}
