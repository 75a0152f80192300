//! One file a row of the matrix, or a family of rows; [`call`] is any system call by its number.

use crate::scene::{Attempt, Scene};

mod call;
mod n01;

/// Runs the payload that the scene names; after a success, and only then, its nonce is written.
pub(crate) fn run(scene: &mut Scene) -> Attempt {
    let payload = match scene.payload() {
        "call" => call::run,
        "n01" => n01::run,
        _ => return Err(libc::ENOENT),
    };
    payload(scene)?;
    let nonce = scene.nonce();
    scene.say(nonce.as_bytes());
    Ok(())
}
