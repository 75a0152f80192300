//! The payload as the body of a cage: it speaks to its owner as a worker does, so that the owner need not know.

use std::convert::Infallible;

use brane_wire::brane::{FromBrane, ToBrane};
use cage::{Artifact, Body, Failure, Late, Pipe, PipeError};
use serde_bytes::ByteBuf;
use sha2::{Digest, Sha256};

use crate::scene::{Scene, Voice};
use crate::{payloads, raw};

/// Exit code of a payload that did not succeed.
const FAILED: u8 = 1;

#[derive(Debug)]
pub(crate) struct Attack;

impl Body for Attack {
    fn prepare(
        &mut self,
        _job: &[u8],
        _artifact: Artifact,
        _trees: Vec<&'static [u8]>,
    ) -> Result<(), Failure> {
        // The runtime's handlers would meet the filter before the crash that a payload is after.
        raw::default_signals().map_err(|errno| Failure::Program(format!("signals: errno {errno}")))
    }

    fn run(&mut self, mut pipe: Pipe, _late: Late) -> Infallible {
        match start(&mut pipe) {
            Ok(words) => play(pipe, words),
            // Without a "go" there is nobody to tell.
            Err(_) => cage::exit(1),
        }
    }
}

/// Receives "go" and the call, answers the one, and returns the words of the payload.
fn start(pipe: &mut Pipe) -> Result<Vec<String>, PipeError> {
    let payload = pipe.receive_payload()?;
    let ToBrane::Go(go) = brane_wire::decode(&payload)? else { return Err(PipeError::Closed) };
    pipe.send(&FromBrane::Started { go: ByteBuf::from(Sha256::digest(&payload).to_vec()) })?;
    let ToBrane::Call { .. } = pipe.receive()? else { return Err(PipeError::Closed) };
    Ok(go.args)
}

fn play(pipe: Pipe, words: Vec<String>) -> ! {
    let mut scene = Scene::new(Voice::Caged(pipe), words);
    let code = match payloads::run(&mut scene) {
        Ok(()) => 0,
        Err(_) => FAILED,
    };
    scene.end(code)
}
