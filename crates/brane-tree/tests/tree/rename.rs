//! Renaming.

use brane_tree::{Bounds, Error, FileKind};

use crate::common::{MUTATE, PLAIN, READ, Tree, assert_fails};

fn tree() -> Tree {
    let mut tree = Tree::new();
    for path in ["a", "a/b", "a/b/c", "empty"] {
        tree.mkdir(path).unwrap();
    }
    tree.put("one", b"1").unwrap();
    tree.put("two", b"2").unwrap();
    tree
}

#[test]
fn a_file_moves_and_takes_the_place_of_another() {
    let mut tree = tree();
    tree.rename("one", "a/b/moved").unwrap();
    assert_fails(tree.stat("one"), Error::NoEntry);
    tree.rename("a/b/moved", "two").unwrap();
    assert_eq!(tree.get("two").unwrap(), b"1");
    assert_eq!(tree.list("a/b").unwrap(), ["c/"]);
    tree.check();
}

#[test]
fn a_directory_moves_with_all_below_it() {
    let mut tree = tree();
    tree.put("a/b/c/file", b"x").unwrap();
    tree.rename("a/b", "empty/b").unwrap();
    assert_eq!(tree.get("empty/b/c/../c/file").unwrap(), b"x");
    assert_eq!(tree.list("a").unwrap(), Vec::<String>::new());
    tree.rename("empty/b/", "new/").unwrap();
    assert_eq!(tree.list("new").unwrap(), ["c/"]);
    tree.check();
}

#[test]
fn a_directory_takes_the_place_of_an_empty_directory_only() {
    let mut tree = tree();
    tree.put("a/b/c/file", b"x").unwrap();
    assert_fails(tree.rename("empty", "a"), Error::NotEmpty);
    assert_fails(tree.rename("a", "one"), Error::NotDirectory);
    assert_fails(tree.rename("one", "empty"), Error::IsDirectory);
    tree.rename("a", "empty").unwrap();
    assert_eq!(tree.list("empty/b/c").unwrap(), ["file"]);
    assert_fails(tree.stat("a"), Error::NoEntry);
    tree.check();
}

#[test]
fn a_directory_does_not_move_into_itself() {
    let mut tree = tree();
    for path in ["a/x", "a/b/x", "a/b", "a/b/c/x", "a/../a/x"] {
        assert_fails(tree.rename("a", path), Error::Invalid);
    }
    assert_fails(tree.rename("a/b/c", "a"), Error::NotEmpty);
    tree.put("a/file", b"").unwrap();
    assert_fails(tree.rename("a/file", "a"), Error::NotEmpty);
    tree.check();
}

#[test]
fn the_same_node_stays_where_it_is() {
    let mut tree = tree();
    tree.link("one", "again").unwrap();
    tree.rename("one", "again").unwrap();
    assert_eq!(tree.stat("one").unwrap().links, 2);
    tree.rename("one", "one").unwrap();
    tree.rename("a", "a").unwrap();
    tree.rename("a/", "./a/").unwrap();
    assert_eq!(tree.list(".").unwrap(), ["a/", "again", "empty/", "one", "two"]);
    tree.check();
}

#[test]
fn a_slash_after_a_name_needs_a_directory() {
    let mut tree = tree();
    assert_fails(tree.rename("one/", "new"), Error::NotDirectory);
    assert_fails(tree.rename("one", "new/"), Error::NotDirectory);
    tree.symlink("a", "link").unwrap();
    assert_fails(tree.rename("link/", "new"), Error::NotDirectory);
    tree.rename("link", "new").unwrap();
    assert_eq!(tree.lstat("new").unwrap().kind, FileKind::Symlink);
}

#[test]
fn dots_are_busy_and_nothing_is_no_entry() {
    let mut tree = tree();
    for path in [".", "a/.", "a/..", "a/b/../"] {
        assert_fails(tree.rename(path, "new"), Error::Busy);
        assert_fails(tree.rename("one", path), Error::Busy);
    }
    assert_fails(tree.rename("none", "new"), Error::NoEntry);
    assert_fails(tree.rename("one", "none/new"), Error::NoEntry);
    assert_fails(tree.rename("..", "new"), Error::Escape);
    assert_fails(tree.rename("one", "../new"), Error::Escape);
}

#[test]
fn a_file_that_lost_its_name_to_another_is_still_open() {
    let mut tree = tree();
    let two = tree.open("two", PLAIN, READ).unwrap();
    tree.rename("one", "two").unwrap();
    assert_eq!(tree.read_all(&two).unwrap(), b"2");
    assert_eq!(tree.volume.stat(&two).unwrap().links, 0);
    let before = tree.volume.usage();
    tree.close(two);
    assert!(tree.volume.usage().bytes < before.bytes);
    tree.check();
}

#[test]
fn nothing_moves_into_a_directory_that_is_gone() {
    let mut tree = tree();
    let gone = tree.open("empty", PLAIN, MUTATE).unwrap();
    tree.rmdir("empty").unwrap();
    let moved = tree.change(|volume, root, change| volume.rename_at((root, "one"), (&gone, "x"), change));
    assert_fails(moved, Error::NoEntry);
    let moved = tree.change(|volume, root, change| volume.rename_at((root, "a"), (&gone, "x"), change));
    assert_fails(moved, Error::NoEntry);
    tree.close(gone);
    tree.check();
}

#[test]
fn a_full_volume_still_renames_to_a_name_as_long() {
    let mut tree = Tree::bounded(Bounds { bytes: 1024, ..Bounds::default() });
    tree.put("aaaa", b"").unwrap();
    while tree.link("aaaa", &format!("l{}", tree.now)).is_ok() {}
    tree.rename("aaaa", "bbbb").unwrap();
    tree.rename("bbbb", "c").unwrap();
    assert_fails(tree.rename("c", &"d".repeat(200)), Error::InsufficientSpace);
    assert_eq!(tree.get("c").unwrap(), b"");
    tree.check();
}

#[test]
fn times_of_both_directories_and_of_the_node_change() {
    let mut tree = tree();
    let before = tree.stat("one").unwrap();
    tree.rename("one", "empty/one").unwrap();
    let after = tree.stat("empty/one").unwrap();
    assert_eq!(after.modified, before.modified);
    assert_eq!(after.changed, tree.now);
    assert_eq!(tree.stat(".").unwrap().modified, tree.now);
    assert_eq!(tree.stat("empty").unwrap().modified, tree.now);
}
