//! N14: connect to a listener of the host in the abstract namespace, where no file system is in the way.

use crate::bare::flags;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

/// The rest is the listener's name, without the NUL before it.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let mut address = flags(libc::AF_UNIX).to_ne_bytes()[..2].to_vec();
    address.push(0);
    address.extend(scene.word(0)?.bytes());
    let socket = raw::call(libc::SYS_socket, &[libc::AF_UNIX, libc::SOCK_STREAM, 0].map(flags))?;
    raw::call(libc::SYS_connect, &[socket, at(address.as_slice()), address.len()]).map(|_| ())
}
