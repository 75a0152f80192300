//! Listing directories while they change.

use brane_tree::Error;

use crate::common::{PLAIN, READ, Tree, assert_fails};

#[test]
fn a_directory_is_listed_without_dots() {
    let mut tree = Tree::new();
    assert_eq!(tree.list(".").unwrap(), Vec::<String>::new());
    tree.mkdir("d").unwrap();
    tree.put("f", b"").unwrap();
    tree.symlink("f", "l").unwrap();
    assert_eq!(tree.list(".").unwrap(), ["d/", "f", "l@"]);
    assert_eq!(tree.list("d").unwrap(), Vec::<String>::new());
    assert_fails(tree.list("f"), Error::NotDirectory);
    tree.check();
}

#[test]
fn what_stays_is_given_once_whatever_else_comes_and_goes() {
    let mut tree = Tree::new();
    for name in ["b", "d", "f", "h"] {
        tree.put(name, b"").unwrap();
    }
    let mut stream = tree.volume.read_directory(&tree.root).unwrap();
    let mut seen = Vec::new();
    for step in [
        |tree: &mut Tree| tree.unlink("b"),
        |tree: &mut Tree| tree.put("e", b""),
        |tree: &mut Tree| tree.put("a", b""),
        |tree: &mut Tree| tree.rename("h", "g"),
    ] {
        seen.push(tree.volume.next_entry(&mut stream).unwrap().unwrap().name);
        step(&mut tree).unwrap();
    }
    while let Some(entry) = tree.volume.next_entry(&mut stream).unwrap() {
        seen.push(entry.name);
    }
    assert_eq!(seen, ["b", "d", "e", "f", "g"]);
    tree.volume.close_stream(stream, &mut tree.meter).unwrap();
}

#[test]
fn two_streams_do_not_disturb_each_other() {
    let mut tree = Tree::new();
    tree.put("a", b"").unwrap();
    tree.put("b", b"").unwrap();
    let mut first = tree.volume.read_directory(&tree.root).unwrap();
    tree.volume.next_entry(&mut first).unwrap();
    let mut second = tree.volume.read_directory(&tree.root).unwrap();
    assert_eq!(tree.volume.next_entry(&mut second).unwrap().unwrap().name, "a");
    assert_eq!(tree.volume.next_entry(&mut first).unwrap().unwrap().name, "b");
}

#[test]
fn a_stream_keeps_its_directory_and_gives_it_back() {
    let mut tree = Tree::new();
    tree.mkdir("d").unwrap();
    let directory = tree.open("d", PLAIN, READ).unwrap();
    let mut stream = tree.volume.read_directory(&directory).unwrap();
    tree.close(directory);
    tree.rmdir("d").unwrap();
    assert_eq!(tree.volume.next_entry(&mut stream).unwrap(), None);
    assert_eq!(tree.volume.usage().inodes, 1);
    tree.volume.close_stream(stream, &mut tree.meter).unwrap();
    assert_eq!(tree.volume.usage().inodes, 0);
    tree.check();
}

#[test]
fn a_large_directory_is_listed_whole() {
    let mut tree = Tree::new();
    for number in 0..20_000 {
        tree.put(&format!("{number:05}"), b"").unwrap();
    }
    assert_eq!(tree.list(".").unwrap().len(), 20_000);
}
