//! The thread that keeps guest processes: it starts them, hears of their ends, and lives as long as the runtime.
//!
//! A process's death signal is tied to the thread that started it, so all are started here. The thread has a tokio runtime of
//! its own: sockets of zygotes must outlive whatever runtime the embedding application uses for one request.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustix::process::Pid;
use tokio::sync::mpsc;
use tokio::task::{JoinSet, LocalSet};

use super::launch;
use super::process::{self, Exit, GuestProcess, Parent};
use super::run_error::{self, RunError};
use super::zygote::Zygote;
use crate::contract::guest_process;

/// Something to do on the keeper's thread.
enum Task {
    /// Start the process of a base zygote and attend to it.
    StartZygote { zygote: Arc<Zygote>, socket: OwnedFd },
    /// Attend to a zygote that another zygote forks.
    Attend { zygote: Arc<Zygote> },
    /// Start a process of another kind: of one run, or the maker of one snapshot.
    Start { kind: &'static str, process: Arc<GuestProcess>, socket: OwnedFd },
    /// Do this.
    Do(Box<dyn FnOnce() + Send>),
}

/// The keeper's other end. The thread ends when the last one is dropped.
#[derive(Clone)]
pub(crate) struct Keeper {
    tasks: mpsc::UnboundedSender<Task>,
}

impl Keeper {
    /// Starts the thread. `every_second` is called about once a second.
    pub(crate) fn start(executable: PathBuf, every_second: impl Fn() + Send + 'static) -> Result<Self, RunError> {
        let (tasks, received) = mpsc::unbounded_channel();
        // tokio would panic.
        let _ = UnixStream::pair().map_err(RunError::system("socketpair"))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(RunError::system("epoll_create1"))?;
        // The thread is given it when there is one: tokio panics where a runtime is dropped by an asynchronous caller.
        let (give, given) = std::sync::mpsc::channel::<tokio::runtime::Runtime>();
        let thread = std::thread::Builder::new().name("isolet-keeper".to_owned()).spawn(move || {
            if let Ok(runtime) = given.recv() {
                LocalSet::new().block_on(&runtime, keep(executable, received, every_second));
            }
        });
        match thread {
            Ok(_) => {
                let _ = give.send(runtime);
                Ok(Self { tasks })
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(RunError::system("clone")(error))
            }
        }
    }

    // The thread lives while a sender does.
    fn give(&self, task: Task) {
        let _ = self.tasks.send(task);
    }

    pub(crate) fn start_zygote(&self, zygote: Arc<Zygote>, socket: OwnedFd) {
        self.give(Task::StartZygote { zygote, socket });
    }

    pub(crate) fn attend(&self, zygote: Arc<Zygote>) {
        self.give(Task::Attend { zygote });
    }

    pub(crate) fn start_run(&self, process: Arc<GuestProcess>, socket: OwnedFd) {
        self.give(Task::Start { kind: guest_process::RUN, process, socket });
    }

    pub(crate) fn start_maker(&self, process: Arc<GuestProcess>, socket: OwnedFd) {
        self.give(Task::Start { kind: guest_process::MAKER, process, socket });
    }

    /// Does something off the path of a request.
    pub(crate) fn run(&self, what: impl FnOnce() + Send + 'static) {
        self.give(Task::Do(Box::new(what)));
    }
}

/// The direct children of this process that are not reaped.
#[derive(Default)]
struct Children {
    processes: Vec<(&'static str, Weak<GuestProcess>)>,
    ends: JoinSet<()>,
    warned: bool,
}

impl Children {
    /// Starts one and sees it to its end.
    fn start(&mut self, executable: &Path, kind: &'static str, socket: OwnedFd, process: Arc<GuestProcess>) {
        match launch::start(executable, kind, socket) {
            Ok(child) => {
                self.processes.push((kind, Arc::downgrade(&process)));
                self.ends.spawn_local(see_to_end(child, process));
            }
            Err((call, error)) => {
                // Once: whoever waits for it is told each time.
                if !std::mem::replace(&mut self.warned, true) {
                    let remedy = run_error::remedy(&error);
                    tracing::warn!(call, %error, executable = %executable.display(), "a guest process could not be started: {remedy}");
                }
                let error = error.raw_os_error().unwrap_or(0);
                process.set_ended(Exit::NotStarted { call, error }, Duration::ZERO);
            }
        }
    }

    /// Ends what somebody has stopped: it would neither answer nor end. A zygote has live runs, which go on without it.
    fn end_stopped(&self) {
        let without_children = self.processes.iter().filter(|(kind, _)| *kind != guest_process::ZYGOTE);
        for process in without_children.filter_map(|(_, process)| process.upgrade()).filter(|process| process.is_stopped()) {
            process.interrupt();
        }
    }

    /// Kills and reaps them all: nothing is left behind, not even a zombie.
    async fn end(mut self) {
        for process in self.processes.iter().filter_map(|(_, process)| process.upgrade()) {
            process.kill();
        }
        while self.ends.join_next().await.is_some() {}
    }

    fn forget_ended(&mut self) {
        while self.ends.try_join_next().is_some() {}
        self.processes.retain(|(_, process)| process.strong_count() > 0);
    }
}

async fn keep(executable: PathBuf, mut tasks: mpsc::UnboundedReceiver<Task>, every_second: impl Fn()) {
    let mut children = Children::default();
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            task = tasks.recv() => match task {
                Some(task) => perform(&executable, task, &mut children),
                None => return children.end().await,
            },
            _ = seconds.tick() => {
                children.forget_ended();
                every_second();
                children.end_stopped();
            }
        }
    }
}

fn perform(executable: &Path, task: Task, children: &mut Children) {
    match task {
        Task::StartZygote { zygote, socket } => {
            // One that cannot be started closes its socket.
            children.start(executable, guest_process::ZYGOTE, socket, Arc::clone(&zygote.process));
            tokio::task::spawn_local(zygote.attend());
        }
        Task::Attend { zygote } => {
            tokio::task::spawn_local(zygote.attend());
        }
        Task::Start { kind, process, socket } => {
            // Who waits for it hears of a failure through its process or its socket.
            children.start(executable, kind, socket, process);
        }
        Task::Do(what) => what(),
    }
}

#[cfg(target_os = "linux")]
async fn see_to_end(child: std::process::Child, process: Arc<GuestProcess>) {
    let number = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let descriptor = number.and_then(|number| rustix::process::pidfd_open(number, rustix::process::PidfdFlags::empty()).ok());
    let watched = descriptor.as_ref().and_then(process::watched);
    if let Some(number) = number {
        process.set_alive(number, descriptor, Parent::Host);
    }
    match watched {
        // Readable means ended.
        Some(watched) => drop(watched.readable().await),
        None => poll_for_end(&child).await,
    }
    process.reap(&child);
}

#[cfg(not(target_os = "linux"))]
async fn see_to_end(child: std::process::Child, process: Arc<GuestProcess>) {
    if let Some(number) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        process.set_alive(number, None, Parent::Host);
    }
    poll_for_end(&child).await;
    process.reap(&child);
}

/// Where there is no pidfd: asks now and then whether the child has ended, without reaping it.
async fn poll_for_end(child: &std::process::Child) {
    let Some(number) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else { return };
    let options = rustix::process::WaitIdOptions::EXITED
        | rustix::process::WaitIdOptions::NOHANG
        | rustix::process::WaitIdOptions::NOWAIT;
    while matches!(rustix::process::waitid(rustix::process::WaitId::Pid(number), options), Ok(None)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
