//! Why the program `isolet` cannot do what it was asked, and the exit code that says whose fault it is.

use std::fmt;
use std::process::ExitCode;

/// A failure that is not the program's own doing.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The caller's: command line, configuration, patterns, files. Exit code 2.
    Usage(anyhow::Error),
    /// A server's, a guest process's or the machine's. Exit code 4.
    Host(anyhow::Error),
}

impl Fault {
    pub(crate) fn usage(error: impl Into<anyhow::Error>) -> Self {
        Self::Usage(error.into())
    }

    pub(crate) fn host(error: impl Into<anyhow::Error>) -> Self {
        Self::Host(error.into())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Host(_) => ExitCode::from(4),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Usage(error) | Self::Host(error)) = self;
        // With its causes, in one line.
        write!(f, "{error:#}")
    }
}
