//! The fault of the host or of the caller: never of the program.

use std::io;
use std::time::Duration;

use super::snapshot_folder::SnapshotFolderError;

/// A run, or a runtime, that failed for no fault of the program. Log it, retry, or mend the set-up.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Neither `init()` ran nor does the configuration name an executable.
    #[error(
        "guest processes cannot be started: call `isolet::init()` as the first line of `main`, or set `Config::executable` to \
         a program that does (the program `isolet` is one)"
    )]
    NotInitialised,
    /// A configuration that cannot work.
    #[error("the configuration cannot work: {what}")]
    Configuration {
        /// What is wrong, and the way out.
        what: String,
    },
    /// Too many runs.
    #[error("busy: {waiting} runs are already waiting: retry after {retry_after:?}")]
    Overloaded {
        /// Runs that wait for a place.
        waiting: usize,
        /// When a retry may succeed.
        retry_after: Duration,
    },
    /// The operating system refused what a guest process needs: processes, memory, descriptors. Retry when fewer runs live.
    #[error("a guest process could not be {what}")]
    System {
        /// `started`, `connected`, …
        what: &'static str,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A process refused to become a guest.
    #[error("the guest process refused to start: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// The zygote that the run was forked from ended, and took the run with it. The runtime makes another: retry.
    #[error("the zygote of this run was lost: retry")]
    ZygoteLost,
    /// `Isolation::Strict` is asked for and cannot be had.
    #[error("strict isolation cannot be had here: {missing}")]
    NotIsolated {
        /// What is missing.
        missing: String,
    },
    /// The configured folder for scope snapshots cannot be used.
    #[error("the snapshots cannot be stored")]
    SnapshotFolder {
        /// Why, and the way out.
        #[source]
        source: SnapshotFolderError,
    },
    /// The snapshot of a scope that was to be prepared could not be made. Its runs boot from the base snapshot.
    #[error("the snapshot of the scope could not be made: {reason}")]
    NoSnapshot {
        /// Why.
        reason: String,
    },
    /// The runtime was shut down.
    #[error("the runtime was shut down")]
    ShutDown,
    /// A state believed impossible. The run is lost, the process is not.
    #[error("BUG at {file}:{line}: {what}")]
    Bug {
        /// What was found.
        what: String,
        /// Where.
        file: &'static str,
        /// Where.
        line: u32,
    },
}

impl RunError {
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    /// A state believed impossible.
    #[track_caller]
    pub(crate) fn bug(what: impl Into<String>) -> Self {
        let place = std::panic::Location::caller();
        Self::Bug { what: what.into(), file: place.file(), line: place.line() }
    }
}
