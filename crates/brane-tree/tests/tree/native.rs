//! The kernel as the judge: random steps on a tree and in a directory on disk, the same answers and the same end.
//!
//! What WASI has otherwise is left out: a step that is an escape is not taken on disk.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};

use brane_tree::{Bounds, DescriptorFlags, Error, FileKind, OpenFlags, Result, Stat};

use crate::common::{Dice, PLAIN, Tree, WRITE, rounds};

const PARTS: [&str; 14] = ["a", "b", "c", "a/b", "b/c", "/", "/", "/", "/", ".", "..", "/../", "/./", "//"];

// open(2) on x86-64 and arm64.
const O_CREAT: i32 = 0o100;
const O_EXCL: i32 = 0o200;
const O_TRUNC: i32 = 0o1000;

/// A directory so deep that no path gets out of it, whatever we answer: the kernel follows 40 links, and neither a path
/// nor a link made here goes up by more than four. Removed in the end.
struct Disk {
    top: PathBuf,
    root: PathBuf,
}

impl Disk {
    fn new(seed: usize) -> Self {
        let top = std::env::temp_dir().join(format!("brane-tree-{}-{seed}", std::process::id()));
        let root = top.join(["d"; 170].join("/"));
        fs::create_dir_all(&root).unwrap();
        Self { top, root }
    }

    /// The path, letter by letter.
    fn at(&self, path: &str) -> PathBuf {
        if path.is_empty() { PathBuf::new() } else { format!("{}/{path}", self.root.display()).into() }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.top).unwrap();
    }
}

/// What WASI calls an error of the kernel.
fn code(error: &io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(1) => "not-permitted",
        Some(2) => "no-entry",
        Some(16) => "busy",
        Some(17) => "exist",
        Some(20) => "not-directory",
        Some(21) => "is-directory",
        Some(22) => "invalid",
        Some(39) => "not-empty",
        Some(40) => "loop",
        other => panic!("errno {other:?}: {error}"),
    }
}

/// What an answer looks like from outside.
type Answer = std::result::Result<String, &'static str>;

fn ours<T: ToString>(result: Result<T>) -> Answer {
    result.map(|value| value.to_string()).map_err(|error| error.code())
}

fn theirs<T: ToString>(result: io::Result<T>) -> Answer {
    result.map(|value| value.to_string()).map_err(|error| code(&error))
}

fn describe(stat: Stat) -> String {
    match stat.kind {
        FileKind::Directory => "directory".into(),
        FileKind::File => format!("file of {} with {} names", stat.size, stat.links),
        FileKind::Symlink => format!("link of {} with {} names", stat.size, stat.links),
    }
}

fn describe_native(stat: &fs::Metadata) -> String {
    match stat.file_type() {
        kind if kind.is_dir() => "directory".into(),
        kind if kind.is_file() => format!("file of {} with {} names", stat.len(), stat.nlink()),
        _ => format!("link of {} with {} names", stat.len(), stat.nlink()),
    }
}

fn path(dice: &mut Dice) -> String {
    let path: String = (0..1 + dice.below(4)).map(|_| *dice.one(&PARTS)).collect();
    path.trim_start_matches('/').to_owned()
}

/// Opens, and writes what is open for writing.
fn open(tree: &mut Tree, path: &str, open: OpenFlags, write: Option<(u64, &[u8])>) -> Result<u64> {
    let flags = DescriptorFlags { write: write.is_some(), ..WRITE };
    let file = tree.open(path, open, flags)?;
    if let Some((offset, bytes)) = write {
        tree.change(|volume, _, change| volume.write(&file, offset, bytes, change))?;
    }
    let size = tree.volume.stat(&file).map(|stat| if stat.kind == FileKind::File { stat.size } else { 0 });
    tree.close(file);
    size
}

fn open_native(path: &Path, open: OpenFlags, write: Option<(u64, &[u8])>) -> io::Result<u64> {
    let mut flags = 0;
    flags |= if open.create { O_CREAT } else { 0 };
    flags |= if open.exclusive { O_EXCL } else { 0 };
    flags |= if open.truncate { O_TRUNC } else { 0 };
    let file = OpenOptions::new().read(true).write(write.is_some()).custom_flags(flags).open(path)?;
    if let Some((offset, bytes)) = write {
        file.write_all_at(bytes, offset)?;
    }
    let stat = file.metadata()?;
    Ok(if stat.is_file() { stat.len() } else { 0 })
}

fn resize(tree: &mut Tree, path: &str, size: u64) -> Result<()> {
    let file = tree.open(path, PLAIN, WRITE)?;
    let sized = tree.change(|volume, _, change| volume.set_size(&file, size, change));
    tree.close(file);
    sized
}

fn resize_native(path: &Path, size: u64) -> io::Result<()> {
    OpenOptions::new().read(true).write(true).open(path)?.set_len(size)
}

