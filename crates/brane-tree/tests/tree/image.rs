//! Tree images: what is read, pinned by a golden one, and what is refused.

use brane_tree::{Bounds, Error, FileKind, IMAGE_DEPTH, IMAGE_TIME, Image, ImageError, MAGIC, Rights};
use serde::Serialize;

use crate::common::{Meter, PLAIN, READ, Tree, WRITE, assert_fails};

/// `[parent, name, kind, mode, offset, size, target]`
pub(crate) type Row = (u32, String, String, u32, u64, u64, String);

#[derive(Serialize)]
struct Index<'a> {
    version: u32,
    entries: &'a [Row],
}

/// An image that is not packed yet.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) rows: Vec<Row>,
    blobs: Vec<u8>,
}

/// A draft of `(path, kind, content or target)`, directories first.
pub(crate) fn entries(list: &[(&str, &str, &str)]) -> Draft {
    let mut draft = Draft {
        rows: vec![(0, String::new(), "directory".into(), 0o755, 0, 0, String::new())],
        blobs: vec![],
    };
    for (path, kind, text) in list {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parent = list.iter().position(|(other, ..)| *other == parent).map_or(0, |at| at + 1);
        let (mut offset, mut size, mut target) = (0, 0, "");
        match *kind {
            "file" => {
                (offset, size) = (24 + draft.blobs.len() as u64, text.len() as u64);
                draft.blobs.extend(text.as_bytes());
            }
            _ => target = text,
        }
        let mode = if *kind == "file" { 0o644 } else { 0o755 };
        let parent = u32::try_from(parent).unwrap();
        draft.rows.push((parent, (*name).into(), (*kind).into(), mode, offset, size, target.into()));
    }
    draft
}

fn index_of(draft: &Draft) -> Vec<u8> {
    rmp_serde::to_vec_named(&Index { version: 1, entries: &draft.rows }).unwrap()
}

/// Header, blobs, index.
fn assemble(blobs: &[u8], index: &[u8]) -> &'static [u8] {
    let offset = 24 + blobs.len() as u64;
    let header = [*MAGIC, offset.to_le_bytes(), (index.len() as u64).to_le_bytes()].concat();
    Vec::leak([&header, blobs, index].concat())
}

pub(crate) fn pack(draft: Draft) -> &'static [u8] {
    assemble(&draft.blobs, &index_of(&draft))
}

fn sample() -> Draft {
    entries(&[
        ("lib", "directory", ""),
        ("lib/python", "directory", ""),
        ("data", "directory", ""),
        ("lib/python/a.py", "file", "print()\n"),
        ("lib/python/é", "file", ""),
        ("lib/latest", "symlink", "python"),
        ("data/out", "symlink", "../lib"),
        ("data/absolute", "symlink", "/etc"),
    ])
}

fn writable(bytes: &'static [u8]) -> Tree {
    Tree::of(Image::parse(bytes).unwrap().volume(1, "", Rights::Writable(Bounds::default())).unwrap())
}

pub(crate) fn golden() -> &'static [u8] {
    let digits: Vec<u8> = include_str!("golden/image.hex")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::bytes)
        .filter(u8::is_ascii_hexdigit)
        .collect();
    let pairs =
        digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
    Vec::leak(pairs.collect())
}

#[test]
fn the_golden_image_is_what_the_description_says() {
    assert_eq!(golden(), pack(sample()));
}

#[test]
fn the_golden_image_is_read() {
    let mut tree = Tree::of(Image::parse(golden()).unwrap().volume(1, "", Rights::ReadOnly).unwrap());
    assert_eq!(tree.list(".").unwrap(), ["data/", "lib/"]);
    assert_eq!(tree.list("lib/latest").unwrap(), ["a.py", "é"]);
    assert_eq!(tree.get("data/out/latest/a.py").unwrap(), b"print()\n");
    assert_eq!(tree.get("lib/python/é").unwrap(), b"");
    let stat = tree.stat("lib/python/a.py").unwrap();
    assert_eq!((stat.kind, stat.mode, stat.links, stat.size), (FileKind::File, 0o644, 1, 8));
    assert_eq!([stat.accessed, stat.modified, stat.changed], [IMAGE_TIME; 3]);
    assert_eq!(tree.stat("lib").unwrap().mode, 0o755);
    tree.check();
}

