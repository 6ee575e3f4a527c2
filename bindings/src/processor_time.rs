//! The processor time of a test's thread: what else the machine does meanwhile is not in it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// What `work` gives, and the processor time that it took on this thread.
pub(crate) fn of<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let now = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default();
    let before = now();
    let given = work();
    (given, now().saturating_sub(before))
}
