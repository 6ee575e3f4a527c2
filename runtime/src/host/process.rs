//! One guest process as the host sees it: alive or ended, killed through its pidfd, its processor time.
//!
//! Beside `stream.rs` the only file of the host side with `unsafe`: starting a process and reading its clock.
#![allow(unsafe_code, reason = "what runs between fork and exec, and the clock of another process")]

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
#[cfg(target_os = "linux")]
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::pulse::Activity;
use crate::{child, guest};

/// How a guest process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// With this code, or killed by minus this signal.
    Code(i32),
    /// With its zygote.
    WithZygote,
    /// It was never there: the system refused, with this error.
    NotStarted(i32),
}

#[derive(Debug)]
enum State {
    /// Asked for, not there yet. `kill`: it is not wanted any more.
    Starting {
        kill: bool,
    },
    Alive {
        process: Pid,
        descriptor: Option<OwnedFd>,
    },
    Ended {
        exit: Exit,
        cpu: Duration,
    },
}

/// A guest process, shared by the run that uses it and the keeper that hears of its end.
#[derive(Debug)]
pub(crate) struct GuestProcess {
    state: Mutex<State>,
    ended: Notify,
}

impl GuestProcess {
    /// A process that was asked for.
    pub(crate) fn starting() -> Self {
        Self { state: Mutex::new(State::Starting { kill: false }), ended: Notify::new() }
    }

    // Nothing panics under this lock, and if it did the state is still what it says.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is there. Killed at once if that was wanted meanwhile.
    pub(crate) fn set_alive(&self, process: Pid, descriptor: Option<OwnedFd>) {
        let mut state = self.lock();
        if let State::Starting { kill: true } = *state {
            send_kill(process, descriptor.as_ref());
        }
        if matches!(*state, State::Starting { .. }) {
            *state = State::Alive { process, descriptor };
        }
    }

    /// It has ended.
    pub(crate) fn set_ended(&self, exit: Exit, cpu: Duration) {
        let mut state = self.lock();
        if !matches!(*state, State::Ended { .. }) {
            *state = State::Ended { exit, cpu };
        }
        drop(state);
        self.ended.notify_waiters();
    }

    /// Kills it, now or as soon as it is there.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        match &mut *state {
            State::Starting { kill } => *kill = true,
            State::Alive { process, descriptor } => send_kill(*process, descriptor.as_ref()),
            State::Ended { .. } => {}
        }
    }

    /// Whether its end was reported.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(*self.lock(), State::Ended { .. })
    }

    /// Processor time so far.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        match &*self.lock() {
            State::Starting { .. } => None,
            State::Alive { process, .. } => cpu_time(*process),
            State::Ended { cpu, .. } => Some(*cpu),
        }
    }

    /// Whether it runs or is ready to, and for how long it has been so. Without `/proc` only its processor time is known.
    pub(crate) fn activity(&self) -> Option<Activity> {
        let process = match &*self.lock() {
            State::Alive { process, .. } => *process,
            State::Starting { .. } | State::Ended { .. } => return None,
        };
        Activity::of(process).or_else(|| Some(Activity { time: cpu_time(process)?, is_runnable: false }))
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> Exit {
        loop {
            let notified = self.ended.notified();
            tokio::pin!(notified);
            // From here on an end is noticed, also one between the look and the wait.
            notified.as_mut().enable();
            if let State::Ended { exit, .. } = *self.lock() {
                return exit;
            }
            notified.await;
        }
    }
}

/// Sends SIGKILL: through the pidfd, which cannot hit another process. A process that has ended already is no error.
fn send_kill(process: Pid, descriptor: Option<&OwnedFd>) {
    #[cfg(target_os = "linux")]
    if let Some(descriptor) = descriptor {
        let _ = rustix::process::pidfd_send_signal(descriptor, Signal::KILL);
        return;
    }
    let _ = descriptor;
    // Without a pidfd: the process was not reported as reaped, so the number is still its own.
    let _ = rustix::process::kill_process(process, Signal::KILL);
}

