//! How a host says that something has changed, to whoever waits for that.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Notify;

/// Says that something has changed. Cheap to clone, and all clones are one. Telling it never waits; what was told and not heard yet is told once.
#[derive(Clone, Default)]
pub struct ChangeSignal(Arc<Notify>);

impl ChangeSignal {
    /// One that nobody has told yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says so.
    pub fn tell(&self) {
        self.0.notify_one();
    }

    /// Waits until it is said. What was said since the last time counts, once.
    pub async fn told(&self) {
        self.0.notified().await;
    }

    /// Whether the other is a clone of it.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Who is told is no part of what is asked for.
impl PartialEq for ChangeSignal {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for ChangeSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeSignal").finish_non_exhaustive()
    }
}
