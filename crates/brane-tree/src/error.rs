//! Why an operation failed, in the words of WASI.
//!
//! Every variant but [`Error::Escape`] is a case of `wasi:filesystem/types.error-code` of the same name. Only cases
//! that this crate gives are here. The text has nothing of the guest in it, so it may go to a log as it is.

/// What an operation gives, or why not.
pub type Result<T> = core::result::Result<T, Error>;

/// Why an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Error {
    /// The handle is of another volume, or not open for this.
    #[error("bad descriptor")]
    BadDescriptor,
    /// `.` or `..` cannot be renamed.
    #[error("busy")]
    Busy,
    /// The two ends are on different volumes.
    #[error("not on the same volume")]
    CrossDevice,
    /// The path left the directory it started in. To a guest it is `not-permitted`; a host records it.
    #[error("path leaves its directory")]
    Escape,
    /// The name exists.
    #[error("exists already")]
    Exist,
    /// A file would be larger than the volume may hold.
    #[error("file too large")]
    FileTooLarge,
    /// The caller's budget, or the allocator, has no memory left.
    #[error("not enough memory")]
    InsufficientMemory,
    /// The volume's bound on bytes or inodes is reached.
    #[error("no space left on the volume")]
    InsufficientSpace,
    /// An argument makes no sense here.
    #[error("invalid argument")]
    Invalid,
    /// A directory, where a file is needed.
    #[error("is a directory")]
    IsDirectory,
    /// Too many symbolic links on the way, or one where none may be.
    #[error("too many symbolic links")]
    Loop,
    /// A name, a path or a tree is longer or deeper than the volume allows.
    #[error("name too long")]
    NameTooLong,
    /// Nothing has that name.
    #[error("no such entry")]
    NoEntry,
    /// Not a directory, where one is needed.
    #[error("not a directory")]
    NotDirectory,
    /// The directory has entries.
    #[error("directory not empty")]
    NotEmpty,
    /// Never allowed: a hard link to a directory.
    #[error("not permitted")]
    NotPermitted,
    /// A counter is full.
    #[error("counter is full")]
    Overflow,
    /// The volume, or the directory that the operation starts in, may not be changed. A host records it.
    #[error("read-only")]
    ReadOnly,
    /// A file has as many names as it may have.
    #[error("too many links")]
    TooManyLinks,
}

impl Error {
    /// The case of WASI's `error-code` that a guest is answered with.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadDescriptor => "bad-descriptor",
            Self::Busy => "busy",
            Self::CrossDevice => "cross-device",
            Self::Exist => "exist",
            Self::FileTooLarge => "file-too-large",
            Self::InsufficientMemory => "insufficient-memory",
            Self::InsufficientSpace => "insufficient-space",
            Self::Invalid => "invalid",
            Self::IsDirectory => "is-directory",
            Self::Loop => "loop",
            Self::NameTooLong => "name-too-long",
            Self::NoEntry => "no-entry",
            Self::NotDirectory => "not-directory",
            Self::NotEmpty => "not-empty",
            Self::Escape | Self::NotPermitted => "not-permitted",
            Self::Overflow => "overflow",
            Self::ReadOnly => "read-only",
            Self::TooManyLinks => "too-many-links",
        }
    }

    /// Whether it is a refusal that belongs into the log, not a mishap of an honest guest.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        matches!(self, Self::Escape | Self::ReadOnly)
    }
}