/// The processor time of another process, from its own clock.
#[cfg(not(target_os = "macos"))]
fn cpu_time(process: Pid) -> Option<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: both calls write to places of the right size; a process that is gone is an error and nothing else.
    unsafe {
        let mut clock = 0;
        if libc::clock_getcpuclockid(process.as_raw_nonzero().get(), &raw mut clock) != 0
            || libc::clock_gettime(clock, &raw mut time) != 0
        {
            return None;
        }
    }
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

/// The processor time of another process, which macOS counts in ticks of its own.
#[cfg(target_os = "macos")]
#[expect(deprecated, reason = "libc would have another crate for two numbers")]
fn cpu_time(process: Pid) -> Option<Duration> {
    // SAFETY: both calls write to places of the right size; a process that is gone is an error and nothing else.
    let (usage, tick) = unsafe {
        let mut usage = std::mem::zeroed::<libc::rusage_info_v0>();
        let mut tick = std::mem::zeroed::<libc::mach_timebase_info>();
        let process = process.as_raw_nonzero().get();
        if libc::proc_pid_rusage(process, libc::RUSAGE_INFO_V0, (&raw mut usage).cast()) != 0
            || libc::mach_timebase_info(&raw mut tick) != 0
        {
            return None;
        }
        (usage, tick)
    };
    let ticks = usage.ri_user_time.checked_add(usage.ri_system_time)?;
    Some(Duration::from_nanos(ticks.checked_mul(tick.numer.into())?.checked_div(tick.denom.into())?))
}

/// Starts a guest process with one socket, an empty environment and nothing else. Call it on a thread that lives as long as
/// the process may: its death signal is tied to the thread.
pub(crate) fn start(executable: &Path, kind: &str, socket: OwnedFd) -> io::Result<Child> {
    let mut command = Command::new(executable);
    command.arg0("isolet-guest").args([guest::ARGUMENT, kind]).env_clear().env("TZ", "UTC").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let descriptor = socket.as_raw_fd();
    let host = rustix::process::getpid();
    // SAFETY: only system calls, none of which allocates or locks, between fork and exec.
    unsafe { command.pre_exec(move || prepare(descriptor, host)) };
    command.spawn()
    // `socket` is closed here: the child has its own.
}

/// Runs in the child, before exec: the socket becomes descriptor 3, all others above go, and the child dies with the host.
fn prepare(socket: i32, host: Pid) -> io::Result<()> {
    const STACK_BYTES: u64 = 8 << 20;
    // SAFETY: system calls on numbers of this process; `dup2` onto itself would keep close-on-exec, so that is cleared.
    unsafe {
        let placed =
            if socket == guest::SOCKET { libc::fcntl(socket, libc::F_SETFD, 0) } else { libc::dup2(socket, guest::SOCKET) };
        if placed < 0 {
            return Err(io::Error::last_os_error());
        }
        // Not `close`: the pipe on which the standard library reports a failed exec is among them.
        #[cfg(target_os = "linux")]
        libc::syscall(libc::SYS_close_range, guest::SOCKET + 1, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        if libc::getrlimit(libc::RLIMIT_STACK, &raw mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max.min(STACK_BYTES);
            libc::setrlimit(libc::RLIMIT_STACK, &raw const limit);
        }
        let mut signals = std::mem::zeroed();
        libc::sigemptyset(&raw mut signals);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const signals, std::ptr::null_mut());
    }
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    if rustix::process::getppid() != Some(host) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    Ok(())
}

/// A pidfd that tells when its process has ended: it is readable then.
#[cfg(target_os = "linux")]
pub(crate) fn watched(descriptor: &OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    let descriptor = descriptor.try_clone().ok()?;
    // SAFETY: the descriptor is owned by what is returned, and closed only with it.
    unsafe { AsyncFd::register(descriptor) }.ok()
}

/// Reaps a direct child that has ended.
pub(crate) fn reap(child: &Child) -> (Exit, Duration) {
    let process = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // If the application reaps all children of its process, how this one ended is lost; that it ended is not.
    child::reap(process).map_or((Exit::Code(0), Duration::ZERO), |ended| (Exit::Code(ended.code), ended.cpu))
}
