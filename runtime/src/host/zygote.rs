//! A zygote as the host sees it: what it can fork, what it has forked, whether it is still there.

use std::collections::HashMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tokio::sync::watch;

use super::control::Control;
use super::metrics::Counters;
use super::process::{Exit, GuestProcess};
use crate::frame::{FromZygote, ToZygote, Walls};

/// What a zygote is at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// It boots, or installs bindings.
    Starting,
    /// It forks when asked.
    Ready(Walls),
    /// It is gone, or never came; why.
    Gone(String),
}

/// One zygote. All scope zygotes of one base count their forks on it: they share its address layout.
pub(crate) struct Zygote {
    control: Control,
    condition: watch::Sender<Condition>,
    /// What it has forked and not reported as ended.
    children: Mutex<HashMap<u64, Arc<GuestProcess>>>,
    forks: Arc<AtomicU64>,
    retired: AtomicBool,
    pub(crate) started: Instant,
    counters: Arc<Counters>,
}

/// Numbers for what is forked, unique in this process.
static LAST_RUN: AtomicU64 = AtomicU64::new(0);

impl Zygote {
    /// A base zygote that is being started; the other end of its control socket.
    pub(crate) fn base(counters: Arc<Counters>) -> io::Result<(Arc<Self>, OwnedFd)> {
        Self::new(counters, Arc::default())
    }

    fn new(counters: Arc<Counters>, forks: Arc<AtomicU64>) -> io::Result<(Arc<Self>, OwnedFd)> {
        let (control, other) = Control::pair()?;
        let zygote = Self {
            control,
            condition: watch::Sender::new(Condition::Starting),
            children: Mutex::default(),
            forks,
            retired: AtomicBool::new(false),
            started: Instant::now(),
            counters,
        };
        Ok((Arc::new(zygote), other))
    }

    /// Asks this base zygote for the zygote of a scope. `manifest`: JSON of its bindings.
    pub(crate) fn fork_scope(&self, manifest: &str) -> io::Result<Arc<Self>> {
        let (scope, other) = Self::new(Arc::clone(&self.counters), Arc::clone(&self.forks))?;
        scope.control.send(&ToZygote::Install { manifest: manifest.to_owned() }, None)?;
        let run = self.expect_child(Arc::new(GuestProcess::starting()));
        self.control.send(&ToZygote::Scope { run }, Some(other))?;
        Ok(scope)
    }

    /// Forks a run that reads from `socket`. It need not exist yet when this returns.
    pub(crate) fn fork_run(&self, socket: OwnedFd) -> io::Result<Arc<GuestProcess>> {
        let process = Arc::new(GuestProcess::starting());
        let run = self.expect_child(Arc::clone(&process));
        self.counters.forks.fetch_add(1, Ordering::Relaxed);
        if let Err(error) = self.control.send(&ToZygote::Fork { run }, Some(socket)) {
            self.children().remove(&run);
            return Err(error);
        }
        Ok(process)
    }

    fn expect_child(&self, process: Arc<GuestProcess>) -> u64 {
        let run = LAST_RUN.fetch_add(1, Ordering::Relaxed);
        self.forks.fetch_add(1, Ordering::Relaxed);
        self.children().insert(run, process);
        run
    }

    // Nothing panics under this lock.
    fn children(&self) -> MutexGuard<'_, HashMap<u64, Arc<GuestProcess>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the first frame of a base zygote.
    pub(crate) fn boot(&self, boot: crate::frame::Boot) -> io::Result<()> {
        self.control.send(&ToZygote::Boot(boot), None)
    }

    /// Ends it after its last child; it forks no more.
    pub(crate) fn retire(&self) {
        if !self.retired.swap(true, Ordering::Relaxed) {
            // One that is gone needs not be told.
            let _ = self.control.send(&ToZygote::Retire, None);
        }
    }

    /// Whether it forks when asked.
    pub(crate) fn is_ready(&self) -> bool {
        !self.retired.load(Ordering::Relaxed) && matches!(*self.condition.borrow(), Condition::Ready(_))
    }

    /// Whether it will never fork again.
    pub(crate) fn is_gone(&self) -> bool {
        self.retired.load(Ordering::Relaxed) || matches!(*self.condition.borrow(), Condition::Gone(_))
    }

    /// What it is at now.
    pub(crate) fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Waits until it is ready or gone.
    pub(crate) async fn settled(&self) -> Condition {
        let mut condition = self.condition.subscribe();
        let settled = condition.wait_for(|condition| *condition != Condition::Starting).await;
        settled.map_or_else(|_| Condition::Gone("the runtime was shut down".to_owned()), |condition| condition.clone())
    }

    /// Forks of its base zygote and all descendants of that.
    pub(crate) fn forks_of_base(&self) -> u64 {
        self.forks.load(Ordering::Relaxed)
    }

    /// Hears what it says until it is gone; then everything that it forked is gone as well. Runs on the keeper.
    pub(crate) async fn attend(self: Arc<Self>) {
        let ended = self.control.listen(|frame, descriptor| self.hear(frame, descriptor)).await;
        let reason = match ended {
            Ok(()) if self.retired.load(Ordering::Relaxed) => "it was retired".to_owned(),
            Ok(()) => "it ended".to_owned(),
            Err(error) => error.to_string(),
        };
        self.lose(reason);
    }

    /// Marks it and its children as gone.
    pub(crate) fn lose(&self, reason: String) {
        if !self.retired.load(Ordering::Relaxed) {
            tracing::warn!(reason, "a zygote is gone");
        }
        self.condition.send_if_modified(|condition| {
            let changed = !matches!(condition, Condition::Gone(_));
            if changed {
                *condition = Condition::Gone(reason);
            }
            changed
        });
        for (_, process) in self.children().drain() {
            process.kill();
            process.set_ended(Exit::WithZygote, Duration::ZERO);
        }
    }

    fn hear(&self, frame: FromZygote, descriptor: Option<OwnedFd>) {
        match frame {
            FromZygote::Ready { walls } => {
                self.condition.send_replace(Condition::Ready(walls));
            }
            FromZygote::Refused { reason } => {
                self.condition.send_replace(Condition::Gone(reason));
            }
            FromZygote::Forked { run, process } => {
                let process = i32::try_from(process).ok().and_then(Pid::from_raw);
                if let (Some(child), Some(process)) = (self.children().get(&run), process) {
                    child.set_alive(process, descriptor);
                }
            }
            FromZygote::NotForked { run, error } => {
                if self.counters.failed_forks.fetch_add(1, Ordering::Relaxed) == 0 {
                    let error = io::Error::from_raw_os_error(error);
                    tracing::warn!(%error, "the system refused a fork: raise its limit of processes or lower `live_runs_max`");
                }
                if let Some(child) = self.children().remove(&run) {
                    child.set_ended(Exit::NotStarted(error), Duration::ZERO);
                }
            }
            FromZygote::Exited { run, code, cpu_us } => {
                if let Some(child) = self.children().remove(&run) {
                    child.set_ended(Exit::Code(code), Duration::from_micros(cpu_us));
                }
            }
        }
    }
}
