//! A limit of time in which it does not count that somebody is being asked.

use std::time::{Duration, Instant};

use isolet_bindings::Asker;

/// How often it is looked whether somebody is still being asked.
const LOOK: Duration = Duration::from_millis(50);

/// What `work` comes to within `limit`, not counting the time for which `asker` asks somebody; none if it is not done then.
pub(crate) async fn within<T>(asker: &Asker, limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    let (begun, asked_before) = (Instant::now(), asker.waited());
    tokio::pin!(work);
    loop {
        let asked = asker.waited().saturating_sub(asked_before);
        let left = limit.saturating_sub(begun.elapsed().saturating_sub(asked));
        let left = match (left.is_zero(), asker.is_open()) {
            (true, false) => return None,
            (_, true) => left.max(LOOK),
            (false, false) => left,
        };
        tokio::select! {
            biased;
            done = &mut work => return Some(done),
            () = tokio::time::sleep(left) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_bindings::{AskKind, Question};
    use serde_json::{Map, json};

    use super::*;

    #[tokio::test]
    async fn the_time_for_which_somebody_is_asked_does_not_count() {
        let limit = Duration::from_millis(200);
        let slow = move || tokio::time::sleep(4 * limit);
        assert!(within(&Asker::default(), limit, slow()).await.is_none());
        let asker = Asker::new([AskKind::Form], move |_| {
            Box::pin(async move {
                slow().await;
                Ok(json!({ "action": "decline" }))
            })
        });
        let asked = asker.ask(Question::new(AskKind::Form, Map::new()));
        assert_eq!(within(&asker, limit, asked).await.unwrap().unwrap(), json!({ "action": "decline" }));
        assert!(within(&asker, limit, slow()).await.is_none(), "it counts again afterwards");
    }
}
