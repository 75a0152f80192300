//! `wasi:filesystem/types.error-code`.

use brane_tree::Error;
use wasmtime::component::{ComponentType, Lift, Lower};

/// All cases, in the interface's order.
#[derive(ComponentType, Lift, Lower, Clone, Copy, Debug, PartialEq, Eq)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "the interface has cases that no volume has")]
pub(crate) enum ErrorCode {
    #[component(name = "access")]
    Access,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "already")]
    Already,
    #[component(name = "bad-descriptor")]
    BadDescriptor,
    #[component(name = "busy")]
    Busy,
    #[component(name = "deadlock")]
    Deadlock,
    #[component(name = "quota")]
    Quota,
    #[component(name = "exist")]
    Exist,
    #[component(name = "file-too-large")]
    FileTooLarge,
    #[component(name = "illegal-byte-sequence")]
    IllegalByteSequence,
    #[component(name = "in-progress")]
    InProgress,
    #[component(name = "interrupted")]
    Interrupted,
    #[component(name = "invalid")]
    Invalid,
    #[component(name = "io")]
    Io,
    #[component(name = "is-directory")]
    IsDirectory,
    #[component(name = "loop")]
    Loop,
    #[component(name = "too-many-links")]
    TooManyLinks,
    #[component(name = "message-size")]
    MessageSize,
    #[component(name = "name-too-long")]
    NameTooLong,
    #[component(name = "no-device")]
    NoDevice,
    #[component(name = "no-entry")]
    NoEntry,
    #[component(name = "no-lock")]
    NoLock,
    #[component(name = "insufficient-memory")]
    InsufficientMemory,
    #[component(name = "insufficient-space")]
    InsufficientSpace,
    #[component(name = "not-directory")]
    NotDirectory,
    #[component(name = "not-empty")]
    NotEmpty,
    #[component(name = "not-recoverable")]
    NotRecoverable,
    #[component(name = "unsupported")]
    Unsupported,
    #[component(name = "no-tty")]
    NoTty,
    #[component(name = "no-such-device")]
    NoSuchDevice,
    #[component(name = "overflow")]
    Overflow,
    #[component(name = "not-permitted")]
    NotPermitted,
    #[component(name = "pipe")]
    Pipe,
    #[component(name = "read-only")]
    ReadOnly,
    #[component(name = "invalid-seek")]
    InvalidSeek,
    #[component(name = "text-file-busy")]
    TextFileBusy,
    #[component(name = "cross-device")]
    CrossDevice,
}

impl From<Error> for ErrorCode {
    fn from(error: Error) -> Self {
        match error {
            Error::BadDescriptor => Self::BadDescriptor,
            Error::Busy => Self::Busy,
            Error::CrossDevice => Self::CrossDevice,
            Error::Escape | Error::NotPermitted => Self::NotPermitted,
            Error::Exist => Self::Exist,
            Error::FileTooLarge => Self::FileTooLarge,
            // What a file system in memory has too little of is what programs know as a full disk.
            Error::InsufficientMemory | Error::InsufficientSpace => Self::InsufficientSpace,
            Error::Invalid => Self::Invalid,
            Error::IsDirectory => Self::IsDirectory,
            Error::Loop => Self::Loop,
            Error::NameTooLong => Self::NameTooLong,
            Error::NoEntry => Self::NoEntry,
            Error::NotDirectory => Self::NotDirectory,
            Error::NotEmpty => Self::NotEmpty,
            Error::Overflow => Self::Overflow,
            Error::ReadOnly => Self::ReadOnly,
            Error::TooManyLinks => Self::TooManyLinks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERRORS: [Error; 19] = [
        Error::BadDescriptor,
        Error::Busy,
        Error::CrossDevice,
        Error::Escape,
        Error::Exist,
        Error::FileTooLarge,
        Error::InsufficientMemory,
        Error::InsufficientSpace,
        Error::Invalid,
        Error::IsDirectory,
        Error::Loop,
        Error::NameTooLong,
        Error::NoEntry,
        Error::NotDirectory,
        Error::NotEmpty,
        Error::NotPermitted,
        Error::Overflow,
        Error::ReadOnly,
        Error::TooManyLinks,
    ];

    #[test]
    fn every_error_has_the_code_that_it_says() {
        for error in ERRORS {
            let said = if error == Error::InsufficientMemory { "insufficient-space" } else { error.code() };
            let shown = format!("{:?}", ErrorCode::from(error));
            assert_eq!(shown.to_lowercase(), said.replace('-', ""));
        }
    }
}
