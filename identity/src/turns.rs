//! Whose turn it is: one at a time for each place, within this process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::place::Place;

type Lock = Arc<tokio::sync::Mutex<()>>;

/// The places that somebody is at, or waits for.
#[derive(Default)]
pub(crate) struct Turns(Mutex<HashMap<Place, Lock>>);

/// A turn; the next one comes when it is dropped.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    place: Place,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for a turn at `place`.
    pub(crate) async fn turn(self: &Arc<Self>, place: &Place) -> Turn {
        let lock = Arc::clone(self.places().entry(place.clone()).or_default());
        let guard = lock.lock_owned().await;
        Turn { turns: Arc::clone(self), place: place.clone(), guard: Some(guard) }
    }

    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<Place, Lock>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        drop(self.guard.take());
        let mut places = self.turns.places();
        // Who waits has a share of it.
        if places.get(&self.place).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            places.remove(&self.place);
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
        let place = |server: &str| Place::new(&Principal::new("ada").key(), server, &url);
        let (first, _other) = (turns.turn(&place("a")).await, turns.turn(&place("b")).await);
        let again = place("a");
        let mut second = std::pin::pin!(turns.turn(&again));
        let is_waiting = tokio::time::timeout(std::time::Duration::from_millis(20), &mut second).await.is_err();
        drop(first);
        assert!(is_waiting);
        drop(second.await);
        assert_eq!(turns.places().len(), 1);
    }
}
