//! What has become of a child process: the host reaps what it starts, a zygote reaps what it forks, and both read the same words of
//! the kernel.
#![allow(unsafe_code, reason = "`wait4`: status and processor time of a child in one call, which no crate here offers")]

use std::time::Duration;

use rustix::process::Pid;

/// A child that was reaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedChild {
    pub(crate) process: Pid,
    /// Its exit code, or minus the signal that killed it.
    pub(crate) code: i32,
    /// The processor time that it took, its own and the kernel's for it.
    pub(crate) cpu: Duration,
}

/// What has become of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Ended(EndedChild),
    /// Stopped by a signal.
    Stopped(Pid),
}

/// Reaps a child that has ended. `None` when it has not; never waits.
pub(crate) fn reap(process: Pid) -> Option<EndedChild> {
    match wait(process.as_raw_nonzero().get(), libc::WNOHANG)? {
        Change::Ended(ended) => Some(ended),
        Change::Stopped(_) => None,
    }
}

/// What has become of any child: one that has ended is reaped. `None` when there is nothing new; never waits.
pub(crate) fn next_change() -> Option<Change> {
    wait(-1, libc::WNOHANG | libc::WUNTRACED)
}

fn wait(wanted: i32, options: i32) -> Option<Change> {
    let mut status = 0;
    // SAFETY: both places are of the right size and live until the call returns.
    let (reaped, usage) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage>();
        (libc::wait4(wanted, &raw mut status, options, &raw mut usage), usage)
    };
    let process = Pid::from_raw(reaped.max(0))?;
    if libc::WIFSTOPPED(status) {
        return Some(Change::Stopped(process));
    }
    let code = if libc::WIFSIGNALED(status) { -libc::WTERMSIG(status) } else { libc::WEXITSTATUS(status) };
    Some(Change::Ended(EndedChild { process, code, cpu: duration_of(usage.ru_utime) + duration_of(usage.ru_stime) }))
}

fn duration_of(time: libc::timeval) -> Duration {
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_micros(u64::try_from(time.tv_usec).unwrap_or(0))
}
