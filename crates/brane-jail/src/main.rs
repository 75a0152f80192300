//! `brane-jail`: puts one given static program into a cage.
//!
//! The program comes as a sealed memfd in place of an artifact. It is exec'd after the last filter is installed and the
//! owner has looked, with the arguments of "go", standard streams as the owner placed them, and an empty environment.

#![forbid(unsafe_code)]

use std::convert::Infallible;
use std::os::fd::{AsFd, OwnedFd};

use brane_wire::brane::{FromBrane, ToBrane};
use cage::{Artifact, Body, Failure, Late, Pipe};

#[global_allocator]
static ALLOCATOR: cage::ExitingAllocator = cage::ExitingAllocator;

#[derive(Default)]
struct Jail {
    program: Option<OwnedFd>,
}

impl Body for Jail {
    fn prepare(
        &mut self,
        _job: &[u8],
        artifact: Artifact,
        _trees: Vec<&'static [u8]>,
    ) -> Result<(), Failure> {
        self.program = Some(artifact.into_descriptor());
        Ok(())
    }

    fn run(&mut self, mut pipe: Pipe, _late: Late) -> Infallible {
        if let (Some(program), Ok(ToBrane::Go(go))) = (&self.program, pipe.receive()) {
            let errno = cage::exec(program.as_fd(), &go.args);
            let event = FromBrane::Failed {
                step: "exec program".to_owned(),
                errno: errno.raw_os_error(),
                detail: errno.to_string(),
            };
            // If the owner is gone, so is everybody who could read this.
            let _ = pipe.send(&event);
        }
        cage::exit(1)
    }
}

fn main() {
    cage::main(Jail::default())
}
