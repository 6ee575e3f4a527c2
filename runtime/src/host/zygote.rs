//! A zygote as the host sees it: what it can fork, what it has forked, whether it is still there and answers.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tokio::sync::watch;

use super::control::Control;
use super::metrics::Counters;
use super::process::{Exit, GuestProcess, Parent};
use super::walls::KnownWalls;
use crate::contract::boot::Walls;
use crate::contract::parcel::Parcel;
use crate::contract::zygote::{FromZygote, ToZygote};

/// Looks, about a second apart, after which a zygote that owes an answer and has said nothing is given up: it is stopped, or hangs. A fork
/// takes it less than a millisecond.
const SILENT_LOOKS_MAX: u32 = 2;
/// A zygote that has not come up in this time never will.
pub(crate) const START_MAX: Duration = Duration::from_secs(10);
/// Looks after which a zygote that is to end, and that nobody needs any more, is killed.
const UNUSED_LOOKS_MAX: u32 = 3;

/// What a zygote is at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    /// It boots, or installs bindings.
    Starting,
    /// It forks when asked.
    Ready(Walls),
    /// It is gone, never came, or does not answer; why.
    Gone(String),
}

/// What a zygote has forked: a run, or the zygote of a scope.
struct Child {
    process: Arc<GuestProcess>,
    zygote: Option<Weak<Zygote>>,
}

/// What was asked of a zygote and has not ended.
#[derive(Default)]
struct Children {
    by_run: HashMap<u64, Child>,
    /// Those that it has not answered for. It answers in this order.
    unanswered: VecDeque<u64>,
}

/// What the looks at a zygote have found.
#[derive(Default)]
struct Looks {
    /// For what it owed an answer at the last one, and how much it had said until then.
    owed: Option<u64>,
    heard: u64,
    silent: u32,
    unused: u32,
}

/// One zygote. All scope zygotes of one base count their forks on it: they share its address layout.
pub(crate) struct Zygote {
    control: Arc<Control>,
    pub(crate) process: Arc<GuestProcess>,
    condition: watch::Sender<Condition>,
    children: Mutex<Children>,
    forks: Arc<AtomicU64>,
    /// It is asked for nothing any more.
    retired: AtomicBool,
    /// Its socket is closed: there is no process.
    ended: AtomicBool,
    /// How much it has said.
    heard: AtomicU64,
    looks: Mutex<Looks>,
    pub(crate) started: Instant,
    counters: Arc<Counters>,
    walls: Arc<KnownWalls>,
}

/// Numbers for what is forked, unique in this process.
static LAST_RUN: AtomicU64 = AtomicU64::new(0);

impl Zygote {
    /// A base zygote that is being started; the other end of its control socket.
    pub(crate) fn base(counters: Arc<Counters>, walls: Arc<KnownWalls>) -> io::Result<(Arc<Self>, OwnedFd)> {
        Self::new(counters, walls, Arc::default())
    }

    fn new(counters: Arc<Counters>, walls: Arc<KnownWalls>, forks: Arc<AtomicU64>) -> io::Result<(Arc<Self>, OwnedFd)> {
        let (control, other) = Control::pair()?;
        let zygote = Self {
            control: Arc::new(control),
            process: Arc::new(GuestProcess::starting()),
            condition: watch::Sender::new(Condition::Starting),
            children: Mutex::default(),
            forks,
            retired: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            heard: AtomicU64::new(0),
            looks: Mutex::default(),
            started: Instant::now(),
            counters,
            walls,
        };
        Ok((Arc::new(zygote), other))
    }

    /// Asks this base zygote for the zygote of a scope. `manifest`: JSON of its bindings.
    pub(crate) fn fork_scope(&self, manifest: &str) -> io::Result<Arc<Self>> {
        let (scope, other) = Self::new(Arc::clone(&self.counters), Arc::clone(&self.walls), Arc::clone(&self.forks))?;
        scope.control.send(&ToZygote::Install { manifest: manifest.to_owned() }, None)?;
        let child = Child { process: Arc::clone(&scope.process), zygote: Some(Arc::downgrade(&scope)) };
        self.ask(child, |run| ToZygote::Scope { run }, other)?;
        Ok(scope)
    }