#[test]
fn an_absolute_target_is_kept_and_never_followed_or_told() {
    let tree = writable(golden());
    assert_eq!(tree.lstat("data/absolute").unwrap().size, 4);
    assert_fails(tree.stat("data/absolute"), Error::Escape);
    assert_fails(tree.stat("data/absolute/passwd"), Error::Escape);
    assert_fails(tree.volume.readlink_at(&tree.root, "data/absolute"), Error::Escape);
}

#[test]
fn a_subtree_is_a_volume_that_ends_at_its_root() {
    let image = Image::parse(golden()).unwrap();
    let mut tree = Tree::of(image.volume(1, "lib", Rights::ReadOnly).unwrap());
    assert_eq!(tree.list(".").unwrap(), ["latest@", "python/"]);
    assert_fails(tree.stat(".."), Error::Escape);
    let mut tree = Tree::of(image.volume(2, "/data/", Rights::ReadOnly).unwrap());
    assert_eq!(tree.list(".").unwrap(), ["absolute@", "out@"]);
    assert_fails(tree.stat("out"), Error::Escape);
    for path in ["none", "lib/none", "lib/python/a.py", "lib/latest", "..", "lib/..", "lib/."] {
        assert!(matches!(image.volume(3, path, Rights::ReadOnly), Err(ImageError::NoSubtree)), "{path}");
    }
}

#[test]
fn what_came_with_an_image_costs_nothing_and_gives_nothing_back() {
    let mut tree = writable(golden());
    assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
    tree.unlink("lib/python/é").unwrap();
    tree.unlink("lib/latest").unwrap();
    assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
    tree.rename("lib/python/a.py", "b").unwrap();
    assert_eq!(tree.volume.usage().bytes, brane_tree::NAME_COST as u64 + 1);
    tree.rename("lib/python", "data/python").unwrap();
    tree.check();
    tree.unlink("b").unwrap();
    tree.rmdir("data/python").unwrap();
    assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
    tree.check();
}

#[test]
fn what_was_written_to_a_file_of_an_image_is_given_back_with_it() {
    let mut tree = writable(golden());
    let file = tree.open("lib/python/a.py", PLAIN, WRITE).unwrap();
    tree.change(|volume, _, change| volume.append(&file, b"more", change)).unwrap();
    tree.unlink("lib/python/a.py").unwrap();
    assert_eq!(tree.read_all(&file).unwrap(), b"print()\nmore");
    assert!(tree.volume.usage().bytes > 0);
    tree.check();
    tree.close(file);
    assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
    tree.check();
}

#[test]
fn a_shared_file_is_copied_by_chunk_when_it_is_written() {
    let text = "0123456789abcdef".repeat(3 * brane_tree::CHUNK / 16) + "tail";
    let bytes = pack(entries(&[("f", "file", &text)]));
    let mut tree = writable(bytes);
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    let at = brane_tree::CHUNK + 3;
    tree.change(|volume, _, change| volume.write(&file, at as u64, b"!", change)).unwrap();
    let cost = brane_tree::CHUNK + brane_tree::CHUNK_COST;
    assert_eq!(tree.volume.usage().bytes, cost as u64);
    let mut expected = text.clone().into_bytes();
    expected[at] = b'!';
    assert_eq!(tree.read_all(&file).unwrap(), expected);
    tree.change(|volume, _, change| volume.append(&file, b"more", change)).unwrap();
    expected.extend(b"more");
    assert_eq!(tree.read_all(&file).unwrap(), expected);
    tree.change(|volume, _, change| volume.set_size(&file, 10, change)).unwrap();
    tree.change(|volume, _, change| volume.set_size(&file, 20, change)).unwrap();
    assert_eq!(tree.read_all(&file).unwrap(), b"0123456789\0\0\0\0\0\0\0\0\0\0");
    tree.check();
    assert_eq!(writable(bytes).get("f").unwrap(), text.as_bytes());
}

