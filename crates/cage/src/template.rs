//! The template's life: set up once, then a brane for every request, until the owner is gone.

use std::convert::Infallible;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};

use brane_wire::control::{Died, FromTemplate, ToTemplate};
use brane_wire::frame;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::control::Control;
use crate::error::{Failure, Named};
use crate::image::{self, Late};
use crate::pipe::Pipe;
use crate::seal::{COMMANDS, Descriptors, EVENTS, report, seal};
use crate::spawn::{Spawned, Spawner};
use crate::{birth, enter, sys};

/// Numbers that a template's own descriptors stay below.
const MAX_DESCRIPTOR: RawFd = 256;
/// Exit code of a brane whose own code panicked: never abort, whose tgkill would read as an escape.
const PANIC_CODE: i32 = 70;

/// What a program does in the cage.
pub trait Body {
    /// In the template, stage 1 of the filter installed: get ready for any number of branes.
    ///
    /// Descriptors that it leaves open stay open, under their numbers, in every brane. `trees` are mapped and sealed.
    fn prepare(&mut self, job: &[u8], artifact: Artifact, trees: Vec<&'static [u8]>) -> Result<(), Failure>;

    /// In a sealed brane that waits for "go": serve it to its end.
    fn run(&mut self, pipe: Pipe, late: Late) -> Infallible;
}

/// The artifact that a template works from, and a way to open it by path although there is no path.
#[derive(Debug)]
pub struct Artifact {
    descriptor: OwnedFd,
    proc: OwnedFd,
}

impl Artifact {
    /// The sealed memfd.
    pub fn into_descriptor(self) -> OwnedFd {
        self.descriptor
    }

    /// Calls `open` with a path, relative to the working directory, under which the artifact opens meanwhile.
    pub fn with_path<T>(self, open: impl FnOnce(&str) -> T) -> Result<T, Failure> {
        rustix::process::fchdir(&self.proc).named("enter /proc")?;
        let result = open(&format!("self/fd/{}", self.descriptor.as_raw_fd()));
        rustix::process::chdir("/").named("leave /proc")?;
        Ok(result)
    }
}

/// A program's `main`: one of the two ways in, never back.
///
/// `NAME birth CONTROL PROGRAM` and `NAME template CONTROL`, the numbers of inherited descriptors.
pub fn main(mut body: impl Body) -> ! {
    let args: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words.as_slice() {
        [name, "birth", control, program] => match (number(control), number(program)) {
            (Some(control), Some(program)) => born(control, program, (*name).to_owned()),
            _ => sys::exit(2),
        },
        [_, "template", control] => match number(control) {
            Some(control) => live(control, &mut body),
            None => sys::exit(2),
        },
        _ => sys::exit(2),
    };
    match result {
        Ok(never) => match never {},
        Err(_) => sys::exit(1),
    }
}

fn number(word: &str) -> Option<RawFd> {
    word.parse().ok().filter(|number| *number > libc::STDERR_FILENO && sys::is_open(*number))
}

/// Becomes a template, or tells the owner what failed: in this process, or in the one that was to be the template.
fn born(control: RawFd, program: RawFd, name: String) -> Result<Infallible, Failure> {
    let control = Control::new(sys::own(control));
    birth::birth(&control, &sys::own(program), name).or_else(|failure| tell(&control, failure))
}

/// Serves the owner; a failure before `Ready` is told to it.
fn live(control: RawFd, body: &mut impl Body) -> Result<Infallible, Failure> {
    let control = Control::new(sys::own(control));
    match set_up(&control, body) {
        Ok(mut template) => template.serve(&control, body),
        Err(failure) => tell(&control, failure),
    }
}

fn tell(control: &Control, failure: Failure) -> Result<Infallible, Failure> {
    control.send(&failure.report(), None)?;
    Err(Failure::Closed)
}

fn set_up(control: &Control, body: &mut impl Body) -> Result<Template, Failure> {
    let (ToTemplate::Setup { first_filter, second_filter, job }, descriptors) = control.receive()? else {
        return Err(Failure::Unexpected("setup"));
    };
    let mut descriptors = descriptors.into_iter();
    let (Some(owner), Some(descriptor)) = (descriptors.next(), descriptors.next()) else {
        return Err(Failure::Unexpected("owner and artifact"));
    };
    let proc = enter::enter(&first_filter)?;
    // Before the numbers are looked at: a tree's descriptor is closed once it is mapped.
    let trees = descriptors.map(image::tree).collect::<Result<Vec<_>, _>>()?;
    let own: Vec<RawFd> =
        open_numbers().into_iter().filter(|number| *number != descriptor.as_raw_fd()).collect();
    let artifact =
        Artifact { descriptor, proc: rustix::io::fcntl_dupfd_cloexec(&proc, 3).named("copy /proc")? };
    body.prepare(&job, artifact, trees)?;
    let kept = open_numbers().into_iter().filter(|number| !own.contains(number)).collect();
    control.send(&FromTemplate::Ready {}, None)?;
    Ok(Template {
        owner,
        spawner: Spawner::new(proc),
        second_filter: second_filter.into_vec(),
        kept,
        branes: Vec::new(),
    })
}

fn open_numbers() -> Vec<RawFd> {
    (0..MAX_DESCRIPTOR).filter(|number| sys::is_open(*number)).collect()
}

/// A brane as its template knows it.
#[derive(Debug)]
struct Child {
    pid: i32,
    pidfd: OwnedFd,
    status: OwnedFd,
}

#[derive(Debug)]
struct Template {
    owner: OwnedFd,
    spawner: Spawner,
    second_filter: Vec<u8>,
    kept: Vec<RawFd>,
    branes: Vec<Child>,
}

impl Template {
    /// Serves until the owner is gone. This is pid 1 of its namespace: when it ends, so does every brane.
    fn serve(&mut self, control: &Control, body: &mut impl Body) -> Result<Infallible, Failure> {
        loop {
            let ready = self.wait(control)?;
            // A pidfd is readable when its process has ended: the owner's threads and forks do not matter.
            if ready[0] {
                return Err(Failure::Closed);
            }
            self.reap(&ready[2..])?;
            if ready[1] {
                self.answer(control, body)?;
            } else {
                // Idle: the next brane is not to wait for its namespace. Where none can be made, that brane is told so; the
                // ones that live are not to die of it.
                let _ = self.spawner.renew_network();
            }
        }
    }

