//! The pool: where the process of a run comes from.
//!
//! A *busy* scope has a zygote of its own, and runs forked ahead from it, waiting on their socket: claiming one is a queue pop
//! and one message. A *cold* scope's runs are forked from the base zygote and install their bindings themselves. Where fork
//! cannot be had, each run is spawned.

pub(crate) mod claim;
mod policy;
pub(crate) mod scopes;

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use isolet_bindings::{ContentHash, Scope};

use crate::contract::boot::{Boot, CONTRACT, Demand, Walls};
use crate::contract::codec::Encode as _;
use crate::contract::run::ToRun;
use crate::host::config::{Config, Start};
use crate::host::control;
use crate::host::keeper::Keeper;
use crate::host::manifest::manifest_of;
use crate::host::metrics::{Counters, Metrics};
use crate::host::outcome::Origin;
use crate::host::pool::claim::Claim;
use crate::host::pool::policy::{BaseFacts, BaseStep};
use crate::host::pool::scopes::Scopes;
use crate::host::process::GuestProcess;
use crate::host::run_error::RunError;
use crate::host::snapshots::memory::ScopeSnapshots;
use crate::host::walls::KnownWalls;
use crate::host::zygote::{Condition, START_MAX, Zygote};

/// Zygotes that are tried for one run before it is spawned: that of its scope, a base zygote, and one more that was lost meanwhile.
const ZYGOTES_TRIED_MAX: usize = 3;
/// How long after a base zygote another one is started, if that was lost.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Everything under one lock: claims are short.
struct State {
    base: Option<Arc<Zygote>>,
    /// A base zygote that is to take over, while it starts.
    next_base: Option<Arc<Zygote>>,
    scopes: Scopes,
    /// When starting a base zygote failed, and may be tried again.
    retry_base_at: Option<Instant>,
}

pub(crate) struct Pool {
    config: Config,
    keeper: Keeper,
    state: Mutex<State>,
    snapshots: Arc<ScopeSnapshots>,
    pub(crate) counters: Arc<Counters>,
    warned_of_spawn: AtomicBool,
    walls: Arc<KnownWalls>,
}

