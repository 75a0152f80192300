//! Removing, and what stays for as long as it is open.

use brane_tree::{CHUNK, Error};

use crate::common::{CREATE, MUTATE, PLAIN, Tree, WRITE, assert_fails};

#[test]
fn an_unlinked_file_lives_until_the_last_close() {
    let mut tree = Tree::new();
    let first = tree.open("file", CREATE, WRITE).unwrap();
    let second = tree.open("file", PLAIN, WRITE).unwrap();
    tree.unlink("file").unwrap();
    assert_fails(tree.stat("file"), Error::NoEntry);
    tree.change(|volume, _, change| volume.write(&first, 0, &[7; CHUNK], change)).unwrap();
    assert_eq!(tree.read_all(&second).unwrap(), [7; CHUNK]);
    assert_eq!(tree.volume.stat(&first).unwrap().links, 0);
    tree.check();
    tree.close(first);
    assert!(tree.volume.usage().bytes > CHUNK as u64);
    tree.check();
    tree.close(second);
    assert_eq!(tree.volume.usage().bytes, 0);
    assert_eq!(tree.volume.usage().inodes, 0);
    tree.check();
}

#[test]
fn a_new_file_of_the_name_is_another_one() {
    let mut tree = Tree::new();
    let old = tree.open("file", CREATE, WRITE).unwrap();
    tree.unlink("file").unwrap();
    let new = tree.open("file", CREATE, WRITE).unwrap();
    assert!(!old.is_same_object(&new));
    assert_ne!(tree.volume.metadata_hash(&old).unwrap(), tree.volume.metadata_hash(&new).unwrap());
    tree.change(|volume, _, change| volume.write(&old, 0, b"old", change)).unwrap();
    assert_eq!(tree.get("file").unwrap(), b"");
}

#[test]
fn a_duplicate_keeps_it_open() {
    let mut tree = Tree::new();
    let file = tree.open("file", CREATE, WRITE).unwrap();
    let again = tree.volume.duplicate(&file).unwrap();
    tree.unlink("file").unwrap();
    tree.close(file);
    tree.change(|volume, _, change| volume.append(&again, b"x", change)).unwrap();
    assert_eq!(tree.read_all(&again).unwrap(), b"x");
    tree.close(again);
    assert_eq!(tree.volume.usage().inodes, 0);
}

#[test]
fn only_an_empty_directory_is_removed() {
    let mut tree = Tree::new();
    tree.mkdir("a").unwrap();
    tree.mkdir("a/b").unwrap();
    tree.put("file", b"").unwrap();
    tree.symlink("a", "link").unwrap();
    assert_fails(tree.rmdir("a"), Error::NotEmpty);
    assert_fails(tree.rmdir("a/b/.."), Error::NotEmpty);
    assert_fails(tree.rmdir("a/."), Error::Invalid);
    assert_fails(tree.rmdir("file"), Error::NotDirectory);
    assert_fails(tree.rmdir("link"), Error::NotDirectory);
    assert_fails(tree.rmdir("link/"), Error::NotDirectory);
    assert_fails(tree.rmdir("none"), Error::NoEntry);
    assert_fails(tree.rmdir(".."), Error::Escape);
    tree.rmdir("a/b/").unwrap();
    tree.rmdir("a").unwrap();
    tree.check();
}

#[test]
fn unlink_is_for_what_is_no_directory() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.symlink("dir", "link").unwrap();
    tree.put("file", b"").unwrap();
    assert_fails(tree.unlink("dir"), Error::IsDirectory);
    assert_fails(tree.unlink("dir/"), Error::IsDirectory);
    assert_fails(tree.unlink("."), Error::IsDirectory);
    assert_fails(tree.unlink("dir/.."), Error::IsDirectory);
    assert_fails(tree.unlink("link/"), Error::NotDirectory);
    assert_fails(tree.unlink("file/"), Error::NotDirectory);
    assert_fails(tree.unlink("none/"), Error::NoEntry);
    tree.unlink("link").unwrap();
    assert_eq!(tree.list(".").unwrap(), ["dir/", "file"]);
    tree.check();
}

#[test]
fn nothing_is_made_in_a_directory_that_is_gone() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.put("file", b"").unwrap();
    let gone = tree.open("dir", PLAIN, MUTATE).unwrap();
    tree.rmdir("dir").unwrap();
    assert_eq!(tree.volume.stat(&gone).unwrap().links, 0);
    let made = tree.change(|volume, _, change| volume.create_directory_at(&gone, "x", change));
    assert_fails(made, Error::NoEntry);
    let made = tree.change(|volume, _, change| volume.symlink_at("t", &gone, "x", change));
    assert_fails(made, Error::NoEntry);
    let made = tree.change(|volume, _, change| volume.open_at(&gone, ("x", true), CREATE, WRITE, change));
    assert_fails(made, Error::NoEntry);
    let made =
        tree.change(|volume, root, change| volume.link_at((root, "file", false), (&gone, "x"), change));
    assert_fails(made, Error::NoEntry);
    tree.check();
    tree.close(gone);
    tree.check();
}
