//! The component that `brane-compile` makes of a core module: the module on stdin, the component on stdout.
//!
//! For `scripts/conformance`, which runs the same bytes in another runtime. Not part of the product.

#![forbid(unsafe_code)]
#![allow(dead_code, reason = "the modules are the compiler's, which uses all of them")]

#[path = "../src/adapt.rs"]
mod adapt;
#[path = "../src/gobreak.rs"]
mod gobreak;
#[path = "../src/gocode.rs"]
mod gocode;
#[path = "../src/golang.rs"]
mod golang;
#[path = "../src/reject.rs"]
mod reject;
#[path = "../src/sections.rs"]
mod sections;

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut module = Vec::new();
    io::stdin().read_to_end(&mut module)?;
    let component = adapt::to_component(&module).map_err(|reject| io::Error::other(reject.message()))?;
    io::stdout().write_all(&component)
}
