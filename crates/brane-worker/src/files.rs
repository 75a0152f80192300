//! The mounts of a brane: one volume each, numbered as the job numbers them.
//!
//! Trees become volumes in the template, so that a brane has them by its fork alone. What is bound late becomes a volume
//! at "go": scratch mounts are writable and start as the late image has them, or empty; files of one run are read-only.

use brane_tree::{Bounds, DescriptorFlags, Handle, Image, ImageError, Rights, Volume};
use brane_wire::job::{Mount, MountKind};
use cage::Failure;

/// Directories below each other that a guest may make, as many as an image may have.
const DEPTH: u32 = brane_tree::IMAGE_DEPTH;
/// Nodes of one scratch mount. Each counts against the guest's memory as well.
const INODES: u64 = 1 << 20;
/// Most files, directories and streams of files that a guest may have open at once.
const MAX_OPEN: usize = 4096;

/// All mounts of one brane, and how much of them is open.
#[derive(Debug, Default)]
pub(crate) struct Files {
    mounts: Vec<Mounted>,
    open: usize,
}

/// One mount.
#[derive(Debug)]
struct Mounted {
    path: String,
    kind: MountKind,
    volume: Volume,
}

impl Files {
    /// In the template: volumes of all trees, in the order of `trees`; what is bound late is empty so far.
    pub(crate) fn prepare(mounts: Vec<Mount>, trees: Vec<&'static [u8]>) -> Result<Self, Failure> {
        let expected = mounts.iter().filter(|mount| mount.kind == MountKind::Tree).count();
        if expected != trees.len() {
            return Err(Failure::Program(format!("{} trees came, {expected} expected", trees.len())));
        }
        let mut trees = trees.into_iter();
        let mut files = Self::default();
        for (number, Mount { path, kind }) in (0..).zip(mounts) {
            let image = if kind == MountKind::Tree { trees.next() } else { None };
            let volume = first_volume(number, image)
                .map_err(|error| Failure::Program(format!("tree of {path}: {error}")))?;
            files.mounts.push(Mounted { path, kind, volume });
        }
        Ok(files)
    }

    /// In the brane: the volumes of all that is bound late. A scratch mount holds at most `memory` bytes.
    pub(crate) fn bind(
        &mut self,
        late: Option<&'static [u8]>,
        memory: u64,
        now: u64,
    ) -> Result<(), ImageError> {
        let image = late.map(Image::parse).transpose()?;
        for (number, mount) in (0..).zip(&mut self.mounts) {
            let rights = match mount.kind {
                MountKind::Tree => continue,
                MountKind::Files => Rights::ReadOnly,
                MountKind::Scratch => Rights::Writable(bounds(memory)),
            };
            mount.volume = late_volume(image.as_ref(), number, rights, now)?;
        }
        Ok(())
    }

    /// Path and root of every mount, as a guest gets them.
    pub(crate) fn preopens(&mut self) -> brane_tree::Result<Vec<(String, Handle)>> {
        self.open = self.open.saturating_add(self.mounts.len());
        self.mounts.iter_mut().map(|mount| Ok((mount.path.clone(), root(&mut mount.volume)?))).collect()
    }

    /// The volume behind a handle.
    pub(crate) fn volume(&mut self, handle: &Handle) -> brane_tree::Result<&mut Volume> {
        let mount = usize::try_from(handle.volume()).ok().and_then(|number| self.mounts.get_mut(number));
        Ok(&mut mount.ok_or(brane_tree::Error::BadDescriptor)?.volume)
    }

    /// The volume of a mount, and a handle of its root that is to be closed.
    pub(crate) fn mount(&mut self, number: u16) -> brane_tree::Result<(&mut Volume, Handle)> {
        let mount = self.mounts.get_mut(usize::from(number)).ok_or(brane_tree::Error::BadDescriptor)?;
        let root = root(&mut mount.volume)?;
        Ok((&mut mount.volume, root))
    }

    /// Counts one more that is open, if that may be.
    pub(crate) fn admit(&mut self) -> bool {
        let fits = self.open < MAX_OPEN;
        self.open += usize::from(fits);
        fits
    }

    /// Counts one less.
    pub(crate) fn dismiss(&mut self) {
        self.open = self.open.saturating_sub(1);
    }
}

fn first_volume(number: u32, tree: Option<&'static [u8]>) -> Result<Volume, ImageError> {
    match tree {
        Some(bytes) => Image::parse(bytes)?.volume(number, "", Rights::ReadOnly),
        None => Ok(Volume::empty(number, Rights::ReadOnly, 0)),
    }
}

