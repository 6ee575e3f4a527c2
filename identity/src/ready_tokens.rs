//! Tokens that are held ready, so that a call waits for no store. Another replica may have taken one back: after a while the store is looked into again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use isolet_outbound::Secret;

use crate::error::IdentityError;
use crate::grant::Grant;
use crate::place::Place;

/// Tokens that are held ready. One more is read from the store.
const READY_MAX: usize = 4096;

/// How long a token is used before the store is looked into, for it may have been taken back at another replica.
const SEEN_LIFE: Duration = Duration::from_secs(10);

/// A token that was renewed less than this ago, and is refused, is not renewed again: the server takes none.
const RENEWED_LATELY: Duration = Duration::from_secs(30);

/// The tokens.
#[derive(Default)]
pub(crate) struct ReadyTokens(Mutex<HashMap<Place, Ready>>);

/// What is held for one place.
pub(crate) enum Held {
    /// A token that is used.
    Token(Secret),
    /// One that is used if the store still has it, or cannot say.
    Unseen(Secret),
    Nothing,
}

struct Ready {
    token: Secret,
    until: Option<SystemTime>,
    since: SystemTime,
    /// When it was last in the store.
    seen: Instant,
    renewed: Option<Instant>,
}

impl ReadyTokens {
    /// What is held for `place` that is not used up at `now`.
    pub(crate) fn of(&self, place: &Place, now: SystemTime) -> Held {
        let all = self.all();
        let is_good = |ready: &&Ready| ready.since <= now && ready.until.is_none_or(|until| now < until);
        match all.get(place).filter(is_good) {
            Some(ready) if ready.seen.elapsed() < SEEN_LIFE => Held::Token(ready.token.clone()),
            Some(ready) => Held::Unseen(ready.token.clone()),
            None => Held::Nothing,
        }
    }

    /// Holds the token of `grant`, which the store has.
    pub(crate) fn hold(&self, place: &Place, grant: &Grant) -> Result<Secret, IdentityError> {
        let (token, now) = (grant.token(place)?, SystemTime::now());
        let mut all = self.all();
        if all.len() >= READY_MAX {
            all.retain(|_, ready| ready.until.is_some_and(|until| now < until));
        }
        if all.len() < READY_MAX || all.contains_key(place) {
            let renewed = all.get(place).filter(|ready| ready.token == token).and_then(|ready| ready.renewed);
            let (token, until) = (token.clone(), grant.renewed_at());
            all.insert(place.clone(), Ready { token, until, since: now, seen: Instant::now(), renewed });
        }
        Ok(token)
    }

    /// The token for `place` is a new one.
    pub(crate) fn was_renewed(&self, place: &Place) {
        if let Some(ready) = self.all().get_mut(place) {
            ready.renewed = Some(Instant::now());
        }
    }

    /// Whether that was a moment ago.
    pub(crate) fn is_new(&self, place: &Place) -> bool {
        self.all().get(place).and_then(|ready| ready.renewed).is_some_and(|at| at.elapsed() < RENEWED_LATELY)
    }

    /// The store cannot say whether it has the token: it is asked again after a while.
    pub(crate) fn look_later(&self, place: &Place) {
        if let Some(ready) = self.all().get_mut(place) {
            ready.seen = Instant::now();
        }
    }

    /// Holds nothing for `place`.
    pub(crate) fn remove(&self, place: &Place) {
        self.all().remove(place);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Place, Ready>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::Principal;
    use isolet::mcp::Url;

    use super::*;
    use crate::grant::tests::grant;

    /// The time passes after which the store is looked into.
    pub(crate) fn let_time_pass(tokens: &ReadyTokens) {
        let before = Instant::now().checked_sub(SEEN_LIFE).unwrap();
        tokens.all().values_mut().for_each(|ready| ready.seen = before);
    }

    fn place(user: &str) -> Place {
        Place::new(&Principal::new(user).key(), "m", &Url::parse("https://m.example/mcp").unwrap())
    }

    #[test]
    fn no_more_tokens_are_held_ready_than_there_may_be() {
        let tokens = ReadyTokens::default();
        for user in 0..READY_MAX + 10 {
            let token = tokens.hold(&place(&user.to_string()), &grant(10_000_000_000)).unwrap();
            assert!(token.expose() == "canary-access");
        }
        assert_eq!(tokens.all().len(), READY_MAX);
    }

    #[test]
    fn a_token_is_used_until_the_store_has_to_be_looked_into() {
        let (tokens, ada, now) = (ReadyTokens::default(), place("ada"), SystemTime::now);
        tokens.hold(&ada, &grant(10_000_000_000)).unwrap();
        assert!(matches!(tokens.of(&ada, now()), Held::Token(_)) && matches!(tokens.of(&place("bob"), now()), Held::Nothing));
        let_time_pass(&tokens);
        assert!(matches!(tokens.of(&ada, now()), Held::Unseen(_)));
        tokens.look_later(&ada);
        assert!(matches!(tokens.of(&ada, now()), Held::Token(_)));
        let before_it_was_given = now() - Duration::from_secs(60);
        assert!(matches!(tokens.of(&ada, before_it_was_given), Held::Nothing), "the clock went back");
        tokens.remove(&ada);
        assert!(matches!(tokens.of(&ada, now()), Held::Nothing));
    }

    #[test]
    fn a_token_is_new_until_it_is_another_one() {
        let (tokens, ada) = (ReadyTokens::default(), place("ada"));
        tokens.hold(&ada, &grant(10_000_000_000)).unwrap();
        assert!(!tokens.is_new(&ada));
        tokens.was_renewed(&ada);
        tokens.hold(&ada, &grant(10_000_000_000)).unwrap();
        assert!(tokens.is_new(&ada), "it is the same one, read again");
        tokens.remove(&ada);
        tokens.hold(&ada, &grant(10_000_000_000)).unwrap();
        assert!(!tokens.is_new(&ada));
    }
}
