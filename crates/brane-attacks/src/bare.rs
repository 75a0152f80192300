//! The control: the same payload with the layer off, as any process of the caller would be.
//!
//! A stage gives it what it lacks as an ordinary user, so that controls need no root: capabilities in a user namespace
//! of its own (`userns`), and there a tmpfs over the folder of the canary (`hidden`).

use crate::payloads;
use crate::raw::{self, at};
use crate::scene::{Attempt, Scene, Voice};

/// `STAGE PAYLOAD ATTEMPT NONCE ...`; the exit code is 0 if the attempt succeeded.
pub(crate) fn run(words: &[String]) -> ! {
    let (stage, words) = words.split_first().map_or(("", words), |(stage, rest)| (stage.as_str(), rest));
    let mut scene = Scene::new(Voice::Bare, words.to_vec());
    let result = raw::default_signals()
        .and_then(|()| set(stage, &scene).map_err(|errno| tell("stage", errno)))
        .and_then(|()| payloads::run(&mut scene).map_err(|errno| tell("attempt", errno)));
    scene.end(u8::from(result.is_err()))
}

fn tell(what: &str, errno: i32) -> i32 {
    use std::io::Write;
    let error = std::io::Error::from_raw_os_error(errno);
    // Best effort: the exit code says it too.
    let _ = writeln!(std::io::stderr(), "{what} failed: {error}");
    errno
}

fn set(stage: &str, scene: &Scene) -> Attempt {
    match stage {
        "none" => Ok(()),
        "userns" => user_namespace(),
        "hidden" => user_namespace().and_then(|()| hide(scene)),
        _ => Err(libc::EINVAL),
    }
}

/// Root of a user and a mount namespace of its own, which only this process is in.
fn user_namespace() -> Attempt {
    let (user, group) = (raw::user(), raw::group());
    raw::call(libc::SYS_unshare, &[flags(libc::CLONE_NEWUSER | libc::CLONE_NEWNS)])?;
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("0 {user} 1"))?;
    write("/proc/self/gid_map", &format!("0 {group} 1"))?;
    mount(None, c"/", flags_of(libc::MS_REC | libc::MS_PRIVATE))
}

/// An empty tmpfs over the folder that the first word of the rest names.
fn hide(scene: &Scene) -> Attempt {
    mount(Some(c"tmpfs"), &scene.path(0)?, 0)
}

/// mount(2) of a file system by its type, or a change of flags.
pub(crate) fn mount(kind: Option<&std::ffi::CStr>, on: &std::ffi::CStr, flags: usize) -> Attempt {
    let kind = kind.map_or(0, at);
    raw::call(libc::SYS_mount, &[kind, at(on), kind, flags, 0]).map(|_| ())
}

fn write(path: &str, text: &str) -> Attempt {
    std::fs::write(path, text).map_err(|error| error.raw_os_error().unwrap_or(libc::EIO))
}

/// `flags` as the kernel takes them.
pub(crate) fn flags(flags: libc::c_int) -> usize {
    usize::try_from(flags.cast_unsigned()).unwrap_or_default()
}

fn flags_of(flags: libc::c_ulong) -> usize {
    usize::try_from(flags).unwrap_or_default()
}
