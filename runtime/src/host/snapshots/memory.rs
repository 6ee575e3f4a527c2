//! The scope snapshots of a runtime: which there are, and how one comes to be.
//!
//! Spawned runs boot from the snapshot of their scope where there is one: its bindings are there, not installed. It is made from a
//! scope's second request on, or when the scope is prepared; no run ever waits for it. A process of its own makes it, one at a
//! time, and requests for the same one share it. Those used last are in memory, as sealed files that all runs map; a folder keeps
//! them over restarts, if one is configured.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use isolet_bindings::{ContentHash, Manifest, Scope};
use tokio::sync::{Semaphore, watch};

use crate::contract::boot::{Boot, Build};
use crate::error_chain::with_causes;
use crate::host::config::Config;
use crate::host::keeper::Keeper;
use crate::host::manifest::manifest_of;
use crate::host::metrics::Counters;
use crate::host::run_error::RunError;
use crate::host::snapshots::file::{SnapshotKey, StoredSnapshot};
use crate::host::snapshots::folder::{OpenSnapshotFolder, SnapshotFolderError};
use crate::host::snapshots::maker::{MakerError, SnapshotMaker};

/// Requests of a scope before its snapshot is made.
const REQUESTS_OF_BUSY: u32 = 2;
/// Snapshots that wait to be made. Beyond that a scope asks again with its next request.
const QUEUED_MAX: usize = 32;
/// Scopes that are remembered without a snapshot.
const SCOPES_MAX: usize = 4096;
/// How long a scope whose snapshot could not be made does without.
const RETRY_AFTER: Duration = Duration::from_secs(60);

/// A snapshot in memory: a file that nobody can write to, for as many runs as map it.
pub(crate) struct ScopeSnapshot {
    /// The build that made it, and that alone can use it.
    pub(crate) build: Build,
    file: OwnedFd,
    bytes: usize,
}

impl ScopeSnapshot {
    fn new(build: Build, snapshot: &[u8]) -> io::Result<Self> {
        Ok(Self { build, file: sealed(snapshot)?, bytes: snapshot.len() })
    }

