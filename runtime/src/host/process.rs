//! One guest process as the host sees it: alive or ended, killed, lowered, its processor time.
//!
//! A process's number may be another's as soon as it was reaped. So nothing is done by number but by who reaps, before: the host for its
//! own children, under the lock under which it reaps them; for those of a zygote, the zygote. Else a process is named by its pidfd, which is
//! never another's. Where there are none (macOS; Linux before 5.3; a sandbox that forbids them), a zygote's children are killed through it.
//!
//! With `launch.rs` and `stream.rs` the only files of the host side with `unsafe`.
#![allow(unsafe_code, reason = "the clock of another process")]

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
#[cfg(target_os = "linux")]
use tokio::io::unix::AsyncFd;
use tokio::sync::Notify;

use super::control::Control;
use super::pulse::Activity;
use crate::contract::zygote::ToZygote;
use crate::contract::{priority, reaping};

/// How a guest process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// With this code, or killed by minus this signal.
    Code(i32),
    /// With its zygote.
    WithZygote,
    /// It was never there: the system refused this call, with this error.
    NotStarted { call: &'static str, error: i32 },
    /// It was never there: the zygote that was asked for it did not answer, or ended before.
    NotAnswered,
    /// Somebody stopped it (SIGSTOP), so it was killed. It cannot have done so itself.
    Interrupted,
}

/// Who started a process, and reaps it.
#[derive(Clone, Debug)]
pub(crate) enum Parent {
    /// This process.
    Host,
    /// A zygote, which knows it as the run of this number.
    Zygote { control: Arc<Control>, run: u64 },
}

/// A process that is there.
#[derive(Debug)]
struct Alive {
    process: Pid,
    pidfd: Option<OwnedFd>,
    parent: Parent,
    since: Instant,
    /// It was killed: once is enough.
    killed: bool,
    /// It was killed because it was stopped.
    interrupted: bool,
    /// When it began, where that can be told: another process of its number began at another time.
    #[cfg(target_os = "macos")]
    began: Option<u64>,
}

#[derive(Debug)]
enum State {
    /// Asked for, not there yet. `kill`: it is not wanted any more.
    Starting {
        kill: bool,
    },
    Alive(Alive),
    Ended {
        exit: Exit,
        cpu: Duration,
    },
}

/// A guest process, shared by the run that uses it and the keeper that hears of its end.
#[derive(Debug)]
pub(crate) struct GuestProcess {
    state: Mutex<State>,
    changed: Notify,
}

impl GuestProcess {
    /// A process that was asked for.
    pub(crate) fn starting() -> Self {
        Self { state: Mutex::new(State::Starting { kill: false }), changed: Notify::new() }
    }

    // Nothing panics under this lock, and if it did the state is still what it says.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is there. Killed at once if that was wanted meanwhile, or if nobody waits for it any more.
    pub(crate) fn set_alive(&self, process: Pid, pidfd: Option<OwnedFd>, parent: Parent) {
        let mut alive = Alive {
            process,
            pidfd,
            parent,
            since: Instant::now(),
            killed: false,
            interrupted: false,
            #[cfg(target_os = "macos")]
            began: clock::usage(process).map(|usage| usage.ri_proc_start_abstime),
        };
        let mut state = self.lock();
        match *state {
            State::Starting { kill } => {
                if kill {
                    alive.kill();
                }
                *state = State::Alive(alive);
            }
            State::Ended { .. } => alive.kill(),
            State::Alive(_) => {}
        }
    }

    /// It has ended.
    pub(crate) fn set_ended(&self, exit: Exit, cpu: Duration) {
        // What it was is dropped without the lock: to close a pidfd takes its time, and others kill meanwhile.
        let _was = end(&mut self.lock(), exit, cpu);
        self.changed.notify_waiters();
    }

    /// Reaps a child of this process that has ended: under the lock under which it is killed by its number.
    pub(crate) fn reap(&self, child: &Child) {
        let mut state = self.lock();
        // If the application reaps all children of its process, how this one ended is lost; that it ended is not.
        let (code, cpu) = Pid::from_raw(child.id().cast_signed())
            .and_then(reaping::reap)
            .map_or((0, Duration::ZERO), |ended| (ended.code, ended.cpu));
        let _was = end(&mut state, Exit::Code(code), cpu);
        drop(state);
        self.changed.notify_waiters();
    }

