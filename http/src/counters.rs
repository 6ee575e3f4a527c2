//! How many requests were answered, and how: by route and status, never by user.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The most routes and statuses that are counted apart: routes are those of the router, not what a client asks for.
const SERIES_MAX: usize = 1_000;

/// The counts since the router was made.
#[derive(Default)]
pub(crate) struct Counters(Mutex<BTreeMap<(String, String), u64>>);

impl Counters {
    /// One more request of `route`, answered with `status`.
    pub(crate) fn count(&self, route: &str, status: &str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (route.to_owned(), status.to_owned());
        if let Some(count) = counts.get_mut(&key) {
            *count += 1;
        } else if counts.len() < SERIES_MAX {
            counts.insert(key, 1);
        }
    }

    /// Route, status and count, in order.
    pub(crate) fn all(&self) -> Vec<(String, String, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|((route, status), count)| (route.clone(), status.clone(), *count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_series_are_counted_than_there_may_be() {
        let counters = Counters::default();
        (0..2 * SERIES_MAX).for_each(|route| counters.count(&route.to_string(), "200"));
        counters.count("0", "200");
        let all = counters.all();
        assert_eq!(all.len(), SERIES_MAX);
        assert!(all.contains(&("0".to_owned(), "200".to_owned(), 2)));
    }
}
