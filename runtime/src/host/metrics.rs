//! What a runtime counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters behind [`Metrics`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) claimed: AtomicU64,
    pub(crate) missed: AtomicU64,
    pub(crate) cold: AtomicU64,
    pub(crate) forks: AtomicU64,
    pub(crate) failed_forks: AtomicU64,
    pub(crate) spawns: AtomicU64,
    pub(crate) zygotes: AtomicU64,
    pub(crate) zygotes_lost: AtomicU64,
    pub(crate) runs: AtomicU64,
    pub(crate) overloaded: AtomicU64,
    pub(crate) snapshots_made: AtomicU64,
    pub(crate) snapshots_loaded: AtomicU64,
    pub(crate) snapshots_refused: AtomicU64,
    pub(crate) snapshots_unsaved: AtomicU64,
    pub(crate) snapshots_failed: AtomicU64,
    pub(crate) snapshot_bytes: AtomicU64,
}

/// What a runtime has counted since it was made.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metrics {
    /// Runs that were started.
    pub runs: u64,
    /// Runs that found a process forked ahead.
    pub claimed: u64,
    /// Runs that were forked from their scope's zygote on demand.
    pub missed: u64,
    /// Runs of cold scopes, forked from the base zygote.
    pub cold: u64,
    /// Processes that were spawned for a run.
    pub spawns: u64,
    /// Forks that were asked for, runs forked ahead included.
    pub forks: u64,
    /// Forks that the system refused: of runs, which fail with [`RunError::System`](crate::RunError::System) unless they were forked
    /// ahead, and of zygotes of scopes. The first one is also a warning in the log.
    pub failed_forks: u64,
    /// Zygotes that were started.
    pub zygotes: u64,
    /// Zygotes that ended by themselves.
    pub zygotes_lost: u64,
    /// Runs that were refused because too many waited.
    pub overloaded: u64,
    /// Scope snapshots that were made.
    pub snapshots_made: u64,
    /// Scope snapshots that were found in the configured folder.
    pub snapshots_loaded: u64,
    /// Files in that folder that were not believed: corrupt, cut, foreign, open to others. Their snapshots were made again.
    pub snapshots_refused: u64,
    /// Scope snapshots that could not be written to that folder.
    pub snapshots_unsaved: u64,
    /// Scope snapshots that could not be made, or not be held.
    pub snapshots_failed: u64,
    /// Bytes of the scope snapshots in memory now.
    pub snapshot_bytes: u64,
    /// Runs forked ahead now.
    pub ready: usize,
    /// Runs alive now.
    pub live: usize,
    /// Bytes of arguments and replies that are held now for runs, beyond the first 128 KiB of each.
    pub held_bytes: usize,
}

impl Counters {
    pub(crate) fn metrics(&self, ready: usize, live: usize, held_bytes: usize) -> Metrics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Metrics {
            runs: read(&self.runs),
            claimed: read(&self.claimed),
            missed: read(&self.missed),
            cold: read(&self.cold),
            spawns: read(&self.spawns),
            forks: read(&self.forks),
            failed_forks: read(&self.failed_forks),
            zygotes: read(&self.zygotes),
            zygotes_lost: read(&self.zygotes_lost),
            overloaded: read(&self.overloaded),
            snapshots_made: read(&self.snapshots_made),
            snapshots_loaded: read(&self.snapshots_loaded),
            snapshots_refused: read(&self.snapshots_refused),
            snapshots_unsaved: read(&self.snapshots_unsaved),
            snapshots_failed: read(&self.snapshots_failed),
            snapshot_bytes: read(&self.snapshot_bytes),
            ready,
            live,
            held_bytes,
        }
    }
}
