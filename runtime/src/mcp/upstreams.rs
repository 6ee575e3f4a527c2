//! All MCP servers that run for one process: started when they are needed, shared by the sessions of one user, ended when they are idle.
//!
//! A server that runs costs some 50 to 150 MB, and 0.3 to 3 s to start. So one is started at its first call, or when nobody knows its tools yet; it
//! outlives the session by [`super::UpstreamOptions::idle_max`]. It belongs to one [`Key`]: two users never share one, whatever they configure. What it lists is
//! kept by (name, configuration), and by principal where it says `private` or is called with what only that principal has.
//!
//! A server that died is started again by the next call; the call that it died in is never repeated. A server that fails to start is
//! left alone for a while that doubles ([`super::failure`]); until then calls fail at once with the same reason. So is one that was
//! ended because it flooded its line.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use isolet_outbound::{Outbound, OutboundError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::apis::{Apis, ServedApi};
use super::asking::AskedUsers;
use super::changes::Changes;
use super::configuration::Configuration;
use super::connection::{Connection, ConnectionLimits, Target};
use super::credential_source::{CredentialSource, Credentials};
use super::credential_supply::{CredentialSupply, Missing, Sources};
use super::error::{Stage, UpstreamError};
use super::failure::Failure;
use super::known_lists::KnownLists;
use super::log_gate::LogGate;
use super::opening::Opening;
use super::server_configuration::{OpenApiServer, ServerConfiguration};
use super::server_key::Key;
use super::tool_list::{ToolList, Wrapping};
use super::upstream_options::UpstreamOptions;
use super::usage::Usage;

/// The servers of this process; cheap to clone. Dropping the last clone ends them all, in the background; [`Upstreams::close`] waits for it.
#[derive(Clone)]
pub struct Upstreams(Arc<Inner>);

struct Inner {
    options: UpstreamOptions,
    starting: Semaphore,
    running: Arc<Semaphore>,
    slots: Mutex<HashMap<Key, Arc<Slot>>>,
    lists: KnownLists,
    apis: Apis,
    sources: Sources,
    /// Made for the first server that is called.
    outbound: OnceLock<Result<Outbound, OutboundError>>,
    log: LogGate,
    asked: AskedUsers,
    /// What starts servers that nobody waits for any more.
    starts: Mutex<Vec<AbortHandle>>,
    ended: CancellationToken,
    _end_when_dropped: DropGuard,
}

/// The place of one server, whether it runs or not.
struct Slot {
    usage: Usage,
    state: tokio::sync::Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    opening: Option<Opening>,
    failure: Option<Failure>,
}

struct Running {
    connection: Arc<Connection>,
    wrapping: Arc<Wrapping>,
    supply: Arc<CredentialSupply>,
    /// What a command was started with: it cannot be given anything else.
    credentials: Credentials,
    _permit: OwnedSemaphorePermit,
}

/// The use of a server that runs. As long as there is one, the server is not idle.
pub(super) struct Lease {
    pub(super) connection: Arc<Connection>,
    pub(super) wrapping: Arc<Wrapping>,
    /// What the server lists, if it was started for this lease.
    new_list: Option<Arc<ToolList>>,
    _slot: SlotUse,
}

/// Counts in [`Slot::usage`].
struct SlotUse(Arc<Slot>);

impl Upstreams {
    /// No servers yet, and these maxima. Starts nothing.
    #[must_use]
    pub fn new(options: UpstreamOptions) -> Self {
        Self::of(options, None)
    }

    /// The same, where `source` has users' credentials: for servers whose entry says `oauth`, and those over HTTP of which it says nothing.
    #[must_use]
    pub fn asking(options: UpstreamOptions, source: impl CredentialSource) -> Self {
        Self::of(options, Some(Arc::new(source)))
    }

    fn of(options: UpstreamOptions, asking: Option<Arc<dyn CredentialSource>>) -> Self {
        let ended = CancellationToken::new();
        Self(Arc::new(Inner {
            starting: Semaphore::new(options.starts_max.max(1)),
            running: Arc::new(Semaphore::new(options.servers_max.max(1))),
            sources: Sources { environment: options.environment.clone(), asking, ..Sources::default() },
            asked: AskedUsers::new(options.answer_max),
            options,
            slots: Mutex::default(),
            lists: KnownLists::default(),
            apis: Apis::default(),
            outbound: OnceLock::new(),
            log: LogGate::default(),
            starts: Mutex::default(),
            _end_when_dropped: ended.clone().drop_guard(),
            ended,
        }))
    }

