//! The walls around guest processes, as they become known. One that is missing is said once, where it is not refused.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::contract::boot::Walls;

/// What is known of the walls around the guest processes of one runtime. All of a kind are started alike: the first one's stand for all.
#[derive(Debug)]
pub(crate) struct KnownWalls {
    /// The configuration says by name which walls there have to be, so nobody needs a warning.
    is_chosen: bool,
    of_spawned: OnceLock<Walls>,
    has_warned: AtomicBool,
}

impl KnownWalls {
    pub(crate) fn new(is_chosen: bool) -> Self {
        Self { is_chosen, of_spawned: OnceLock::new(), has_warned: AtomicBool::new(false) }
    }

    /// Notes the walls around runs that are forked.
    pub(crate) fn note_forked(&self, walls: &Walls) {
        self.warn_of_missing(walls);
    }

    /// Notes the walls around a run that was spawned.
    pub(crate) fn note_spawned(&self, walls: &Walls) {
        self.of_spawned.get_or_init(|| walls.clone());
        self.warn_of_missing(walls);
    }

    /// Those around spawned runs, once there was one.
    pub(crate) fn of_spawned(&self) -> Option<Walls> {
        self.of_spawned.get().cloned()
    }

    fn warn_of_missing(&self, walls: &Walls) {
        if !self.is_chosen && !walls.missing.is_empty() && !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                missing = walls.missing.join("; "),
                "programs run with a wall missing around them: `isolet doctor` says more; `Isolation::Strict` (`--strict`) runs none"
            );
        }
    }
}
