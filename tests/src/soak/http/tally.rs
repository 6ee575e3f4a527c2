//! What all clients have seen.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// Wrong answers that are kept word by word.
const SHOWN_MAX: usize = 20;

/// What all clients have seen.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Calls that were answered rightly.
    pub(super) right: AtomicUsize,
    /// Those of servers whose calls are counted where they arrive.
    pub(super) right_at_counted: AtomicUsize,
    /// Sessions that had ended, and were begun again.
    pub(super) begun_again: AtomicUsize,
    /// How often a server has died.
    pub(super) deaths: AtomicUsize,
    /// How often a list was seen to have changed.
    pub(super) changes: AtomicUsize,
    lost: Mutex<BTreeMap<&'static str, usize>>,
    wrong: Mutex<Vec<String>>,
    wrong_count: AtomicUsize,
}

impl Tally {
    /// A call has failed that was under way, or made, when its server was dead: it is asked again.
    pub(super) fn is_lost(&self, server: &'static str) {
        *self.lost.lock().unwrap_or_else(PoisonError::into_inner).entry(server).or_default() += 1;
    }

    /// What must not be.
    pub(super) fn is_wrong(&self, what: String) {
        self.wrong_count.fetch_add(1, Ordering::Relaxed);
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() < SHOWN_MAX {
            wrong.push(what);
        }
    }

    /// What was lost to deaths, by server.
    pub(super) fn lost(&self) -> BTreeMap<&'static str, usize> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How much was wrong, and the first of it.
    pub(super) fn wrong(&self) -> (usize, Vec<String>) {
        let wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (self.wrong_count.load(Ordering::Relaxed), wrong)
    }
}