impl Pool {
    /// Starts the keeper and the first base zygote.
    pub(crate) fn start(config: Config, executable: PathBuf) -> Result<Arc<Self>, RunError> {
        let place: Arc<Mutex<Weak<Self>>> = Arc::default();
        let tended = Arc::clone(&place);
        let keeper = Keeper::start(executable, move || {
            let pool = tended.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
            if let Some(pool) = pool {
                pool.tend();
            }
        })?;
        let state = State { base: None, next_base: None, scopes: Scopes::default(), retry_base_at: None };
        let counters: Arc<Counters> = Arc::default();
        let walls = Arc::new(KnownWalls::new(config.isolation.demand() != Demand::Nothing));
        let snapshots = ScopeSnapshots::new(&config, boot_of(&config), keeper.clone(), Arc::clone(&counters))
            .map_err(|source| RunError::SnapshotFolder { source })?;
        let pool = Arc::new(Self {
            config,
            keeper,
            state: Mutex::new(state),
            snapshots,
            counters,
            warned_of_spawn: AtomicBool::new(false),
            walls,
        });
        *place.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&pool);
        if pool.config.start == Start::Fork {
            let mut state = pool.lock();
            state.base = pool.new_base();
        }
        Ok(pool)
    }

    // Nothing that can panic runs under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_base(&self) -> Option<Arc<Zygote>> {
        let (zygote, socket) = match Zygote::base(Arc::clone(&self.counters), Arc::clone(&self.walls)) {
            Ok(zygote) => zygote,
            Err(error) => {
                tracing::warn!(%error, "no base zygote: its control socket could not be made");
                return None;
            }
        };
        if let Err(error) = zygote.boot(boot_of(&self.config)) {
            tracing::warn!(%error, "no base zygote: it could not be told to boot");
            return None;
        }
        self.counters.zygotes.fetch_add(1, Ordering::Relaxed);
        self.keeper.start_zygote(Arc::clone(&zygote), socket);
        Some(zygote)
    }

    /// A process for a run of this scope, which may have to start yet. `lost`: how many were claimed for it before that never did.
    pub(crate) async fn claim(self: &Arc<Self>, scope: &Scope, lost: usize) -> Result<Claim, RunError> {
        if self.config.start == Start::Spawn || lost >= ZYGOTES_TRIED_MAX {
            return self.spawn(scope);
        }
        if self.demand() != Demand::Nothing {
            self.check_walls(scope).await?;
        }
        if let Some(claim) = self.claim_now(scope)? {
            return Ok(claim);
        }
        match self.settled_base().await {
            Condition::Ready(_) => {
                if let Some(claim) = self.claim_now(scope)? {
                    return Ok(claim);
                }
            }
            Condition::Gone(reason) => self.warn_of_spawn(&reason),
            Condition::Starting => {}
        }
        self.spawn(scope)
    }

    /// Where walls are demanded: only the zygote of a scope says which stand around its runs, so there has to be one.
    async fn check_walls(self: &Arc<Self>, scope: &Scope) -> Result<(), RunError> {
        let missing = match self.zygote_of(scope).await?.map(|zygote| zygote.condition()) {
            Some(Condition::Ready(walls)) => walls.missing_for(self.demand()),
            _ => Some("the zygote of the scope".to_owned()),
        };
        missing.map_or(Ok(()), |missing| Err(RunError::NotIsolated { missing }))
    }

    /// A process from a zygote that is there already.
    fn claim_now(self: &Arc<Self>, scope: &Scope) -> Result<Option<Claim>, RunError> {
        let mut state = self.lock();
        let State { base, scopes, .. } = &mut *state;
        scopes.drop_lost_zygote(scope);
        let entry = scopes.entry(scope, self.config.ready_runs_max)?;
        entry.last_request = Instant::now();
        if let Some(claim) = entry.pop_ready() {
            self.counters.claimed.fetch_add(1, Ordering::Relaxed);
            if entry.is_out_of_ready() {
                drop(state);
                self.refill(scope.hash());
            }
            return Ok(Some(claim));
        }
        let is_ready = |zygote: &Option<Arc<Zygote>>| zygote.as_ref().is_some_and(|zygote| zygote.is_ready());
        let Some(origin) = policy::origin(false, is_ready(&entry.zygote), is_ready(base)) else { return Ok(None) };
        let mut preamble = Vec::new();
        let zygote = if origin == Origin::Forked {
            self.counters.missed.fetch_add(1, Ordering::Relaxed);
            entry.want_more(self.config.ready_runs_max);
            &entry.zygote
        } else {
            self.counters.cold.fetch_add(1, Ordering::Relaxed);
            ToRun::Install { manifest: entry.manifest.to_string() }.encode(&mut preamble);
            &*base
        };
        let Some(zygote) = zygote.clone() else { return Ok(None) };
        entry.requests = entry.requests.saturating_add(1);
        let wants_zygote = entry.zygote.is_none() && policy::is_busy(entry.requests);
        let claim = Claim::fork(&zygote, origin, preamble).ok();
        drop(state);
        if wants_zygote {
            self.prepare(scope);
        } else if origin == Origin::Forked {
            self.refill(scope.hash());
        }
        Ok(claim)
    }

    /// Gives a scope a zygote of its own, off the path of the request.
    pub(crate) fn prepare(self: &Arc<Self>, scope: &Scope) {
        let pool = Arc::clone(self);
        let scope = scope.clone();
        self.keeper.run(move || pool.make_scope_zygote(&scope));
    }

    fn make_scope_zygote(self: &Arc<Self>, scope: &Scope) {
        let mut state = self.lock();
        let State { base, scopes, .. } = &mut *state;
        let Some(base) = base.as_ref().filter(|base| base.is_ready()) else { return };
        scopes.drop_lost_zygote(scope);
        if scopes.get(scope).is_some_and(|entry| entry.zygote.is_some()) {
            return;
        }
        scopes.retire_least_recent(self.config.zygotes_max);
        // A scope without a manifest has no runs either: each says why.
        let Ok(entry) = scopes.entry(scope, self.config.ready_runs_max) else { return };
        match base.fork_scope(&entry.manifest) {
            Ok(zygote) => {
                self.counters.zygotes.fetch_add(1, Ordering::Relaxed);
                entry.zygote = Some(Arc::clone(&zygote));
                self.keeper.attend(Arc::clone(&zygote));
            }
            Err(error) => tracing::warn!(%error, "no zygote for a busy scope: its runs are forked from the base zygote"),
        }
    }

    /// Waits until a scope has its zygote and ready runs, or its snapshot where runs are spawned.
    pub(crate) async fn prepared(self: &Arc<Self>, scope: &Scope) -> Result<(), RunError> {
        if self.config.start == Start::Spawn {
            return self.snapshots.prepared(scope).await;
        }
        if self.zygote_of(scope).await?.is_some() {
            self.fill(scope.hash());
        }
        Ok(())
    }

    /// The zygote of a scope, once it is ready or gone; it is made if there is none.
    async fn zygote_of(self: &Arc<Self>, scope: &Scope) -> Result<Option<Arc<Zygote>>, RunError> {
        let there = || self.lock().scopes.get(scope).and_then(|entry| entry.zygote.clone());
        if let Some(zygote) = there().filter(|zygote| zygote.is_ready()) {
            return Ok(Some(zygote));
        }
        if let Condition::Gone(reason) = self.settled_base().await {
            return Err(RunError::Refused { reason });
        }
        self.make_scope_zygote(scope);
        let zygote = there();
        if let Some(zygote) = &zygote {
            zygote.settled().await;
        }
        Ok(zygote)
    }

    /// Forks runs ahead, off the path of the request.
    fn refill(self: &Arc<Self>, hash: ContentHash) {
        let pool = Arc::clone(self);
        self.keeper.run(move || pool.fill(hash));
    }

    /// Forks the next run in place of one that was ready and has ended: when the task that has its answer waits for something else.
    ///
    /// Forked sooner it would take the processor from the one that runs. And to wake the keeper for it takes the processor from the
    /// task, which has the answer a tenth later.
    pub(crate) fn replace_ready(self: &Arc<Self>, hash: ContentHash) {
        let pool = Arc::clone(self);
        tokio::spawn(async move { pool.fill(hash) });
    }

    fn fill(&self, hash: ContentHash) {
        // The lock goes in between: who claims does not wait for all of them.
        while self.lock().scopes.fork_ahead(hash, self.config.ready_runs_total_max) {}
    }

    /// A process of its own for one run.
    fn spawn(&self, scope: &Scope) -> Result<Claim, RunError> {
        let (here, there) = UnixStream::pair().map_err(RunError::system("socketpair"))?;
        let process = Arc::new(GuestProcess::starting());
        self.counters.spawns.fetch_add(1, Ordering::Relaxed);
        self.keeper.start_run(Arc::clone(&process), there.into());
        let manifest = manifest_of(scope)?;
        let snapshot = self.snapshots.take(scope, &manifest);
        let boot = Boot { scope_snapshot_of: snapshot.as_ref().map(|snapshot| snapshot.build), ..boot_of(&self.config) };
        control::send_first(&here, &ToRun::Boot(boot), snapshot.as_ref().map(|snapshot| snapshot.file()))
            .map_err(RunError::system("sendmsg"))?;
        // Also beside a snapshot: a guest of another build than that cannot use it.
        let mut preamble = Vec::new();
        ToRun::Install { manifest }.encode(&mut preamble);
        Ok(Claim::spawned(here, process, preamble, Arc::clone(&self.walls)))
    }

    /// What the base zygote is at, after it had its time to start.
    pub(crate) async fn settled_base(&self) -> Condition {
        let base = self.lock().base.clone();
        match base {
            None => Condition::Gone("there is no base zygote".to_owned()),
            Some(base) => tokio::time::timeout(START_MAX, base.settled())
                .await
                .unwrap_or_else(|_| Condition::Gone(format!("the base zygote did not start in {START_MAX:?}"))),
        }
    }

    fn warn_of_spawn(&self, reason: &str) {
        if !self.warned_of_spawn.swap(true, Ordering::Relaxed) {
            tracing::warn!(reason, "guest processes cannot be forked: each run is spawned, which takes 10 to 20 ms");
        }
    }

    /// The walls that runs need.
    pub(crate) fn demand(&self) -> Demand {
        self.config.isolation.demand()
    }

    /// The walls around spawned runs, known once there was one.
    pub(crate) fn walls_of_spawned(&self) -> Option<Walls> {
        self.walls.of_spawned()
    }

    /// The walls around the zygote of a scope, if there is one.
    pub(crate) fn walls_of_scopes(&self) -> Option<Walls> {
        let state = self.lock();
        state.scopes.zygotes().find_map(|zygote| match zygote.condition() {
            Condition::Ready(walls) => Some(walls),
            _ => None,
        })
    }

    pub(crate) fn metrics(&self, live: usize, held_bytes: usize) -> Metrics {
        let ready = self.lock().scopes.ready();
        self.counters.metrics(ready, live, held_bytes)
    }

    /// Once a second: replaces what is lost, old or idle.
    fn tend(self: &Arc<Self>) {
        if self.config.start == Start::Spawn {
            return;
        }
        let mut state = self.lock();
        self.tend_base(&mut state);
        let wanting = state.scopes.look();
        drop(state);
        for hash in wanting {
            self.fill(hash);
        }
    }

    /// Replaces a base zygote that is gone or does not answer, and starts the successor of one that is old before it is retired.
    fn tend_base(&self, state: &mut State) {
        for zygote in state.base.iter().chain(&state.next_base) {
            zygote.look();
        }
        if let Some(next) = state.next_base.take() {
            match next.condition() {
                Condition::Starting => state.next_base = Some(next),
                Condition::Gone(_) => state.scopes.part_with(next),
                Condition::Ready(_) => state.replace_base(Some(next)),
            }
        }
        let base = state.base.as_ref().map(|base| BaseFacts {
            is_ready: base.is_ready(),
            is_gone: base.is_gone(),
            forks: base.forks_of_base(),
            age: base.started.elapsed(),
        });
        let may_try = state.retry_base_at.is_none_or(|at| at <= Instant::now());
        let (forks_max, age_max) = (self.config.forks_max, self.config.zygote_age_max);
        match policy::base_step(base, state.next_base.is_some(), may_try, forks_max, age_max) {
            BaseStep::Wait => {}
            BaseStep::Replace => {
                state.retry_base_at = Some(Instant::now() + RETRY_AFTER);
                let next = self.new_base();
                state.replace_base(next);
            }
            BaseStep::Succeed => state.next_base = self.new_base(),
        }
    }
}

/// The keeper ends with the pool and kills what it started: these ends are no loss.
impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.lock();
        state.replace_base(None);
        if let Some(next) = state.next_base.take() {
            next.retire();
        }
    }
}

impl State {
    /// Has another base zygote. The zygotes of scopes are children of the last one, and end as it does: after their live runs.
    fn replace_base(&mut self, next: Option<Arc<Zygote>>) {
        self.scopes.drop_zygotes();
        if let Some(last) = std::mem::replace(&mut self.base, next) {
            self.scopes.part_with(last);
        }
    }
}

fn boot_of(config: &Config) -> Boot {
    Boot {
        contract: *CONTRACT,
        jit: config.jit,
        heap_bytes_max: config.limits.heap_bytes_max,
        huge_pages: config.huge_pages,
        jail: config.jail,
        demand: config.isolation.demand(),
        readable_by_tests: config.readable_by_tests,
        scope_snapshot_of: None,
    }
}
