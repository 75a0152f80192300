//! `brane-attacks`: native code where a worker should be. What a broken layer 1 looks like; for tests only.
//!
//! As the body of a cage it waits for "go" like a worker, and then runs the payload that the first argument names.
//! As `brane-attacks bare STAGE PAYLOAD ...` it runs the same payload without any cage: the control, which must
//! succeed, or the test of the cage proves nothing.
//!
//! A payload's words are its attempt, a nonce, and what else it needs. On success, and only then, the nonce is written.
//! `unsafe` is in [`raw`] alone.

#![deny(unsafe_code)]

mod attack;
mod bare;
mod payloads;
#[expect(unsafe_code, reason = "an attack makes the system calls that no safe interface has")]
mod raw;
mod scene;

#[global_allocator]
static ALLOCATOR: cage::ExitingAllocator = cage::ExitingAllocator;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("bare") => bare::run(args.get(2..).unwrap_or_default()),
        _ => cage::main(attack::Attack),
    }
}
