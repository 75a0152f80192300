//! Any system call by its number, with the words that are given; says what came back.

use crate::raw;
use crate::scene::{Attempt, Scene};

/// The rest is a number and up to six words.
pub(super) fn run(scene: &mut Scene) -> Attempt {
    let number = libc::c_long::try_from(scene.number(0)?).map_err(|_| libc::EINVAL)?;
    let words: Vec<usize> = (1..=6).map_while(|index| scene.number(index).ok()).collect();
    let result = raw::call(number, &words);
    scene.say(format!("returned {result:?}\n").as_bytes());
    result.map(|_| ())
}
