//! Times, identity, hashes.

use std::collections::HashSet;

use brane_tree::{Bounds, NewTimestamp, Volume};

use crate::common::{CREATE, MUTATE, PLAIN, READ, Tree, WRITE};

#[test]
fn a_write_changes_two_times_and_reading_none() {
    let mut tree = Tree::new();
    tree.put("f", b"x").unwrap();
    let before = tree.stat("f").unwrap();
    tree.get("f").unwrap();
    assert_eq!(tree.stat("f").unwrap(), before);
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    tree.change(|volume, _, change| volume.write(&file, 0, b"y", change)).unwrap();
    let after = tree.stat("f").unwrap();
    assert_eq!(after.accessed, before.accessed);
    assert_eq!((after.modified, after.changed), (tree.now, tree.now));
}

#[test]
fn a_new_name_changes_its_directory_and_a_link_its_file() {
    let mut tree = Tree::new();
    tree.mkdir("d").unwrap();
    tree.put("f", b"").unwrap();
    let made = tree.stat("f").unwrap();
    tree.link("f", "d/f").unwrap();
    assert_eq!(tree.stat("d").unwrap().modified, tree.now);
    assert_eq!(tree.stat("f").unwrap().changed, tree.now);
    assert_eq!(tree.stat("f").unwrap().modified, made.modified);
    tree.unlink("d/f").unwrap();
    assert_eq!(tree.stat("d").unwrap().modified, tree.now);
    assert_eq!(tree.stat("f").unwrap().changed, tree.now);
}

#[test]
fn times_are_set_as_asked() {
    let mut tree = Tree::new();
    tree.put("f", b"").unwrap();
    tree.symlink("f", "l").unwrap();
    let (keep, now, at) = (NewTimestamp::NoChange, NewTimestamp::Now, NewTimestamp::At);
    tree.volume.set_times_at(&tree.root, ("l", true), at(u64::MAX), keep, 99).unwrap();
    let stat = tree.stat("f").unwrap();
    assert_eq!((stat.accessed, stat.changed), (u64::MAX, 99));
    assert!(stat.modified < 99);
    tree.volume.set_times_at(&tree.root, ("l", false), now, at(0), 100).unwrap();
    let stat = tree.lstat("l").unwrap();
    assert_eq!((stat.accessed, stat.modified, stat.changed), (100, 0, 100));
    let file = tree.open("f", PLAIN, READ).unwrap();
    tree.volume.set_times(&file, keep, now, 101).unwrap();
    assert_eq!(tree.stat("f").unwrap().modified, 101);
    assert_eq!(tree.stat("f").unwrap().accessed, u64::MAX);
}

#[test]
fn a_hash_is_the_nodes_own_for_as_long_as_it_lives() {
    let mut tree = Tree::new();
    tree.put("f", b"").unwrap();
    let hash = tree.volume.metadata_hash_at(&tree.root, "f", true).unwrap();
    tree.put("f", b"longer").unwrap();
    tree.rename("f", "g").unwrap();
    tree.symlink("g", "l").unwrap();
    assert_eq!(tree.volume.metadata_hash_at(&tree.root, "g", true).unwrap(), hash);
    assert_eq!(tree.volume.metadata_hash_at(&tree.root, "l", true).unwrap(), hash);
    assert_ne!(tree.volume.metadata_hash_at(&tree.root, "l", false).unwrap(), hash);
    let file = tree.open("g", PLAIN, READ).unwrap();
    assert_eq!(tree.volume.metadata_hash(&file).unwrap(), hash);
}

#[test]
fn the_same_hash_in_every_process() {
    let mut volume = Volume::new(3, Bounds::default(), 0);
    let root = volume.open_root(READ).unwrap();
    let hash = volume.metadata_hash(&root).unwrap();
    assert_eq!((hash.lower, hash.upper), (0x0959_0f27_f150_c2b1, 0x2831_bf8e_a85e_f2be));
}

#[test]
fn the_first_node_of_the_first_volume_has_a_hash_that_is_not_zero() {
    let mut volume = Volume::new(0, Bounds::default(), 0);
    let root = volume.open_root(READ).unwrap();
    assert_ne!(volume.metadata_hash(&root).unwrap().lower, 0);
}

#[test]
fn no_two_nodes_of_several_volumes_have_the_same_lower_half() {
    let mut seen = HashSet::new();
    for id in 0..8 {
        let mut tree = Tree::of(Volume::new(id, Bounds::default(), 0));
        for number in 0..200 {
            let file = tree.open(&format!("f{number}"), CREATE, READ).unwrap();
            assert!(seen.insert(tree.volume.metadata_hash(&file).unwrap().lower));
            tree.close(file);
        }
    }
}

#[test]
fn the_same_object_is_the_same_node_of_the_same_volume() {
    let mut tree = Tree::new();
    tree.put("f", b"").unwrap();
    tree.link("f", "g").unwrap();
    tree.put("h", b"").unwrap();
    let [f, g, h] = ["f", "g", "h"].map(|path| tree.open(path, PLAIN, READ).unwrap());
    assert!(f.is_same_object(&g));
    assert!(!f.is_same_object(&h));
    let mut other = Volume::new(2, Bounds::default(), 0);
    assert!(!tree.root.is_same_object(&other.open_root(MUTATE).unwrap()));
}
