//! Bytes that this process holds for runs: a budget for each, and a common one for all.
//!
//! What a guest sent is held until its call is answered, a reply until the guest has read it and it is checked. A run whose budget is used up is
//! not read from until some of it is free again: what it holds is freed by its own calls and answers and needs nothing more to be held, and a
//! run that holds nothing may always hold one thing. So nobody waits for ever, whatever others hold.
//!
//! The first bytes of each run are its own: small calls never meet the common budget. Beyond those a run may have as much of it as it leaves to
//! others: one alone gets half, the next half of the rest, and something is left for whoever comes.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::machine;

/// What a run holds without asking the common budget, bytes.
const OWN_BYTES: usize = 128 << 10;

/// The budget of all runs of a runtime.
#[derive(Debug)]
pub(crate) struct CommonBudget {
    bytes_max: usize,
    held: AtomicUsize,
    /// Runs after which memory is to be given back; a thread does it while there are any.
    to_give_back: AtomicUsize,
    /// Somebody has freed something.
    freed: Notify,
}

/// The budget of one run, or of one session that is served as a classic server.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    common: Arc<CommonBudget>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: usize,
    /// The most so far.
    peak: usize,
    /// Of those.
    of_common: usize,
}

/// Bytes that are held: free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    budget: Budget,
    bytes: usize,
}

impl CommonBudget {
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, held: AtomicUsize::new(0), to_give_back: AtomicUsize::new(0), freed: Notify::new() })
    }

    /// Bytes that are held of it.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Takes some for a run that has `already` of it, if that leaves as much to others.
    fn try_take(&self, bytes: usize, already: usize) -> bool {
        let wanted = already.saturating_add(bytes);
        let take = |held: usize| {
            let held = held.saturating_add(bytes);
            (wanted <= self.bytes_max.saturating_sub(held)).then_some(held)
        };
        self.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Gives memory back to the system on a thread of its own, once at a time.
    fn give_back(self: &Arc<Self>) {
        if self.to_give_back.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let common = Arc::clone(self);
        let given = std::thread::Builder::new().name("isolet-memory".to_owned()).spawn(move || {
            let mut runs = common.to_give_back.load(Ordering::Acquire);
            loop {
                machine::give_back();
                match common.to_give_back.compare_exchange(runs, 0, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return,
                    // Others have ended meanwhile.
                    Err(more) => runs = more,
                }
            }
        });
        if given.is_err() {
            self.to_give_back.store(0, Ordering::Release);
        }
    }
}

impl Drop for Inner {
    /// The C library keeps what a run has freed, and a program could make that as much as its budget.
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if state.peak > machine::KEPT_BYTES_MAX {
            self.common.give_back();
        }
    }
}

impl Budget {
    pub(crate) fn new(common: &Arc<CommonBudget>, bytes_max: usize) -> Self {
        Self(Arc::new(Inner { bytes_max, common: Arc::clone(common), state: Mutex::default() }))
    }

    // Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds so many bytes if they fit into both budgets, or if the run holds nothing.
    pub(crate) fn try_hold(&self, bytes: usize) -> Option<Held> {
        let mut state = self.lock();
        let held = state.held.saturating_add(bytes);
        if state.held > 0 && held > self.0.bytes_max {
            return None;
        }
        let more = held.saturating_sub(OWN_BYTES).saturating_sub(state.of_common);
        if more > 0 && !self.0.common.try_take(more, state.of_common) {
            if state.held > 0 {
                return None;
            }
            self.0.common.held.fetch_add(more, Ordering::Relaxed);
        }
        state.held = held;
        state.peak = state.peak.max(held);
        state.of_common += more;
        Some(Held { budget: self.clone(), bytes })
    }

    /// Holds so many bytes that are there already, whatever the budgets say: what comes next has to wait for them.
    pub(crate) fn hold(&self, bytes: usize) -> Held {
        let mut state = self.lock();
        state.held = state.held.saturating_add(bytes);
        state.peak = state.peak.max(state.held);
        let more = state.held.saturating_sub(OWN_BYTES).saturating_sub(state.of_common);
        state.of_common += more;
        self.0.common.held.fetch_add(more, Ordering::Relaxed);
        Held { budget: self.clone(), bytes }
    }

    /// Ends when bytes of any run are freed, from the call of this on.
    pub(crate) fn freed(&self) -> Notified<'_> {
        self.0.common.freed.notified()
    }

    fn free(&self, bytes: usize) {
        let mut state = self.lock();
        state.held = state.held.saturating_sub(bytes);
        let less = state.of_common.saturating_sub(state.held.saturating_sub(OWN_BYTES));
        state.of_common -= less;
        self.0.common.held.fetch_sub(less, Ordering::Relaxed);
        drop(state);
        self.0.common.freed.notify_waiters();
    }
}

