//! What another program is to show for itself, once it runs: nothing but the nonce.

use crate::scene::{Attempt, Scene};

pub(super) fn run(_scene: &mut Scene) -> Attempt {
    Ok(())
}
