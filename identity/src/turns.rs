//! Whose turn it is: one at a time for each grant, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::grant_key::GrantKey;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The grants whose turn somebody has, or waits for.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<GrantKey, Lock>>);

/// A turn; the next one comes when it is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    grant_key: GrantKey,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn of `grant_key`.
    pub(crate) async fn turn(self: &Arc<Self>, grant_key: &GrantKey) -> Turn {
        let lock = Arc::clone(self.keys().entry(grant_key.clone()).or_default());
        let guard = lock.lock_owned().await;
        Turn { turns: Arc::clone(self), grant_key: grant_key.clone(), guard: Some(guard) }
    }

    fn keys(&self) -> std::sync::MutexGuard<'_, HashMap<GrantKey, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut keys = self.turns.keys();
        // Who waits has a share of it.
        if keys.get(&self.grant_key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            keys.remove(&self.grant_key);
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::Principal;
    use isolet::mcp::Url;

    use super::*;

    #[tokio::test]
    async fn one_has_the_turn_and_nothing_is_left_of_it() {
        let (turns, url) = (Arc::<Turns>::default(), Url::parse("https://a.example/").unwrap());
        let grant_key = |server: &str| GrantKey::new(&Principal::new("ada").key(), server, &url);
        let (first, _other) = (turns.turn(&grant_key("a")).await, turns.turn(&grant_key("b")).await);
        let again = grant_key("a");
        let mut second = std::pin::pin!(turns.turn(&again));
        let is_waiting = tokio::time::timeout(std::time::Duration::from_millis(20), &mut second).await.is_err();
        drop(first);
        assert!(is_waiting);
        drop(second.await);
        assert_eq!(turns.keys().len(), 1);
    }
}
