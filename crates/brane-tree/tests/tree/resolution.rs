//! Paths: where they lead, and where they must not.

use brane_tree::{Error, FileKind, MAX_FOLLOWED};

use crate::common::{MUTATE, PLAIN, READ, Tree, assert_fails};

fn tree() -> Tree {
    let mut tree = Tree::new();
    tree.mkdir("a").unwrap();
    tree.mkdir("a/b").unwrap();
    tree.put("a/b/file", b"deep").unwrap();
    tree.put("top", b"top").unwrap();
    tree
}

#[test]
fn slashes_and_dots_do_not_matter_in_the_middle() {
    let mut tree = tree();
    for path in ["a/b/file", "a//b///file", "./a/./b/./file", "a/../a/b/../b/file", "a/b/.//../b/file"] {
        assert_eq!(tree.get(path).unwrap(), b"deep", "{path}");
    }
}

#[test]
fn an_empty_path_names_nothing() {
    assert_fails(tree().stat(""), Error::NoEntry);
}

#[test]
fn an_absolute_path_is_an_escape() {
    for path in ["/", "/a", "//a", "/../a"] {
        assert_fails(tree().stat(path), Error::Escape);
    }
}

#[test]
fn going_above_the_start_is_an_escape_even_if_it_would_come_back() {
    for path in ["..", "../", "../a", "a/../..", "a/../../a", "./..", "a/b/../../../top"] {
        assert_fails(tree().stat(path), Error::Escape);
    }
}

#[test]
fn a_directory_deeper_down_is_as_closed_as_the_root() {
    let mut tree = tree();
    let inner = tree.open("a", PLAIN, MUTATE).unwrap();
    assert_eq!(tree.volume.stat_at(&inner, "b/..", true).unwrap().kind, FileKind::Directory);
    assert_fails(tree.volume.stat_at(&inner, "..", true), Error::Escape);
    assert_fails(tree.volume.stat_at(&inner, "../top", true), Error::Escape);
    let made = tree.change(|volume, _, change| volume.create_directory_at(&inner, "../made", change));
    assert_fails(made, Error::Escape);
    tree.symlink("../top", "a/out").unwrap();
    assert_eq!(tree.get("a/out").unwrap(), b"top");
    assert_fails(tree.volume.stat_at(&inner, "out", true), Error::Escape);
    tree.close(inner);
    tree.check();
}

#[test]
fn a_slash_at_the_end_means_a_directory() {
    let tree = tree();
    assert_eq!(tree.stat("a/").unwrap().kind, FileKind::Directory);
    assert_eq!(tree.stat("a//").unwrap().kind, FileKind::Directory);
    assert_fails(tree.stat("top/"), Error::NotDirectory);
    assert_fails(tree.stat("top/."), Error::NotDirectory);
    assert_fails(tree.stat("none/"), Error::NoEntry);
}

#[test]
fn a_file_on_the_way_is_not_a_directory_and_nothing_is_no_entry() {
    let tree = tree();
    assert_fails(tree.stat("top/x"), Error::NotDirectory);
    assert_fails(tree.stat("top/.."), Error::NotDirectory);
    assert_fails(tree.stat("none/x"), Error::NoEntry);
    assert_fails(tree.stat("none/.."), Error::NoEntry);
}

#[test]
fn a_path_with_nul_is_invalid() {
    assert_fails(tree().stat("a\0"), Error::Invalid);
    assert_fails(tree().symlink("a\0", "link"), Error::Invalid);
}

#[test]
fn a_name_may_be_any_other_text() {
    let mut tree = Tree::new();
    for name in ["\n", "\u{1b}[31m", "...", " ", "\u{202e}x", "é", "𐍈", "\\", "con"] {
        tree.put(name, name.as_bytes()).unwrap();
    }
    for name in ["\n", "\u{1b}[31m", "...", " ", "\u{202e}x", "é", "𐍈", "\\", "con"] {
        assert_eq!(tree.get(name).unwrap(), name.as_bytes());
    }
    assert_fails(tree.stat("e\u{301}"), Error::NoEntry);
}

