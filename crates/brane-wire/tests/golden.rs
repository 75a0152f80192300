//! The golden messages of `tests/wire`, which `tests/wire/test_golden.py` holds the other side to.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests, helpers included")]

use std::path::Path;

use brane_wire::brane::{FromBrane, ToBrane};
use brane_wire::control::{Died, FromTemplate, ToTemplate};
use brane_wire::job::LinkSet;
use brane_wire::{WireError, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const CONVERSATIONS: [&str; 7] =
    ["to-brane", "from-brane", "from-sealing", "to-template", "from-template", "died", "link-set"];

#[test]
fn every_golden_message_is_read_and_written_back_as_the_same_bytes() {
    for conversation in CONVERSATIONS {
        let messages = golden(conversation);
        assert!(!messages.is_empty());
        for message in messages {
            let bytes = bytes(&message);
            let again = there_and_back(conversation, &bytes);
            assert_eq!(again.unwrap(), bytes, "{conversation}: {}", message["name"]);
        }
    }
}

#[test]
fn every_message_that_must_be_refused_is_refused() {
    let messages = golden("refused");
    assert!(CONVERSATIONS.iter().all(|one| messages.iter().any(|message| message["conversation"] == **one)));
    for message in messages {
        let conversation = message["conversation"].as_str().unwrap();
        let result = there_and_back(conversation, &bytes(&message));
        assert!(result.is_err(), "{conversation}: {}", message["name"]);
    }
}

/// What `bytes` mean in a conversation, encoded again.
fn there_and_back(conversation: &str, bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    match conversation {
        "to-brane" => again::<ToBrane>(bytes),
        "from-brane" | "from-sealing" => again::<FromBrane>(bytes),
        "to-template" => again::<ToTemplate>(bytes),
        "from-template" => again::<FromTemplate>(bytes),
        "died" => again::<Died>(bytes),
        "link-set" => again::<LinkSet>(bytes),
        other => panic!("no conversation {other}"),
    }
}

fn again<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    encode(&decode::<T>(bytes)?)
}

fn golden(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/wire");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(message: &Value) -> Vec<u8> {
    let digits = message["hex"].as_str().unwrap();
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16));
    pairs.collect::<Result<_, _>>().unwrap()
}
