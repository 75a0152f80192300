//! Hard links and symbolic links.

use brane_tree::{Bounds, Error, FileKind, MAX_LINKS, Volume};

use crate::common::{MUTATE, Tree, assert_fails};

#[test]
fn two_names_are_one_file() {
    let mut tree = Tree::new();
    tree.put("one", b"first").unwrap();
    tree.link("one", "two").unwrap();
    assert_eq!(tree.stat("one").unwrap().links, 2);
    tree.put("two", b"second").unwrap();
    assert_eq!(tree.get("one").unwrap(), b"second");
    tree.unlink("one").unwrap();
    assert_eq!(tree.get("two").unwrap(), b"second");
    assert_eq!(tree.stat("two").unwrap().links, 1);
    tree.check();
}

#[test]
fn a_link_to_a_directory_is_not_permitted_and_one_over_a_name_exists() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.put("file", b"").unwrap();
    assert_fails(tree.link("dir", "new"), Error::NotPermitted);
    assert_fails(tree.link(".", "new"), Error::NotPermitted);
    assert_fails(tree.link("file", "dir"), Error::Exist);
    assert_fails(tree.link("file", "file"), Error::Exist);
    assert_fails(tree.link("file", "."), Error::Exist);
    assert_fails(tree.link("file", "new/"), Error::NoEntry);
    assert_fails(tree.link("file/", "new"), Error::NotDirectory);
    assert_fails(tree.link("none", "new"), Error::NoEntry);
    tree.check();
}

#[test]
fn a_link_to_a_symbolic_link_is_of_the_link_unless_it_is_followed() {
    let mut tree = Tree::new();
    tree.put("file", b"x").unwrap();
    tree.symlink("file", "soft").unwrap();
    tree.link("soft", "hard").unwrap();
    assert_eq!(tree.lstat("hard").unwrap().kind, FileKind::Symlink);
    assert_eq!(tree.lstat("hard").unwrap().links, 2);
    tree.change(|volume, root, change| volume.link_at((root, "soft", true), (root, "real"), change)).unwrap();
    assert_eq!(tree.lstat("real").unwrap().kind, FileKind::File);
    assert_eq!(tree.stat("file").unwrap().links, 2);
    tree.check();
}

#[test]
fn a_file_has_only_so_many_names() {
    let mut tree = Tree::new();
    tree.put("file", b"").unwrap();
    for number in 1..MAX_LINKS {
        tree.link("file", &format!("l{number}")).unwrap();
    }
    assert_fails(tree.link("file", "more"), Error::TooManyLinks);
    tree.unlink("l1").unwrap();
    tree.link("file", "more").unwrap();
    assert_eq!(tree.stat("file").unwrap().links, u64::from(MAX_LINKS));
    tree.check();
}

#[test]
fn another_volume_is_another_device() {
    let mut tree = Tree::new();
    tree.put("file", b"").unwrap();
    let mut other = Volume::new(2, Bounds::default(), 1);
    let there = other.open_root(MUTATE).unwrap();
    let linked =
        tree.change(|volume, root, change| volume.link_at((root, "file", false), (&there, "x"), change));
    assert_fails(linked, Error::CrossDevice);
    let renamed = tree.change(|volume, root, change| volume.rename_at((root, "file"), (&there, "x"), change));
    assert_fails(renamed, Error::CrossDevice);
    assert_fails(tree.volume.stat(&there), Error::BadDescriptor);
    assert_fails(tree.volume.stat_at(&there, ".", true), Error::BadDescriptor);
    assert_fails(tree.volume.close(there, &mut tree.meter), Error::BadDescriptor);
}

#[test]
fn a_symbolic_link_holds_what_it_was_given() {
    let mut tree = Tree::new();
    for (target, path) in [("a", "1"), ("../../x", "2"), ("none/./there//", "3")] {
        tree.symlink(target, path).unwrap();
        assert_eq!(tree.volume.readlink_at(&tree.root, path).unwrap(), target);
        assert_eq!(tree.lstat(path).unwrap().size, target.len() as u64);
    }
    tree.check();
}

#[test]
fn an_absolute_target_is_an_escape_and_an_empty_one_is_nothing() {
    let mut tree = Tree::new();
    assert_fails(tree.symlink("/etc/passwd", "link"), Error::Escape);
    assert_fails(tree.symlink("", "link"), Error::NoEntry);
    assert_fails(tree.lstat("link"), Error::NoEntry);
}

#[test]
fn a_symbolic_link_does_not_replace_and_ends_in_no_slash() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    assert_fails(tree.symlink("x", "dir"), Error::Exist);
    assert_fails(tree.symlink("x", "."), Error::Exist);
    assert_fails(tree.symlink("x", "link/"), Error::NoEntry);
    assert_fails(tree.symlink("x", "../link"), Error::Escape);
}

#[test]
fn only_a_symbolic_link_has_a_target() {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.put("file", b"").unwrap();
    tree.symlink("dir", "link").unwrap();
    for path in ["dir", "file", ".", "link/"] {
        assert_fails(tree.volume.readlink_at(&tree.root, path), Error::Invalid);
    }
    assert_fails(tree.volume.readlink_at(&tree.root, "none"), Error::NoEntry);
}
