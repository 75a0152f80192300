//! Anything at all: no call panics, and after every one the volume is sound and the budget is what is used.

use brane_tree::{
    Bounds, Change, DescriptorFlags, DirectoryStream, Error, Handle, Image, NewTimestamp, OpenFlags, Result,
    Rights, Volume,
};

use crate::common::{Dice, MUTATE, Meter, READ, Tree, rounds};
use crate::image::{Draft, entries, golden, pack};

const BOUNDS: Bounds = Bounds { bytes: 300_000, inodes: 24, depth: 4, name: 8, path: 48 };
const PARTS: [&str; 24] = [
    "a", "b", "c", "d", "lib", "python", "data", "out", "/", "/", "/", "/", "/", "//", ".", "..", "../",
    "./", "a/b", "\0", "é", "\u{202e}", "longest8", "too long",
];
const NUMBERS: [u64; 12] =
    [0, 1, 255, 256, 65_535, 65_536, 65_537, 200_000, 300_000, 300_001, i64::MAX as u64, u64::MAX];

/// A volume with whatever a guest has opened in it.
struct Guest {
    volume: Volume,
    handles: Vec<Handle>,
    streams: Vec<DirectoryStream>,
    meter: Meter,
    now: u64,
}

impl Guest {
    fn new(mut volume: Volume, left: usize) -> Self {
        let flags = if volume.is_writable() { MUTATE } else { READ };
        let handles = vec![volume.open_root(flags).unwrap()];
        Self { volume, handles, streams: vec![], meter: Meter { left, taken: 0 }, now: 0 }
    }

    fn step(&mut self, dice: &mut Dice) -> Result<()> {
        self.now += 1;
        let change = &mut Change { now: self.now, budget: &mut self.meter };
        let (base, other) = (dice.one(&self.handles), dice.one(&self.handles));
        let (path, second) = (&*path(dice), &*path(dice));
        let follow = dice.below(2) == 0;
        let volume = &mut self.volume;
        match dice.below(17) {
            0 => volume.create_directory_at(base, path, change),
            1 => volume.remove_directory_at(base, path, change),
            2 => volume.unlink_file_at(base, path, change),
            3..=5 => volume.rename_at((base, path), (other, second), change),
            6 => volume.link_at((base, path, follow), (other, second), change),
            7 => volume.symlink_at(second, base, path, change),
            8 => volume.stat_at(base, path, follow).map(|_| ()),
            9 => volume.readlink_at(base, path).map(|_| ()),
            10 => {
                volume.set_times_at(base, (path, follow), NewTimestamp::Now, NewTimestamp::At(dice.roll()), 9)
            }
            11..=16 => self.step_with_handles(dice, path, follow),
            _ => Ok(()),
        }
    }

    fn step_with_handles(&mut self, dice: &mut Dice, path: &str, follow: bool) -> Result<()> {
        let change = &mut Change { now: self.now, budget: &mut self.meter };
        let at = dice.below(self.handles.len());
        let volume = &mut self.volume;
        let bytes = vec![7; dice.scaled(18)];
        match dice.below(10) {
            0..=2 => {
                let (open, flags) = wishes(dice);
                let opened = volume.open_at(&self.handles[at], (path, follow), open, flags, change)?;
                self.handles.push(opened);
            }
            3 if at > 0 => volume.close(self.handles.swap_remove(at), &mut self.meter)?,
            3 | 4 => {
                let again = volume.duplicate(&self.handles[at])?;
                self.handles.push(again);
            }
            5 => drop(volume.write(&self.handles[at], *dice.one(&NUMBERS), &bytes, change)?),
            6 => drop(volume.append(&self.handles[at], &bytes, change)?),
            7 => volume.set_size(&self.handles[at], *dice.one(&NUMBERS), change)?,
            8 => drop(volume.read(&self.handles[at], *dice.one(&NUMBERS), *dice.one(&NUMBERS))?),
            _ => self.step_with_streams(dice, at)?,
        }
        Ok(())
    }

    fn step_with_streams(&mut self, dice: &mut Dice, at: usize) -> Result<()> {
        if self.streams.is_empty() || dice.below(4) == 0 {
            let stream = self.volume.read_directory(&self.handles[at])?;
            self.streams.push(stream);
        }
        let at = dice.below(self.streams.len());
        match self.volume.next_entry(&mut self.streams[at])? {
            Some(_) => Ok(()),
            None => self.volume.close_stream(self.streams.swap_remove(at), &mut self.meter),
        }
    }

    fn check(&self) {
        self.volume.check().unwrap();
        assert_eq!(self.volume.usage().bytes, self.meter.taken as u64);
    }

