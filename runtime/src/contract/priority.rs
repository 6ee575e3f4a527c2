//! How much of the processor a run has beside others.
//!
//! A run begins as its zygote: what it does in its first milliseconds is what most runs do, and whoever waits for it waits for nothing
//! else. The host has those that go on to compute lowered: they have what the host and fresh runs leave, and what they use is still
//! limited. Whoever reaps a process lowers it: its number is its own until then.
#![allow(unsafe_code, reason = "`sched_setscheduler`, which no crate here offers")]

use rustix::process::Pid;

/// Lowers a child for good.
///
/// On Linux to `SCHED_IDLE`: a process of it gives way to any other at once, where one that is only nice keeps the processor for its turn
/// (200 endless loops at nice 19 took 31 ms from a message to its answer, at the median, and 0.3 ms so).
pub(crate) fn lower(child: Pid) {
    #[cfg(target_os = "linux")]
    {
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: the place is of the right size and lives until the call returns.
        let lowered =
            unsafe { libc::sched_setscheduler(child.as_raw_nonzero().get(), libc::SCHED_IDLE, &raw const parameters) == 0 };
        if lowered {
            return;
        }
    }
    // Best effort: one that cannot be lowered is as the others are.
    let _ = rustix::process::setpriority_process(Some(child), NICE_MAX);
}

/// The lowest of priorities.
pub(crate) const NICE_MAX: i32 = 19;
