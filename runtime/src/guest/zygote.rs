//! The zygote: a booted, warmed isolate that forks a copy of itself for each run.
//!
//! It never reads guest text and holds nothing of any user. The *base* zygote is exec'd and forks runs of cold scopes and the
//! zygotes of busy ones; the zygote of a *scope* has that scope's bindings installed and is jailed.

use std::collections::HashMap;
use std::os::fd::{AsRawFd as _, IntoRawFd as _, OwnedFd};
use std::sync::atomic::{AtomicI32, Ordering};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Pid;

use super::channel::Channel;
use super::hot_pages::{self, HotPages};
use super::isolate::Isolate;
use super::{EXIT_DONE, EXIT_HOST_GONE, exit, huge_pages, jail, memory, run, warm_up};
use crate::child::{self, EndedChild};
use crate::frame::{Boot, FromZygote, HostMaxima, ToZygote, Walls};

/// Serves as the base zygote until the host is gone or retires it.
pub(super) fn serve_base(boot: Boot, mut channel: Channel) -> ! {
    let mut walls = jail::before_v8();
    let mut isolate = Isolate::boot(&boot);
    isolate.install("[]");
    warm_up::warm_up(&mut isolate, boot.heap_bytes_max);
    jail::prepare();
    if let Err(error) = memory::make_forkable() {
        channel.send(&FromZygote::Refused { reason: format!("the memory of V8 cannot be made forkable: {error}") });
        exit(EXIT_HOST_GONE);
    }
    let Ok(ends) = signal_of_ended_children() else { exit(EXIT_HOST_GONE) };
    walls.huge_pages =
        boot.huge_pages && huge_pages::move_what_is_touched(|| warm_up::warm_up(&mut isolate, boot.heap_bytes_max));
    hot_pages::let_fork_copy_files(|| warm_up::rehearse(&mut isolate, boot.heap_bytes_max));
    let hot_pages = HotPages::learn(|| warm_up::rehearse(&mut isolate, boot.heap_bytes_max));
    channel.send(&FromZygote::Ready { walls: walls.clone() });
    Zygote { isolate, channel, boot, walls, hot_pages, children: HashMap::new(), retired: false, of_scope: false }.serve(&ends)
}

struct Zygote {
    isolate: Isolate,
    channel: Channel,
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
            let mut interest = [PollFd::new(&self.channel, PollFlags::IN), PollFd::new(ends, PollFlags::IN)];
            if poll(&mut interest, None).is_err_and(|error| error != rustix::io::Errno::INTR) {
                exit(EXIT_HOST_GONE);
            }
            let (commanded, ended) = (!interest[0].revents().is_empty(), !interest[1].revents().is_empty());
            if ended {
                self.report_ends(ends);
            }
            if commanded {
                if self.channel.fill().is_err() {
                    exit(EXIT_HOST_GONE);
                }
                self = self.obey();
            }
        }
    }

    /// Does what has been read. In a child of fork it does not return, or returns as another zygote.
    fn obey(mut self) -> Self {
        loop {
            match self.channel.received(&HostMaxima) {
                Ok(Some(ToZygote::Fork { run })) => self = self.fork_run(run),
                Ok(Some(ToZygote::Scope { run })) => self = self.fork_scope(run),
                Ok(Some(ToZygote::Retire)) => self.retired = true,
                Ok(None) => return self,
                Ok(Some(ToZygote::Boot(_) | ToZygote::Install { .. })) | Err(_) => exit(EXIT_HOST_GONE),
            }
        }
    }

    fn fork_run(mut self, run: u64) -> Self {
        let Some(socket) = self.channel.take_descriptor() else { exit(EXIT_HOST_GONE) };
        if self.fork(run).is_none() {
            close_all_but(&socket);
            let Self { mut isolate, channel, boot, mut walls, hot_pages, of_scope, .. } = self;
            std::mem::forget(channel); // its descriptors are closed
            if !of_scope {
                jail::close(&boot, jail::Occupant::Run, &mut walls);
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
    fn fork_scope(mut self, run: u64) -> Self {
        let Some(socket) = self.channel.take_descriptor() else { exit(EXIT_HOST_GONE) };
        if self.fork(run).is_some() {
            return self;
        }
        close_all_but(&socket);
        std::mem::forget(std::mem::replace(&mut self.channel, Channel::new(socket.into()))); // its descriptors are closed
        let mut scope = Self { children: HashMap::new(), of_scope: true, retired: false, ..self };
        let Ok(ToZygote::Install { manifest }) = scope.channel.receive(&HostMaxima) else { exit(EXIT_HOST_GONE) };
        scope.isolate.install(&manifest);
        if memory::make_forkable().is_err() {
            exit(EXIT_HOST_GONE);
        }
        let Ok(ends) = signal_of_ended_children() else { exit(EXIT_HOST_GONE) };
        scope.hot_pages = HotPages::learn(|| warm_up::rehearse(&mut scope.isolate, scope.boot.heap_bytes_max));
        jail::close(&scope.boot, jail::Occupant::Zygote, &mut scope.walls);
        scope.channel.send(&FromZygote::Ready { walls: scope.walls.clone() });
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
                let error = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
                self.channel.send(&FromZygote::NotForked { run, error });
                Some(())
            }
            child => {
                self.tell_forked(run, child);
                Some(())
            }
        }
    }

    fn tell_forked(&mut self, run: u64, child: i32) {
        let Some(process) = Pid::from_raw(child) else { return };
        self.children.insert(process, run);
        let frame = FromZygote::Forked { run, process: child.unsigned_abs() };
        #[cfg(target_os = "linux")]
        match rustix::process::pidfd_open(process, rustix::process::PidfdFlags::empty()) {
            Ok(descriptor) => self.channel.send_with(&frame, descriptor),
            Err(_) => self.channel.send(&frame),
        }
        #[cfg(not(target_os = "linux"))]
        self.channel.send(&frame);
    }

    fn report_ends(&mut self, ends: &OwnedFd) {
        drain(ends);
        while let Some(EndedChild { process, code, cpu }) = child::reap(None) {
            if let Some(run) = self.children.remove(&process) {
                let cpu_us = u64::try_from(cpu.as_micros()).unwrap_or(u64::MAX);
                self.channel.send(&FromZygote::Exited { run, code, cpu_us });
            }
        }
    }
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
fn die_with(parent: Pid) {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    if rustix::process::getppid() != Some(parent) {
        exit(EXIT_HOST_GONE);
    }
}

/// A pipe from which something can be read when a child has ended.
fn signal_of_ended_children() -> rustix::io::Result<OwnedFd> {
    let (reader, writer) = rustix::pipe::pipe()?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    ENDS.store(writer.into_raw_fd(), Ordering::Relaxed);
    // SAFETY: the handler only writes to a pipe, which is safe at any time, and keeps `errno`.
    unsafe {
        let mut action = std::mem::zeroed::<libc::sigaction>();
        action.sa_sigaction = note_ended_child as *const () as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
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