    /// Which of owner, control channel and branes have something.
    fn wait(&self, control: &Control) -> Result<Vec<bool>, Failure> {
        let mut watched = vec![PollFd::new(&self.owner, PollFlags::IN), PollFd::new(control, PollFlags::IN)];
        watched.extend(self.branes.iter().map(|brane| PollFd::new(&brane.pidfd, PollFlags::IN)));
        loop {
            match poll(&mut watched, None) {
                Err(Errno::INTR) => {}
                other => break other.named("poll").map(|_| ())?,
            }
        }
        Ok(watched.iter().map(|watched| !watched.revents().is_empty()).collect())
    }

    /// Writes the end of every brane that has ended to its status pipe.
    fn reap(&mut self, ended: &[bool]) -> Result<(), Failure> {
        for index in (0..ended.len()).rev().filter(|index| ended[*index]) {
            let child = self.branes.swap_remove(index);
            let (status, usage) = sys::wait4(child.pid).named("reap brane")?;
            let framed = frame::frame(&brane_wire::encode(&died(status, &usage))?)?;
            // An owner that no longer listens is not a fault; the pipe is empty, so this does not block.
            let _ = rustix::io::write(&child.status, &framed);
        }
        Ok(())
    }

    fn answer(&mut self, control: &Control, body: &mut impl Body) -> Result<(), Failure> {
        let (ToTemplate::Fork { id, extra, late }, descriptors) = control.receive()? else {
            return Err(Failure::Unexpected("fork"));
        };
        let mut descriptors = descriptors.into_iter();
        let (Some(commands), Some(events), Some(status)) =
            (descriptors.next(), descriptors.next(), descriptors.next())
        else {
            return Err(Failure::Unexpected("three pipe ends"));
        };
        let image = if late { descriptors.next() } else { None };
        if image.is_some() != late {
            return Err(Failure::Unexpected("late image"));
        }
        let placed = descriptors.zip(extra).collect();
        match self.spawner.fork(id) {
            Ok(Spawned::Brane) => self.become_brane(body, Inherited { commands, events, image, placed }),
            Ok(Spawned::Template { pid, pidfd }) => {
                control.send(&FromTemplate::Forked {}, Some(pidfd.as_fd()))?;
                self.branes.push(Child { pid, pidfd, status });
                Ok(())
            }
            Err(error) => control.send(&Failure::from(error).report(), None),
        }
    }

    /// In the child: seal, then the program's own part; never back.
    fn become_brane(&self, body: &mut impl Body, inherited: Inherited) -> ! {
        let events_before = inherited.events.as_raw_fd();
        match self.seal_brane(inherited) {
            Ok((pipe, late)) => {
                std::panic::set_hook(Box::new(|_| sys::exit(PANIC_CODE)));
                match body.run(pipe, late) {}
            }
            Err(failure) => {
                report(events_before, &failure);
                sys::exit(1)
            }
        }
    }

    fn seal_brane(&self, inherited: Inherited) -> Result<(Pipe, Late), Failure> {
        let Inherited { commands, events, image, mut placed } = inherited;
        placed.extend([(commands, COMMANDS), (events, EVENTS)]);
        // Never dropped here: a step that fails is told over one of them.
        let descriptors = ManuallyDrop::new(Descriptors { placed, kept: self.kept.clone() });
        let late = Late::map(image)?;
        Ok((seal(&descriptors, &self.second_filter)?, late))
    }
}

/// What a brane has from its template's last request.
struct Inherited {
    commands: OwnedFd,
    events: OwnedFd,
    /// The memfd of its late image.
    image: Option<OwnedFd>,
    /// Further descriptors and the numbers that they get.
    placed: Vec<(OwnedFd, RawFd)>,
}

fn died(status: i32, usage: &libc::rusage) -> Died {
    let (exited, signal) = (libc::WIFEXITED(status), libc::WIFSIGNALED(status));
    Died {
        code: if exited { libc::WEXITSTATUS(status) } else { 0 },
        signal: if signal { libc::WTERMSIG(status) } else { 0 },
        user_us: microseconds(usage.ru_utime),
        system_us: microseconds(usage.ru_stime),
        max_rss_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
    }
}

fn microseconds(time: libc::timeval) -> u64 {
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_usec).unwrap_or(0)
}

/// Borrowed form for callers outside.
impl AsFd for Artifact {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
