//! The tokens that came with users' requests, for as long as they last: each is exchanged for others, and goes to the authorization server that does so
//! and to nobody else.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use isolet::PrincipalKey;
use isolet_outbound::Secret;

/// The most principals whose token is held. One more has none to exchange until others' have ended.
const SUBJECTS_MAX: usize = 4096;

/// The latest token of each principal; cheap to clone, and all clones are one.
#[derive(Clone, Default)]
pub struct SubjectTokens(Arc<Mutex<HashMap<PrincipalKey, Subject>>>);

struct Subject {
    token: Secret,
    expires: Option<SystemTime>,
}

impl SubjectTokens {
    /// Holds `token`, which was verified as this principal's, instead of an earlier one.
    pub fn hold(&self, principal: &PrincipalKey, token: &Secret, expires: Option<SystemTime>) {
        let now = SystemTime::now();
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if subjects.len() >= SUBJECTS_MAX && !subjects.contains_key(principal) {
            subjects.retain(|_, subject| subject.expires.is_none_or(|end| now < end));
        }
        if subjects.len() < SUBJECTS_MAX || subjects.contains_key(principal) {
            subjects.insert(principal.clone(), Subject { token: token.clone(), expires });
        }
    }

    /// The token of this principal, if it has not ended.
    pub(crate) fn of(&self, principal: &PrincipalKey) -> Option<Secret> {
        let mut subjects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_ended = |subject: &Subject| subject.expires.is_some_and(|end| end <= SystemTime::now());
        if subjects.get(principal).is_some_and(has_ended) {
            subjects.remove(principal);
        }
        subjects.get(principal).map(|subject| subject.token.clone())
    }
}

/// Nothing of the tokens.
impl fmt::Debug for SubjectTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubjectTokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::time::Duration;

    use isolet::Principal;

    use super::*;

    #[test]
    fn no_more_tokens_are_held_than_may_be_and_none_that_has_ended() {
        let (subjects, token) = (SubjectTokens::default(), Secret::new("canary-subject").unwrap());
        let (key, later) = (|user: &str| Principal::new(user).key(), SystemTime::now() + Duration::from_secs(60));
        subjects.hold(&key("ended"), &token, Some(SystemTime::now()));
        assert!(subjects.of(&key("ended")).is_none() && subjects.of(&key("ada")).is_none());
        for user in 0..SUBJECTS_MAX + 1 {
            subjects.hold(&key(&user.to_string()), &token, Some(later));
        }
        assert_eq!(subjects.0.lock().unwrap().len(), SUBJECTS_MAX);
        let newer = Secret::new("canary-newer").unwrap();
        subjects.hold(&key("0"), &newer, None);
        assert!(subjects.of(&key("0")).is_some_and(|held| held == newer));
    }
}