    /// What a run maps.
    pub(crate) fn file(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// How making one has ended; `None` before.
type Made = watch::Receiver<Option<Result<(), Arc<NoSnapshot>>>>;

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
enum NoSnapshot {
    #[error(transparent)]
    Maker(#[from] MakerError),
    #[error("it has {bytes} bytes and `snapshot_bytes_max` is {bytes_max}: raise it")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("it could not be held in memory")]
    Memory(#[from] io::Error),
}

#[derive(Default)]
struct Entry {
    requests: u32,
    /// The number of its last use: the higher, the later.
    last_use: u64,
    snapshot: Option<Arc<ScopeSnapshot>>,
    making: Option<Made>,
    retry_at: Option<Instant>,
}

#[derive(Default)]
struct State {
    scopes: HashMap<ContentHash, Entry>,
    uses: u64,
}

/// All that making the snapshot of one scope takes.
struct Order {
    hash: ContentHash,
    manifest: String,
    contents: String,
    done: watch::Sender<Option<Result<(), Arc<NoSnapshot>>>>,
}

/// The scope snapshots of one runtime.
pub(crate) struct ScopeSnapshots {
    keeper: Keeper,
    boot: Boot,
    bytes_max: usize,
    folder: Option<Arc<OpenSnapshotFolder>>,
    counters: Arc<Counters>,
    state: Mutex<State>,
    /// One is made at a time.
    turn: Arc<Semaphore>,
}

impl ScopeSnapshots {
    /// None are made yet. An error if the configured folder cannot be used.
    pub(crate) fn new(
        config: &Config,
        boot: Boot,
        keeper: Keeper,
        counters: Arc<Counters>,
    ) -> Result<Arc<Self>, SnapshotFolderError> {
        let folder = config.snapshot_folder.as_ref().map(OpenSnapshotFolder::open).transpose()?.map(Arc::new);
        let (bytes_max, turn) = (config.snapshot_bytes_max, Arc::new(Semaphore::new(1)));
        Ok(Arc::new(Self { keeper, boot, bytes_max, folder, counters, state: Mutex::default(), turn }))
    }

    // Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The snapshot for a run of this scope, if it is there. If not, and the scope is busy, it is made meanwhile.
    /// `manifest`: that of the scope.
    pub(crate) fn take(self: &Arc<Self>, scope: &Scope, manifest: &str) -> Option<Arc<ScopeSnapshot>> {
        if self.bytes_max == 0 {
            return None;
        }
        let mut state = self.lock();
        let entry = state.used(scope.hash());
        entry.requests = entry.requests.saturating_add(1);
        let (snapshot, is_wanted) = (entry.snapshot.clone(), entry.wants_snapshot());
        if is_wanted && state.queued() < QUEUED_MAX {
            let made = self.start_making(scope, manifest.to_owned());
            state.used(scope.hash()).making = Some(made);
        }
        snapshot
    }

    /// Waits until the snapshot of this scope is there; makes it if need be.
    pub(crate) async fn prepared(self: &Arc<Self>, scope: &Scope) -> Result<(), RunError> {
        if self.bytes_max == 0 {
            return Ok(());
        }
        let manifest = manifest_of(scope)?;
        let mut made = {
            let mut state = self.lock();
            let entry = state.used(scope.hash());
            match (&entry.snapshot, &entry.making) {
                (Some(_), _) => return Ok(()),
                (None, Some(making)) => making.clone(),
                (None, None) => entry.making.insert(self.start_making(scope, manifest)).clone(),
            }
        };
        match made.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(Err(error))) => Err(RunError::NoSnapshot { reason: with_causes(&**error) }),
            Ok(_) => Ok(()),
            Err(_) => Err(RunError::ShutDown),
        }
    }

    fn start_making(self: &Arc<Self>, scope: &Scope, manifest: String) -> Made {
        let (done, made) = watch::channel(None);
        let order = Order { hash: scope.hash(), manifest, contents: contents_of(scope.manifest()), done };
        // Weak: the keeper ends with its runtime, not with what it does for it.
        let snapshots = Arc::downgrade(self);
        self.keeper.run(move || drop(tokio::task::spawn_local(make(snapshots, order))));
        made
    }

    /// Ends an order.
    fn keep(&self, order: &Order, made: Result<ScopeSnapshot, NoSnapshot>) {
        let mut state = self.lock();
        let entry = state.used(order.hash);
        entry.making = None;
        let made = made.and_then(|snapshot| match snapshot.bytes {
            bytes if bytes > self.bytes_max => Err(NoSnapshot::TooLarge { bytes, bytes_max: self.bytes_max }),
            _ => Ok(snapshot),
        });
        let done = match made {
            Ok(snapshot) => {
                entry.snapshot = Some(Arc::new(snapshot));
                let bytes = state.evict(self.bytes_max);
                self.counters.snapshot_bytes.store(bytes as u64, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                entry.retry_at = Some(Instant::now() + RETRY_AFTER);
                self.counters.snapshots_failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(
                    error = with_causes(&error),
                    contents = order.contents,
                    "no snapshot of a scope: its runs boot from the base snapshot"
                );
                Err(Arc::new(error))
            }
        };
        drop(state);
        order.done.send_replace(Some(done));
    }
}

impl Entry {
    /// Whether requests have made it busy, and nothing speaks against a snapshot.
    fn wants_snapshot(&self) -> bool {
        self.requests >= REQUESTS_OF_BUSY
            && self.snapshot.is_none()
            && self.making.is_none()
            && self.retry_at.is_none_or(|at| at <= Instant::now())
    }
}

impl State {
    /// How many are being made or wait for it.
    fn queued(&self) -> usize {
        self.scopes.values().filter(|entry| entry.making.is_some()).count()
    }

    /// The entry of a scope that is being used.
    fn used(&mut self, hash: ContentHash) -> &mut Entry {
        if self.scopes.len() >= SCOPES_MAX && !self.scopes.contains_key(&hash) {
            self.scopes.retain(|_, entry| entry.snapshot.is_some() || entry.making.is_some());
        }
        self.uses += 1;
        let entry = self.scopes.entry(hash).or_default();
        entry.last_use = self.uses;
        entry
    }

    /// Forgets snapshots, the least recently used first, until the others fit. What they have together.
    fn evict(&mut self, bytes_max: usize) -> usize {
        loop {
            let held = || self.scopes.values().filter_map(|entry| Some((entry.last_use, entry.snapshot.as_ref()?.bytes)));
            let total = held().map(|(_, bytes)| bytes).sum();
            let Some((oldest, _)) = held().min().filter(|_| total > bytes_max) else { return total };
            self.scopes.retain(|_, entry| entry.last_use != oldest);
        }
    }
}

/// Makes one snapshot, when it is its turn. Runs on the keeper.
async fn make(snapshots: Weak<ScopeSnapshots>, order: Order) {
    let Some(turn) = snapshots.upgrade().map(|snapshots| Arc::clone(&snapshots.turn)) else { return };
    let Ok(_turn) = turn.acquire().await else { return };
    let Some(making) = snapshots.upgrade().map(|snapshots| Making::start(&snapshots)) else { return };
    let made = match making {
        Ok(making) => making.finish(&order).await,
        Err(error) => Err(error.into()),
    };
    if let Some(snapshots) = snapshots.upgrade() {
        snapshots.keep(&order, made);
    }
}

/// A snapshot that is being made.
struct Making {
    maker: SnapshotMaker,
    boot: Boot,
    folder: Option<Arc<OpenSnapshotFolder>>,
    counters: Arc<Counters>,
}

impl Making {
    fn start(snapshots: &ScopeSnapshots) -> Result<Self, MakerError> {
        let maker = SnapshotMaker::start(&snapshots.keeper)?;
        let (folder, counters) = (snapshots.folder.clone(), Arc::clone(&snapshots.counters));
        Ok(Self { maker, boot: snapshots.boot.clone(), folder, counters })
    }

    async fn finish(mut self, order: &Order) -> Result<ScopeSnapshot, NoSnapshot> {
        let build = self.maker.build().await?;
        let key = SnapshotKey::of(&build, self.boot.jit.v8_flags(), &order.manifest);
        if let Some(stored) = self.stored(key).await {
            self.counters.snapshots_loaded.fetch_add(1, Ordering::Relaxed);
            return Ok(ScopeSnapshot::new(build, stored.bytes())?);
        }
        let snapshot = self.maker.make(self.boot.clone(), order.manifest.clone()).await?;
        self.counters.snapshots_made.fetch_add(1, Ordering::Relaxed);
        let made = ScopeSnapshot::new(build, &snapshot)?;
        self.store(key, build, order.contents.clone(), snapshot).await;
        Ok(made)
    }

    /// What the folder has. A file that is not believed is made again.
    async fn stored(&self, key: SnapshotKey) -> Option<StoredSnapshot> {
        let folder = Arc::clone(self.folder.as_ref()?);
        match tokio::task::spawn_blocking(move || folder.read(key)).await.ok()? {
            Ok(stored) => stored,
            Err(mismatch) => {
                self.counters.snapshots_refused.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%key, reason = with_causes(&mismatch), "a stored snapshot is not used and made again");
                None
            }
        }
    }

    /// Keeps a snapshot over restarts. Where that fails it is in memory.
    async fn store(&self, key: SnapshotKey, build: Build, contents: String, snapshot: Vec<u8>) {
        let Some(folder) = self.folder.clone() else { return };
        let written = tokio::task::spawn_blocking(move || folder.write(key, &build, &contents, &snapshot)).await;
        if let Ok(Err(error)) = written {
            self.counters.snapshots_unsaved.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(error = with_causes(&error), "a snapshot is kept in memory only: it could not be stored");
        }
    }
}

/// The namespaces and their numbers of tools, for people.
fn contents_of(manifest: &Manifest) -> String {
    let namespaces = manifest.namespaces.iter().map(|namespace| format!("{} ({})", namespace.name, namespace.tools.len()));
    namespaces.collect::<Vec<_>>().join(", ")
}

/// A file in memory with these bytes, which can neither be written nor cut any more, not even by this process.
#[cfg(target_os = "linux")]
fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let mut file = File::from(memfd_create("isolet-snapshot", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file.into())
}

/// A file without a name: nobody but this process and its runs can reach it.
#[cfg(not(target_os = "linux"))]
fn sealed(bytes: &[u8]) -> io::Result<OwnedFd> {
    let mut file: File = tempfile::tempfile()?;
    file.write_all(bytes)?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::Catalog;

    use super::*;

    #[test]
    fn scopes_without_a_snapshot_are_forgotten_where_there_are_many() {
        let tool = |number: usize| serde_json::json!({ "name": number.to_string(), "inputSchema": { "type": "object" } });
        let hash = |number: usize| Catalog::load([("a", vec![tool(number)])]).unwrap().hash();
        let mut state = State::default();
        for number in 0..SCOPES_MAX {
            state.used(hash(number));
        }
        assert_eq!(state.used(hash(0)).last_use, SCOPES_MAX as u64 + 1);
        assert_eq!(state.scopes.len(), SCOPES_MAX, "one that is known takes no room");
        state.used(hash(SCOPES_MAX));
        assert_eq!(state.scopes.len(), 1);
    }
}