fn late_volume(image: Option<&Image>, number: u32, rights: Rights, now: u64) -> Result<Volume, ImageError> {
    let empty = || Volume::empty(number, rights, now);
    match image.map(|image| image.volume(number, &number.to_string(), rights)) {
        None | Some(Err(ImageError::NoSubtree)) => Ok(empty()),
        Some(made) => made,
    }
}

fn bounds(memory: u64) -> Bounds {
    Bounds { bytes: memory, inodes: INODES, depth: DEPTH, ..Bounds::default() }
}

fn root(volume: &mut Volume) -> brane_tree::Result<Handle> {
    let mutate_directory = volume.is_writable();
    volume.open_root(DescriptorFlags { read: true, write: false, mutate_directory })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An image of a root, a directory `1` and an empty file `f` in it, byte by byte (MessagePack).
    fn image() -> &'static [u8] {
        let mut index = b"\x82\xa7version\x01\xa7entries\x93".to_vec();
        index.extend(b"\x97\x00\xa0\xa9directory\xcd\x01\xed\x00\x00\xa0");
        index.extend(b"\x97\x00\xa11\xa9directory\xcd\x01\xed\x00\x00\xa0");
        index.extend(b"\x97\x01\xa1f\xa4file\xcd\x01\xa4\x00\x00\xa0");
        let mut bytes = brane_tree::MAGIC.to_vec();
        bytes.extend(24_u64.to_le_bytes());
        bytes.extend((index.len() as u64).to_le_bytes());
        bytes.extend(index);
        bytes.leak()
    }

    fn mounts(kinds: &[MountKind]) -> Vec<Mount> {
        kinds.iter().map(|kind| Mount { path: format!("/{kind:?}"), kind: *kind }).collect()
    }

    fn has(files: &mut Files, mount: u16, path: &str) -> bool {
        let (volume, root) = files.mount(mount).unwrap();
        volume.stat_at(&root, path, false).is_ok()
    }

    #[test]
    fn each_tree_of_the_job_needs_an_image() {
        for (kinds, trees) in [(&[MountKind::Tree][..], vec![]), (&[MountKind::Scratch][..], vec![image()])] {
            assert!(Files::prepare(mounts(kinds), trees).is_err());
        }
    }

    #[test]
    fn a_tree_that_is_no_image_is_refused_by_the_path_of_its_mount() {
        let error = Files::prepare(mounts(&[MountKind::Tree]), vec![b"nothing"]).unwrap_err();
        assert!(error.to_string().starts_with("tree of /Tree: not a tree image"), "{error}");
    }

    #[test]
    fn what_is_bound_late_is_found_by_the_number_of_its_mount() {
        let kinds = [MountKind::Tree, MountKind::Scratch, MountKind::Files];
        let mut files = Files::prepare(mounts(&kinds), vec![image()]).unwrap();
        assert!(!has(&mut files, 1, "f"));
        files.bind(Some(image()), 1 << 20, 7).unwrap();
        assert!(has(&mut files, 0, "1/f"));
        assert!(has(&mut files, 1, "f"));
        assert!(!has(&mut files, 2, "f"));
    }

    #[test]
    fn only_scratch_can_be_changed() {
        let kinds = [MountKind::Tree, MountKind::Scratch, MountKind::Files];
        let mut files = Files::prepare(mounts(&kinds), vec![image()]).unwrap();
        files.bind(None, 1 << 20, 7).unwrap();
        let writable: Vec<bool> = (0..3).map(|number| files.mount(number).unwrap().0.is_writable()).collect();
        assert_eq!(writable, [false, true, false]);
    }

    #[test]
    fn a_late_image_that_is_none_is_an_error() {
        let mut files = Files::prepare(mounts(&[MountKind::Scratch]), vec![]).unwrap();
        assert!(files.bind(Some(b"branetr1"), 1 << 20, 7).is_err());
    }

    #[test]
    fn no_more_than_so_many_are_open_at_once() {
        let mut files = Files::default();
        assert!((0..MAX_OPEN).all(|_| files.admit()));
        assert!(!files.admit());
        files.dismiss();
        assert!(files.admit());
    }

    #[test]
    fn a_mount_that_is_not_there_is_no_mount() {
        assert!(Files::default().mount(0).is_err());
    }
}
