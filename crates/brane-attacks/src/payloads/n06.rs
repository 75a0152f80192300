//! N06: mount something, by the old call and by the new ones.

use crate::bare::{flags, mount};
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene};

const OPEN_TREE_CLONE: usize = 1;
const FSCONFIG_CMD_CREATE: usize = 6;
const MOVE_MOUNT_F_EMPTY_PATH: usize = 4;
const MOUNT_ATTR_RDONLY: u64 = 1;

/// The rest is a folder, with a mount on it.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let folder = scene.path(0)?;
    let here = flags(libc::AT_FDCWD);
    match scene.attempt() {
        "mount" => mount(Some(c"tmpfs"), &folder, 0),
        "fsopen" => {
            let context = raw::call(libc::SYS_fsopen, &[at(c"tmpfs"), 0])?;
            raw::call(libc::SYS_fsconfig, &[context, FSCONFIG_CMD_CREATE, 0, 0, 0])?;
            let made = raw::call(libc::SYS_fsmount, &[context, 0, 0])?;
            let words = [made, at(c""), here, at(&*folder), MOVE_MOUNT_F_EMPTY_PATH];
            raw::call(libc::SYS_move_mount, &words).map(|_| ())
        }
        "open_tree" => raw::call(libc::SYS_open_tree, &[here, at(&*folder), OPEN_TREE_CLONE]).map(|_| ()),
        "mount_setattr" => {
            let attributes = [MOUNT_ATTR_RDONLY, 0, 0, 0];
            let words = [here, at(&*folder), 0, at(&attributes), size_of_val(&attributes)];
            raw::call(libc::SYS_mount_setattr, &words).map(|_| ())
        }
        _ => Err(libc::EINVAL),
    }
}
