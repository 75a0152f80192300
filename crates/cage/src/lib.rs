//! Everything that touches the kernel to make a jail: enter, spawn, seal.
//!
//! # Terminology
//!
//! - An **owner** starts a template and talks to it; it looks at every brane from outside before any "go".
//! - A **template** is a process in its own user, pid, mount, ipc, uts and cgroup namespaces ([`birth`], [`enter`]).
//!   It maps trees, loads, links and forks; it never runs a tenant's code.
//! - A **brane** is one fork of a template in seven namespaces of its own ([`spawn`]), with nothing left to give up
//!   ([`seal`]). What runs in it is the program's [`Body`].
//!
//! Jail, worker and the attack programs of the tests are three bodies in this one cage, so that what is tested is what
//! ships. Each privileged function is a straight line: one system call and one error name a step, with its reason.
//! `unsafe` is in [`sys`] alone.

#![warn(unsafe_code)]

mod birth;
mod control;
mod enter;
mod error;
mod image;
mod pipe;
mod seal;
mod spawn;
#[expect(unsafe_code, reason = "system calls that rustix has no safe form of; each use argues for itself")]
mod sys;
mod template;

pub use error::{Failure, StepError};
pub use image::Late;
pub use pipe::{Pipe, PipeError};
pub use seal::{COMMANDS, EVENTS};
pub use sys::{ExitingAllocator, OUT_OF_MEMORY, exec, exit};
pub use template::{Artifact, Body, main};
