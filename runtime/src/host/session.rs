//! One user's request: a scope, and a tool host with that user's credentials.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use isolet_bindings::{Asker, Declarations, Scope, TokenBudget};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::Instrument as _;

use super::assignment::Assignment;
use super::call::Caller;
use super::conversation;
use super::event::{Event, Listeners};
use super::held::Budget;
use super::kept_results::ResultsOfUser;
use super::limits::{Limits, LowerLimits};
use super::outcome::{Cost, End, GuestError, Origin, Outcome, Stop};
use super::reply_content;
use super::run_error::RunError;
use super::run_id::RunId;
use super::slots::User;
use super::supply::Supply;
use super::tool_host::AnyToolHost;
use super::work::HostWork;
use crate::contract::run::RunStart;

/// One user's request: run programs in it, or serve it as an MCP server. Dropping it ends everything that it started.
///
/// Cheap to make: a few reference counts and a cancellation token.
pub struct Session {
    parts: Arc<Parts>,
    _end_when_dropped: DropGuard,
}

/// What runs and MCP servers of a session share.
#[derive(Clone)]
pub(crate) struct Parts {
    supply: Arc<Supply>,
    pub(crate) scope: Scope,
    /// Those of the runtime, or lower ones.
    limits: Arc<Limits>,
    user: User,
    pub(crate) host: Arc<dyn AnyToolHost>,
    pub(crate) events: Option<mpsc::Sender<Event>>,
    /// Cancelled with the session.
    pub(crate) ended: CancellationToken,
    /// A slot for each classic call that tools work on at a time.
    pub(crate) calls_in_flight: Arc<Semaphore>,
    /// A slot for each of those, and for each that waits for one.
    pub(crate) calls_admitted: Arc<Semaphore>,
    /// What the classic calls hold.
    pub(crate) calls_held: Budget,
}

/// Classic calls of one session that wait for their turn, on all of its connections; one more is told that it is busy.
pub(crate) const CALLS_WAITING_MAX: usize = 1024;

/// How one run differs from the runtime's defaults.
#[non_exhaustive]
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Limits that are lower than those of the runtime; what is not named, and what is higher, stays as it is there.
    pub limits: LowerLimits,
    /// Where the run's clock starts, milliseconds since 1970. Default: now.
    pub clock_ms: Option<u64>,
    /// Where `Math.random` and `crypto` start. Default: random. With the same seed and the same answers a program does the same.
    pub seed: Option<[u32; 4]>,
    /// Gets what happens, as it happens, beside the session's own: [`Session::with_events`]. A full channel misses events and
    /// delays nothing.
    pub events: Option<mpsc::Sender<Event>>,
    /// Whom the tools of its calls can ask, where they may: the run waits meanwhile, and that time does not count. Default: nobody.
    pub asker: Asker,
    /// Ends the run when it is cancelled: [`Stop::Cancelled`](crate::Stop::Cancelled).
    pub cancel: CancellationToken,
}

impl RunOptions {
    /// The same, changed by `set`.
    ///
    /// ```
    /// let options = isolet::RunOptions::default().with(|options| options.seed = Some([1, 2, 3, 4]));
    /// assert_eq!(options.seed, Some([1, 2, 3, 4]));
    /// ```
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Session {
    pub(crate) fn new(supply: Arc<Supply>, scope: Scope, host: Arc<dyn AnyToolHost>) -> Self {
        tracing::debug!(tools = scope.tools().len(), "session");
        let ended = CancellationToken::new();
        let limits = Arc::new(supply.limits().clone());
        let (calls_in_flight, calls_admitted) = slots(&limits);
        let calls_held = Budget::new(supply.common_budget(), limits.held_bytes_max);
        let _end_when_dropped = ended.clone().drop_guard();
        Self {
            parts: Arc::new(Parts {
                supply,
                scope,
                limits,
                user: User::of_new_session(),
                host,
                events: None,
                ended,
                calls_in_flight,
                calls_admitted,
                calls_held,
            }),
            _end_when_dropped,
        }
    }

    /// The same session, which tells `events` what happens in all of its runs and MCP servers: for audit. A full channel misses
    /// events and delays nothing; an [`Outcome`] has all of its run.
    #[must_use]
    pub fn with_events(mut self, events: mpsc::Sender<Event>) -> Self {
        Arc::make_mut(&mut self.parts).events = Some(events);
        self
    }

    /// The same session, whose runs count as those of `user`: runs of users take turns where slots are short, and
    /// [`Config::live_runs_of_user_max`](crate::Config::live_runs_of_user_max) holds for each user. A session that names none
    /// counts as a user of its own. The name comes from whoever authenticated the request, never from the request itself.
    #[must_use]
    pub fn of_user(mut self, user: impl Into<Arc<str>>) -> Self {
        Arc::make_mut(&mut self.parts).user = User::Named(user.into());
        self
    }

    /// The same session, each limit of which is lowered to what `lower` says where that is less: for all of its runs and classic calls. A single
    /// run can lower them further.
    #[must_use]
    pub fn with_limits(mut self, lower: &LowerLimits) -> Self {
        let parts = Arc::make_mut(&mut self.parts);
        let limits = Arc::new(parts.limits.lowered_by(lower));
        (parts.calls_in_flight, parts.calls_admitted) = slots(&limits);
        parts.calls_held = Budget::new(parts.supply.common_budget(), limits.held_bytes_max);
        parts.limits = limits;
        self
    }

    /// The limits of this session's runs.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        self.parts.limits()
    }

