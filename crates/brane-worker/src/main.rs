//! `brane-worker`: loads one precompiled component, links exactly what its plan grants, and runs it in a cage.
//!
//! The file names are the stages: [`link`] in the template, [`run`] in each brane; [`wasi`] is what a grant links and
//! [`denied`] what a denial links. One process is one brane and is never used again.

#![deny(unsafe_code)]

mod denied;
mod direct;
mod files;
mod filing;
mod host;
mod limits;
mod link;
mod load;
mod run;
mod tools;
mod values;
mod wasi;
mod worker;

#[global_allocator]
static ALLOCATOR: cage::ExitingAllocator = cage::ExitingAllocator;

fn main() {
    cage::main(worker::Worker::default())
}