    /// Kills it, now or as soon as it is there.
    pub(crate) fn kill(&self) {
        match &mut *self.lock() {
            State::Starting { kill } => *kill = true,
            State::Alive(alive) => alive.kill(),
            State::Ended { .. } => {}
        }
    }

    /// Kills it because somebody has stopped it: that is no ending of a program.
    pub(crate) fn interrupt(&self) {
        if let State::Alive(alive) = &mut *self.lock() {
            alive.interrupted = true;
            alive.kill();
        }
    }

    /// Lets it have what others leave of the processor, for good.
    pub(crate) fn lower(&self) {
        if let State::Alive(alive) = &*self.lock() {
            alive.lower();
        }
    }

    /// Whether it can do nothing any more: its end was reported, or it was killed because somebody had stopped it.
    pub(crate) fn is_over(&self) -> bool {
        matches!(*self.lock(), State::Ended { .. } | State::Alive(Alive { interrupted: true, .. }))
    }

    /// Whether it is a child of this process and somebody has stopped it.
    pub(crate) fn is_stopped(&self) -> bool {
        match &*self.lock() {
            State::Alive(Alive { process, parent: Parent::Host, .. }) => {
                let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
                matches!(waitid(WaitId::Pid(*process), options), Ok(Some(status)) if status.stopped())
            }
            _ => false,
        }
    }

    /// Processor time so far; `None` where it cannot be told.
    pub(crate) fn cpu_time(&self) -> Option<Duration> {
        match &*self.lock() {
            State::Starting { .. } => None,
            State::Alive(alive) => alive.cpu_time(),
            State::Ended { cpu, .. } => Some(*cpu),
        }
    }

    /// Since when it is there; `None` before, and after its end.
    pub(crate) fn alive_since(&self) -> Option<Instant> {
        match &*self.lock() {
            State::Alive(alive) => Some(alive.since),
            State::Starting { .. } | State::Ended { .. } => None,
        }
    }

    /// Whether it was asked for and is not there yet.
    pub(crate) fn is_starting(&self) -> bool {
        matches!(*self.lock(), State::Starting { .. })
    }

    /// Waits until it is known that it will never be there. For ever, if it is or was.
    pub(crate) async fn never_there(&self) {
        self.when(|state| {
            matches!(state, State::Ended { exit: Exit::NotStarted { .. } | Exit::NotAnswered, .. }).then_some(())
        })
        .await;
    }

    /// Whether it runs or is ready to, and for how long it has been so. Without `/proc` only its processor time is known.
    pub(crate) fn activity(&self) -> Option<Activity> {
        match &*self.lock() {
            State::Alive(alive) => alive.activity(),
            State::Starting { .. } | State::Ended { .. } => None,
        }
    }

    /// Waits for its end.
    pub(crate) async fn ended(&self) -> Exit {
        self.when(|state| if let State::Ended { exit, .. } = state { Some(*exit) } else { None }).await
    }

    async fn when<T>(&self, is_so: impl Fn(&State) -> Option<T>) -> T {
        loop {
            if let Some(found) = is_so(&self.lock()) {
                return found;
            }
            let notified = self.changed.notified();
            tokio::pin!(notified);
            // From here on a change is noticed, also one between the look and the wait.
            notified.as_mut().enable();
            if let Some(found) = is_so(&self.lock()) {
                return found;
            }
            notified.await;
        }
    }
}

/// Ends it, if it has not ended yet, and gives what it was.
fn end(state: &mut State, exit: Exit, cpu: Duration) -> Option<State> {
    let exit = match state {
        State::Ended { .. } => return None,
        State::Alive(alive) if alive.interrupted => Exit::Interrupted,
        // Who was to start it is gone: it was never there.
        State::Starting { .. } if exit == Exit::WithZygote => Exit::NotAnswered,
        _ => exit,
    };
    Some(std::mem::replace(state, State::Ended { exit, cpu }))
}