impl Held {
    /// Holds only so many of them on.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        if let Some(less) = self.bytes.checked_sub(bytes) {
            self.bytes = bytes;
            self.budget.free(less);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.budget.free(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use futures::FutureExt as _;
    use proptest::prelude::*;

    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn a_run_holds_what_its_budget_says_and_one_thing_at_least() {
        let budget = Budget::new(&CommonBudget::new(100 * MIB), 2 * MIB);
        let first = budget.try_hold(MIB).unwrap();
        let second = budget.try_hold(MIB).unwrap();
        assert!(budget.try_hold(1).is_none());
        drop(first);
        assert!(budget.try_hold(MIB + 1).is_none());
        assert!(budget.try_hold(MIB).is_some());
        drop(second);
        assert!(budget.try_hold(50 * MIB).is_some(), "one thing that is larger than the budget is held alone");
    }

    #[test]
    fn something_of_the_common_budget_is_left_for_whoever_comes() {
        let common = CommonBudget::new(64 * MIB);
        let greedy: Vec<Budget> = (0..4).map(|_| Budget::new(&common, usize::MAX)).collect();
        let mut held = Vec::new();
        let taken = greedy.iter().map(|budget| {
            let before = held.len();
            held.extend(std::iter::from_fn(|| budget.try_hold(MIB)));
            held.len() - before
        });
        assert_eq!(taken.collect::<Vec<_>>(), [32, 16, 8, 4], "half of what is left for each");
        let last = Budget::new(&common, usize::MAX);
        assert!(last.try_hold(MIB).is_some() && common.held() < 64 * MIB);
        drop(held);
        assert_eq!(common.held(), 0);
    }

    #[test]
    fn small_things_and_the_first_thing_never_wait_for_others() {
        let common = CommonBudget::new(0);
        let (small, large) = (Budget::new(&common, MIB), Budget::new(&common, MIB));
        let held: Vec<_> = (0..4).map(|_| small.try_hold(OWN_BYTES / 4).unwrap()).collect();
        assert!(small.try_hold(1).is_none());
        assert!(large.try_hold(MIB).is_some());
        drop(held);
        assert_eq!(common.held(), 0);
    }

    #[test]
    fn what_is_there_already_is_held_and_what_comes_next_waits() {
        let budget = Budget::new(&CommonBudget::new(100 * MIB), MIB);
        let reply = budget.hold(8 * MIB);
        let freed = budget.freed();
        assert!(budget.try_hold(1).is_none());
        drop(reply);
        assert!(freed.now_or_never().is_some() && budget.try_hold(1).is_some());
    }

    #[test]
    fn what_another_run_frees_is_noticed_also_before_it_is_waited_for() {
        let common = CommonBudget::new(4 * MIB);
        let (one, other) = (Budget::new(&common, usize::MAX), Budget::new(&common, usize::MAX));
        let held = one.hold(4 * MIB);
        let _some = other.try_hold(1).unwrap();
        let freed = other.freed();
        assert!(other.try_hold(MIB).is_none());
        drop(held);
        assert!(freed.now_or_never().is_some() && other.try_hold(MIB).is_some());
    }

    #[test]
    fn a_part_is_freed_before_the_rest() {
        let common = CommonBudget::new(100 * MIB);
        let budget = Budget::new(&common, usize::MAX);
        let mut held = budget.hold(3 * MIB);
        held.shrink_to(MIB);
        assert_eq!(common.held(), MIB - OWN_BYTES);
        held.shrink_to(2 * MIB);
        assert_eq!(common.held(), MIB - OWN_BYTES, "it never grows");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nobody_waits_for_ever(
            common_max in prop_oneof![Just(0), Just(usize::MAX), 0..8 * MIB],
            run_max in prop_oneof![Just(0), Just(usize::MAX), 0..8 * MIB],
            steps in proptest::collection::vec((0..3_usize, prop_oneof![0..4 * MIB, Just(0), Just(usize::MAX / 8)], any::<bool>()), 1..60),
        ) {
            let common = CommonBudget::new(common_max);
            let budgets: Vec<Budget> = (0..3).map(|_| Budget::new(&common, run_max)).collect();
            let mut held: Vec<Vec<Held>> = vec![Vec::new(), Vec::new(), Vec::new()];
            for (run, bytes, frees) in steps {
                if frees {
                    held[run].pop();
                } else if let Some(more) = budgets[run].try_hold(bytes) {
                    held[run].push(more);
                } else {
                    prop_assert!(budgets[run].lock().held > 0, "a run that holds nothing waits");
                }
                let of_common: usize = budgets.iter().map(|budget| budget.lock().of_common).sum();
                prop_assert_eq!(of_common, common.held());
            }
            drop(held);
            prop_assert_eq!(common.held(), 0);
        }
    }
}
