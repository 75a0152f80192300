//! Opening: what the flags ask for.

use brane_tree::{DescriptorFlags, Error, FileKind, OpenFlags};

use crate::common::{CREATE, MUTATE, PLAIN, READ, Tree, WRITE, assert_fails};

const EXCLUSIVE: OpenFlags = OpenFlags { exclusive: true, ..CREATE };
const DIRECTORY: OpenFlags = OpenFlags { directory: true, ..PLAIN };

fn tree() -> Tree {
    let mut tree = Tree::new();
    tree.mkdir("dir").unwrap();
    tree.put("file", b"content").unwrap();
    tree.symlink("file", "link").unwrap();
    tree.symlink("made", "dangling").unwrap();
    tree
}

fn open_unfollowed(tree: &mut Tree, path: &str, open: OpenFlags) -> Result<(), Error> {
    let opened = tree.change(|volume, root, change| volume.open_at(root, (path, false), open, READ, change));
    opened.map(|handle| tree.close(handle))
}

#[test]
fn create_makes_what_is_not_there_and_keeps_what_is() {
    let mut tree = tree();
    let file = tree.open("file", CREATE, WRITE).unwrap();
    assert_eq!(tree.read_all(&file).unwrap(), b"content");
    tree.close(file);
    let new = tree.open("new", CREATE, READ).unwrap();
    assert_eq!(new.kind(), FileKind::File);
    assert_eq!(tree.volume.stat(&new).unwrap().mode, 0o644);
    tree.close(new);
    assert_fails(tree.open("none", PLAIN, READ), Error::NoEntry);
    assert_fails(tree.open("none/x", CREATE, READ), Error::NoEntry);
    tree.check();
}

#[test]
fn exclusive_takes_nothing_that_exists_not_even_a_link_to_nowhere() {
    let mut tree = tree();
    for path in ["file", "dir", "link", "dangling", ".", "dir/.."] {
        assert_fails(tree.open(path, EXCLUSIVE, WRITE), Error::Exist);
    }
    let new = tree.open("new", EXCLUSIVE, WRITE).unwrap();
    tree.close(new);
}

#[test]
fn create_follows_a_link_to_nowhere_if_asked() {
    let mut tree = tree();
    assert_fails(open_unfollowed(&mut tree, "dangling", CREATE), Error::Loop);
    let made = tree.open("dangling", CREATE, WRITE).unwrap();
    tree.close(made);
    assert_eq!(tree.lstat("made").unwrap().kind, FileKind::File);
    tree.symlink("../out", "bad").unwrap();
    assert_fails(tree.open("bad", CREATE, WRITE), Error::Escape);
    tree.check();
}

#[test]
fn a_link_that_is_not_followed_is_not_opened() {
    let mut tree = tree();
    assert_fails(open_unfollowed(&mut tree, "link", PLAIN), Error::Loop);
    assert_fails(open_unfollowed(&mut tree, "link", DIRECTORY), Error::NotDirectory);
    open_unfollowed(&mut tree, "file", PLAIN).unwrap();
}

#[test]
fn directory_wants_a_directory() {
    let mut tree = tree();
    let dir = tree.open("dir", DIRECTORY, READ).unwrap();
    assert_eq!(dir.kind(), FileKind::Directory);
    tree.close(dir);
    assert_fails(tree.open("file", DIRECTORY, READ), Error::NotDirectory);
    assert_fails(tree.open("link", DIRECTORY, READ), Error::NotDirectory);
    for open in
        [OpenFlags { directory: true, ..CREATE }, OpenFlags { directory: true, truncate: true, ..PLAIN }]
    {
        assert_fails(tree.open("dir", open, READ), Error::Invalid);
    }
}

#[test]
fn a_directory_is_not_written_created_or_cut() {
    let mut tree = tree();
    assert_fails(tree.open("dir", PLAIN, WRITE), Error::IsDirectory);
    assert_fails(tree.open("dir", CREATE, READ), Error::IsDirectory);
    assert_fails(tree.open(".", CREATE, READ), Error::IsDirectory);
    assert_fails(tree.open("dir", OpenFlags { truncate: true, ..PLAIN }, READ), Error::IsDirectory);
    assert_fails(tree.open("new/", CREATE, WRITE), Error::IsDirectory);
    tree.check();
}

#[test]
fn truncate_cuts_the_file() {
    let mut tree = tree();
    let file = tree.open("link", OpenFlags { truncate: true, ..PLAIN }, WRITE).unwrap();
    assert_eq!(tree.volume.stat(&file).unwrap().size, 0);
    assert_eq!(tree.volume.stat(&file).unwrap().modified, tree.now);
    tree.close(file);
    tree.check();
}

#[test]
fn a_handle_does_what_it_was_opened_for() {
    let mut tree = tree();
    let reader = tree.open("file", PLAIN, READ).unwrap();
    let written = tree.change(|volume, _, change| volume.write(&reader, 0, b"x", change));
    assert_fails(written, Error::BadDescriptor);
    assert_fails(tree.change(|volume, _, change| volume.append(&reader, b"x", change)), Error::BadDescriptor);
    assert_fails(tree.change(|volume, _, change| volume.set_size(&reader, 0, change)), Error::BadDescriptor);
    let writer = tree.open("file", PLAIN, DescriptorFlags { read: false, ..WRITE }).unwrap();
    assert_fails(tree.volume.read(&writer, 0, 1), Error::BadDescriptor);
    assert_fails(tree.volume.read_into(&writer, 0, &mut [0]), Error::BadDescriptor);
    assert_fails(tree.volume.read(&tree.root, 0, 1), Error::IsDirectory);
    let written = tree.change(|volume, root, change| volume.write(root, 0, b"x", change));
    assert_fails(written, Error::BadDescriptor);
    assert_eq!(tree.get("file").unwrap(), b"content");
}

#[test]
fn flags_say_what_a_handle_is_for() {
    let mut tree = tree();
    let both = DescriptorFlags { mutate_directory: true, ..WRITE };
    let file = tree.open("file", PLAIN, both).unwrap();
    assert_eq!(file.flags(), WRITE);
    let dir = tree.open("dir", PLAIN, READ).unwrap();
    assert_eq!(dir.flags(), MUTATE);
    assert_eq!(tree.root.flags(), MUTATE);
}
