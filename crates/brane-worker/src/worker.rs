//! The worker as the body of a cage.

use std::convert::Infallible;

use brane_wire::job::LinkSet;
use cage::{Artifact, Body, Failure, Late, Pipe};
use wasmtime::component::InstancePre;

use crate::files::Files;
use crate::host::Host;
use crate::{link, load, run, wasi};

/// A worker; after [`Body::prepare`] it holds a component that lacks only its store, and the trees.
#[derive(Default)]
pub(crate) struct Worker {
    linked: Option<InstancePre<Host>>,
    files: Files,
}

impl Body for Worker {
    fn prepare(&mut self, job: &[u8], artifact: Artifact, trees: Vec<&'static [u8]>) -> Result<(), Failure> {
        let set: LinkSet = brane_wire::decode(job)?;
        self.files = Files::prepare(set.mounts.clone(), trees)?;
        let (engine, component) = load::load(artifact)?;
        wasi::prepare();
        self.linked = Some(link::link(&engine, &component, &set)?);
        Ok(())
    }

    fn run(&mut self, pipe: Pipe, late: Late) -> Infallible {
        match &self.linked {
            Some(linked) => run::run(linked, pipe, &late, std::mem::take(&mut self.files)),
            None => cage::exit(1),
        }
    }
}
