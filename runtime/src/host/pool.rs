//! The pool: where the process of a run comes from.
//!
//! A *busy* scope has a zygote of its own, and runs forked ahead from it, waiting on their socket: claiming one is a queue pop
//! and one message. A *cold* scope's runs are forked from the base zygote and install their bindings themselves. Where fork
//! cannot be had, each run is spawned.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use isolet_bindings::{ContentHash, Scope};

use super::config::{Config, Isolation, Start};
use super::control;
use super::keeper::Keeper;
use super::metrics::{Counters, Metrics};
use super::outcome::Origin;
use super::process::GuestProcess;
use super::run_error::RunError;
use super::scope_snapshots::ScopeSnapshots;
use super::zygote::{Condition, Zygote};
use crate::frame::{Boot, Encode as _, ToRun, Walls};

/// Requests of a scope before it gets a zygote of its own.
const REQUESTS_OF_BUSY: u32 = 2;
/// Runs of a busy scope that are forked ahead at the least: one to claim, and one for whoever comes before that one has ended.
const READY_RUNS_MIN: usize = 2;
/// A scope without requests for so long gives its zygote back.
const IDLE_MAX: Duration = Duration::from_secs(120);
/// A base zygote that has not come up in this time never will.
const START_MAX: Duration = Duration::from_secs(10);
/// A process for one run: killed when it is dropped.
pub(crate) struct Claim {
    /// Taken by the conversation.
    socket: Option<UnixStream>,
    pub(crate) process: Arc<GuestProcess>,
    pub(crate) origin: Origin,
    /// What has to be written before the start: a boot, bindings.
    preamble: Vec<u8>,
    /// Where the walls around a spawned process become known, once it says them.
    walls_of_spawned: Option<Arc<OnceLock<Walls>>>,
}

impl Claim {
    fn new(socket: UnixStream, process: Arc<GuestProcess>, origin: Origin, preamble: Vec<u8>) -> Self {
        Self { socket: Some(socket), process, origin, preamble, walls_of_spawned: None }
    }

    /// The socket, and what has to be written to it first. There is one conversation with a process.
    pub(crate) fn take_socket(&mut self) -> io::Result<(UnixStream, Vec<u8>)> {
        let socket = self.socket.take().ok_or(io::ErrorKind::NotConnected)?;
        Ok((socket, std::mem::take(&mut self.preamble)))
    }

    /// Whether this is a spawned process that has not said yet which walls stand around it: no program has run in it.
    pub(crate) fn owes_walls(&self) -> bool {
        self.walls_of_spawned.is_some()
    }

