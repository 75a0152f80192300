//! Messages between an owner (the Python process that opened a brane), a template and a brane.
//!
//! Three conversations, one encoding (MessagePack, structs as maps, one `{"kind": {...}}` map a message):
//!
//! - **control**: owner and template, one message a `SOCK_SEQPACKET` datagram, descriptors beside it ([`control`]);
//! - **pipes**: owner and brane, two pipes, each message a bounded frame ([`brane`], [`frame`]);
//! - **job**: what a worker's template is to link, inside the control message that sets it up ([`job`]).
//!
//! The types here are values; nothing in this crate reads or writes a descriptor. `src/branes/wire.py` is the other
//! side, and the golden messages in `tests/wire` hold the two together.

#![forbid(unsafe_code)]

pub mod brane;
pub mod control;
pub mod frame;
pub mod job;

use serde::{Serialize, de::DeserializeOwned};

/// A message that could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The bytes are not the MessagePack of an expected message.
    #[error("malformed message: {0}")]
    Malformed(#[from] rmp_serde::decode::Error),
    /// Bytes follow the message.
    #[error("{0} bytes after the message")]
    Trailing(usize),
    /// A value cannot be encoded.
    #[error("unencodable message: {0}")]
    Unencodable(#[from] rmp_serde::encode::Error),
    /// A frame claims or needs more than [`frame::MAX_PAYLOAD`] bytes.
    #[error("frame of {got} bytes, at most {} allowed", frame::MAX_PAYLOAD)]
    TooLarge {
        /// Bytes claimed.
        got: usize,
    },
}

/// The MessagePack of `message`, struct fields by name.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, WireError> {
    Ok(rmp_serde::to_vec_named(message)?)
}

/// The message that `bytes` hold, and nothing after it.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, WireError> {
    let mut reader = rmp_serde::Deserializer::new(bytes);
    reader.set_max_depth(MAX_DEPTH);
    let message = T::deserialize(&mut reader)?;
    match reader.get_ref().len() {
        0 => Ok(message),
        left => Err(WireError::Trailing(left)),
    }
}

/// Deepest nesting that a message may have.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::control::ToTemplate;

    #[test]
    fn a_message_survives_the_way_there_and_back() {
        let bytes = super::encode(&ToTemplate::Fork { id: 7, extra: vec![0, 1], late: false }).unwrap();
        let ToTemplate::Fork { id: 7, extra, late: false } = super::decode(&bytes).unwrap() else {
            panic!("another message")
        };
        assert_eq!(extra, [0, 1]);
    }

    #[test]
    fn bytes_after_a_message_are_refused() {
        let mut bytes = super::encode(&ToTemplate::Mapped { drop_groups: true }).unwrap();
        bytes.push(0);
        assert!(super::decode::<ToTemplate>(&bytes).is_err());
    }
}
