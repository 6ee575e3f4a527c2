//! The fault of the host or of the caller: never of the program.

use std::io;
use std::time::Duration;

use rustix::io::Errno;

use super::snapshots::folder::SnapshotFolderError;

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
        /// Runs that wait for a slot.
        waiting: usize,
        /// When a retry may succeed.
        retry_after: Duration,
    },
    /// The operating system refused what a guest process needs: processes, memory, descriptors. Retry when fewer runs live.
    #[error("the system refused `{call}`, which a guest process needs: {}", remedy(source))]
    System {
        /// The call that was refused: `fork`, `socketpair`, …
        call: &'static str,
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
    /// Somebody has stopped the guest process (SIGSTOP), which a program cannot do. It was killed: retry.
    #[error("the guest process was stopped by a signal from outside: retry")]
    Interrupted,
    /// The isolation that the configuration asks for cannot be had: `Isolation::Strict`, or `Isolation::SystemCalls`.
    #[error("the isolation that is asked for cannot be had here: {missing}: `isolet doctor` says more")]
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
    pub(crate) fn system(call: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { call, source }
    }

    /// A call that was refused in another process, with this error.
    pub(crate) fn refused(call: &'static str, error: i32) -> Self {
        Self::System { call, source: io::Error::from_raw_os_error(error) }
    }

    /// A state believed impossible.
    #[track_caller]
    pub(crate) fn bug(what: impl Into<String>) -> Self {
        let (what, place) = (what.into(), std::panic::Location::caller());
        tracing::error!(what, file = place.file(), line = place.line(), "BUG");
        Self::Bug { what, file: place.file(), line: place.line() }
    }
}

/// The way out of what the system refuses.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::AGAIN) => {
            "there are as many processes as this user or container may have: raise the limit (`ulimit -u`, `TasksMax`, `pids.max`) or \
             lower `live_runs_max`"
        }
        Some(Errno::NOMEM) => "there is no memory for it: raise the limit (`ulimit -v`, `memory.max`) or lower `live_runs_max`",
        Some(Errno::MFILE) => "as many files are open as may be: raise the limit (`ulimit -n`) or lower `live_runs_max`",
        Some(Errno::NFILE) => "as many files are open as this machine allows: raise `fs.file-max`",
        Some(Errno::PERM | Errno::ACCESS) => "a sandbox or container around this process forbids it: allow it there",
        Some(Errno::NOSYS) => "neither this kernel nor the sandbox around this process knows it: allow it there",
        Some(Errno::NOENT) => "it is not there: mount `/proc` and `/dev`, and keep the executable where it is",
        _ => "`isolet doctor` says what this machine gives",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_refuses_is_named_with_the_way_out() {
        let error = RunError::refused("fork", Errno::AGAIN.raw_os_error());
        let text = error.to_string();
        assert!(text.starts_with("the system refused `fork`, which a guest process needs: "), "{text}");
        assert!(text.contains("`ulimit -u`"), "{text}");
        let forbidden = RunError::refused("socketpair", Errno::PERM.raw_os_error()).to_string();
        assert!(forbidden.ends_with("a sandbox or container around this process forbids it: allow it there"), "{forbidden}");
    }
}
