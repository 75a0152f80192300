//! Each bound, hit and just not hit.

use brane_tree::{Bounds, CHUNK_COST, Error, INODE_COST, NAME_COST};

use crate::common::{CREATE, Meter, PLAIN, Tree, WRITE, assert_fails};

/// What a file with a name of one byte costs.
const FILE: u64 = (INODE_COST + NAME_COST + 1) as u64;

#[test]
fn bytes_of_nodes_and_names_are_bounded() {
    let mut tree = Tree::bounded(Bounds { bytes: 2 * FILE, ..Bounds::default() });
    tree.put("a", b"").unwrap();
    assert_fails(tree.mkdir("bb"), Error::InsufficientSpace);
    assert_fails(tree.symlink("b", "b"), Error::InsufficientSpace);
    tree.mkdir("b").unwrap();
    assert_eq!(tree.volume.usage().bytes, 2 * FILE);
    assert_fails(tree.link("a", "c"), Error::InsufficientSpace);
    assert_fails(tree.put("a", b"x"), Error::InsufficientSpace);
    tree.rmdir("b").unwrap();
    tree.link("a", "c").unwrap();
    tree.check();
}

#[test]
fn bytes_of_chunks_are_bounded() {
    let chunk = (256 + CHUNK_COST) as u64;
    let mut tree = Tree::bounded(Bounds { bytes: FILE + chunk, ..Bounds::default() });
    tree.put("a", &[1; 256]).unwrap();
    assert_eq!(tree.volume.usage().bytes, tree.volume.bounds().bytes);
    assert_fails(tree.put("a", &[1; 257]), Error::InsufficientSpace);
    tree.check();
}

#[test]
fn bytes_bound_the_size_of_a_file_with_its_holes() {
    let mut tree = Tree::bounded(Bounds { bytes: 100_000, ..Bounds::default() });
    let file = tree.open("a", CREATE, WRITE).unwrap();
    tree.change(|volume, _, change| volume.set_size(&file, 100_000, change)).unwrap();
    assert_fails(
        tree.change(|volume, _, change| volume.set_size(&file, 100_001, change)),
        Error::FileTooLarge,
    );
    tree.change(|volume, _, change| volume.write(&file, 99_999, b"x", change)).unwrap();
    assert_fails(
        tree.change(|volume, _, change| volume.write(&file, 100_000, b"x", change)),
        Error::FileTooLarge,
    );
    assert_fails(tree.change(|volume, _, change| volume.append(&file, b"x", change)), Error::FileTooLarge);
    tree.check();
}

#[test]
fn inodes_are_bounded_and_a_name_is_none() {
    let mut tree = Tree::bounded(Bounds { inodes: 3, ..Bounds::default() });
    tree.put("file", b"").unwrap();
    tree.mkdir("dir").unwrap();
    tree.symlink("x", "link").unwrap();
    assert_fails(tree.put("more", b""), Error::InsufficientSpace);
    assert_fails(tree.mkdir("more"), Error::InsufficientSpace);
    assert_fails(tree.symlink("x", "more"), Error::InsufficientSpace);
    tree.link("file", "more").unwrap();
    tree.unlink("link").unwrap();
    tree.mkdir("again").unwrap();
    tree.check();
}

#[test]
fn an_open_file_without_a_name_still_counts() {
    let mut tree = Tree::bounded(Bounds { inodes: 1, ..Bounds::default() });
    let file = tree.open("a", CREATE, WRITE).unwrap();
    tree.unlink("a").unwrap();
    assert_fails(tree.put("b", b""), Error::InsufficientSpace);
    tree.close(file);
    tree.put("b", b"").unwrap();
    tree.check();
}

#[test]
fn depth_is_bounded_for_new_directories() {
    let mut tree = Tree::bounded(Bounds { depth: 2, ..Bounds::default() });
    tree.mkdir("a").unwrap();
    tree.mkdir("a/b").unwrap();
    assert_fails(tree.mkdir("a/b/c"), Error::NameTooLong);
    tree.put("a/b/file", b"").unwrap();
    tree.check();
}

