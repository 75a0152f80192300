//! S13: the kernel's keyrings, which no namespace separates.

use crate::bare::flags;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

/// KEY_SPEC_PROCESS_KEYRING
const PROCESS_KEYRING: libc::c_int = -2;
const KEYCTL_GET_KEYRING_ID: usize = 0;

pub(super) fn run(scene: &mut Scene) -> Attempt {
    let keyring = flags(PROCESS_KEYRING);
    match scene.attempt() {
        "add_key" => raw::call(libc::SYS_add_key, &[at(c"user"), at(c"attack"), at(b"k"), 1, keyring]),
        "keyctl" => raw::call(libc::SYS_keyctl, &[KEYCTL_GET_KEYRING_ID, keyring, 1]),
        _ => Err(libc::EINVAL),
    }
    .map(|_| ())
}
