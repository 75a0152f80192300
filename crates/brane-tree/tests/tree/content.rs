//! Bytes of files: writing, appending, cutting, holes.

use brane_tree::{Bounds, CHUNK, CHUNK_COST, Error, Handle, INODE_COST, NAME_COST, READ_MAX, Volume};

use crate::common::{CREATE, Meter, PLAIN, Tree, WRITE, assert_fails};

fn write(tree: &mut Tree, file: &Handle, offset: u64, bytes: &[u8]) {
    assert_eq!(
        tree.change(|volume, _, change| volume.write(file, offset, bytes, change)).unwrap(),
        bytes.len()
    );
    tree.check();
}

fn set_size(tree: &mut Tree, file: &Handle, size: u64) {
    tree.change(|volume, _, change| volume.set_size(file, size, change)).unwrap();
    tree.check();
}

/// What the content of a volume's only file, called `f`, counts for.
fn content_cost(volume: &Volume) -> usize {
    usize::try_from(volume.usage().bytes).unwrap() - INODE_COST - NAME_COST - 1
}

#[test]
fn writes_across_chunks_read_back() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    let bytes: Vec<u8> = (0..CHUNK * 3).map(|at| u8::try_from(at % 251).unwrap()).collect();
    write(&mut tree, &file, 100, &bytes);
    let all = tree.read_all(&file).unwrap();
    assert_eq!(all[..100], [0; 100]);
    assert_eq!(all[100..], bytes);
    write(&mut tree, &file, CHUNK as u64 - 1, b"xyz");
    let mut three = [0; 3];
    assert_eq!(tree.volume.read_into(&file, CHUNK as u64 - 1, &mut three).unwrap(), 3);
    assert_eq!(&three, b"xyz");
}

#[test]
fn append_goes_to_the_end_wherever_that_is() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    let other = tree.open("f", PLAIN, WRITE).unwrap();
    tree.change(|volume, _, change| volume.append(&file, b"one", change)).unwrap();
    tree.change(|volume, _, change| volume.append(&other, b"two", change)).unwrap();
    set_size(&mut tree, &file, 4);
    tree.change(|volume, _, change| volume.append(&file, b"three", change)).unwrap();
    assert_eq!(tree.read_all(&other).unwrap(), b"onetthree");
}

#[test]
fn a_hole_costs_nothing_and_reads_as_zeros() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    set_size(&mut tree, &file, 60 << 20);
    assert_eq!(content_cost(&tree.volume), 0);
    write(&mut tree, &file, 50 << 20, b"x");
    assert_eq!(content_cost(&tree.volume), CHUNK_COST + 256);
    let (bytes, end) = tree.volume.read(&file, (50 << 20) - 2, 4).unwrap();
    assert_eq!((bytes.as_slice(), end), (&[0, 0, b'x', 0][..], false));
    assert_eq!(tree.read_all(&file).unwrap().len(), 60 << 20);
}

#[test]
fn what_was_cut_off_does_not_come_back() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    for keep in [0, 1, 255, 256, 257, 300, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK] {
        write(&mut tree, &file, 0, &vec![9; 2 * CHUNK + 10]);
        set_size(&mut tree, &file, keep as u64);
        set_size(&mut tree, &file, 3 * CHUNK as u64);
        let all = tree.read_all(&file).unwrap();
        assert!(all[..keep].iter().all(|byte| *byte == 9), "{keep}");
        assert!(all[keep..].iter().all(|byte| *byte == 0), "{keep}");
    }
}

#[test]
fn cutting_gives_back_what_it_frees() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    write(&mut tree, &file, 0, &vec![1; 4 * CHUNK]);
    assert_eq!(content_cost(&tree.volume), 4 * (CHUNK + CHUNK_COST));
    set_size(&mut tree, &file, CHUNK as u64 + 1);
    assert_eq!(content_cost(&tree.volume), CHUNK + 256 + 2 * CHUNK_COST);
    set_size(&mut tree, &file, 0);
    assert_eq!(content_cost(&tree.volume), 0);
}