    /// What is logged about these servers.
    pub(super) fn log(&self) -> &LogGate {
        &self.0.log
    }

    /// How often users were asked by servers.
    pub(super) fn asked(&self) -> &AskedUsers {
        &self.0.asked
    }

    /// How many servers run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.options.servers_max.max(1) - self.0.running.available_permits()
    }

    /// Ends every server and waits until nothing of them is left: as long as the slowest takes, which is not much over two seconds.
    pub async fn close(&self) {
        lock(&self.0.starts).drain(..).for_each(|start| start.abort());
        let slots: Vec<_> = lock(&self.0.slots).drain().map(|(_, slot)| slot).collect();
        let close = async |slot: Arc<Slot>| {
            if let Some(running) = slot.state.lock().await.running.take() {
                running.connection.close().await;
            }
        };
        futures::future::join_all(slots.into_iter().map(close)).await;
    }

    /// Ends the servers that `configuration` does not have as they run: each when nobody has used it for ten seconds, so that what began with them
    /// goes on. The others stay.
    pub fn retain(&self, configuration: &Configuration) {
        for (key, slot) in lock(&self.0.slots).iter() {
            let is_there = configuration.server(&key.server).is_some_and(|server| *server == key.configuration);
            slot.usage.retire(!is_there);
        }
    }

    /// What the server `key` is sent.
    pub(super) fn supply(&self, key: &Key) -> Arc<CredentialSupply> {
        CredentialSupply::new(key, &self.0.sources)
    }

    /// Whether users can be asked for credentials.
    pub(super) fn can_ask(&self) -> bool {
        self.0.sources.asking.is_some()
    }

    /// The document of `server`, whose place is `key`, and what calls it.
    pub(super) async fn api(&self, key: &Key, server: &OpenApiServer) -> Result<(Arc<ServedApi>, &Outbound), UpstreamError> {
        let outbound = self.outbound(key)?;
        Ok((self.0.apis.get(&key.server, server, outbound).await?, outbound))
    }

    /// Does what starts a server, also when nobody waits for it any more, until the servers are closed.
    pub(super) fn start_aside<T: Send + 'static>(&self, start: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        let task = tokio::spawn(start);
        let mut starts = lock(&self.0.starts);
        starts.retain(|start| !start.is_finished());
        starts.push(task.abort_handle());
        task
    }

    /// Why the server `key` could not be started the last time, if it does not run.
    pub(super) fn last_failure(&self, key: &Key) -> Option<Arc<UpstreamError>> {
        let slot = lock(&self.0.slots).get(key).cloned()?;
        let state = slot.state.try_lock().ok()?;
        if state.running.is_some() { None } else { state.failure.as_ref().map(|failure| Arc::clone(failure.error())) }
    }

    /// What the server is known to list.
    pub(super) fn known(&self, key: &Key) -> Option<Arc<ToolList>> {
        self.0.lists.known(key)
    }

    /// Sees each change of what servers list, and each server that failed.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.0.lists.changes()
    }

    /// The longest that one call may take.
    pub(super) fn call_max(&self) -> Duration {
        self.0.options.call_max
    }

    /// What the server lists: what is known, else the server is asked, and started for it if need be.
    pub(super) async fn tools(&self, key: &Key) -> Result<Arc<ToolList>, Arc<UpstreamError>> {
        if let Some(list) = self.0.lists.known(key) {
            return Ok(list);
        }
        let lease = self.lease(key).await?;
        if let Some(list) = lease.new_list {
            return Ok(list);
        }
        let list = Arc::new(lease.connection.list().await?);
        self.0.lists.keep(key, &list);
        Ok(list)
    }

    /// The use of the server `key`, which is started if it does not run.
    pub(super) async fn lease(&self, key: &Key) -> Result<Lease, Arc<UpstreamError>> {
        let slot = SlotUse::new(self.0.slot(key));
        let mut state = slot.0.state.lock().await;
        if let Some(running) = state.running.take_if(|running| running.connection.is_closed()) {
            // It died: its process is waited for, so that two of it never run at once.
            running.connection.close().await;
            if let Some(fault) = running.connection.fault() {
                state.fail(&Arc::new(fault));
            }
        }
        if let Some(running) = state.take_outdated(&slot.0).await {
            running.connection.close().await;
        }
        let new_list = match state.running {
            None => Some(self.start(key, &slot.0, &mut state).await?),
            Some(_) => None,
        };
        let Some(running) = &state.running else {
            return Err(Arc::new(UpstreamError::Unknown { server: key.server.to_string() }));
        };
        let (connection, wrapping) = (Arc::clone(&running.connection), Arc::clone(&running.wrapping));
        drop(state);
        Ok(Lease { connection, wrapping, new_list, _slot: slot })
    }

    /// Starts the server `key` into `state`, or says why it cannot be; what it lists.
    async fn start(&self, key: &Key, slot: &Arc<Slot>, state: &mut State) -> Result<Arc<ToolList>, Arc<UpstreamError>> {
        if let Some(failure) = state.failure.as_ref().filter(|failure| failure.lasts()) {
            return Err(Arc::clone(failure.error()));
        }
        let permit = self.permit(key).await?;
        let supply = self.supply(key);
        let known = state.opening.clone().or_else(|| key.configuration.is_stateless().then_some(Opening::Discover));
        match self.open(key, &supply, known).await {
            Ok((connection, credentials, list)) => {
                let (connection, list) = (Arc::new(connection), Arc::new(list));
                self.0.lists.keep(key, &list);
                state.opening = Some(connection.opening().clone());
                let keep = keep(
                    Arc::downgrade(&self.0),
                    self.0.ended.clone(),
                    self.0.options.idle_max,
                    key.clone(),
                    Arc::clone(slot),
                    Arc::clone(&connection),
                );
                let wrapping = Arc::clone(list.wrapping());
                state.running = Some(Running { connection, wrapping, supply, credentials, _permit: permit });
                tokio::spawn(keep);
                Ok(list)
            }
            Err(error) => {
                let error = Arc::new(error);
                state.fail(&error);
                self.0.lists.tell();
                Err(error)
            }
        }
    }

    async fn open(
        &self,
        key: &Key,
        supply: &Arc<CredentialSupply>,
        known: Option<Opening>,
    ) -> Result<(Connection, Credentials, ToolList), UpstreamError> {
        let options = &self.0.options;
        let limits = ConnectionLimits {
            start_max: options.start_max,
            list_max: options.list_max,
            call_max: options.call_max,
            message_bytes_max: options.message_bytes_max,
            list_bytes_max: options.list_bytes_max,
            supervisor: options.executable.clone(),
            environment: options.environment.clone(),
        };
        let missing = |missing: Missing| UpstreamError::of_missing(missing, &key.server, Stage::Handshake);
        // Asked first: who has to ask a user starts nothing.
        let credentials = supply.current().await.map_err(missing)?;
        // Never closed, so there always is a permit in the end.
        let _starting = self.0.starting.acquire().await;
        let target = match &*key.configuration {
            ServerConfiguration::Command(command) => Target::Command(command, &credentials),
            ServerConfiguration::Http(http) => Target::Http(http, self.outbound(key)?),
            ServerConfiguration::OpenApi(_) => return Err(UpstreamError::Unknown { server: key.server.to_string() }),
        };
        let connection = Connection::open(&key.server, target, supply, known, &limits).await?;
        match connection.list().await {
            Ok(list) => Ok((connection, credentials, list)),
            Err(error) => {
                connection.close().await;
                Err(error)
            }
        }
    }

    /// The one client for what goes out.
    fn outbound(&self, key: &Key) -> Result<&Outbound, UpstreamError> {
        let outbound = self.0.outbound.get_or_init(|| {
            let mut policy = self.0.options.policy.clone();
            policy.limits.answer_bytes_max = policy.limits.answer_bytes_max.min(self.0.options.message_bytes_max);
            Outbound::new(policy)
        });
        outbound.as_ref().map_err(|source| UpstreamError::Unreachable {
            server: key.server.to_string(),
            stage: Stage::Handshake,
            source: source.clone(),
        })
    }

    /// The right to run one more server; the one that has been idle longest makes room if need be.
    async fn permit(&self, key: &Key) -> Result<OwnedSemaphorePermit, UpstreamError> {
        let running = &self.0.running;
        if let Ok(permit) = Arc::clone(running).try_acquire_owned() {
            return Ok(permit);
        }
        if let Some(idle) = self.0.take_idle() {
            idle.connection.close().await;
        }
        let too_many = |_| UpstreamError::TooMany { server: key.server.to_string(), running: self.running() };
        Arc::clone(running).try_acquire_owned().map_err(too_many)
    }
}