#[test]
fn depth_is_bounded_for_trees_that_move() {
    let mut tree = Tree::bounded(Bounds { depth: 3, ..Bounds::default() });
    for path in ["a", "a/b", "x", "x/y"] {
        tree.mkdir(path).unwrap();
    }
    assert_fails(tree.rename("a", "x/y/a"), Error::NameTooLong);
    tree.rename("a", "x/a").unwrap();
    tree.rename("x/a", "a").unwrap();
    tree.check();
    tree.rmdir("a/b").unwrap();
    tree.rename("a", "x/y/a").unwrap();
    assert_fails(tree.mkdir("x/y/a/b"), Error::NameTooLong);
    tree.check();
}

#[test]
fn names_are_bounded_wherever_they_are_in_a_path() {
    let mut tree = Tree::bounded(Bounds { name: 5, ..Bounds::default() });
    tree.mkdir("12345").unwrap();
    assert_fails(tree.mkdir("123456"), Error::NameTooLong);
    assert_fails(tree.stat("123456"), Error::NameTooLong);
    assert_fails(tree.stat("123456/x"), Error::NameTooLong);
    assert_fails(tree.rename("12345", "123456"), Error::NameTooLong);
    tree.symlink("123456", "link").unwrap();
    assert_fails(tree.stat("link"), Error::NameTooLong);
    tree.put("éé", b"").unwrap();
    assert_fails(tree.put("ééé", b""), Error::NameTooLong);
}

#[test]
fn paths_and_targets_are_bounded() {
    let mut tree = Tree::bounded(Bounds { path: 10, ..Bounds::default() });
    tree.mkdir("abc").unwrap();
    assert!(tree.stat("./././/abc").is_ok());
    assert_fails(tree.stat("././././abc"), Error::NameTooLong);
    assert_fails(tree.stat("/1234567890"), Error::NameTooLong);
    tree.symlink("1234567890", "link").unwrap();
    assert_fails(tree.symlink("12345678901", "more"), Error::NameTooLong);
}

#[test]
fn the_target_of_a_symbolic_link_is_paid_for() {
    let mut tree = Tree::new();
    tree.symlink("x", "a").unwrap();
    let before = tree.volume.usage().bytes;
    tree.symlink(&"x".repeat(1000), "b").unwrap();
    assert_eq!(tree.volume.usage().bytes - before, before + 999);
    tree.check();
}

#[test]
fn the_budget_is_asked_before_anything_is_made() {
    let mut tree = Tree::new();
    let file = usize::try_from(FILE).unwrap();
    tree.meter = Meter { left: file - 1, taken: 0 };
    assert_fails(tree.put("a", b""), Error::InsufficientMemory);
    assert_fails(tree.mkdir("a"), Error::InsufficientMemory);
    assert_fails(tree.symlink("x", "a"), Error::InsufficientMemory);
    assert_eq!(tree.list(".").unwrap(), Vec::<String>::new());
    assert_eq!(tree.volume.usage().inodes, 0);
    tree.meter.left = file;
    tree.put("a", b"").unwrap();
    assert_eq!(tree.meter.left, 0);
    assert_fails(tree.link("a", "b"), Error::InsufficientMemory);
    assert_fails(tree.put("a", b"x"), Error::InsufficientMemory);
    assert_fails(tree.rename("a", "longer"), Error::InsufficientMemory);
    tree.unlink("a").unwrap();
    assert_eq!(tree.meter.left, file);
    tree.check();
}

#[test]
fn all_is_given_back_in_the_end() {
    let mut tree = Tree::new();
    for number in 0..50 {
        tree.mkdir(&format!("d{number}")).unwrap();
        tree.put(&format!("d{number}/f"), &vec![1; number * 5000]).unwrap();
        tree.symlink("f", &format!("d{number}/l")).unwrap();
    }
    let file = tree.open("d49/f", PLAIN, WRITE).unwrap();
    for number in 0..50 {
        tree.unlink(&format!("d{number}/f")).unwrap();
        tree.unlink(&format!("d{number}/l")).unwrap();
        tree.rmdir(&format!("d{number}")).unwrap();
    }
    tree.check();
    tree.close(file);
    assert_eq!(tree.meter.taken, 0);
    assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
}