#[test]
fn links_are_followed_from_the_directory_they_are_in() {
    let mut tree = tree();
    tree.symlink("b/file", "a/link").unwrap();
    tree.symlink("a", "down").unwrap();
    tree.symlink("..", "a/b/up").unwrap();
    assert_eq!(tree.get("a/link").unwrap(), b"deep");
    assert_eq!(tree.get("down/b/up/b/up/link").unwrap(), b"deep");
    assert_eq!(tree.get("down/../top").unwrap(), b"top");
    assert_eq!(tree.get("a/b/up/../top").unwrap(), b"top");
}

#[test]
fn a_link_that_leads_out_is_an_escape_when_it_is_followed() {
    let mut tree = tree();
    tree.symlink("../..", "a/out").unwrap();
    tree.symlink("../../a", "a/round").unwrap();
    for path in ["a/out", "a/out/x", "a/round", "a/round/b"] {
        assert_fails(tree.stat(path), Error::Escape);
    }
    assert_eq!(tree.lstat("a/out").unwrap().kind, FileKind::Symlink);
    assert_fails(tree.lstat("a/out/"), Error::Escape);
}

#[test]
fn a_link_at_the_end_is_followed_when_asked_or_before_a_slash() {
    let mut tree = tree();
    tree.symlink("a", "dir").unwrap();
    tree.symlink("top", "file").unwrap();
    assert_eq!(tree.lstat("dir").unwrap().kind, FileKind::Symlink);
    assert_eq!(tree.lstat("dir/").unwrap().kind, FileKind::Directory);
    assert_eq!(tree.stat("dir").unwrap().kind, FileKind::Directory);
    assert_fails(tree.lstat("file/"), Error::NotDirectory);
}

#[test]
fn a_slash_at_the_end_of_a_target_means_a_directory_too() {
    let mut tree = tree();
    tree.symlink("top/", "file").unwrap();
    tree.symlink("a/", "dir").unwrap();
    assert_fails(tree.stat("file"), Error::NotDirectory);
    assert_eq!(tree.stat("dir/b").unwrap().kind, FileKind::Directory);
}

#[test]
fn as_many_links_as_allowed_are_followed_and_not_one_more() {
    let mut tree = tree();
    tree.symlink("top", "l1").unwrap();
    for number in 2..=MAX_FOLLOWED + 1 {
        tree.symlink(&format!("l{}", number - 1), &format!("l{number}")).unwrap();
    }
    assert_eq!(tree.get(&format!("l{MAX_FOLLOWED}")).unwrap(), b"top");
    assert_fails(tree.get(&format!("l{}", MAX_FOLLOWED + 1)), Error::Loop);
    tree.symlink("self", "self").unwrap();
    assert_fails(tree.stat("self"), Error::Loop);
    assert_fails(tree.stat("self/x"), Error::Loop);
}

#[test]
fn links_that_double_at_every_step_end_at_the_limit() {
    let mut tree = tree();
    tree.symlink("a/..", "l0").unwrap();
    for number in 1..64 {
        let below = number - 1;
        tree.symlink(&format!("l{below}/l{below}"), &format!("l{number}")).unwrap();
    }
    assert_eq!(tree.stat("l3").unwrap().kind, FileKind::Directory);
    assert_fails(tree.stat("l63"), Error::Loop);
}

#[test]
fn the_longest_path_through_the_most_links_is_walked_to_its_end() {
    let mut tree = tree();
    let long = "a/../".repeat(815);
    tree.symlink(&format!("{long}top"), "l1").unwrap();
    for number in 2..=MAX_FOLLOWED {
        tree.symlink(&format!("{long}l{}", number - 1), &format!("l{number}")).unwrap();
    }
    assert_eq!(tree.get(&format!("l{MAX_FOLLOWED}")).unwrap(), b"top");
}

#[test]
fn a_file_is_no_place_to_start_from() {
    let mut tree = tree();
    let file = tree.open("top", PLAIN, READ).unwrap();
    assert_fails(tree.volume.stat_at(&file, "x", true), Error::NotDirectory);
    assert_fails(tree.volume.stat_at(&file, ".", true), Error::NotDirectory);
}