    /// Forks a run that reads from `socket`. It need not exist yet when this returns.
    pub(crate) fn fork_run(&self, socket: OwnedFd) -> io::Result<Arc<GuestProcess>> {
        let process = Arc::new(GuestProcess::starting());
        self.counters.forks.fetch_add(1, Ordering::Relaxed);
        let child = Child { process: Arc::clone(&process), zygote: None };
        self.ask(child, |run| ToZygote::Fork { run }, socket)?;
        Ok(process)
    }

    /// Asks for a child. Under the lock of the children, so that what is asked first is answered first.
    fn ask(&self, child: Child, order: impl FnOnce(u64) -> ToZygote, socket: OwnedFd) -> io::Result<()> {
        let run = LAST_RUN.fetch_add(1, Ordering::Relaxed);
        self.forks.fetch_add(1, Ordering::Relaxed);
        let mut children = self.children();
        self.control.send(&order(run), Some(socket))?;
        children.by_run.insert(run, child);
        children.unanswered.push_back(run);
        Ok(())
    }

    // Nothing panics under this lock.
    fn children(&self) -> MutexGuard<'_, Children> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends the first frame of a base zygote.
    pub(crate) fn boot(&self, boot: crate::contract::boot::Boot) -> io::Result<()> {
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

    /// Whether there is no process any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
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

    /// Looks whether it still answers, about once a second. One that does not is given up, and one that is to end and does not is killed.
    pub(crate) fn look(&self) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        let (owed, heard) = (self.children().unanswered.front().copied(), self.heard.load(Ordering::Relaxed));
        let is_silent = owed.is_some() && (owed, heard) == (looks.owed, looks.heard);
        looks.silent = if is_silent { looks.silent + 1 } else { 0 };
        (looks.owed, looks.heard) = (owed, heard);
        if self.process.is_stopped() {
            self.give_up("somebody has stopped it");
        } else if looks.silent >= SILENT_LOOKS_MAX {
            self.give_up("it does not answer");
        } else if self.condition() == Condition::Starting && self.started.elapsed() > START_MAX {
            self.give_up("it does not start");
        }
        looks.unused = if self.is_gone() && self.is_unused() { looks.unused + 1 } else { 0 };
        if looks.unused > UNUSED_LOOKS_MAX {
            self.process.kill();
        }
    }

    /// Whether nobody needs any of its children.
    fn is_unused(&self) -> bool {
        self.children().by_run.values().all(|child| Arc::strong_count(&child.process) == 1)
    }

    /// Asks it for nothing any more. What it owes is to be had elsewhere, and killed if it comes nevertheless; its live children go on.
    fn give_up(&self, reason: &str) {
        if !self.is_gone() {
            self.counters.zygotes_lost.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(reason, "a zygote is given up: its runs are started elsewhere");
            self.condition.send_replace(Condition::Gone(reason.to_owned()));
        }
        self.retire();
        let children = self.children();
        for child in children.unanswered.iter().filter_map(|run| children.by_run.get(run)) {
            child.process.set_ended(Exit::NotAnswered, Duration::ZERO);
        }
    }

    /// Hears what it says until it is gone; then everything that it forked is gone as well. Runs on the keeper.
    pub(crate) async fn attend(self: Arc<Self>) {
        let said = self.control.listen(|parcel| self.hear(parcel)).await;
        // Who waits for one that was starting wants to know why it did not; the runs of one that served are told at once.
        let was_starting = self.condition() == Condition::Starting;
        if !was_starting && !self.lose("it ended") {
            return;
        }
        // Whoever reaps it knows how it ended, and says so soon.
        let exit = tokio::time::timeout(Duration::from_secs(1), self.process.ended()).await;
        let reason = match (exit, said) {
            (Ok(exit), _) => how(exit),
            (Err(_), Err(error)) => error.to_string(),
            (Err(_), Ok(())) => "it ended".to_owned(),
        };
        if self.lose(&reason) || !was_starting {
            tracing::warn!(reason, "a zygote is gone");
        }
    }

