//! What the pool decides, apart from how it is done: where the process of a run comes from, which scope gets a zygote of its own, how many runs
//! are held ready, and when a base zygote is replaced.

use std::time::Duration;

use crate::host::outcome::Origin;

/// Requests of a scope before it gets a zygote of its own.
const REQUESTS_OF_BUSY: u32 = 2;
/// Runs of a busy scope that are forked ahead at the least: one to claim, and one for whoever comes before that one has ended.
const READY_RUNS_MIN: usize = 2;
/// A scope without requests for so long gives its zygote back.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(120);

/// Where a run comes from whose scope has a run that was forked ahead, has a zygote that is ready, and whose pool has a base zygote that is: what is
/// soonest. None if nothing can be forked now.
pub(super) fn origin(has_ready_run: bool, has_zygote: bool, has_base: bool) -> Option<Origin> {
    match (has_ready_run, has_zygote, has_base) {
        (true, _, _) => Some(Origin::Ready),
        (false, true, _) => Some(Origin::Forked),
        (false, false, true) => Some(Origin::Cold),
        (false, false, false) => None,
    }
}

/// Whether a scope with so many requests that met no ready run gets a zygote of its own.
pub(super) fn is_busy(requests: u32) -> bool {
    requests >= REQUESTS_OF_BUSY
}

/// How many runs of a scope are held ready at first.
pub(super) fn ready_wanted_at_first(ready_runs_max: usize) -> usize {
    ready_runs_max.min(READY_RUNS_MIN)
}

/// How many are held ready from now on, where there was none for a request.
pub(super) fn ready_wanted_after_miss(wanted: usize, ready_runs_max: usize) -> usize {
    wanted.saturating_mul(2).min(ready_runs_max)
}

/// How many are held ready from now on, so long after the last request.
pub(super) fn ready_wanted_after(quiet: Duration, wanted: usize) -> usize {
    if quiet > IDLE_MAX / 8 && wanted > READY_RUNS_MIN { (wanted / 2).max(READY_RUNS_MIN) } else { wanted }
}

/// Whether one more run of a scope is forked ahead: it has `ready` of `wanted`, and all scopes together `total` of `total_max`.
pub(super) fn forks_ahead(ready: usize, wanted: usize, total: usize, total_max: usize) -> bool {
    ready < wanted && total < total_max
}

/// What is known of a base zygote.
#[derive(Clone, Copy, Debug)]
pub(super) struct BaseFacts {
    /// It has booted, and answers.
    pub(super) is_ready: bool,
    /// It has ended, or does not answer.
    pub(super) is_gone: bool,
    /// Runs and zygotes that were forked from it.
    pub(super) forks: u64,
    /// How long ago it was started.
    pub(super) age: Duration,
}

/// What is done about base zygotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaseStep {
    /// Nothing: there is one, or it was tried a moment ago.
    Wait,
    /// There is none: another one takes its place at once.
    Replace,
    /// A successor is started, and takes over when it is ready: each fork leaves something behind in the one that is forked.
    Succeed,
}

