//! Frames on a pipe: four bytes of length, little endian, then that many bytes of one message.

use crate::WireError;

/// Bytes before a payload.
pub const HEADER: usize = 4;

/// Largest payload of a frame, either way: what a hostile peer can make the other side hold.
pub const MAX_PAYLOAD: usize = 16 << 20;

/// Largest piece of a stream that one message carries.
pub const MAX_CHUNK: usize = 64 << 10;

/// `payload` with its length before it.
pub fn frame(payload: &[u8]) -> Result<Vec<u8>, WireError> {
    let header = header(payload.len())?;
    let mut framed = Vec::with_capacity(HEADER + payload.len());
    framed.extend_from_slice(&header);
    framed.extend_from_slice(payload);
    Ok(framed)
}

/// The length that `header` announces, if it is allowed.
pub fn payload_length(header: [u8; HEADER]) -> Result<usize, WireError> {
    let got = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    if got > MAX_PAYLOAD { Err(WireError::TooLarge { got }) } else { Ok(got) }
}

fn header(length: usize) -> Result<[u8; HEADER], WireError> {
    match u32::try_from(length) {
        Ok(short) if length <= MAX_PAYLOAD => Ok(short.to_le_bytes()),
        _ => Err(WireError::TooLarge { got: length }),
    }
}