impl Alive {
    /// Sends SIGKILL. A process that has ended already is no error.
    fn kill(&mut self) {
        if std::mem::replace(&mut self.killed, true) {
            return;
        }
        #[cfg(target_os = "linux")]
        if let Some(pidfd) = &self.pidfd {
            let _ = rustix::process::pidfd_send_signal(pidfd, Signal::KILL);
            return;
        }
        match &self.parent {
            Parent::Host => drop(rustix::process::kill_process(self.process, Signal::KILL)),
            // A zygote that is gone has taken its children with it.
            Parent::Zygote { control, run } => drop(control.send(&ToZygote::Kill { run: *run }, None)),
        }
    }

    fn lower(&self) {
        match &self.parent {
            Parent::Host => priority::lower(self.process),
            Parent::Zygote { control, run } => drop(control.send(&ToZygote::Lower { run: *run }, None)),
        }
    }

    fn cpu_time(&self) -> Option<Duration> {
        self.read_by_number(clock::time_of)
    }

    fn activity(&self) -> Option<Activity> {
        let time_alone = || Some(Activity { time: self.cpu_time()?, is_runnable: false });
        self.read_by_number(clock::activity).or_else(time_alone)
    }

    /// Read by number, and believed if the number was still its own afterwards.
    #[cfg(not(target_os = "macos"))]
    fn read_by_number<T>(&self, read: impl Fn(Pid) -> Option<T>) -> Option<T> {
        let found = read(self.process)?;
        let was_its_own = match (&self.pidfd, &self.parent) {
            (Some(pidfd), _) => clock::is_not_reaped(pidfd),
            (None, Parent::Host) => true,
            (None, Parent::Zygote { .. }) => false,
        };
        was_its_own.then_some(found)
    }

    /// Read by number, and believed if it is of the process that had it first.
    #[cfg(target_os = "macos")]
    fn read_by_number<T>(&self, read: impl Fn(&libc::rusage_info_v0) -> Option<T>) -> Option<T> {
        let usage = clock::usage(self.process)?;
        (self.began == Some(usage.ri_proc_start_abstime)).then(|| read(&usage)).flatten()
    }
}

#[cfg(not(target_os = "macos"))]
mod clock {
    use super::*;

    /// The processor time of the process that has this number now, from its own clock.
    pub(super) fn time_of(process: Pid) -> Option<Duration> {
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

    /// What the scheduler says of the process that has this number now.
    pub(super) fn activity(process: Pid) -> Option<Activity> {
        Activity::of(process)
    }

    /// Whether the number of a process is still its own.
    pub(super) fn is_not_reaped(pidfd: &OwnedFd) -> bool {
        const NO_SIGNAL: i32 = 0;
        let nothing = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: a call with numbers and no place to read from.
        unsafe { libc::syscall(libc::SYS_pidfd_send_signal, pidfd.as_raw_fd(), NO_SIGNAL, nothing, 0) == 0 }
    }
}

/// The processor time of another process, which macOS counts in ticks of its own.
#[cfg(target_os = "macos")]
mod clock {
    use super::*;

    pub(super) fn usage(process: Pid) -> Option<libc::rusage_info_v0> {
        // SAFETY: the place is of the right size; a process that is gone is an error and nothing else.
        unsafe {
            let mut usage = std::mem::zeroed::<libc::rusage_info_v0>();
            let process = process.as_raw_nonzero().get();
            (libc::proc_pid_rusage(process, libc::RUSAGE_INFO_V0, (&raw mut usage).cast()) == 0).then_some(usage)
        }
    }

    /// There is no such count here.
    pub(super) fn activity(_: &libc::rusage_info_v0) -> Option<Activity> {
        None
    }

