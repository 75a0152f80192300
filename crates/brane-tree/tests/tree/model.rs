//! Random steps on a tree and on a map of paths: the same answers, and the same tree in the end.

use std::collections::BTreeMap;

use brane_tree::{Bounds, Error, FileKind, Result};

use crate::common::{Dice, PLAIN, Tree, WRITE, rounds};

/// A tree without links: a directory is a path without bytes.
#[derive(Debug, Default)]
struct Model(BTreeMap<String, Option<Vec<u8>>>);

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A path of one to four names, most of them short.
fn path(dice: &mut Dice) -> String {
    let length = 1 + dice.below(4).min(dice.below(4));
    (0..length).map(|_| *dice.one(&NAMES)).collect::<Vec<_>>().join("/")
}

fn parent_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl Model {
    /// What stands in the way to `path`.
    fn way(&self, path: &str) -> Result<()> {
        for (at, _) in path.match_indices('/') {
            match self.0.get(&path[..at]) {
                None => return Err(Error::NoEntry),
                Some(Some(_)) => return Err(Error::NotDirectory),
                Some(None) => {}
            }
        }
        Ok(())
    }

    fn get(&self, path: &str) -> Result<&Option<Vec<u8>>> {
        self.way(path)?;
        self.0.get(path).ok_or(Error::NoEntry)
    }

    fn file(&mut self, path: &str) -> Result<&mut Vec<u8>> {
        self.way(path)?;
        self.0.get_mut(path).ok_or(Error::NoEntry)?.as_mut().ok_or(Error::IsDirectory)
    }

    fn is_empty(&self, path: &str) -> bool {
        !self.0.keys().any(|other| other.starts_with(&format!("{path}/")))
    }

    fn mkdir(&mut self, path: &str) -> Result<()> {
        match self.get(path) {
            Ok(_) => Err(Error::Exist),
            Err(Error::NoEntry) if self.way(path).is_ok() => {
                self.0.insert(path.into(), None);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<()> {
        self.way(path)?;
        if let Some(None) = self.0.get(path) {
            return Err(Error::IsDirectory);
        }
        self.0.insert(path.into(), Some(bytes.to_vec()));
        Ok(())
    }

    fn write(&mut self, path: &str, offset: usize, bytes: &[u8]) -> Result<()> {
        let file = self.file(path)?;
        file.resize(file.len().max(offset + bytes.len()), 0);
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn resize(&mut self, path: &str, size: usize) -> Result<()> {
        self.file(path)?.resize(size, 0);
        Ok(())
    }

    fn unlink(&mut self, path: &str) -> Result<()> {
        self.file(path)?;
        self.0.remove(path);
        Ok(())
    }

    fn rmdir(&mut self, path: &str) -> Result<()> {
        match self.get(path)? {
            Some(_) => Err(Error::NotDirectory),
            None if !self.is_empty(path) => Err(Error::NotEmpty),
            None => {
                self.0.remove(path);
                Ok(())
            }
        }
    }

    fn rename(&mut self, old: &str, new: &str) -> Result<()> {
        self.way(old)?;
        self.way(new)?;
        let directory = self.get(old)?.is_none();
        if directory && (parent_of(new) == old || parent_of(new).starts_with(&format!("{old}/"))) {
            return Err(Error::Invalid);
        }
        match self.0.get(new) {
            Some(_) if old == new => return Ok(()),
            Some(None) if old.starts_with(&format!("{new}/")) => return Err(Error::NotEmpty),
            Some(None) if !directory => return Err(Error::IsDirectory),
            Some(None) if !self.is_empty(new) => return Err(Error::NotEmpty),
            Some(Some(_)) if directory => return Err(Error::NotDirectory),
            _ => {}
        }
        let below = format!("{old}/");
        let moved: Vec<String> =
            self.0.keys().filter(|path| *path == old || path.starts_with(&below)).cloned().collect();
        for path in moved {
            let what = self.0.remove(&path).unwrap();
            self.0.insert(format!("{new}{}", &path[old.len()..]), what);
        }
        Ok(())
    }
}

fn write(tree: &mut Tree, path: &str, offset: u64, bytes: &[u8]) -> Result<()> {
    let file = tree.open(path, PLAIN, WRITE)?;
    let written = tree.change(|volume, _, change| volume.write(&file, offset, bytes, change));
    tree.close(file);
    written.map(|_| ())
}

fn resize(tree: &mut Tree, path: &str, size: u64) -> Result<()> {
    let file = tree.open(path, PLAIN, WRITE)?;
    let sized = tree.change(|volume, _, change| volume.set_size(&file, size, change));
    tree.close(file);
    sized
}

/// One random step on both.
fn step(dice: &mut Dice, tree: &mut Tree, model: &mut Model) -> (String, Result<()>, Result<()>) {
    let (one, two) = (path(dice), path(dice));
    let bytes = vec![u8::try_from(dice.below(255)).unwrap() + 1; dice.scaled(18)];
    let place = dice.scaled(18);
    match dice.below(12) {
        0..=2 => (format!("mkdir {one}"), tree.mkdir(&one), model.mkdir(&one)),
        3..=4 => (format!("put {one}"), tree.put(&one, &bytes), model.put(&one, &bytes)),
        5 => (
            format!("write {one} {place}"),
            write(tree, &one, place as u64, &bytes),
            // Nothing written is nothing changed.
            if bytes.is_empty() { model.file(&one).map(|_| ()) } else { model.write(&one, place, &bytes) },
        ),
        6 => (format!("resize {one} {place}"), resize(tree, &one, place as u64), model.resize(&one, place)),
        7 => (format!("unlink {one}"), tree.unlink(&one), model.unlink(&one)),
        8 => (format!("rmdir {one}"), tree.rmdir(&one), model.rmdir(&one)),
        _ => (format!("rename {one} {two}"), tree.rename(&one, &two), model.rename(&one, &two)),
    }
}

fn compare(tree: &mut Tree, model: &Model) {
    let mut found = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(directory) = waiting.pop() {
        for name in tree.list(&format!("./{directory}")).unwrap() {
            let path = format!("{directory}{name}");
            match path.strip_suffix('/') {
                Some(below) => {
                    assert_eq!(tree.stat(below).unwrap().kind, FileKind::Directory);
                    found.insert(below.to_owned(), None);
                    waiting.push(path);
                }
                None => {
                    let bytes = tree.get(&path).unwrap();
                    found.insert(path, Some(bytes));
                }
            }
        }
    }
    assert!(found == model.0, "{:?} is not {:?}", found.keys(), model.0.keys());
}

#[test]
fn random_steps_give_what_a_map_of_paths_gives() {
    for seed in 0..rounds(60) {
        let mut dice = Dice::new(seed as u64);
        let mut tree = Tree::bounded(Bounds { bytes: 1 << 30, ..Bounds::default() });
        let mut model = Model::default();
        for number in 0..150 {
            let (what, got, expected) = step(&mut dice, &mut tree, &mut model);
            assert_eq!(got, expected, "seed {seed}, step {number}: {what}");
            tree.check();
        }
        compare(&mut tree, &model);
    }
}
