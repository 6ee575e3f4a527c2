//! The zygote: a booted, warmed isolate that forks a copy of itself for each run.
//!
//! It never reads guest text and holds nothing of any user. The *base* zygote is exec'd and forks runs of cold scopes and the
//! zygotes of busy ones; the zygote of a *scope* has that scope's bindings installed and is jailed.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;

use super::channel::Channel;
use super::control::Control;
use super::exit::exit;
use super::hot_pages::{self, HotPages};
use super::isolate::Isolate;
use super::occupant::Occupant;
use super::{huge_pages, jail, memory, run, warm_up};
use crate::contract::boot::{Boot, Walls};
use crate::contract::guest_process::{EXIT_DONE, EXIT_HOST_GONE};
use crate::contract::parcel::Parcel;
use crate::contract::priority;
use crate::contract::reaping::{self, Change, EndedChild};
use crate::contract::zygote::{FromZygote, RefusedCall, ToZygote};

/// Serves as the base zygote until the host is gone or retires it.
pub(super) fn serve_base(boot: Boot, mut control: Control) -> ! {
    let mut walls = jail::before_v8();
    let mut isolate = Isolate::boot(&boot);
    isolate.install("[]");
    warm_up::warm_up(&mut isolate, boot.heap_bytes_max);
    jail::prepare();
    if let Err(error) = memory::make_forkable() {
        control.send(&FromZygote::Refused { reason: format!("`/proc/self/maps` cannot be read: {error}: mount `/proc`") });
        exit(EXIT_HOST_GONE);
    }
    let Ok(ends) = signal_of_ended_children() else { exit(EXIT_HOST_GONE) };
    walls.huge_pages =
        boot.huge_pages && huge_pages::move_what_is_touched(|| warm_up::warm_up(&mut isolate, boot.heap_bytes_max));
    hot_pages::let_fork_copy_files(|| warm_up::rehearse(&mut isolate, boot.heap_bytes_max));
    let hot_pages = HotPages::learn(|| warm_up::rehearse(&mut isolate, boot.heap_bytes_max));
    memory::note_addresses();
    let mut of_runs = jail::tried(&boot, &walls);
    of_runs.huge_pages = walls.huge_pages;
    control.send(&FromZygote::Ready { walls: of_runs });
    Zygote { isolate, control, boot, walls, hot_pages, children: HashMap::new(), retired: false, of_scope: false }.serve(&ends)
}

struct Zygote {
    isolate: Isolate,
    control: Control,
    boot: Boot,
    walls: Walls,
    /// What its runs write to.
    hot_pages: HotPages,
    /// Children that have not ended, by process.
    children: HashMap<Pid, u64>,
    retired: bool,
    of_scope: bool,
}

impl Zygote {
    fn serve(mut self, ends: &OwnedFd) -> ! {
        loop {
            if self.retired && self.children.is_empty() {
                exit(EXIT_DONE);
            }
            let mut interest = [PollFd::new(&self.control, PollFlags::IN), PollFd::new(ends, PollFlags::IN)];
            if poll(&mut interest, None).is_err_and(|error| error != rustix::io::Errno::INTR) {
                exit(EXIT_HOST_GONE);
            }
            let (commanded, ended) = (!interest[0].revents().is_empty(), !interest[1].revents().is_empty());
            if ended {
                self.report_changes(ends);
            }
            if commanded {
                let Ok(parcel) = self.control.receive() else { exit(EXIT_HOST_GONE) };
                self = self.obey(parcel);
            }
        }
    }

    /// Does what it is told. In a child of fork it does not return, or returns as another zygote.
    fn obey(mut self, parcel: Parcel<ToZygote>) -> Self {
        match (parcel.frame, parcel.descriptor) {
            (ToZygote::Fork { run }, Some(Ok(socket))) => return self.fork_run(run, socket),
            (ToZygote::Scope { run }, Some(Ok(socket))) => return self.fork_scope(run, socket),
            // A shortage is that of the one that was asked for: the others go on.
            (ToZygote::Fork { run } | ToZygote::Scope { run }, Some(Err(error))) => {
                self.tell_refused(run, RefusedCall::Receive, &error);
            }
            (ToZygote::Kill { run }, None) => self.with_child(run, kill),
            (ToZygote::Lower { run }, None) => self.with_child(run, priority::lower),
            (ToZygote::Retire, None) => self.retired = true,
            _ => exit(EXIT_HOST_GONE),
        }
        self
    }

    /// Does something with a child, whose number is its own: nobody else reaps it.
    fn with_child(&self, run: u64, act: impl FnOnce(Pid)) {
        if let Some((process, _)) = self.children.iter().find(|(_, of)| **of == run) {
            act(*process);
        }
    }

    fn fork_run(mut self, run: u64, socket: OwnedFd) -> Self {
        if self.fork(run).is_none() {
            close_all_but(&socket);
            let Self { mut isolate, control, boot, mut walls, hot_pages, of_scope, .. } = self;
            std::mem::forget(control); // its descriptors are closed
            if !of_scope {
                jail::close(&boot, Occupant::Run, &mut walls);
            }
            jail::close_run(&boot, &mut walls);
            jail::insist(&boot, &walls);
            hot_pages.make_private();
            isolate.forget_rejections();
            run::serve(isolate, Channel::new(socket.into()));
        }
        self
    }

