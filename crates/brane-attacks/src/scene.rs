//! What a payload is given: words, and a voice.

use std::ffi::CString;
use std::io::Write;

use brane_wire::brane::FromBrane;
use cage::Pipe;
use serde_bytes::ByteBuf;

/// Why an attempt did not succeed; an errno where the kernel said so.
pub(crate) type Attempt<T = ()> = Result<T, i32>;

/// Where output goes.
#[derive(Debug)]
pub(crate) enum Voice {
    /// Events to the owner of the cage.
    Caged(Pipe),
    /// Standard output.
    Bare,
}

/// A payload's surroundings.
#[derive(Debug)]
pub(crate) struct Scene {
    voice: Voice,
    words: Vec<String>,
}

impl Scene {
    /// `words` are payload, attempt, nonce, and the rest.
    pub(crate) fn new(voice: Voice, words: Vec<String>) -> Self {
        Self { voice, words }
    }

    /// Name of the payload.
    pub(crate) fn payload(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// Which of the payload's attempts.
    pub(crate) fn attempt(&self) -> &str {
        self.words.get(1).map_or("", String::as_str)
    }

    /// The canary of attempts that have no other effect.
    pub(crate) fn nonce(&self) -> String {
        self.words.get(2).cloned().unwrap_or_default()
    }

    /// Word `index` of the rest.
    pub(crate) fn word(&self, index: usize) -> Attempt<&str> {
        self.words.get(3 + index).map(String::as_str).ok_or(libc::EINVAL)
    }

    /// The same as a path for the kernel.
    pub(crate) fn path(&self, index: usize) -> Attempt<CString> {
        c_string(self.word(index)?)
    }

    /// The same as a number: decimal, or hexadecimal after `0x`.
    pub(crate) fn number(&self, index: usize) -> Attempt<usize> {
        let word = self.word(index)?;
        let parsed = match word.strip_prefix("0x") {
            Some(digits) => usize::from_str_radix(digits, 16),
            None => word.parse(),
        };
        parsed.map_err(|_| libc::EINVAL)
    }

    /// Writes `bytes` where the harness reads.
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        // If nobody listens any more there is nobody to tell.
        let _ = match &mut self.voice {
            Voice::Caged(pipe) => {
                pipe.send(&FromBrane::Output { stream: 1, data: ByteBuf::from(bytes) }).is_ok()
            }
            Voice::Bare => {
                std::io::stdout().write_all(bytes).and_then(|()| std::io::stdout().flush()).is_ok()
            }
        };
    }

    /// Ends the process, telling the owner first if there is one.
    pub(crate) fn end(mut self, code: u8) -> ! {
        if let Voice::Caged(pipe) = &mut self.voice {
            let _ = pipe.send(&FromBrane::Exited { code });
        }
        cage::exit(i32::from(code))
    }
}

/// `text` with a NUL behind it.
pub(crate) fn c_string(text: &str) -> Attempt<CString> {
    CString::new(text).map_err(|_| libc::EINVAL)
}