#[test]
fn a_shared_file_above_the_bound_is_cut_but_does_not_grow() {
    let bytes = pack(entries(&[("f", "file", &"x".repeat(5000))]));
    let bounds = Bounds { bytes: 1000, ..Bounds::default() };
    let mut tree = Tree::of(Image::parse(bytes).unwrap().volume(1, "", Rights::Writable(bounds)).unwrap());
    let file = tree.open("f", PLAIN, WRITE).unwrap();
    let resize =
        |tree: &mut Tree, size| tree.change(|volume, _, change| volume.set_size(&file, size, change));
    assert_fails(resize(&mut tree, 5001), Error::FileTooLarge);
    resize(&mut tree, 5000).unwrap();
    resize(&mut tree, 2000).unwrap();
    assert_fails(resize(&mut tree, 2001), Error::FileTooLarge);
    tree.check();
}

#[test]
fn two_files_may_share_bytes_with_each_other_and_with_the_index() {
    let mut draft = entries(&[("a", "file", "shared"), ("b", "file", ""), ("all", "file", "")]);
    (draft.rows[2].4, draft.rows[2].5) = (26, 3);
    (draft.rows[3].4, draft.rows[3].5) = (0, 30);
    let mut tree = writable(pack(draft));
    assert_eq!(tree.get("b").unwrap(), b"are");
    tree.put("a", b"other").unwrap();
    assert_eq!(tree.get("b").unwrap(), b"are");
    assert_eq!(&tree.get("all").unwrap()[..8], MAGIC);
}

/// What is wrong with the image that `spoil` makes of the sample.
fn refusal(spoil: impl FnOnce(&mut Vec<Row>)) -> String {
    let mut draft = sample();
    spoil(&mut draft.rows);
    Image::parse(pack(draft)).expect_err("it should be refused").to_string()
}

#[test]
fn entries_that_break_a_rule_are_refused() {
    let long = "x".repeat(256);
    for name in ["", ".", "..", "a/b", "/", "nul\0", &long] {
        assert!(refusal(|rows| rows[4].1 = name.into()).starts_with("entry 4: name"), "{name}");
    }
    assert_eq!(refusal(|rows| rows[5].1 = "a.py".into()), "entry 5: name given twice");
    assert_eq!(refusal(|rows| rows[2].0 = 2), "entry 2: parent is not before it");
    assert_eq!(refusal(|rows| rows[2].0 = 5), "entry 2: parent is not before it");
    assert_eq!(refusal(|rows| rows[2].0 = u32::MAX), "entry 2: parent is not before it");
    assert_eq!(refusal(|rows| rows[5].0 = 4), "entry 5: parent is no directory");
    assert_eq!(refusal(|rows| rows[8].0 = 6), "entry 8: parent is no directory");
    assert_eq!(refusal(|rows| rows[4].2 = "socket".into()), "entry 4: offset and size of what is no file");
    assert_eq!(refusal(|rows| rows[1].2 = "socket".into()), "entry 1: unknown kind");
    assert_eq!(refusal(|rows| rows[4].3 = 0o4755), "entry 4: mode above 0o777");
    assert_eq!(refusal(|rows| rows[1].5 = 1), "entry 1: offset and size of what is no file");
    assert_eq!(refusal(|rows| rows[4].6 = "x".into()), "entry 4: target of what is no symlink");
    assert_eq!(refusal(|rows| rows[6].6 = String::new()), "entry 6: symlink without a target");
    assert_eq!(refusal(|rows| rows[6].6 = "\0".into()), "entry 6: target with NUL");
    assert_eq!(refusal(|rows| rows[6].6 = "x".repeat(4096)), "entry 6: target too long");
}

#[test]
fn bytes_outside_of_the_image_are_refused() {
    let length = pack(sample()).len() as u64;
    for (offset, size) in [(length * 2, 0), (0, length * 2), (length * 2, 1), (u64::MAX, 1), (1, u64::MAX)] {
        let why = refusal(|rows| (rows[4].4, rows[4].5) = (offset, size));
        assert_eq!(why, "entry 4: bytes outside of the image", "{offset} {size}");
    }
}

#[test]
fn the_first_entry_is_the_root_and_nothing_else() {
    assert_eq!(refusal(|rows| rows[0].0 = 1), "entry 0: not a root");
    assert_eq!(refusal(|rows| rows[0].1 = "x".into()), "entry 0: not a root");
    assert_eq!(refusal(|rows| rows[0].2 = "file".into()), "entry 0: not a root");
    assert_eq!(refusal(Vec::clear), "malformed index: no root");
    assert!(Image::parse(pack(entries(&[]))).is_ok());
}

