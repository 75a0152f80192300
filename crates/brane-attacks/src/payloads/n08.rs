//! N08: a user namespace of one's own, and in it the kernel's packet filter.

use crate::bare::flags;
use crate::raw;
use crate::scene::{Attempt, Scene};

pub(super) fn run(scene: &mut Scene) -> Attempt {
    if scene.attempt() == "unshare" {
        raw::call(libc::SYS_unshare, &[flags(libc::CLONE_NEWUSER | libc::CLONE_NEWNET)])?;
    }
    let words = [libc::AF_NETLINK, libc::SOCK_RAW, libc::NETLINK_ROUTE].map(flags);
    raw::call(libc::SYS_socket, &words).map(|_| ())
}
