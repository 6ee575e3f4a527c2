//! Sessions are made otherwise from now on: those that were kept end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells a router that sessions are made otherwise from now on; cheap to clone, and all clones are one. What is under way goes on; sessions that are kept
/// for MCP clients before 2026-07-28 are not found any more, and their clients begin again.
#[derive(Clone, Debug, Default)]
pub struct Renewal(Arc<AtomicU64>);

impl Renewal {
    /// Ends the sessions that are kept.
    pub fn renew(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How often that was done.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
