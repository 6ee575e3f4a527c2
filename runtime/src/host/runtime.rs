//! The runtime: once per process.

use std::sync::Arc;

use isolet_bindings::Scope;

use super::config::{Config, Start};
use super::descriptors;
use super::limits::Limits;
use super::machine;
use super::metrics::Metrics;
use super::run_error::RunError;
use super::session::Session;
use super::supply::Supply;
use super::tool_host::ToolHost;
use super::zygote::Condition;
use crate::contract::v8_flags::Jit;

/// Once per process: the pool of guest processes and what they are forked from. Cheap to clone.
///
/// It has a thread of its own, works under any tokio runtime, and its guest processes end with it, also when this process is
/// killed.
#[derive(Clone)]
pub struct Runtime(Arc<Supply>);

/// How guest processes are isolated here, and why.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsolationReport {
    /// Forked, or spawned and why.
    pub start: StartReport,
    /// Code is in huge pages.
    pub huge_pages: bool,
    /// Guest processes cannot gain privileges.
    pub no_new_privileges: bool,
    /// Guest processes cannot open files or connect (Linux 5.13 and later).
    pub landlock: bool,
    /// Guest processes have a short list of system calls.
    pub seccomp: bool,
    /// V8 compiles to machine code.
    pub jit: bool,
    /// What is missing, one sentence each.
    pub missing: Vec<String>,
    /// Descriptors that this process may open; `None` where there is no limit.
    pub descriptors_max: Option<u64>,
    /// Runs that can live at a time: [`Config::live_runs_max`], or fewer where descriptors are short.
    pub live_runs_max: usize,
    /// Memory of this machine or of this process's cgroup, bytes.
    pub memory_bytes: usize,
    /// Processes that this process's cgroup may have; `None` where it has no limit.
    pub processes_max: Option<usize>,
}

/// How strong the isolation is, by the walls that stand. Each tier has what the one below it has.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IsolationTier {
    /// A wall is missing that the others need: no new privileges, or seccomp. The process and its limits are what remains.
    Incomplete,
    /// No new privileges and seccomp: no call that opens a file, a socket or a process is on the list of a guest process. Nothing stands behind the
    /// list. What [`Isolation::SystemCalls`](crate::Isolation::SystemCalls) demands.
    SystemCalls,
    /// Landlock behind that: files, TCP ports and other processes are refused by a second part of the kernel. What
    /// [`Isolation::Strict`](crate::Isolation::Strict) demands.
    Strict,
}

impl IsolationTier {
    /// In one word: `incomplete`, `system_calls`, `strict`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::SystemCalls => "system_calls",
            Self::Strict => "strict",
        }
    }
}

impl IsolationReport {
    /// How strong that is.
    #[must_use]
    pub fn tier(&self) -> IsolationTier {
        match (self.no_new_privileges && self.seccomp, self.landlock) {
            (false, _) => IsolationTier::Incomplete,
            (true, false) => IsolationTier::SystemCalls,
            (true, true) => IsolationTier::Strict,
        }
    }
}

/// How guest processes are started.
#[expect(clippy::exhaustive_enums, reason = "a run is forked or spawned")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartReport {
    /// Forked from a zygote.
    Fork,
    /// Spawned; why.
    Spawn(String),
}

impl Runtime {
    /// Makes a runtime and starts its first zygote, which is ready some ten milliseconds later.
    ///
    /// # Errors
    ///
    /// [`RunError::NotInitialised`] unless [`init`](crate::init) ran or `config` names an executable;
    /// [`RunError::Configuration`] for values that cannot work; [`RunError::SnapshotFolder`] for a folder that others could write
    /// to; [`RunError::System`] if the system gives no thread or socket.
    pub fn new(config: Config) -> Result<Self, RunError> {
        Supply::new(config).map(|supply| Self(Arc::new(supply)))
    }

    /// One user's request. Microseconds.
    pub fn session(&self, scope: Scope, host: impl ToolHost) -> Session {
        Session::new(Arc::clone(&self.0), scope, Arc::new(host))
    }

    /// Makes ready for a scope, so that its first run claims a process that was forked ahead; or boots from the scope's snapshot,
    /// where the configuration says [`Start::Spawn`].
    ///
    /// # Errors
    ///
    /// [`RunError::Refused`] if nothing can be forked here; [`RunError::NoSnapshot`] if no snapshot could be made. Runs of the scope
    /// work without either.
    pub async fn prepare(&self, scope: &Scope) -> Result<(), RunError> {
        self.0.pool.prepared(scope).await
    }

    /// The limits of every run.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.0.limits()
    }

    /// What was counted since this runtime was made.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.metrics()
    }

    /// How guest processes are isolated here. Waits for the first zygote.
    ///
    /// The walls are those around the zygote of a scope, or around a spawned run: without any so far
    /// ([`Runtime::prepare`] makes the one, [`Session::run`] the other), those that the base zygote already has.
    pub async fn isolation(&self) -> IsolationReport {
        let condition = match self.0.config.start {
            Start::Spawn => Condition::Gone("the configuration says so".to_owned()),
            Start::Fork => self.0.pool.settled_base().await,
        };
        let walls = self.0.pool.walls_of_scopes();
        let of_spawned = self.0.pool.walls_of_spawned().unwrap_or_default();
        let (start, walls) = match condition {
            Condition::Ready(base) => (StartReport::Fork, walls.unwrap_or(base)),
            Condition::Gone(reason) => (StartReport::Spawn(reason), of_spawned),
            Condition::Starting => (StartReport::Spawn("the base zygote has not started yet".to_owned()), of_spawned),
        };
        IsolationReport {
            start,
            huge_pages: walls.huge_pages,
            no_new_privileges: walls.no_new_privileges,
            landlock: walls.landlock,
            seccomp: walls.seccomp,
            jit: self.0.config.jit == Jit::On,
            missing: walls.missing,
            descriptors_max: descriptors::limit(),
            live_runs_max: self.0.config.live_runs_max.min(descriptors::runs_possible()),
            memory_bytes: machine::memory_bytes(),
            processes_max: machine::processes_max(),
        }
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Runtime").field("config", &self.0.config).finish_non_exhaustive()
    }
}