/// One random step on both.
fn step(dice: &mut Dice, tree: &mut Tree, disk: &Disk) -> (String, Answer, Answer) {
    let (one, two) = (path(dice), path(dice));
    let place = dice.scaled(18) as u64;
    let bytes = vec![u8::try_from(dice.below(256)).unwrap(); dice.scaled(17)];
    let write = (dice.below(2) == 0).then_some((place, bytes.as_slice()));
    let flags = OpenFlags { create: dice.below(2) == 0, truncate: dice.below(4) == 0, ..PLAIN };
    let exclusive = OpenFlags { exclusive: flags.create && dice.below(4) == 0, ..flags };
    let (here, there) = (disk.at(&one), disk.at(&two));
    // An escape is only found out by us, so that the other way waits for the answer.
    let answer = |result: Answer, native: &dyn Fn() -> Answer| match result {
        Err("not-permitted") => (Err("not-permitted"), None),
        result => (result, Some(native())),
    };
    let none = |()| String::new();
    let choice = dice.below(14);
    let (what, (got, expected)) = match choice {
        0..=1 => {
            ("mkdir", answer(ours(tree.mkdir(&one).map(none)), &|| theirs(fs::create_dir(&here).map(none))))
        }
        2 => ("rmdir", answer(ours(tree.rmdir(&one).map(none)), &|| theirs(fs::remove_dir(&here).map(none)))),
        3 => (
            "unlink",
            answer(ours(tree.unlink(&one).map(none)), &|| theirs(fs::remove_file(&here).map(none))),
        ),
        4..=5 => (
            "rename",
            answer(ours(tree.rename(&one, &two).map(none)), &|| theirs(fs::rename(&here, &there).map(none))),
        ),
        6 => (
            "symlink",
            answer(ours(tree.symlink(&one, &two).map(none)), &|| theirs(symlink(&one, &there).map(none))),
        ),
        7 => (
            "stat",
            answer(ours(tree.stat(&one).map(describe)), &|| {
                theirs(fs::metadata(&here).map(|stat| describe_native(&stat)))
            }),
        ),
        8 => (
            "lstat",
            answer(ours(tree.lstat(&one).map(describe)), &|| {
                theirs(fs::symlink_metadata(&here).map(|stat| describe_native(&stat)))
            }),
        ),
        9 => (
            "readlink",
            answer(ours(tree.volume.readlink_at(&tree.root, &one)), &|| {
                theirs(fs::read_link(&here).map(|target| target.display().to_string()))
            }),
        ),
        10 => (
            "resize",
            answer(ours(resize(tree, &one, place).map(none)), &|| {
                theirs(resize_native(&here, place).map(none))
            }),
        ),
        11 => link(tree, (&one, &two), (&here, &there)),
        _ => (
            "open",
            answer(ours(open(tree, &one, exclusive, write)), &|| {
                theirs(open_native(&here, exclusive, write))
            }),
        ),
    };
    let what =
        format!("{what} {one:?} {two:?} {exclusive:?} {:?}", write.map(|(at, bytes)| (at, bytes.len())));
    let expected = expected.unwrap_or_else(|| got.clone());
    (what, got, expected)
}

/// A hard link, where `not-permitted` is an honest answer too.
fn link(
    tree: &mut Tree,
    (old, new): (&str, &str),
    (here, there): (&Path, &Path),
) -> (&'static str, (Answer, Option<Answer>)) {
    let result = tree.link(old, new).map(|()| String::new());
    let native =
        (result != Err(Error::Escape)).then(|| theirs(fs::hard_link(here, there).map(|()| String::new())));
    ("link", (ours(result), native))
}

/// All names on disk below a directory, as [`Tree::list`] marks them, with what they hold.
fn walk(disk: &Path, tree: &mut Tree, inside: &str) {
    let mut names: Vec<String> = vec![];
    for entry in fs::read_dir(disk).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = format!("{inside}/{name}");
        let kind = entry.file_type().unwrap();
        let stat = fs::symlink_metadata(entry.path()).unwrap();
        assert_eq!(describe(tree.lstat(&path).unwrap()), describe_native(&stat), "{path}");
        if kind.is_dir() {
            walk(&entry.path(), tree, &path);
            names.push(name + "/");
        } else if kind.is_symlink() {
            let target = fs::read_link(entry.path()).unwrap().display().to_string();
            assert_eq!(tree.volume.readlink_at(&tree.root, &path).unwrap(), target);
            names.push(name + "@");
        } else {
            let mut bytes = vec![];
            io::Read::read_to_end(&mut File::open(entry.path()).unwrap(), &mut bytes).unwrap();
            assert!(tree.get(&path).unwrap() == bytes, "{path} has other bytes");
            names.push(name);
        }
    }
    names.sort_unstable_by(|one, two| one.trim_end_matches(['/', '@']).cmp(two.trim_end_matches(['/', '@'])));
    assert_eq!(tree.list(inside).unwrap(), names, "{inside}");
}

#[test]
fn random_steps_give_what_the_kernel_gives() {
    let mut escapes = 0;
    for seed in 0..rounds(25) {
        let mut dice = Dice::new(seed as u64);
        let mut tree = Tree::bounded(Bounds { bytes: 1 << 30, depth: 200, ..Bounds::default() });
        let disk = Disk::new(seed);
        for number in 0..200 {
            let (what, got, expected) = step(&mut dice, &mut tree, &disk);
            assert_eq!(got, expected, "seed {seed}, step {number}: {what}");
            escapes += usize::from(got == Err("not-permitted"));
        }
        tree.check();
        walk(&disk.root, &mut tree, ".");
    }
    assert!(escapes > 0, "no path left the root");
}
