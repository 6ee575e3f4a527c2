//! The runtime: once per process.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use isolet_bindings::Scope;

use super::claim::Claim;
use super::config::{Config, Start};
use super::descriptors;
use super::held::CommonBudget;
use super::limits::Limits;
use super::metrics::Metrics;
use super::places::{Capacity, Full, Place, Places, User};
use super::pool::Pool;
use super::run_error::RunError;
use super::session::Session;
use super::tool_host::ToolHost;
use super::work::HostThreads;
use super::zygote::Condition;

/// Whether [`init`](crate::init) ran in this process.
pub(crate) static INITIALISED: AtomicBool = AtomicBool::new(false);

/// Once per process: the pool of guest processes and what they are forked from. Cheap to clone.
///
/// It has a thread of its own, works under any tokio runtime, and its guest processes end with it, also when this process is
/// killed.
#[derive(Clone)]
pub struct Runtime(Arc<Inner>);

struct Inner {
    config: Config,
    pool: Arc<Pool>,
    places: Arc<Places>,
    threads: Arc<HostThreads>,
    common_budget: Arc<CommonBudget>,
}

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
}

/// How guest processes are started.
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
        let executable = executable_of(&config)?;
        check(&config)?;
        descriptors::raise_limit(config.live_runs_max);
        let pool = Pool::start(config.clone(), executable)?;
        let places = Places::new(Capacity {
            live_max: config.live_runs_max,
            waiting_max: config.waiting_runs_max,
            live_of_user_max: config.live_runs_of_user_max,
            waiting_of_user_max: config.waiting_runs_of_user_max,
            computing_max: config.computing_runs_max,
        });
        let common_budget = CommonBudget::new(config.held_bytes_total_max);
        Ok(Self(Arc::new(Inner { config, pool, places, threads: HostThreads::start()?, common_budget })))
    }

    /// One user's request. Microseconds.
    pub fn session(&self, scope: Scope, host: impl ToolHost) -> Session {
        Session::new(self.clone(), scope, Arc::new(host))
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
        &self.0.config.limits
    }

    /// What was counted since this runtime was made.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.0.pool.metrics(self.0.places.live(), self.0.common_budget.held())
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
            jit: self.0.config.jit == isolet_snapshots::flags::Jit::On,
            missing: walls.missing,
            descriptors_max: descriptors::limit(),
            live_runs_max: self.0.config.live_runs_max.min(descriptors::runs_possible()),
        }
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.0.pool.is_strict()
    }

    /// The threads for what this process does for runs.
    pub(crate) fn threads(&self) -> &Arc<HostThreads> {
        &self.0.threads
    }

    /// What this process may hold for all runs.
    pub(crate) fn common_budget(&self) -> &Arc<CommonBudget> {
        &self.0.common_budget
    }

    /// A place for a run of `user`, when it is that user's turn.
    pub(crate) async fn place(&self, user: &User) -> Result<Place, RunError> {
        let place = self.0.places.take(user).await.map_err(|Full(waiting)| {
            self.0.pool.counters.overloaded.fetch_add(1, Ordering::Relaxed);
            RunError::Overloaded { waiting, retry_after: Duration::from_secs(1) }
        })?;
        self.0.pool.counters.runs.fetch_add(1, Ordering::Relaxed);
        Ok(place)
    }

    /// A process for a run of `scope` that has its place. `lost`: how many were claimed for it before that never started.
    pub(crate) async fn claim(&self, scope: &Scope, lost: usize) -> Result<Claim, RunError> {
        self.0.pool.claim(scope, lost).await
    }

    /// Has the next run of a scope forked ahead, in place of one that was ready and has ended.
    pub(crate) fn replace_ready(&self, scope: &Scope) {
        self.0.pool.replace_ready(scope.hash());
    }
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Runtime").field("config", &self.0.config).finish_non_exhaustive()
    }
}

fn executable_of(config: &Config) -> Result<PathBuf, RunError> {
    if let Some(executable) = &config.executable {
        return Ok(executable.clone());
    }
    if !INITIALISED.load(Ordering::Relaxed) {
        return Err(RunError::NotInitialised);
    }
    if cfg!(target_os = "linux") {
        // Also right after the file was replaced or removed.
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().map_err(RunError::system("readlink"))
}

fn check(config: &Config) -> Result<(), RunError> {
    let what = if let Some(fault) = config.limits.fault() {
        fault
    } else if config.live_runs_max == 0 || config.live_runs_of_user_max == 0 {
        "`live_runs_max` or `live_runs_of_user_max` is 0: no run could start".to_owned()
    } else {
        return Ok(());
    };
    Err(RunError::Configuration { what })
}
