//! A volume with its root open, a budget that is watched, and a clock that goes on with every step.

use brane_tree::{
    Bounds, Budget, Change, DescriptorFlags, Error, FileKind, Handle, OpenFlags, Result, Stat, Volume,
};

pub(crate) const READ: DescriptorFlags =
    DescriptorFlags { read: true, write: false, mutate_directory: false };
pub(crate) const WRITE: DescriptorFlags =
    DescriptorFlags { read: true, write: true, mutate_directory: false };
pub(crate) const MUTATE: DescriptorFlags =
    DescriptorFlags { read: true, write: false, mutate_directory: true };
pub(crate) const PLAIN: OpenFlags =
    OpenFlags { create: false, directory: false, exclusive: false, truncate: false };
pub(crate) const CREATE: OpenFlags = OpenFlags { create: true, ..PLAIN };

/// What is left, and what was taken.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) left: usize,
    pub(crate) taken: usize,
}

impl Budget for Meter {
    fn take(&mut self, bytes: usize) -> bool {
        let enough = bytes <= self.left;
        if enough {
            self.left -= bytes;
            self.taken += bytes;
        }
        enough
    }

    fn give(&mut self, bytes: usize) {
        self.left += bytes;
        self.taken = self.taken.checked_sub(bytes).expect("more given back than taken");
    }
}

pub(crate) struct Tree {
    pub(crate) volume: Volume,
    pub(crate) root: Handle,
    pub(crate) meter: Meter,
    pub(crate) now: u64,
}

impl Tree {
    pub(crate) fn new() -> Self {
        Self::bounded(Bounds::default())
    }

    pub(crate) fn bounded(bounds: Bounds) -> Self {
        Self::of(Volume::new(1, bounds, 1))
    }

    /// A volume seen from its root, for changes if it allows them.
    pub(crate) fn of(mut volume: Volume) -> Self {
        let flags = if volume.is_writable() { MUTATE } else { READ };
        let root = volume.open_root(flags).unwrap();
        Self { volume, root, meter: Meter { left: usize::MAX / 2, taken: 0 }, now: 1 }
    }

    /// Calls a change with the volume's root.
    pub(crate) fn change<T>(
        &mut self,
        act: impl FnOnce(&mut Volume, &Handle, &mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        self.now += 1;
        let mut change = Change { now: self.now, budget: &mut self.meter };
        act(&mut self.volume, &self.root, &mut change)
    }

    pub(crate) fn open(&mut self, path: &str, open: OpenFlags, flags: DescriptorFlags) -> Result<Handle> {
        self.change(|volume, root, change| volume.open_at(root, (path, true), open, flags, change))
    }

    pub(crate) fn close(&mut self, handle: Handle) {
        self.volume.close(handle, &mut self.meter).unwrap();
    }

    /// Makes or replaces a file.
    pub(crate) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        let file = self.open(path, OpenFlags { truncate: true, ..CREATE }, WRITE)?;
        let done = self.change(|volume, _, change| volume.write(&file, 0, bytes, change));
        self.close(file);
        done.map(|count| assert_eq!(count, bytes.len()))
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<Vec<u8>> {
        let file = self.open(path, PLAIN, READ)?;
        let bytes = self.read_all(&file);
        self.close(file);
        bytes
    }

    pub(crate) fn read_all(&self, file: &Handle) -> Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let (bytes, end) = self.volume.read(file, all.len() as u64, u64::MAX)?;
            all.extend(bytes);
            if end {
                return Ok(all);
            }
        }
    }

    pub(crate) fn mkdir(&mut self, path: &str) -> Result<()> {
        self.change(|volume, root, change| volume.create_directory_at(root, path, change))
    }

    pub(crate) fn rmdir(&mut self, path: &str) -> Result<()> {
        self.change(|volume, root, change| volume.remove_directory_at(root, path, change))
    }

    pub(crate) fn unlink(&mut self, path: &str) -> Result<()> {
        self.change(|volume, root, change| volume.unlink_file_at(root, path, change))
    }

    pub(crate) fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        self.change(|volume, root, change| volume.rename_at((root, old), (root, new), change))
    }

    pub(crate) fn link(&mut self, old: &str, new: &str) -> Result<()> {
        self.change(|volume, root, change| volume.link_at((root, old, false), (root, new), change))
    }

    pub(crate) fn symlink(&mut self, target: &str, path: &str) -> Result<()> {
        self.change(|volume, root, change| volume.symlink_at(target, root, path, change))
    }

    pub(crate) fn stat(&self, path: &str) -> Result<Stat> {
        self.volume.stat_at(&self.root, path, true)
    }

    pub(crate) fn lstat(&self, path: &str) -> Result<Stat> {
        self.volume.stat_at(&self.root, path, false)
    }

    /// The names in a directory, with a mark after those that are no files.
    pub(crate) fn list(&mut self, path: &str) -> Result<Vec<String>> {
        let directory = self.open(path, PLAIN, READ)?;
        let stream = self.volume.read_directory(&directory);
        self.close(directory);
        let mut stream = stream?;
        let mut names = Vec::new();
        while let Some(entry) = self.volume.next_entry(&mut stream)? {
            let mark = match entry.kind {
                FileKind::File => "",
                FileKind::Directory => "/",
                FileKind::Symlink => "@",
            };
            names.push(entry.name + mark);
        }
        self.volume.close_stream(stream, &mut self.meter)?;
        Ok(names)
    }

    /// What must hold after every step.
    pub(crate) fn check(&self) {
        self.volume.check().unwrap();
        assert_eq!(self.volume.usage().bytes, self.meter.taken as u64, "the budget is not what is used");
    }
}

/// What an operation must fail with.
pub(crate) fn assert_fails<T: std::fmt::Debug>(result: Result<T>, with: Error) {
    assert_eq!(result.expect_err("it should fail"), with);
}

/// Numbers that are the same in every run: xorshift64* (Marsaglia 2003, Vigna 2016).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2).wrapping_add(1))
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.roll()).unwrap() % bound
    }

    /// Below two to the power of `bits`, and of any order of magnitude.
    pub(crate) fn scaled(&mut self, bits: usize) -> usize {
        let bits = self.below(bits);
        self.below(1 << bits)
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// How many times a random test is to go round: `BRANE_TREE_ROUNDS` times what it does by default.
pub(crate) fn rounds(default: usize) -> usize {
    let factor = std::env::var("BRANE_TREE_ROUNDS").ok().and_then(|text| text.parse().ok());
    default * factor.unwrap_or(1)
}