    /// Notes the walls around a spawned process. All are started alike: the first one's stand for all.
    pub(crate) fn note_walls(&mut self, walls: Walls) {
        if let Some(known) = self.walls_of_spawned.take() {
            known.get_or_init(|| walls);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.process.kill();
    }
}

/// What the pool knows of one scope.
struct Entry {
    manifest: Arc<str>,
    requests: u32,
    last_request: Instant,
    zygote: Option<Arc<Zygote>>,
    /// Runs that were forked ahead.
    ready: VecDeque<Claim>,
    /// How many runs to hold ready.
    ready_wanted: usize,
}

/// Everything under one lock: claims are short.
struct State {
    base: Option<Arc<Zygote>>,
    /// A base zygote that is to take over, while it starts.
    next_base: Option<Arc<Zygote>>,
    scopes: HashMap<ContentHash, Entry>,
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
    walls_of_spawned: Arc<OnceLock<Walls>>,
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
        let state = State { base: None, next_base: None, scopes: HashMap::new(), retry_base_at: None };
        let counters: Arc<Counters> = Arc::default();
        let snapshots = ScopeSnapshots::new(&config, boot_of(&config), keeper.clone(), Arc::clone(&counters))
            .map_err(|source| RunError::SnapshotFolder { source })?;
        let pool = Arc::new(Self {
            config,
            keeper,
            state: Mutex::new(state),
            snapshots,
            counters,
            warned_of_spawn: AtomicBool::new(false),
            walls_of_spawned: Arc::default(),
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
        let (zygote, socket) = match Zygote::base(Arc::clone(&self.counters)) {
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

    /// A process for a run of this scope.
    pub(crate) async fn claim(self: &Arc<Self>, scope: &Scope) -> Result<Claim, RunError> {
        if self.config.start == Start::Spawn {
            return self.spawn(scope);
        }
        if self.is_strict() {
            self.check_strict(scope).await?;
        }
        if let Some(claim) = self.claim_now(scope) {
            return Ok(claim);
        }
        match self.settled_base().await {
            Condition::Ready(_) => self.claim_now(scope).map_or_else(|| self.spawn(scope), Ok),
            Condition::Gone(reason) => {
                self.warn_of_spawn(&reason);
                self.spawn(scope)
            }
            Condition::Starting => self.spawn(scope),
        }
    }

    /// Strict isolation: only the zygote of a scope says which walls stand around its runs, so there has to be one.
    async fn check_strict(self: &Arc<Self>, scope: &Scope) -> Result<(), RunError> {
        let missing = match self.zygote_of(scope).await?.map(|zygote| zygote.condition()) {
            Some(Condition::Ready(walls)) => walls.missing_for_strict(),
            _ => Some("the zygote of the scope".to_owned()),
        };
        missing.map_or(Ok(()), |missing| Err(RunError::NotIsolated { missing }))
    }

    /// A process from a zygote that is there already.
    fn claim_now(self: &Arc<Self>, scope: &Scope) -> Option<Claim> {
        let mut state = self.lock();
        let State { base, scopes, .. } = &mut *state;
        let entry = scopes.entry(scope.hash()).or_insert_with(|| Entry::new(scope, self.config.ready_runs_max));
        entry.last_request = Instant::now();
        if entry.zygote.as_ref().is_some_and(|zygote| zygote.is_gone()) {
            entry.drop_zygote();
        }
        if let Some(claim) = entry.pop_ready() {
            self.counters.claimed.fetch_add(1, Ordering::Relaxed);
            if entry.ready.is_empty() {
                drop(state);
                self.refill(scope.hash());
            }
            return Some(claim);
        }
        let (zygote, origin, preamble) = match &entry.zygote {
            Some(zygote) if zygote.is_ready() => {
                self.counters.missed.fetch_add(1, Ordering::Relaxed);
                entry.ready_wanted = (entry.ready_wanted * 2).min(self.config.ready_runs_max);
                (Arc::clone(zygote), Origin::Forked, Vec::new())
            }
            _ => {
                let zygote = base.as_ref().filter(|base| base.is_ready()).cloned()?;
                self.counters.cold.fetch_add(1, Ordering::Relaxed);
                let mut preamble = Vec::new();
                ToRun::Install { manifest: entry.manifest.to_string() }.encode(&mut preamble);
                (zygote, Origin::Cold, preamble)
            }
        };
        entry.requests = entry.requests.saturating_add(1);
        let wants_zygote = entry.zygote.is_none() && entry.requests >= REQUESTS_OF_BUSY;
        let claim = fork(&zygote, origin, preamble).ok();
        drop(state);
        if wants_zygote {
            self.prepare(scope);
        } else if origin == Origin::Forked {
            self.refill(scope.hash());
        }
        claim
    }

    /// Gives a scope a zygote of its own, off the path of the request.
    pub(crate) fn prepare(self: &Arc<Self>, scope: &Scope) {
        let pool = Arc::clone(self);
        let scope = scope.clone();
        self.keeper.run(move || pool.make_scope_zygote(&scope));
    }

    fn make_scope_zygote(self: &Arc<Self>, scope: &Scope) {
        let mut state = self.lock();
        let Some(base) = state.base.clone().filter(|base| base.is_ready()) else { return };
        if let Some(entry) = state.scopes.get_mut(&scope.hash()) {
            if entry.zygote.as_ref().is_some_and(|zygote| !zygote.is_gone()) {
                return;
            }
            entry.drop_zygote();
        }
        state.retire_least_recent(self.config.zygotes_max);
        let entry = state.scopes.entry(scope.hash()).or_insert_with(|| Entry::new(scope, self.config.ready_runs_max));
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
        let there = || self.lock().scopes.get(&scope.hash()).and_then(|entry| entry.zygote.clone());
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
        while self.lock().fork_ahead(hash, self.config.ready_runs_total_max) {}
    }

    /// A process of its own for one run.
    fn spawn(&self, scope: &Scope) -> Result<Claim, RunError> {
        let (here, there) = UnixStream::pair().map_err(RunError::system("connected"))?;
        let process = Arc::new(GuestProcess::starting());
        self.counters.spawns.fetch_add(1, Ordering::Relaxed);
        self.keeper.start_run(Arc::clone(&process), there.into());
        let snapshot = self.snapshots.take(scope);
        let boot = Boot { scope_snapshot_of: snapshot.as_ref().map(|snapshot| snapshot.build), ..boot_of(&self.config) };
        control::send_first(&here, &ToRun::Boot(boot), snapshot.as_ref().map(|snapshot| snapshot.file()))
            .map_err(RunError::system("told to boot"))?;
        // Also beside a snapshot: a guest of another build than that cannot use it.
        let mut preamble = Vec::new();
        ToRun::Install { manifest: manifest_of(scope) }.encode(&mut preamble);
        let mut claim = Claim::new(here, process, Origin::Spawned, preamble);
        claim.walls_of_spawned = Some(Arc::clone(&self.walls_of_spawned));
        Ok(claim)
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

    /// Whether strict isolation is wanted.
    pub(crate) fn is_strict(&self) -> bool {
        self.config.isolation == Isolation::Strict
    }

    /// The walls around spawned runs, known once there was one.
    pub(crate) fn walls_of_spawned(&self) -> Option<Walls> {
        self.walls_of_spawned.get().cloned()
    }

    /// The walls around the zygote of a scope, if there is one.
    pub(crate) fn walls_of_scopes(&self) -> Option<Walls> {
        let state = self.lock();
        state.scopes.values().find_map(|entry| match entry.zygote.as_ref()?.condition() {
            Condition::Ready(walls) => Some(walls),
            _ => None,
        })
    }

    pub(crate) fn metrics(&self, live: usize, held_bytes: usize) -> Metrics {
        let ready = self.lock().scopes.values().map(|entry| entry.ready.len()).sum();
        self.counters.metrics(ready, live, held_bytes)
    }

    /// Once a second: replaces what is lost, old or idle.
    fn tend(self: &Arc<Self>) {
        if self.config.start == Start::Spawn {
            return;
        }
        let mut state = self.lock();
        self.tend_base(&mut state);
        let now = Instant::now();
        let mut wanting = Vec::new();
        for (hash, entry) in &mut state.scopes {
            if entry.zygote.as_ref().is_some_and(|zygote| zygote.is_gone()) {
                entry.drop_zygote();
            }
            let idle = now.duration_since(entry.last_request);
            if idle > IDLE_MAX {
                entry.drop_zygote();
            } else if idle > IDLE_MAX / 8 && entry.ready_wanted > READY_RUNS_MIN {
                entry.ready_wanted = (entry.ready_wanted / 2).max(READY_RUNS_MIN);
                entry.ready.truncate(entry.ready_wanted);
            }
            if entry.zygote.is_some() && entry.ready.len() < entry.ready_wanted {
                wanting.push(*hash);
            }
        }
        state.scopes.retain(|_, entry| entry.zygote.is_some() || now.duration_since(entry.last_request) < IDLE_MAX);
        drop(state);
        for hash in wanting {
            self.fill(hash);
        }
    }

    /// Replaces a base zygote that is gone, and starts the successor of one that is old before it is retired.
    fn tend_base(&self, state: &mut State) {
        if let Some(next) = state.next_base.take() {
            match next.condition() {
                Condition::Starting => state.next_base = Some(next),
                Condition::Gone(_) => {}
                Condition::Ready(_) => {
                    for entry in state.scopes.values_mut() {
                        entry.drop_zygote();
                    }
                    if let Some(old) = state.base.replace(next) {
                        old.retire();
                    }
                }
            }
        }
        let base = state.base.as_ref();
        if base.is_none_or(|base| base.is_gone()) && state.retry_base_at.is_none_or(|at| at <= Instant::now()) {
            if base.is_some() {
                self.counters.zygotes_lost.fetch_add(1, Ordering::Relaxed);
            }
            state.retry_base_at = Some(Instant::now() + Duration::from_secs(5));
            state.base = self.new_base();
        } else if let Some(base) = base
            && base.is_ready()
            && state.next_base.is_none()
            && (base.forks_of_base() >= self.config.forks_max || base.started.elapsed() >= self.config.zygote_age_max)
        {
            state.next_base = self.new_base();
        }
    }
}

/// The keeper ends with the pool and kills what it started: these ends are no loss.
impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.lock();
        for zygote in state.base.take().into_iter().chain(state.next_base.take()) {
            zygote.retire();
        }
        for entry in state.scopes.values_mut() {
            entry.drop_zygote();
        }
    }
}

impl Entry {
    fn new(scope: &Scope, ready_runs_max: usize) -> Self {
        Self {
            manifest: manifest_of(scope).into(),
            requests: 0,
            last_request: Instant::now(),
            zygote: None,
            ready: VecDeque::new(),
            ready_wanted: ready_runs_max.min(READY_RUNS_MIN),
        }
    }

    /// The first run that was forked ahead and is still there.
    fn pop_ready(&mut self) -> Option<Claim> {
        std::iter::from_fn(|| self.ready.pop_front()).find(|claim| !claim.process.has_ended())
    }

    /// Forgets the zygote and what was forked ahead from it: runs that live go on.
    fn drop_zygote(&mut self) {
        self.ready.clear();
        if let Some(zygote) = self.zygote.take() {
            zygote.retire();
        }
    }
}

impl State {
    /// Forks one run of a scope ahead; false if no more are wanted or can be had.
    fn fork_ahead(&mut self, hash: ContentHash, ready_total_max: usize) -> bool {
        let ready_total: usize = self.scopes.values().map(|entry| entry.ready.len()).sum();
        let Some(entry) = self.scopes.get_mut(&hash) else { return false };
        let has_room = entry.ready.len() < entry.ready_wanted && ready_total < ready_total_max;
        let Some(zygote) = entry.zygote.as_ref().filter(|zygote| has_room && zygote.is_ready()) else { return false };
        let Ok(claim) = fork(zygote, Origin::Ready, Vec::new()) else { return false };
        entry.ready.push_back(claim);
        true
    }

    /// Makes room for one more zygote of a scope.
    fn retire_least_recent(&mut self, zygotes_max: usize) {
        while self.scopes.values().filter(|entry| entry.zygote.is_some()).count() >= zygotes_max.max(1) {
            let with_zygote = self.scopes.values_mut().filter(|entry| entry.zygote.is_some());
            match with_zygote.min_by_key(|entry| entry.last_request) {
                Some(entry) => entry.drop_zygote(),
                None => return,
            }
        }
    }
}

fn boot_of(config: &Config) -> Boot {
    Boot {
        jit: config.jit,
        heap_bytes_max: config.limits.heap_bytes_max,
        huge_pages: config.huge_pages,
        jail: config.jail,
        strict: config.isolation == Isolation::Strict,
        readable_by_tests: config.readable_by_tests,
        scope_snapshot_of: None,
    }
}

pub(super) fn manifest_of(scope: &Scope) -> String {
    // Names and numbers only: this cannot fail.
    serde_json::to_string(scope.manifest()).unwrap_or_else(|_| "[]".to_owned())
}

/// Asks a zygote for a run, without waiting for it. Under the pool's lock, as every retirement is: a zygote that is told to retire
/// after it was asked forks first, and one that was told before is not asked.
fn fork(zygote: &Zygote, origin: Origin, preamble: Vec<u8>) -> io::Result<Claim> {
    let (socket, there) = UnixStream::pair()?;
    let process = zygote.fork_run(there.into())?;
    Ok(Claim::new(socket, process, origin, preamble))
}