impl fmt::Debug for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstreams").field("running", &self.running()).field("options", &self.0.options).finish_non_exhaustive()
    }
}

impl Inner {
    /// The place of the server `key`. Places of servers that do not run and that nobody waits for are given up when there are many.
    fn slot(&self, key: &Key) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if slots.len() >= self.options.servers_max.max(1) * 4 && !slots.contains_key(key) {
            slots.retain(|_, slot| {
                Arc::strong_count(slot) > 1 || slot.state.try_lock().is_ok_and(|state| state.running.is_some())
            });
        }
        Arc::clone(
            slots
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Slot { usage: Usage::new(), state: tokio::sync::Mutex::default() })),
        )
    }

    /// Takes the server out of use that has been idle longest.
    fn take_idle(&self) -> Option<Running> {
        let mut idle: Vec<Arc<Slot>> = lock(&self.slots).values().filter(|slot| slot.usage.users() == 0).cloned().collect();
        idle.sort_by_key(|slot| slot.usage.idle_since());
        idle.iter().find_map(|slot| slot.state.try_lock().ok()?.take_if_idle(slot, Duration::ZERO))
    }
}

/// Looks after one server as long as it runs: asks again what it lists when it says so, and ends it when it is idle.
async fn keep(
    upstreams: std::sync::Weak<Inner>,
    ended: CancellationToken,
    idle_max: Duration,
    key: Key,
    slot: Arc<Slot>,
    connection: Arc<Connection>,
) {
    let mut changes = Changes::default();
    // When it is asked again. Until then it may become idle as any other.
    let mut asked_at: Option<Instant> = None;
    let mut retirement = slot.usage.retirement();
    loop {
        retirement.mark_unchanged();
        let idle_max = slot.usage.idle_max(idle_max);
        let pause = async {
            match asked_at {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = connection.ended() => break,
            () = ended.cancelled() => break,
            Ok(()) = retirement.changed() => {}
            () = connection.changed(), if asked_at.is_none() => asked_at = Some(Instant::now() + changes.pause()),
            () = pause => {
                asked_at = None;
                // A server that floods its line answers late.
                let list = tokio::select! {
                    list = connection.list() => list,
                    () = ended.cancelled() => break,
                    () = slot.usage.idle(idle_max) => continue,
                };
                if let (Ok(list), Some(upstreams)) = (list, upstreams.upgrade()) {
                    let list = Arc::new(list);
                    upstreams.lists.keep(&key, &list);
                    slot.set_wrapping(&connection, list.wrapping()).await;
                }
            }
            () = slot.usage.idle(idle_max) => if let Some(running) = slot.state.lock().await.take_if_idle(&slot, idle_max) {
                running.connection.close().await;
                return;
            }
        }
    }
    connection.close().await;
    let mut state = slot.state.lock().await;
    if state.running.take_if(|running| Arc::ptr_eq(&running.connection, &connection)).is_some()
        && let Some(fault) = connection.fault()
    {
        state.fail(&Arc::new(fault));
    }
}

impl Slot {
    async fn set_wrapping(&self, connection: &Arc<Connection>, wrapping: &Arc<Wrapping>) {
        if let Some(running) =
            self.state.lock().await.running.as_mut().filter(|running| Arc::ptr_eq(&running.connection, connection))
        {
            running.wrapping = Arc::clone(wrapping);
        }
    }
}

impl State {
    /// Takes a command out of use that was started with other credentials than there are now (none can be got: not others), if only one uses it.
    async fn take_outdated(&mut self, slot: &Slot) -> Option<Running> {
        let running = self.running.as_ref().filter(|running| running.credentials.env().next().is_some())?;
        let now = running.supply.current().await.ok()?;
        let is_outdated = now != running.credentials && slot.usage.users() <= 1;
        if is_outdated { self.running.take() } else { None }
    }

    /// Leaves the server alone for a while: twice as long as the last time, if that was not long ago.
    fn fail(&mut self, error: &Arc<UpstreamError>) {
        self.failure = Some(Failure::after(self.failure.as_ref(), error));
    }

    /// Takes the server of `slot` out of use if it runs and nobody has used it for `idle_max`.
    ///
    /// Whoever takes a lease from here on waits for the state, finds no server, and starts one.
    fn take_if_idle(&mut self, slot: &Slot, idle_max: Duration) -> Option<Running> {
        self.running.take_if(|_| slot.usage.users() == 0 && slot.usage.idle_since().elapsed() >= idle_max)
    }
}

impl SlotUse {
    fn new(slot: Arc<Slot>) -> Self {
        slot.usage.begin();
        Self(slot)
    }
}

impl Drop for SlotUse {
    fn drop(&mut self) {
        self.0.usage.end();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