    /// Forks the zygote of a scope: it installs the bindings that come on its own socket, and jails itself.
    fn fork_scope(mut self, run: u64, socket: OwnedFd) -> Self {
        if self.fork(run).is_some() {
            return self;
        }
        close_all_but(&socket);
        std::mem::forget(std::mem::replace(&mut self.control, Control::new(socket.into()))); // its descriptors are closed
        let mut scope = Self { children: HashMap::new(), of_scope: true, retired: false, ..self };
        let Ok(ToZygote::Install { manifest }) = scope.control.receive().map(|parcel| parcel.frame) else {
            exit(EXIT_HOST_GONE)
        };
        scope.isolate.install(&manifest);
        if memory::make_forkable().is_err() {
            exit(EXIT_HOST_GONE);
        }
        let Ok(ends) = signal_of_ended_children() else { exit(EXIT_HOST_GONE) };
        scope.hot_pages = HotPages::learn(|| warm_up::rehearse(&mut scope.isolate, scope.boot.heap_bytes_max));
        memory::note_addresses();
        jail::close(&scope.boot, Occupant::Zygote, &mut scope.walls);
        scope.control.send(&FromZygote::Ready { walls: scope.walls.clone() });
        scope.serve(&ends)
    }

    /// Forks and tells the host. `None` in the child.
    fn fork(&mut self, run: u64) -> Option<()> {
        let parent = rustix::process::getpid();
        // SAFETY: this process has one thread, so the child may use everything that the parent could.
        match unsafe { libc::fork() } {
            0 => {
                die_with(parent);
                None
            }
            -1 => {
                self.tell_refused(run, RefusedCall::Fork, &io::Error::last_os_error());
                Some(())
            }
            child => {
                if let Some(process) = Pid::from_raw(child) {
                    self.tell_forked(run, process);
                }
                Some(())
            }
        }
    }

    fn tell_refused(&mut self, run: u64, call: RefusedCall, error: &io::Error) {
        self.control.send(&FromZygote::NotForked { run, call, error: error.raw_os_error().unwrap_or(0) });
    }

    fn tell_forked(&mut self, run: u64, process: Pid) {
        let frame = FromZygote::Forked { run, process: process.as_raw_nonzero().get().unsigned_abs() };
        #[cfg(target_os = "linux")]
        match rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()) {
            Ok(descriptor) => self.control.send_with(&frame, descriptor),
            // There are none on this kernel, or a sandbox forbids them: the host kills through its zygote then.
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => self.control.send(&frame),
            Err(error) => {
                kill(process);
                return self.tell_refused(run, RefusedCall::PidfdOpen, &error.into());
            }
        }
        #[cfg(not(target_os = "linux"))]
        self.control.send(&frame);
        self.children.insert(process, run);
    }

    /// Tells which children have ended or were stopped.
    fn report_changes(&mut self, ends: &OwnedFd) {
        drain(ends);
        while let Some(change) = reaping::next_change() {
            match change {
                Change::Ended(EndedChild { process, code, cpu }) => {
                    if let Some(run) = self.children.remove(&process) {
                        let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
                        self.control.send(&FromZygote::Exited { run, code, cpu_us });
                    }
                }
                Change::Stopped(process) => {
                    if let Some(run) = self.children.get(&process) {
                        self.control.send(&FromZygote::Stopped { run: *run });
                    }
                }
            }
        }
    }
}

/// Kills a child that was not reaped.
fn kill(child: Pid) {
    let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
}

/// Closes every descriptor but the standard ones and `kept`: a child of fork has those of all its forebears, and could speak
/// in their name on their sockets.
fn close_all_but(kept: &OwnedFd) {
    const FIRST: i32 = 3;
    let kept = kept.as_raw_fd();
    for (first, last) in [(FIRST, kept - 1), (kept + 1, i32::MAX)] {
        if first <= last && !close_range(first, last) {
            // A zygote has opened few: far fewer than this.
            const MANY: i32 = 1024;
            for descriptor in first..=last.min(MANY) {
                // SAFETY: whatever owned it is forgotten, and never closes another one of this number.
                unsafe { libc::close(descriptor) };
            }
        }
    }
}

/// Closes a range of descriptors in one call; false where the kernel cannot.
#[cfg(target_os = "linux")]
fn close_range(first: i32, last: i32) -> bool {
    // SAFETY: whatever owned them is forgotten, and never closes another one of the same number.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn close_range(_first: i32, _last: i32) -> bool {
    false
}

/// Ends this process when its parent does, also if that has happened already.
pub(super) fn die_with(parent: Pid) {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if rustix::process::getppid() != Some(parent) {
        exit(EXIT_HOST_GONE);
    }
}

/// A pipe from which something can be read when a child has ended or was stopped.
fn signal_of_ended_children() -> rustix::io::Result<OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    ENDS.store(writer.into_raw_fd(), Ordering::Relaxed);
    // SAFETY: the handler only writes to a pipe, which is safe at any time, and keeps `errno`.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = note_ended_child as *const () as usize;
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut());
    }
    Ok(reader)
}

/// The pipe that the signal handler writes to.
static ENDS: AtomicI32 = AtomicI32::new(-1);

extern "C" fn note_ended_child(_signal: i32) {
    // SAFETY: `write` is async-signal-safe; `errno` is put back for the code that was interrupted.
    unsafe {
        let errno = errno_place();
        let kept = *errno;
        libc::write(ENDS.load(Ordering::Relaxed), [1_u8].as_ptr().cast(), 1);
        *errno = kept;
    }
}

#[cfg(target_os = "linux")]
fn errno_place() -> *mut i32 {
    // SAFETY: it returns the place of this thread's `errno`.
    unsafe { libc::__errno_location() }
}

#[cfg(not(target_os = "linux"))]
fn errno_place() -> *mut i32 {
    // SAFETY: it returns the place of this thread's `errno`.
    unsafe { libc::__error() }
}

fn drain(ends: &OwnedFd) {
    let mut bytes = [0_u8; 256];
    while rustix::io::read(ends, &mut bytes).is_ok_and(|count| count == bytes.len()) {}
}
