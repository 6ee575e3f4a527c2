//! Those who come with a token: nobody knows them before, and each is known for as long as there is room.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use isolet::{Principal, PrincipalKey};
use tokio::sync::OnceCell;

/// The most who are known. One more takes the place of the one who came longest ago.
const VISITORS_MAX: usize = 4096;

/// Who somebody is, and which roles their token gives them.
type Key = (PrincipalKey, BTreeSet<String>);

/// What is known of each.
pub(super) struct Visitors<T>(Mutex<HashMap<Key, Visitor<T>>>);

struct Visitor<T> {
    known: Arc<OnceCell<Arc<T>>>,
    came: Instant,
}

impl<T> Default for Visitors<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Visitors<T> {
    /// What is known of `principal`, to be found out by the first who asks.
    pub(super) fn of(&self, principal: &Principal) -> Arc<OnceCell<Arc<T>>> {
        let key = (principal.key(), principal.roles.clone());
        let mut visitors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if visitors.len() >= VISITORS_MAX && !visitors.contains_key(&key) {
            let longest = visitors.iter().min_by_key(|(_, visitor)| visitor.came).map(|(key, _)| key.clone());
            longest.map(|key| visitors.remove(&key));
        }
        let visitor = visitors.entry(key).or_insert_with(|| Visitor { known: Arc::default(), came: Instant::now() });
        visitor.came = Instant::now();
        Arc::clone(&visitor.known)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn no_more_are_known_than_may_be_and_who_came_lately_stays() {
        let visitors = Visitors::<()>::default();
        let user = |user: usize| Principal::new(user.to_string()).in_tenant("https://login.example");
        let first = visitors.of(&user(0));
        for number in 1..=VISITORS_MAX {
            visitors.of(&user(number));
            assert!(number < 2 || Arc::ptr_eq(&first, &visitors.of(&user(0))));
        }
        assert_eq!(visitors.0.lock().unwrap().len(), VISITORS_MAX);
        assert!(!Arc::ptr_eq(&first, &visitors.of(&user(0).with_role("admin"))), "another role, other tools");
    }
}