#[test]
fn a_tree_too_deep_is_refused() {
    let chain = |depth: u32| {
        let mut draft = entries(&[]);
        for parent in 0..depth {
            draft.rows.push((parent, "d".into(), "directory".into(), 0o755, 0, 0, String::new()));
        }
        Image::parse(pack(draft))
    };
    assert!(chain(IMAGE_DEPTH).is_ok());
    assert_eq!(
        chain(IMAGE_DEPTH + 1).unwrap_err().to_string(),
        format!("entry {}: too deep", IMAGE_DEPTH + 1)
    );
}

#[test]
fn headers_that_lead_nowhere_are_refused() {
    let good = pack(sample());
    let with = |at: usize, bytes: &[u8]| {
        let mut image = good.to_vec();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        Image::parse(Vec::leak(image))
    };
    assert!(with(0, b"branetr1").is_ok());
    assert!(matches!(with(0, b"branetr2"), Err(ImageError::Header("another magic"))));
    for number in [u64::MAX, good.len() as u64 + 1, 1 << 63] {
        assert!(matches!(with(8, &number.to_le_bytes()), Err(ImageError::Header(_))));
        assert!(matches!(with(16, &number.to_le_bytes()), Err(ImageError::Header(_))));
    }
    for length in 0..24 {
        assert!(matches!(Image::parse(&good[..length]), Err(ImageError::Header(_))));
    }
    for length in 24..good.len() {
        assert!(Image::parse(&good[..length]).is_err(), "{length}");
    }
}

#[test]
fn an_index_of_another_shape_is_refused() {
    let rows = sample().rows;
    let named = |value: &dyn Fn() -> Vec<u8>| Image::parse(assemble(&[0; 8], &value()));
    let pack_named = |value| rmp_serde::to_vec_named(&value).unwrap();
    assert!(named(&|| pack_named(Index { version: 1, entries: &rows })).is_ok());
    assert!(named(&|| pack_named(Index { version: 2, entries: &rows })).is_err());
    assert!(named(&|| rmp_serde::to_vec(&Index { version: 1, entries: &rows }).unwrap()).is_err());
    for after in [0x00, 0x05, 0x81, 0x91, 0xa0, 0xa1, 0xc0, 0xc1, 0xcc, 0xcf, 0xd9, 0xdc, 0xdf, 0xff] {
        assert!(named(&|| [index_of(&sample()), vec![after]].concat()).is_err(), "{after:#x}");
    }
    assert!(named(&Vec::new).is_err());
    #[derive(Serialize)]
    struct More<'a> {
        version: u32,
        entries: &'a [Row],
        more: u32,
    }
    assert!(
        named(&|| rmp_serde::to_vec_named(&More { version: 1, entries: &rows, more: 0 }).unwrap()).is_err()
    );
    let short: Vec<(u32, &str, &str)> = vec![(0, "", "directory")];
    let long = vec![(0, "", "directory", 0o755, 0, 0, "", 0)];
    for entries in [rmp_serde::to_vec(&short).unwrap(), rmp_serde::to_vec(&long).unwrap()] {
        let index = [b"\x82\xa7version\x01\xa7entries".as_slice(), &entries].concat();
        assert!(named(&|| index.clone()).is_err());
    }
    let twice = b"\x82\xa7version\x01\xa7version\x01".to_vec();
    assert!(named(&|| twice.clone()).is_err());
    let claims = b"\x82\xa7version\x01\xa7entries\xdd\xff\xff\xff\xff".to_vec();
    assert!(named(&|| claims.clone()).is_err());
}

#[test]
fn a_large_image_is_read_whole() {
    let mut draft = entries(&[("d", "directory", "")]);
    for number in 0..50_000 {
        draft.rows.push((1, format!("f{number}"), "file".into(), 0o644, 0, 8, String::new()));
    }
    let mut tree = writable(pack(draft));
    assert_eq!(tree.list("d").unwrap().len(), 50_000);
    tree.meter = Meter { left: 0, ..tree.meter };
    let file = tree.open("d/f49999", PLAIN, READ).unwrap();
    assert_eq!(tree.read_all(&file).unwrap(), MAGIC);
}
