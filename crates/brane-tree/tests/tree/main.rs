//! The tree from outside, by subject.

#![forbid(unsafe_code)]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "tests, helpers included")]

mod bounds;
mod chaos;
mod common;
mod content;
mod image;
mod links;
mod listing;
mod meta;
mod model;
mod native;
mod open;
mod removal;
mod rename;
mod resolution;
mod rights;
