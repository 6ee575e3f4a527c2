//! What the runs of a runtime are made with: processes, slots, threads, memory.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use isolet_bindings::Scope;

use super::config::Config;
use super::descriptors;
use super::held::CommonBudget;
use super::kept_results::{KeptResults, ResultsOfUser};
use super::limits::Limits;
use super::metrics::Metrics;
use super::pool::Pool;
use super::pool::claim::Claim;
use super::run_error::RunError;
use super::slots::{Capacity, Full, Slot, Slots, User};
use super::work::HostThreads;
use crate::contract::boot::Demand;

/// Whether [`init`](crate::init) ran in this process.
pub(crate) static INITIALISED: AtomicBool = AtomicBool::new(false);

/// All that the sessions of one runtime draw on.
pub(crate) struct Supply {
    pub(crate) config: Config,
    pub(crate) pool: Arc<Pool>,
    slots: Arc<Slots>,
    threads: Arc<HostThreads>,
    common_budget: Arc<CommonBudget>,
    kept_results: Arc<KeptResults>,
}

impl Supply {
    /// Starts the pool of guest processes.
    pub(crate) fn new(config: Config) -> Result<Self, RunError> {
        let executable = executable_of(&config)?;
        check(&config)?;
        descriptors::raise_limit(config.live_runs_max);
        let pool = Pool::start(config.clone(), executable)?;
        let slots = Slots::new(Capacity {
            live_max: config.live_runs_max,
            waiting_max: config.waiting_runs_max,
            live_of_user_max: config.live_runs_of_user_max,
            waiting_of_user_max: config.waiting_runs_of_user_max,
            computing_max: config.computing_runs_max,
        });
        let common_budget = CommonBudget::new(config.held_bytes_total_max);
        Ok(Self { config, pool, slots, threads: HostThreads::start()?, common_budget, kept_results: Arc::default() })
    }

    /// The limits of every run.
    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// What was counted since this was made.
    pub(crate) fn metrics(&self) -> Metrics {
        self.pool.metrics(self.slots.live(), self.common_budget.held())
    }

    /// The walls that runs need.
    pub(crate) fn demand(&self) -> Demand {
        self.pool.demand()
    }

    /// The threads for what this process does for runs.
    pub(crate) fn threads(&self) -> &Arc<HostThreads> {
        &self.threads
    }

    /// What this process may hold for all runs.
    pub(crate) fn common_budget(&self) -> &Arc<CommonBudget> {
        &self.common_budget
    }

    /// The results that are kept for the next programs of `user`.
    pub(crate) fn kept_results(&self, user: &User) -> ResultsOfUser {
        self.kept_results.of_user(user)
    }

    /// A slot for a run of `user`, when it is that user's turn.
    pub(crate) async fn slot(&self, user: &User) -> Result<Slot, RunError> {
        let slot = self.slots.take(user).await.map_err(|Full(waiting)| {
            self.pool.counters.overloaded.fetch_add(1, Ordering::Relaxed);
            RunError::Overloaded { waiting, retry_after: Duration::from_secs(1) }
        })?;
        self.pool.counters.runs.fetch_add(1, Ordering::Relaxed);
        Ok(slot)
    }

    /// A process for a run of `scope` that has its slot. `lost`: how many were claimed for it before that never started.
    pub(crate) async fn claim(&self, scope: &Scope, lost: usize) -> Result<Claim, RunError> {
        self.pool.claim(scope, lost).await
    }

    /// Has the next run of a scope forked ahead, in place of one that was ready and has ended.
    pub(crate) fn replace_ready(&self, scope: &Scope) {
        self.pool.replace_ready(scope.hash());
    }
}

fn executable_of(config: &Config) -> Result<PathBuf, RunError> {
    if let Some(executable) = &config.executable {
        return Ok(executable.clone());
    }
    if cfg!(not(feature = "guest")) {
        let what = "this build has no guest side: set `Config::executable` to a program that has, as `isolet`, or turn on the feature `guest`";
        return Err(RunError::Configuration { what: what.to_owned() });
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