    /// Marks it and its children as gone. Whether that is news, and not the end that it was told to come to.
    pub(crate) fn lose(&self, reason: &str) -> bool {
        self.ended.store(true, Ordering::Relaxed);
        let is_news = !self.is_gone();
        if is_news {
            self.counters.zygotes_lost.fetch_add(1, Ordering::Relaxed);
        }
        self.condition.send_if_modified(|condition| {
            let changes = !matches!(condition, Condition::Gone(_));
            if changes {
                *condition = Condition::Gone(reason.to_owned());
            }
            changes
        });
        let children = std::mem::take(&mut *self.children());
        for child in children.by_run.into_values() {
            child.process.kill();
            child.process.set_ended(Exit::WithZygote, Duration::ZERO);
        }
        is_news
    }

    fn hear(&self, parcel: Parcel<FromZygote>) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        match parcel.frame {
            FromZygote::Ready { walls } if !self.is_gone() => {
                self.walls.note_forked(&walls);
                self.condition.send_replace(Condition::Ready(walls));
            }
            FromZygote::Ready { .. } => {}
            FromZygote::Refused { reason } => {
                self.condition.send_replace(Condition::Gone(reason));
            }
            FromZygote::Forked { run, process } => self.hear_forked(run, process, parcel.descriptor),
            FromZygote::NotForked { run, call, error } => self.hear_not_forked(run, call.name(), error),
            FromZygote::Stopped { run } => {
                let child = self.children().by_run.get(&run).map(|child| (Arc::clone(&child.process), child.zygote.clone()));
                match child {
                    Some((process, None)) => process.interrupt(),
                    Some((_, Some(zygote))) => {
                        if let Some(zygote) = zygote.upgrade() {
                            zygote.give_up("somebody has stopped it");
                        }
                    }
                    None => {}
                }
            }
            FromZygote::Exited { run, code, cpu_us } => {
                if let Some(child) = self.children().by_run.remove(&run) {
                    child.process.set_ended(Exit::Code(code), Duration::from_micros(cpu_us));
                }
            }
        }
    }

    /// The process that was asked for is there. One whose pidfd could not be received has no name that is surely its own: it is ended,
    /// as one that could not be started.
    fn hear_forked(&self, run: u64, process: u32, pidfd: Option<io::Result<OwnedFd>>) {
        let Some(number) = i32::try_from(process).ok().and_then(Pid::from_raw) else { return };
        let Some(process) = self.answered(run) else { return };
        let parent = Parent::Zygote { control: Arc::clone(&self.control), run };
        match pidfd.transpose() {
            Ok(pidfd) => process.set_alive(number, pidfd, parent),
            Err(error) => {
                self.count_failed_fork("recvmsg", &error);
                process.set_ended(not_started("recvmsg", &error), Duration::ZERO);
                process.set_alive(number, None, parent);
            }
        }
    }

    fn hear_not_forked(&self, run: u64, call: &'static str, error: i32) {
        let error = io::Error::from_raw_os_error(error);
        self.count_failed_fork(call, &error);
        if let Some(process) = self.answered(run) {
            self.children().by_run.remove(&run);
            process.set_ended(not_started(call, &error), Duration::ZERO);
        }
    }

    /// Notes that it has answered for a child.
    fn answered(&self, run: u64) -> Option<Arc<GuestProcess>> {
        let mut children = self.children();
        children.unanswered.retain(|unanswered| *unanswered != run);
        children.by_run.get(&run).map(|child| Arc::clone(&child.process))
    }

    fn count_failed_fork(&self, call: &'static str, error: &io::Error) {
        if self.counters.failed_forks.fetch_add(1, Ordering::Relaxed) == 0 {
            tracing::warn!(call, %error, "a run could not be forked: {}", super::run_error::remedy(error));
        }
    }
}

fn not_started(call: &'static str, error: &io::Error) -> Exit {
    Exit::NotStarted { call, error: error.raw_os_error().unwrap_or(0) }
}

fn how(exit: Exit) -> String {
    match exit {
        Exit::Code(code) if code < 0 => format!("it was ended by signal {}", -code),
        Exit::Code(code) => format!("it ended with exit code {code}"),
        Exit::WithZygote => "its base zygote ended".to_owned(),
        Exit::NotStarted { call, error } => {
            format!("it could not be started: `{call}`: {}", io::Error::from_raw_os_error(error))
        }
        Exit::NotAnswered => "its base zygote ended, or does not answer".to_owned(),
        Exit::Interrupted => "somebody has stopped it".to_owned(),
    }
}
