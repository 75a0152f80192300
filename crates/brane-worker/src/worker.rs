//! The worker as the body of a cage.

use std::convert::Infallible;

use brane_wire::job::LinkSet;
use cage::{Artifact, Body, Failure, Pipe};
use wasmtime::component::InstancePre;

use crate::host::Host;
use crate::{link, load, run, wasi};

/// A worker; after [`Body::prepare`] it holds a component that lacks only its store.
#[derive(Default)]
pub(crate) struct Worker {
    linked: Option<InstancePre<Host>>,
}

impl Body for Worker {
    fn prepare(&mut self, job: &[u8], artifact: Artifact) -> Result<(), Failure> {
        let set: LinkSet = brane_wire::decode(job)?;
        let (engine, component) = load::load(artifact)?;
        wasi::prepare();
        self.linked = Some(link::link(&engine, &component, &set)?);
        Ok(())
    }

    fn run(&mut self, pipe: Pipe) -> Infallible {
        match &self.linked {
            Some(linked) => run::run(linked, pipe),
            None => cage::exit(1),
        }
    }
}
