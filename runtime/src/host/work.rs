//! What this process does for a run: reading, checking and searching. Measured, charged to the run, and off the application's threads unless it
//! is a moment's work.
//!
//! The threads that do it stand behind all others of the machine that are not their like, and users take turns for them: what one user's run
//! needs delays no other's. A run has one piece of work done at a time. What has begun cannot be interrupted, so whoever asks for work has
//! estimated it before; a run that ends meanwhile does not wait for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use isolet_bindings::{ToolError, ToolErrorCode};
use rustix::time::ClockId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::estimate::TREE_BYTES_MAX;
use super::machine;
use super::run_error::RunError;
use super::slots::{Capacity, Slot, Slots, User};
use crate::contract::priority::NICE_MAX;

/// How long a thread without work is kept.
const IDLE_MAX: Duration = Duration::from_secs(10);
/// In what the memory of trees is counted: what a semaphore counts in has 32 bits.
const TREE_UNIT_BYTES: usize = 64 << 10;

/// The threads of a runtime.
pub(crate) struct HostThreads {
    /// Only its threads for blocking work are used: started when they are needed, at most as many as there are turns.
    threads: Option<tokio::runtime::Runtime>,
    turns: Arc<Slots>,
    /// Memory for the trees that exist at a time: as much as one of them may take.
    trees: Arc<Semaphore>,
}

/// The work that is done for one run, or for the classic calls of one session.
pub(crate) struct HostWork {
    threads: Arc<HostThreads>,
    user: User,
    turn: Arc<Semaphore>,
    used_ns: AtomicU64,
}

/// Work that was not done: it panicked, or the runtime was shut down.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NotDone;

impl From<NotDone> for ToolError {
    fn from(_: NotDone) -> Self {
        Self::new(ToolErrorCode::Internal, "the host could not do its part of this call")
    }
}

impl HostThreads {
    pub(crate) fn start() -> Result<Arc<Self>, RunError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // Turns of several users also where there is one core: the system divides it between them, however long each takes.
        let count = cores.max(4);
        let threads = tokio::runtime::Builder::new_current_thread()
            .thread_name("isolet-work")
            .max_blocking_threads(count)
            .thread_keep_alive(IDLE_MAX)
            .on_thread_start(stand_back)
            .build()
            .map_err(RunError::system("epoll_create1"))?;
        let turns = Slots::new(Capacity {
            live_max: count,
            live_of_user_max: count / 4,
            // Each run has at most one that waits, and runs have a maximum.
            waiting_max: usize::MAX,
            waiting_of_user_max: usize::MAX,
            computing_max: usize::MAX,
        });
        let trees = Arc::new(Semaphore::new(TREE_BYTES_MAX / TREE_UNIT_BYTES));
        Ok(Arc::new(Self { threads: Some(threads), turns, trees }))
    }
}

impl Drop for HostThreads {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

/// Puts this thread behind others, as far as the system allows. Refusals change nothing that anybody relies on.
fn stand_back() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE_MAX);
}

impl HostWork {
    pub(crate) fn new(threads: &Arc<HostThreads>, user: &User) -> Arc<Self> {
        let turn = Arc::new(Semaphore::new(1));
        Arc::new(Self { threads: Arc::clone(threads), user: user.clone(), turn, used_ns: AtomicU64::new(0) })
    }

    /// Processor time so far.
    pub(crate) fn used(&self) -> Duration {
        Duration::from_nanos(self.used_ns.load(Ordering::Relaxed))
    }

    /// Does something here and now: a moment's work.
    pub(crate) fn here<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = thread_time();
        let done = work();
        let used = thread_time().saturating_sub(before);
        self.used_ns.fetch_add(u64::try_from(used.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
        done
    }

    /// Does something on a thread that stands back, when it is this run's turn. `tree_bytes`: the memory that it takes meanwhile.
    pub(crate) async fn aside<T: Send + 'static>(
        self: &Arc<Self>,
        tree_bytes: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let turn = self.turn(tree_bytes).await?;
        let this = Arc::clone(self);
        let threads = self.threads.threads.as_ref().ok_or(NotDone)?;
        let done = threads.handle().spawn_blocking(move || {
            // The turn ends with the work, also when nobody waits for it any more.
            let _turn = turn;
            let done = this.here(work);
            if tree_bytes > machine::KEPT_BYTES_MAX {
                this.here(machine::give_back);
            }
            done
        });
        done.await.map_err(|_| NotDone)
    }

    /// Waits for this run's turn, then for this user's, then for memory.
    async fn turn(&self, tree_bytes: usize) -> Result<(OwnedSemaphorePermit, Slot, OwnedSemaphorePermit), NotDone> {
        let of_run = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| NotDone)?;
        let of_user = self.threads.turns.take(&self.user).await.map_err(|_| NotDone)?;
        let units = tree_bytes.min(TREE_BYTES_MAX).div_ceil(TREE_UNIT_BYTES);
        let units = u32::try_from(units).map_err(|_| NotDone)?;
        let tree = Arc::clone(&self.threads.trees).acquire_many_owned(units).await.map_err(|_| NotDone)?;
        Ok((of_run, of_user, tree))
    }
}

/// The processor time of this thread.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}
