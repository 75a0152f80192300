//! What is read-only stays as it is, and says so when a change would otherwise succeed.

use brane_tree::{DescriptorFlags, Error, Handle, Image, NewTimestamp, OpenFlags, Rights};

use crate::common::{CREATE, MUTATE, PLAIN, READ, Tree, WRITE, assert_fails};
use crate::image::{entries, pack};

/// A read-only volume with `dir`, `file` and `link`.
fn tree() -> Tree {
    let rows = [("dir", "directory", ""), ("file", "file", "content"), ("link", "symlink", "file")];
    let image = Image::parse(pack(entries(&rows))).unwrap();
    Tree::of(image.volume(1, "", Rights::ReadOnly).unwrap())
}

/// Every change that would succeed on a writable volume.
fn changes(tree: &mut Tree) -> Vec<(&'static str, Error)> {
    let cut = OpenFlags { truncate: true, ..PLAIN };
    let now = NewTimestamp::Now;
    let results: Vec<(&str, Result<(), Error>)> = vec![
        ("mkdir", tree.mkdir("new")),
        ("rmdir", tree.rmdir("dir")),
        ("unlink", tree.unlink("file")),
        ("rename", tree.rename("file", "new")),
        ("rename in place", tree.rename("file", "file")),
        ("link", tree.link("file", "new")),
        ("symlink", tree.symlink("file", "new")),
        ("create", tree.open("new", CREATE, READ).map(forget)),
        ("create what is there", tree.open("file", CREATE, READ).map(forget)),
        ("write", tree.open("file", PLAIN, WRITE).map(forget)),
        ("truncate", tree.open("file", cut, READ).map(forget)),
        ("mutate", tree.open("dir", PLAIN, MUTATE).map(forget)),
        ("times", tree.volume.set_times(&tree.root, now, now, 5)),
        ("times at", tree.volume.set_times_at(&tree.root, ("file", true), now, now, 5)),
    ];
    results.into_iter().map(|(what, result)| (what, result.expect_err(what))).collect()
}

fn forget(_: Handle) {}

#[test]
fn no_change_to_a_read_only_volume_is_made() {
    let mut tree = tree();
    for (what, error) in changes(&mut tree) {
        assert_eq!(error, Error::ReadOnly, "{what}");
    }
    assert_eq!(tree.list(".").unwrap(), ["dir/", "file", "link@"]);
    assert_eq!(tree.get("link").unwrap(), b"content");
    tree.check();
}

#[test]
fn no_change_through_a_directory_opened_for_none_is_made() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.put("file", b"content").unwrap();
    let watched = tree.volume.open_root(READ).unwrap();
    let root = std::mem::replace(&mut tree.root, watched);
    for (what, error) in changes(&mut tree) {
        assert_eq!(error, Error::ReadOnly, "{what}");
    }
    let inner = tree.open("dir", PLAIN, READ).unwrap();
    let made = tree.change(|volume, _, change| volume.create_directory_at(&inner, "x", change));
    assert_fails(made, Error::ReadOnly);
    let moved =
        tree.change(|volume, watched, change| volume.rename_at((&root, "file"), (watched, "x"), change));
    assert_fails(moved, Error::ReadOnly);
    let moved =
        tree.change(|volume, watched, change| volume.rename_at((watched, "file"), (&root, "x"), change));
    assert_fails(moved, Error::ReadOnly);
    let linked =
        tree.change(|volume, watched, change| volume.link_at((watched, "file", true), (&root, "x"), change));
    assert_fails(linked, Error::ReadOnly);
    let linked =
        tree.change(|volume, watched, change| volume.link_at((&root, "file", true), (watched, "x"), change));
    assert_fails(linked, Error::ReadOnly);
    assert_eq!(tree.list(".").unwrap(), ["dir/", "file"]);
    tree.check();
}

#[test]
fn a_file_opened_for_reading_on_a_read_only_volume_is_not_written() {
    let mut tree = tree();
    let file = tree.open("file", PLAIN, READ).unwrap();
    assert_fails(tree.change(|volume, _, change| volume.write(&file, 0, b"x", change)), Error::ReadOnly);
    assert_fails(tree.change(|volume, _, change| volume.append(&file, b"x", change)), Error::ReadOnly);
    assert_fails(tree.change(|volume, _, change| volume.set_size(&file, 0, change)), Error::ReadOnly);
    assert_eq!(tree.read_all(&file).unwrap(), b"content");
}

#[test]
fn what_would_fail_anyway_is_no_refusal() {
    let mut tree = tree();
    assert_fails(tree.mkdir("dir"), Error::Exist);
    assert_fails(tree.rmdir("none"), Error::NoEntry);
    assert_fails(tree.unlink("dir"), Error::IsDirectory);
    assert_fails(tree.unlink("none"), Error::NoEntry);
    assert_fails(tree.rename("none", "new"), Error::NoEntry);
    assert_fails(tree.link("dir", "new"), Error::NotPermitted);
    assert_fails(tree.open("dir", PLAIN, WRITE), Error::IsDirectory);
    assert_fails(tree.mkdir("../x"), Error::Escape);
}

#[test]
fn the_root_of_a_read_only_volume_is_not_opened_for_changes() {
    let mut tree = tree();
    assert_fails(tree.volume.open_root(MUTATE), Error::ReadOnly);
    assert_fails(tree.volume.open_root(DescriptorFlags { write: true, ..READ }), Error::ReadOnly);
}

#[test]
fn a_directory_gives_its_right_to_change_to_those_opened_from_it() {
    let mut tree = Tree::new();
    tree.mkdir("a").unwrap();
    let inner = tree.open("a", PLAIN, READ).unwrap();
    tree.change(|volume, _, change| volume.create_directory_at(&inner, "b", change)).unwrap();
    assert_eq!(tree.list("a").unwrap(), ["b/"]);
}

#[test]
fn two_errors_are_refusals_and_an_escape_is_not_permitted() {
    assert!(Error::Escape.is_refusal() && Error::ReadOnly.is_refusal());
    assert!(!Error::NotPermitted.is_refusal());
    assert_eq!(Error::Escape.code(), "not-permitted");
    assert_eq!(Error::ReadOnly.code(), "read-only");
    assert_eq!(Error::NameTooLong.code(), "name-too-long");
}