    /// Closes everything and removes everything: nothing is left to pay for.
    fn finish(mut self) {
        let mut left = self.handles.into_iter();
        let root = left.next().unwrap();
        left.for_each(|handle| self.volume.close(handle, &mut self.meter).unwrap());
        self.streams.into_iter().for_each(|one| self.volume.close_stream(one, &mut self.meter).unwrap());
        let mut tree = Tree { volume: self.volume, root, meter: self.meter, now: 9 };
        if tree.volume.is_writable() {
            empty(&mut tree, ".");
            assert_eq!(tree.volume.usage(), brane_tree::Usage::default());
        }
        tree.check();
    }
}

/// An image of names that random paths hit.
fn seeds(content: &str) -> Draft {
    let link = ("d", "symlink", "lib/out");
    entries(&[
        ("a", "file", content),
        ("lib", "directory", ""),
        ("lib/out", "directory", ""),
        ("lib/b", "file", content),
        link,
    ])
}

fn wishes(dice: &mut Dice) -> (OpenFlags, DescriptorFlags) {
    let mut maybe = |of: usize| dice.below(of) == 0;
    let open = OpenFlags { create: maybe(2), directory: maybe(6), exclusive: maybe(6), truncate: maybe(6) };
    (open, DescriptorFlags { read: !maybe(4), write: maybe(2), mutate_directory: maybe(6) })
}

fn path(dice: &mut Dice) -> String {
    (0..dice.below(6)).map(|_| *dice.one(&PARTS)).collect()
}

/// Removes all that is below a directory.
fn empty(tree: &mut Tree, path: &str) {
    for name in tree.list(path).unwrap() {
        match name.strip_suffix('/') {
            Some(name) => {
                empty(tree, &format!("{path}/{name}"));
                tree.rmdir(&format!("{path}/{name}")).unwrap();
            }
            None => tree.unlink(&format!("{path}/{}", name.trim_end_matches('@'))).unwrap(),
        }
    }
}

fn run(seed: usize, volume: Volume, left: usize) -> [usize; 2] {
    let mut dice = Dice::new(seed as u64);
    let mut guest = Guest::new(volume, left);
    let mut counts = [0, 0];
    for _ in 0..400 {
        match guest.step(&mut dice) {
            Ok(()) => counts[0] += 1,
            Err(Error::Overflow) => panic!("no counter is full here"),
            Err(_) => counts[1] += 1,
        }
        guest.check();
    }
    guest.finish();
    counts
}

#[test]
fn an_empty_volume_survives_anything() {
    let mut counts = [0, 0];
    for seed in 0..rounds(100) {
        let [good, bad] = run(seed, Volume::new(1, BOUNDS, 0), 250_000);
        counts = [counts[0] + good, counts[1] + bad];
    }
    // A run in which everything fails would say nothing.
    assert!(counts.iter().all(|count| *count > rounds(100) * 40), "{counts:?}");
}

#[test]
fn a_seeded_volume_survives_anything() {
    let long = "0123456789abcdef".repeat(10_000);
    for seed in 0..rounds(60) {
        let image = Image::parse(pack(seeds(&long))).unwrap();
        run(seed, image.volume(1, "", Rights::Writable(BOUNDS)).unwrap(), usize::MAX / 2);
    }
}

#[test]
fn a_read_only_volume_survives_anything() {
    for seed in 0..rounds(60) {
        let image = Image::parse(pack(seeds("content"))).unwrap();
        run(seed, image.volume(1, "", Rights::ReadOnly).unwrap(), 0);
    }
}

#[test]
fn an_image_with_any_byte_changed_is_refused_or_sound() {
    let mut read = 0;
    for at in 0..golden().len() {
        for flip in [0x01, 0x10, 0x80, 0xff] {
            let mut bytes = golden().to_vec();
            bytes[at] ^= flip;
            read += usize::from(survives(bytes));
        }
    }
    assert!(read > 0);
}

#[test]
fn an_image_of_noise_is_refused_or_sound() {
    for seed in 0..rounds(2_000) {
        let mut dice = Dice::new(seed as u64);
        let mut bytes = golden().to_vec();
        let keep = if seed % 2 == 0 { 32 } else { 24 };
        bytes.truncate(keep + dice.below(bytes.len() - keep));
        for _ in 0..dice.below(8) {
            let at = dice.below(bytes.len());
            bytes[at] = u8::try_from(dice.below(256)).unwrap();
        }
        survives(bytes);
    }
}

/// Whether it is an image; if so, it is a sound volume.
fn survives(bytes: Vec<u8>) -> bool {
    let Ok(image) = Image::parse(Vec::leak(bytes)) else { return false };
    image.volume(1, "", Rights::ReadOnly).unwrap().check().unwrap();
    let _ = image.volume(1, "lib", Rights::ReadOnly).map(|volume| volume.check().unwrap());
    true
}