    /// What this user may call.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.parts.scope
    }

    /// The TypeScript of this session's tools, for the model: all of it.
    #[must_use]
    pub fn typescript(&self) -> &str {
        self.parts.scope.typescript()
    }

    /// The TypeScript of this session's tools within a budget of tokens.
    #[must_use]
    pub fn types(&self, budget: TokenBudget) -> Declarations {
        self.parts.scope.types(budget)
    }

    /// Runs a program: the body of an async function in TypeScript.
    ///
    /// # Errors
    ///
    /// [`RunError`] for the faults of the host and the caller. What the program does is in the [`Outcome`].
    pub async fn run(&self, source: &str) -> Result<Outcome, RunError> {
        self.run_with(source, RunOptions::default()).await
    }

    /// Runs a program with options of its own.
    ///
    /// # Errors
    ///
    /// As [`Session::run`].
    pub async fn run_with(&self, source: &str, options: RunOptions) -> Result<Outcome, RunError> {
        self.parts.run(source, options).await
    }

    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "for a session as an MCP server"))]
    pub(crate) fn parts(&self) -> Arc<Parts> {
        Arc::clone(&self.parts)
    }
}

impl Parts {
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The same session, which ends with what is returned beside it and with nothing else: for what goes on when the client comes back over another
    /// connection.
    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "for a session as an MCP server"))]
    pub(crate) fn apart(&self) -> (Arc<Self>, DropGuard) {
        let ended = CancellationToken::new();
        let end = ended.clone().drop_guard();
        (Arc::new(Self { ended, ..self.clone() }), end)
    }

    /// What this process does for a run of this user, or for the classic calls of this session.
    fn work(&self) -> Arc<HostWork> {
        HostWork::new(self.supply.threads(), &self.user)
    }

    /// The results that are kept for this user's next programs.
    pub(crate) fn kept_results(&self) -> ResultsOfUser {
        self.supply.kept_results(&self.user)
    }

    /// What classic calls of this session share.
    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "for a session as an MCP server"))]
    pub(crate) fn caller(&self) -> Arc<Caller> {
        Caller::new(
            None,
            &self.scope,
            &self.host,
            self.limits(),
            self.work(),
            self.kept_results(),
            Listeners::of(self.events.clone()),
        )
    }

    pub(crate) async fn run(&self, source: &str, options: RunOptions) -> Result<Outcome, RunError> {
        let run = RunId::new();
        let span = tracing::info_span!("run", id = %run, source_bytes = source.len());
        self.run_inside(run, source, options).instrument(span).await
    }

    /// Ends when the run or its session is cancelled.
    async fn is_cancelled(&self, options: &RunOptions) {
        tokio::select! {
            () = options.cancel.cancelled() => {}
            () = self.ended.cancelled() => {}
        }
    }

    async fn run_inside(&self, run: RunId, source: &str, options: RunOptions) -> Result<Outcome, RunError> {
        let requested = Instant::now();
        let limits = self.limits.lowered_by(&options.limits);
        if source.len() > limits.source_bytes_max {
            return Ok(never_started(run, too_long(source.len(), limits.source_bytes_max), requested));
        }
        let start = start_of(&limits, &options, source)?;
        let slot = tokio::select! {
            biased;
            () = self.is_cancelled(&options) => return Ok(never_started(run, End::Stopped(Stop::Cancelled), requested)),
            slot = self.supply.slot(&self.user) => slot?,
        };
        let cancel = self.ended.child_token();
        let assignment = Assignment {
            run,
            scope: &self.scope,
            host: &self.host,
            source,
            start,
            limits: &limits,
            listeners: Listeners::of(options.events.iter().chain(&self.events).cloned()),
            cancel: &cancel,
            demand: self.supply.demand(),
            requested,
            work: self.work(),
            kept_results: self.kept_results(),
            budget: Budget::new(self.supply.common_budget(), limits.held_bytes_max),
            asker: options.asker.clone(),
            slot: &slot,
            frame_tap: self.supply.config.frame_tap.clone(),
        };
        let mut lost = 0;
        let outcome = loop {
            let claim = tokio::select! {
                biased;
                () = self.is_cancelled(&options) => return Ok(never_started(run, End::Stopped(Stop::Cancelled), requested)),
                claim = self.supply.claim(&self.scope, lost) => claim?,
            };
            let running = conversation::converse(&assignment, claim);
            tokio::pin!(running);
            let outcome = tokio::select! {
                outcome = &mut running => outcome?,
                () = options.cancel.cancelled() => {
                    cancel.cancel();
                    running.await?
                }
            };
            // A process that never started has done nothing: another one does it.
            match outcome {
                Some(outcome) => break outcome,
                None => lost += 1,
            }
        };
        if outcome.cost.origin == Origin::Ready {
            self.supply.replace_ready(&self.scope);
        }
        tracing::debug!(origin = ?outcome.cost.origin, wall = ?outcome.cost.wall, cpu = ?outcome.cost.cpu, calls = outcome.calls.len(), "outcome");
        Ok(outcome)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never the host: it holds the user's credentials.
        to.debug_struct("Session").field("scope", &self.parts.scope).finish_non_exhaustive()
    }
}