    #[expect(deprecated, reason = "libc would have another crate for two numbers")]
    pub(super) fn time_of(usage: &libc::rusage_info_v0) -> Option<Duration> {
        // SAFETY: the place is of the right size.
        let tick = unsafe {
            let mut tick = std::mem::zeroed::<libc::mach_timebase_info>();
            (libc::mach_timebase_info(&raw mut tick) == 0).then_some(tick)?
        };
        let ticks = usage.ri_user_time.checked_add(usage.ri_system_time)?;
        Some(Duration::from_nanos(ticks.checked_mul(tick.numer.into())?.checked_div(tick.denom.into())?))
    }
}

/// A pidfd that tells when its process has ended: it is readable then.
#[cfg(target_os = "linux")]
pub(crate) fn watched(descriptor: &OwnedFd) -> Option<AsyncFd<OwnedFd>> {
    let descriptor = descriptor.try_clone().ok()?;
    // SAFETY: the descriptor is owned by what is returned, and closed only with it.
    unsafe { AsyncFd::register(descriptor) }.ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use super::*;
    use crate::contract::codec::HostMaxima;
    use crate::contract::parcel::ParcelReader;

    /// A process that waits to be killed, and its number and pidfd.
    fn waiting_child() -> (Child, Pid, OwnedFd) {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let process = Pid::from_child(&child);
        let pidfd = rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()).unwrap();
        (child, process, pidfd)
    }

    fn of_zygote() -> (Parent, UnixStream) {
        let (control, other) = Control::pair().unwrap();
        (Parent::Zygote { control: Arc::new(control), run: 7 }, other.into())
    }

    #[test]
    fn the_processor_time_of_another_process_with_its_number_is_not_believed() {
        let (mut child, _, pidfd) = waiting_child();
        // As if the number had become that of this process, which has a clock that runs.
        let process = GuestProcess::starting();
        process.set_alive(rustix::process::getpid(), Some(pidfd), of_zygote().0);
        assert!(process.cpu_time().is_some(), "it is there: its number is its own");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(process.cpu_time(), None);
    }

    #[test]
    fn without_a_pidfd_a_child_of_a_zygote_is_killed_by_its_zygote_and_never_by_number() {
        let (mut child, number, _) = waiting_child();
        let (parent, zygote) = of_zygote();
        let process = GuestProcess::starting();
        process.set_alive(number, None, parent);
        process.kill();
        let order = ParcelReader::default().receive::<ToZygote>(&zygote, &HostMaxima).unwrap();
        assert_eq!(order.frame, ToZygote::Kill { run: 7 });
        assert_eq!(child.try_wait().unwrap(), None, "killed by its number");
        assert_eq!(process.cpu_time(), None, "read by its number");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_child_of_the_host_is_killed_by_number_until_it_is_reaped() {
        let (child, number, _) = waiting_child();
        let process = GuestProcess::starting();
        process.set_alive(number, None, Parent::Host);
        assert!(process.cpu_time().is_some());
        process.kill();
        waitid(WaitId::Pid(number), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        process.reap(&child);
        assert!(matches!(*process.lock(), State::Ended { exit: Exit::Code(-9), .. }));
        process.kill(); // does nothing: its number may be another's
    }

    #[test]
    fn a_process_that_comes_when_nobody_waits_is_killed() {
        for wanted in [false, true] {
            let (mut child, number, pidfd) = waiting_child();
            let process = GuestProcess::starting();
            if wanted {
                process.kill();
            } else {
                process.set_ended(Exit::NotAnswered, Duration::ZERO);
            }
            process.set_alive(number, Some(pidfd), of_zygote().0);
            assert!(!child.wait().unwrap().success());
        }
    }

    #[test]
    fn a_process_that_was_stopped_is_seen_and_its_end_is_no_ending_of_a_program() {
        let (child, number, pidfd) = waiting_child();
        let process = GuestProcess::starting();
        process.set_alive(number, Some(pidfd), Parent::Host);
        assert!(!process.is_stopped());
        rustix::process::kill_process(number, Signal::STOP).unwrap();
        waitid(WaitId::Pid(number), WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT).unwrap();
        assert!(process.is_stopped());
        assert!(!process.is_over());
        process.interrupt();
        assert!(process.is_over(), "before its end is reported");
        waitid(WaitId::Pid(number), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
        process.reap(&child);
        assert!(matches!(*process.lock(), State::Ended { exit: Exit::Interrupted, .. }));
    }
}
