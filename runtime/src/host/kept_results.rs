//! Results that were too long to be shown to a model: kept for the same user's next program, under names that nobody guesses.
//!
//! In memory alone, and bounded in every way: age, number, bytes of a user and of all. What is kept of one user is nothing to another.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use isolet_bindings::ToolReply;

use super::slots::User;

/// How long a result is kept.
pub(crate) const AGE_MAX: Duration = Duration::from_secs(10 * 60);
/// Results of one user.
pub(crate) const OF_USER_MAX: usize = 16;
/// Bytes of the results of one user.
const BYTES_OF_USER_MAX: usize = 16 << 20;
/// Bytes of the results of all users.
const BYTES_MAX: usize = 128 << 20;
/// Results of all users.
const COUNT_MAX: usize = 4096;

/// The results of all users of a runtime.
#[derive(Default)]
pub(crate) struct KeptResults {
    /// The oldest first.
    kept: Mutex<VecDeque<Kept>>,
}

struct Kept {
    handle: String,
    user: User,
    result: ToolReply,
    since: Instant,
}

impl Kept {
    fn bytes(&self) -> usize {
        self.result.as_json().len()
    }
}

/// The results of one user.
#[derive(Clone)]
pub(crate) struct ResultsOfUser {
    of_all: Arc<KeptResults>,
    user: User,
}

impl KeptResults {
    /// Those of `user`.
    pub(crate) fn of_user(self: &Arc<Self>, user: &User) -> ResultsOfUser {
        ResultsOfUser { of_all: Arc::clone(self), user: user.clone() }
    }
}

impl ResultsOfUser {
    /// Keeps a result as a reply that gives it, and lets older ones go where there is no room. Gives its handle; none if it is too long to be kept,
    /// or there is no randomness for a name.
    #[cfg_attr(not(feature = "mcp"), expect(dead_code, reason = "for a session as an MCP server"))]
    pub(crate) fn keep(&self, result: ToolReply) -> Option<String> {
        if result.as_json().len() > BYTES_OF_USER_MAX {
            return None;
        }
        let handle = random_name()?;
        let mut kept = self.of_all.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        kept.retain(|kept| now.duration_since(kept.since) < AGE_MAX);
        kept.push_back(Kept { handle: handle.clone(), user: self.user.clone(), result, since: now });
        let of_user = |kept: &&Kept| kept.user == self.user;
        while kept.iter().filter(of_user).count() > OF_USER_MAX
            || kept.iter().filter(of_user).map(Kept::bytes).sum::<usize>() > BYTES_OF_USER_MAX
        {
            let oldest = kept.iter().position(|kept| kept.user == self.user);
            oldest.and_then(|oldest| kept.remove(oldest));
        }
        while kept.len() > COUNT_MAX || kept.iter().map(Kept::bytes).sum::<usize>() > BYTES_MAX {
            kept.pop_front();
        }
        Some(handle)
    }

    /// A result of this user, as long as it is kept.
    pub(crate) fn get(&self, handle: &str) -> Option<ToolReply> {
        let kept = self.of_all.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|kept| kept.handle == handle && kept.user == self.user);
        found.filter(|kept| kept.since.elapsed() < AGE_MAX).map(|kept| kept.result.clone())
    }
}

/// 96 random bits in hex.
fn random_name() -> Option<String> {
    let mut bytes = [0_u8; 12];
    getrandom::fill(&mut bytes).ok()?;
    let mut name = String::with_capacity(2 * bytes.len());
    bytes.iter().for_each(|byte| _ = write!(name, "{byte:02x}"));
    Some(name)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    fn two_users() -> (ResultsOfUser, ResultsOfUser) {
        let all = Arc::new(KeptResults::default());
        (all.of_user(&User::Named("ada".into())), all.of_user(&User::Named("bob".into())))
    }

    #[test]
    fn a_result_is_its_users_alone() {
        let (ada, bob) = two_users();
        let handle = ada.keep(serde_json::json!([1]).into()).unwrap();
        assert_eq!(ada.get(&handle).unwrap().as_json(), "[1]");
        assert!(bob.get(&handle).is_none() && ada.get("0000").is_none());
    }

    #[test]
    fn the_oldest_goes_where_there_are_too_many_of_one_user() {
        let (ada, bob) = two_users();
        let of_bob = bob.keep(ToolReply::text("1")).unwrap();
        let handles: Vec<String> =
            (0..=OF_USER_MAX).map(|number| ada.keep(ToolReply::text(number.to_string())).unwrap()).collect();
        assert!(ada.get(&handles[0]).is_none());
        assert!(handles[1..].iter().all(|handle| ada.get(handle).is_some()) && bob.get(&of_bob).is_some());
    }

    #[test]
    fn the_bytes_of_one_user_are_bounded() {
        let (ada, _) = two_users();
        // Of so many bytes, quotes included.
        let of_bytes = |bytes: usize| ToolReply::text("x".repeat(bytes - 2));
        assert_eq!(ada.keep(of_bytes(BYTES_OF_USER_MAX + 1)), None);
        let first = ada.keep(of_bytes(BYTES_OF_USER_MAX)).unwrap();
        let second = ada.keep(of_bytes(3)).unwrap();
        assert!(ada.get(&first).is_none() && ada.get(&second).is_some());
    }
}
