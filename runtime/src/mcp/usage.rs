//! How a server is used: by how many, since when by nobody, and whether a configuration still has it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How long a server stays that no configuration has any more: what began before the change goes on, and may call it again.
const RETIRED_IDLE_MAX: Duration = Duration::from_secs(10);

/// The use of one server.
pub(super) struct Usage {
    /// How many use it or wait for it.
    users: AtomicUsize,
    last: Mutex<Instant>,
    is_retired: watch::Sender<bool>,
}

impl Usage {
    pub(super) fn new() -> Self {
        Self::since(Instant::now())
    }

    fn since(last: Instant) -> Self {
        Self { users: AtomicUsize::new(0), last: Mutex::new(last), is_retired: watch::Sender::new(false) }
    }

    /// One more uses it.
    pub(super) fn begin(&self) {
        self.users.fetch_add(1, Ordering::SeqCst);
    }

    /// One of them does not any more.
    pub(super) fn end(&self) {
        *self.last() = Instant::now();
        self.users.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many use it.
    pub(super) fn users(&self) -> usize {
        self.users.load(Ordering::SeqCst)
    }

    /// Since when nobody has used it: now, while somebody does.
    pub(super) fn idle_since(&self) -> Instant {
        if self.users() == 0 { *self.last() } else { Instant::now() }
    }

    /// Says whether a configuration still has it.
    pub(super) fn retire(&self, is_retired: bool) {
        self.is_retired.send_if_modified(|was_retired| std::mem::replace(was_retired, is_retired) != is_retired);
    }

    /// Sees when that changes.
    pub(super) fn retirement(&self) -> watch::Receiver<bool> {
        self.is_retired.subscribe()
    }

    /// How long it may be idle, where others may be for `idle_max`.
    pub(super) fn idle_max(&self, idle_max: Duration) -> Duration {
        if *self.is_retired.borrow() { idle_max.min(RETIRED_IDLE_MAX) } else { idle_max }
    }

    /// Waits until nobody has used it for so long.
    pub(super) async fn idle(&self, idle_max: Duration) {
        loop {
            let since = self.idle_since();
            if since.elapsed() >= idle_max {
                return;
            }
            match since.checked_add(idle_max) {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        }
    }

    fn last(&self) -> MutexGuard<'_, Instant> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_may_never_be_idle() {
        let usage = Usage::new();
        assert!(futures::poll!(std::pin::pin!(usage.idle(Duration::MAX))).is_pending());
        assert!(futures::poll!(std::pin::pin!(usage.idle(Duration::ZERO))).is_ready());
    }

    #[tokio::test]
    async fn a_retired_server_is_soon_idle_unless_it_is_in_use_or_wanted_again() {
        let usage = Usage::new();
        let mut retirement = usage.retirement();
        usage.retire(false);
        assert!(!retirement.has_changed().unwrap_or(true));
        usage.retire(true);
        assert!(*retirement.borrow_and_update());
        assert_eq!(usage.idle_max(Duration::MAX), RETIRED_IDLE_MAX);
        assert_eq!(usage.idle_max(Duration::ZERO), Duration::ZERO);
        let long_ago = Instant::now().checked_sub(RETIRED_IDLE_MAX).map(Usage::since);
        if let Some(usage) = long_ago {
            usage.retire(true);
            assert!(futures::poll!(std::pin::pin!(usage.idle(usage.idle_max(Duration::MAX)))).is_ready());
            usage.begin();
            assert!(futures::poll!(std::pin::pin!(usage.idle(usage.idle_max(Duration::MAX)))).is_pending());
        }
        usage.retire(false);
        assert_eq!(usage.idle_max(Duration::MAX), Duration::MAX);
    }
}