/// What is done where a base zygote may have so many forks and grow so old. `may_try`: whether long enough has passed since one was started in the
/// place of another.
pub(super) fn base_step(
    base: Option<BaseFacts>,
    has_successor: bool,
    may_try: bool,
    forks_max: u64,
    age_max: Duration,
) -> BaseStep {
    match base {
        None | Some(BaseFacts { is_gone: true, .. }) => {
            if may_try {
                BaseStep::Replace
            } else {
                BaseStep::Wait
            }
        }
        Some(base) if base.is_ready && !has_successor && (base.forks >= forks_max || base.age >= age_max) => BaseStep::Succeed,
        Some(_) => BaseStep::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_run_comes_from_what_is_soonest() {
        for (has_ready_run, has_zygote, has_base, expected) in [
            (true, true, true, Some(Origin::Ready)),
            (true, false, false, Some(Origin::Ready)),
            (false, true, true, Some(Origin::Forked)),
            (false, true, false, Some(Origin::Forked)),
            (false, false, true, Some(Origin::Cold)),
            (false, false, false, None),
        ] {
            assert_eq!(origin(has_ready_run, has_zygote, has_base), expected, "{has_ready_run} {has_zygote} {has_base}");
        }
    }

    #[test]
    fn a_scope_that_comes_again_gets_a_zygote() {
        assert_eq!([0, 1, 2, 3, u32::MAX].map(is_busy), [false, false, true, true, true]);
    }

    #[test]
    fn runs_are_held_ready_as_they_are_missed_and_given_back_in_quiet() {
        assert_eq!([0, 1, 2, 8].map(ready_wanted_at_first), [0, 1, 2, 2]);
        for (wanted, ready_runs_max, expected) in
            [(0, 8, 0), (1, 8, 2), (2, 8, 4), (4, 8, 8), (8, 8, 8), (2, 3, 3), (2, 0, 0), (usize::MAX, 8, 8)]
        {
            assert_eq!(ready_wanted_after_miss(wanted, ready_runs_max), expected, "{wanted} of {ready_runs_max}");
        }
        let soon = IDLE_MAX / 8;
        for (quiet, wanted, expected) in [
            (Duration::ZERO, 8, 8),
            (soon, 8, 8),
            (soon + SECOND, 8, 4),
            (soon + SECOND, 4, 2),
            (soon + SECOND, 3, 2),
            (soon + SECOND, 2, 2),
            (soon + SECOND, 1, 1),
            (soon + SECOND, 0, 0),
        ] {
            assert_eq!(ready_wanted_after(quiet, wanted), expected, "{wanted} after {quiet:?}");
        }
    }

    #[test]
    fn no_more_is_forked_ahead_than_a_scope_wants_and_all_may_have() {
        for (ready, wanted, total, total_max, expected) in [
            (0, 1, 0, 1, true),
            (1, 1, 1, 9, false),
            (0, 2, 9, 9, false),
            (1, 2, 8, 9, true),
            (0, 0, 0, 9, false),
            (0, 1, 0, 0, false),
        ] {
            assert_eq!(forks_ahead(ready, wanted, total, total_max), expected, "{ready}/{wanted}, {total}/{total_max}");
        }
    }

    #[test]
    fn a_base_zygote_is_replaced_when_it_is_gone_and_succeeded_when_it_is_old() {
        let young = BaseFacts { is_ready: true, is_gone: false, forks: 0, age: SECOND };
        let starting = BaseFacts { is_ready: false, ..young };
        let gone = BaseFacts { is_ready: false, is_gone: true, ..young };
        let used_up = BaseFacts { forks: 100, ..young };
        let old = BaseFacts { age: SECOND * 60, ..young };
        for (base, has_successor, may_try, expected) in [
            (None, false, true, BaseStep::Replace),
            (None, false, false, BaseStep::Wait),
            (Some(gone), false, true, BaseStep::Replace),
            (Some(gone), true, true, BaseStep::Replace),
            (Some(gone), false, false, BaseStep::Wait),
            (Some(starting), false, true, BaseStep::Wait),
            (Some(BaseFacts { forks: 100, ..starting }), false, true, BaseStep::Wait),
            (Some(young), false, true, BaseStep::Wait),
            (Some(BaseFacts { forks: 99, age: SECOND * 59, ..young }), false, true, BaseStep::Wait),
            (Some(used_up), false, true, BaseStep::Succeed),
            (Some(used_up), false, false, BaseStep::Succeed),
            (Some(used_up), true, true, BaseStep::Wait),
            (Some(old), false, true, BaseStep::Succeed),
            (Some(old), true, true, BaseStep::Wait),
        ] {
            let step = base_step(base, has_successor, may_try, 100, SECOND * 60);
            assert_eq!(step, expected, "{base:?}, successor {has_successor}, may try {may_try}");
        }
    }
}
