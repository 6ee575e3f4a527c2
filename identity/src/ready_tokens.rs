//! Tokens that are held ready, so that a call waits for no store. Another replica may have taken one back: after a while the store is looked into again.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use isolet_outbound::Secret;

use crate::error::IdentityError;
use crate::grant::Grant;
use crate::grant_key::GrantKey;

/// Tokens that are held ready. One more is read from the store.
const READY_MAX: usize = 4096;

/// How long a token is used before the store is looked into, for it may have been taken back at another replica.
const SEEN_LIFE: Duration = Duration::from_secs(10);

/// A token that was renewed less than this ago, and is refused, is not renewed again: the server takes none.
const RENEWED_LATELY: Duration = Duration::from_secs(30);

/// The tokens.
#[derive(Default)]
pub(crate) struct ReadyTokens(Mutex<HashMap<GrantKey, Ready>>);

/// What is held for one grant.
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
    /// What is held for `grant_key` that is not used up at `now`.
    pub(crate) fn of(&self, grant_key: &GrantKey, now: SystemTime) -> Held {
        let all = self.all();
        let is_good = |ready: &&Ready| ready.since <= now && ready.until.is_none_or(|until| now < until);
        match all.get(grant_key).filter(is_good) {
            Some(ready) if ready.seen.elapsed() < SEEN_LIFE => Held::Token(ready.token.clone()),
            Some(ready) => Held::Unseen(ready.token.clone()),
            None => Held::Nothing,
        }
    }

    /// Holds the token of `grant`, which the store has.
    pub(crate) fn hold(&self, grant_key: &GrantKey, grant: &Grant) -> Result<Secret, IdentityError> {
        let (token, now) = (grant.token(grant_key)?, SystemTime::now());
        let mut all = self.all();
        if all.len() >= READY_MAX {
            all.retain(|_, ready| ready.until.is_some_and(|until| now < until));
        }
        if all.len() < READY_MAX || all.contains_key(grant_key) {
            let renewed = all.get(grant_key).filter(|ready| ready.token == token).and_then(|ready| ready.renewed);
            let (token, until) = (token.clone(), grant.renewed_at());
            all.insert(grant_key.clone(), Ready { token, until, since: now, seen: Instant::now(), renewed });
        }
        Ok(token)
    }

    /// The token for `grant_key` is a new one.
    pub(crate) fn was_renewed(&self, grant_key: &GrantKey) {
        if let Some(ready) = self.all().get_mut(grant_key) {
            ready.renewed = Some(Instant::now());
        }
    }

    /// Whether that was a moment ago.
    pub(crate) fn is_new(&self, grant_key: &GrantKey) -> bool {
        self.all().get(grant_key).and_then(|ready| ready.renewed).is_some_and(|at| at.elapsed() < RENEWED_LATELY)
    }

    /// The store cannot say whether it has the token: it is asked again after a while.
    pub(crate) fn look_later(&self, grant_key: &GrantKey) {
        if let Some(ready) = self.all().get_mut(grant_key) {
            ready.seen = Instant::now();
        }
    }

    /// Holds nothing for `grant_key`.
    pub(crate) fn remove(&self, grant_key: &GrantKey) {
        self.all().remove(grant_key);
    }

    fn all(&self) -> MutexGuard<'_, HashMap<GrantKey, Ready>> {
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

    fn grant_key(user: &str) -> GrantKey {
        GrantKey::new(&Principal::new(user).key(), "m", &Url::parse("https://m.example/mcp").unwrap())
    }

    #[test]
    fn no_more_tokens_are_held_ready_than_there_may_be() {
        let tokens = ReadyTokens::default();
        for user in 0..READY_MAX + 10 {
            let token = tokens.hold(&grant_key(&user.to_string()), &grant(10_000_000_000)).unwrap();
            assert!(token.expose() == "canary-access");
        }
        assert_eq!(tokens.all().len(), READY_MAX);
    }

    #[test]
    fn a_token_is_used_until_the_store_has_to_be_looked_into() {
        let (tokens, ada, now) = (ReadyTokens::default(), grant_key("ada"), SystemTime::now);
        tokens.hold(&ada, &grant(10_000_000_000)).unwrap();
        assert!(
            matches!(tokens.of(&ada, now()), Held::Token(_)) && matches!(tokens.of(&grant_key("bob"), now()), Held::Nothing)
        );
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
        let (tokens, ada) = (ReadyTokens::default(), grant_key("ada"));
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