#[test]
fn a_small_file_costs_little_and_grows_by_doubling() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    for (size, cost) in [(1, 256), (256, 256), (257, 512), (5000, 8192), (CHUNK, CHUNK)] {
        write(&mut tree, &file, 0, &vec![1; size]);
        assert_eq!(content_cost(&tree.volume), cost + CHUNK_COST);
    }
}

#[test]
fn reading_at_or_after_the_end_is_the_end() {
    let mut tree = Tree::new();
    tree.put("f", b"abc").unwrap();
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    assert_eq!(tree.volume.read(&file, 1, 1).unwrap(), (b"b".to_vec(), false));
    assert_eq!(tree.volume.read(&file, 1, 2).unwrap(), (b"bc".to_vec(), true));
    assert_eq!(tree.volume.read(&file, 1, u64::MAX).unwrap(), (b"bc".to_vec(), true));
    assert_eq!(tree.volume.read(&file, 3, 1).unwrap(), (vec![], true));
    assert_eq!(tree.volume.read(&file, u64::MAX, u64::MAX).unwrap(), (vec![], true));
    assert_eq!(tree.volume.read(&file, 0, 0).unwrap(), (vec![], false));
}

#[test]
fn a_hole_is_zeros_in_a_buffer_that_was_used_before() {
    let mut tree = Tree::new();
    tree.put("f", b"abc").unwrap();
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    set_size(&mut tree, &file, 1000);
    let mut used = [0xff; 1100];
    assert_eq!(tree.volume.read_into(&file, 0, &mut used).unwrap(), 1000);
    assert_eq!(&used[..3], b"abc");
    assert!(used[3..1000].iter().all(|byte| *byte == 0));
    assert!(used[1000..].iter().all(|byte| *byte == 0xff));
}

#[test]
fn one_read_gives_no_more_than_its_limit() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    set_size(&mut tree, &file, 2 * READ_MAX as u64);
    let (bytes, end) = tree.volume.read(&file, 0, u64::MAX).unwrap();
    assert_eq!((bytes.len(), end), (READ_MAX, false));
}

#[test]
fn offsets_that_overflow_are_too_large() {
    let mut tree = Tree::new();
    let file = tree.open("f", CREATE, WRITE).unwrap();
    for offset in [u64::MAX, u64::MAX - 1, u64::MAX / 2, i64::MAX as u64] {
        let written = tree.change(|volume, _, change| volume.write(&file, offset, b"xy", change));
        assert_fails(written, Error::FileTooLarge);
        let sized = tree.change(|volume, _, change| volume.set_size(&file, offset, change));
        assert_fails(sized, Error::FileTooLarge);
    }
    assert_eq!(tree.volume.stat(&file).unwrap().size, 0);
    tree.check();
}

#[test]
fn writing_nothing_changes_nothing() {
    let mut tree = Tree::new();
    tree.put("f", b"abc").unwrap();
    let before = tree.stat("f").unwrap();
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    write(&mut tree, &file, 1000, b"");
    assert_eq!(tree.stat("f").unwrap(), before);
}

#[test]
fn a_write_that_does_not_fit_leaves_no_trace() {
    let mut tree = Tree::bounded(Bounds { bytes: 8 * CHUNK as u64, ..Bounds::default() });
    let file = tree.open("f", CREATE, WRITE).unwrap();
    write(&mut tree, &file, 0, b"kept");
    let (stat, usage) = (tree.volume.stat(&file).unwrap(), tree.volume.usage());
    let written = tree.change(|volume, _, change| volume.write(&file, 0, &vec![1; 8 * CHUNK], change));
    assert_fails(written, Error::InsufficientSpace);
    tree.meter = Meter { left: CHUNK, ..tree.meter };
    let written = tree.change(|volume, _, change| volume.write(&file, 0, &vec![1; 2 * CHUNK], change));
    assert_fails(written, Error::InsufficientMemory);
    assert_eq!((tree.volume.stat(&file).unwrap(), tree.volume.usage()), (stat, usage));
    assert_eq!(tree.read_all(&file).unwrap(), b"kept");
    tree.check();
}
