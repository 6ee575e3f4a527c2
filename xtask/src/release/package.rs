//! A package, as it is written.

/// A file that is passed on.
pub(super) struct Package {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) kind: Kind,
}

/// What a package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The program with all that belongs to it.
    Archive,
    /// For Python, with the program.
    Wheel,
    /// For Node.js, with the program.
    NpmProgram,
    /// For Node.js, what drives the program.
    NpmLibrary,
    /// What is said of the others.
    Document,
}