/// A slot for each classic call that is worked on at a time, and one for each of those and of those that wait.
fn slots(limits: &Limits) -> (Arc<Semaphore>, Arc<Semaphore>) {
    let in_flight = usize::try_from(limits.calls_in_flight_max).unwrap_or(usize::MAX);
    let slots = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
    (slots(in_flight), slots(in_flight.saturating_add(CALLS_WAITING_MAX)))
}

/// How much later than the host the kernel ends a run that computes, seconds.
const KERNEL_GRACE_SECONDS: u64 = 2;

fn start_of(limits: &Limits, options: &RunOptions, source: &str) -> Result<RunStart, RunError> {
    let now =
        || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(u64::MAX));
    let memory = limits.heap_bytes_max.saturating_add(limits.buffer_bytes_max).saturating_add(limits.data_bytes_max);
    Ok(RunStart {
        heap_bytes_max: limits.heap_bytes_max,
        buffer_bytes_max: limits.buffer_bytes_max,
        data_bytes_max: memory as u64,
        source_nesting_max: limits.source_nesting_max,
        argument_bytes_max: limits.argument_bytes_max,
        result_bytes_max: limits.result_bytes_max,
        calls_in_flight_max: limits.calls_in_flight_max,
        keeps_content: reply_content::is_named(source),
        drain_ms_max: u64::try_from(limits.drain_max.as_millis()).unwrap_or(u64::MAX),
        wall_ms_max: u64::try_from(limits.wall_max.as_millis()).unwrap_or(u64::MAX),
        clock_ms: options.clock_ms.unwrap_or_else(now),
        seed: options.seed.map_or_else(random_seed, Ok)?,
        cpu_seconds_max: limits.cpu_max.as_secs().saturating_add(KERNEL_GRACE_SECONDS),
    })
}

/// 128 bits of the system's randomness. Without any a program would draw numbers that others can tell, so there is no run.
fn random_seed() -> Result<[u32; 4], RunError> {
    let mut seed = [0_u8; 16];
    getrandom::fill(&mut seed).map_err(|error| RunError::system("getrandom")(error.into()))?;
    let mut words = [0; 4];
    for (word, bytes) in words.iter_mut().zip(seed.as_chunks::<4>().0) {
        *word = u32::from_le_bytes(*bytes);
    }
    Ok(words)
}

fn too_long(bytes: usize, bytes_max: usize) -> End {
    End::Threw(GuestError {
        name: "RangeError".to_owned(),
        message: format!("the program has {bytes} bytes, the limit is {bytes_max}: split the work into several programs"),
        ..GuestError::default()
    })
}

/// The outcome of a program that no process was given.
fn never_started(run: RunId, end: End, requested: Instant) -> Outcome {
    let zero = std::time::Duration::ZERO;
    let cost = Cost { wall: requested.elapsed(), cpu: zero, host_cpu: zero, heap_bytes: 0, origin: Origin::Ready };
    Outcome { run, end, notes: Vec::new(), console: Vec::new(), calls: Vec::new(), authorizations: Vec::new(), cost }
}
