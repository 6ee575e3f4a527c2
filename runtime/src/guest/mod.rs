//! The guest process: where V8 lives. One thread, one isolate, one socket, no tokio.
//!
//! A process becomes a guest in [`become_guest_if_asked`], before anything else of the embedding program has run. It is
//! a *zygote*, which boots an isolate and forks a copy of itself for each run, or a *spawned run*, which boots and runs one
//! program: both go through the same [`isolate`] and the same [`run`]. Or it is the maker of one [`scope_snapshot`].

mod allocator;
mod assumption;
mod blame;
mod channel;
mod control;
mod declarations;
mod edits;
mod exact;
mod exports;
mod facts;
mod fences;
mod hot_pages;
mod huge_pages;
mod isolate;
mod jail;
mod literals;
mod meaning;
mod memory;
mod nothing;
mod outbox;
mod parsing;
mod probable;
#[cfg(all(test, target_os = "linux"))]
mod probes;
mod program;
mod quotes;
mod recovery;
#[cfg(target_os = "linux")]
mod rehearsal;
mod run;
mod scope_snapshot;
mod shape;
mod syntax;
#[cfg(target_os = "linux")]
mod system_calls;
mod warm_up;
mod zygote;

use std::io::{self, Read as _, Write as _};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::frame::{Boot, FromRun, FromZygote, HostMaxima, ToRun, ToZygote};
use crate::parcel::ParcelReader;
use channel::Channel;
use control::Control;
pub(crate) use scope_snapshot::BUILD;

/// The first argument of a process that is to become a guest. The second says which kind.
pub(crate) const ARGUMENT: &str = "--isolet-guest";
/// The second argument of a zygote.
pub(crate) const ZYGOTE: &str = "zygote";
/// The second argument of a spawned run.
pub(crate) const RUN: &str = "run";
/// The second argument of the maker of a scope snapshot.
pub(crate) const MAKER: &str = "snapshot";
/// The descriptor of the one socket of a guest process.
pub(crate) const SOCKET: i32 = 3;

/// Exit code after a program has ended and its last frame is written.
pub(crate) const EXIT_DONE: i32 = 0;
/// Exit code when the host is gone, or speaks another language.
pub(crate) const EXIT_HOST_GONE: i32 = 80;
/// Exit code of V8's out-of-memory handler with the heap at its limit.
pub(crate) const EXIT_HEAP: i32 = 86;
/// Exit code of V8's out-of-memory handler when the system refused memory below the heap's limit.
pub(crate) const EXIT_DATA: i32 = 87;

/// Becomes a guest process and never returns, if this process was started to be one: by its first argument *and* a socket
/// as its fourth descriptor. Otherwise does nothing.
pub(crate) fn become_guest_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|argument| argument != ARGUMENT) || !is_socket(SOCKET) {
        return;
    }
    // SAFETY: the descriptor is open, and the host gave it to nothing else in this process.
    let socket = UnixStream::from(unsafe { OwnedFd::from_raw_fd(SOCKET) });
    match arguments.next() {
        Some(kind) if kind == ZYGOTE => start_zygote(Control::new(socket)),
        Some(kind) if kind == MAKER => scope_snapshot::make(Channel::new(socket)),
        _ => start_run(socket),
    }
}

/// Does something in a child of fork, which ends after it; what it says. Only in a process of one thread.
fn child_says(what: impl FnOnce() -> Vec<u8>) -> io::Result<Vec<u8>> {
    let (reader, mut writer) = io::pipe()?;
    // SAFETY: this process has one thread, so the child may use everything that the parent could.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => {
            let told = writer.write_all(&what());
            exit(if told.is_ok() { EXIT_DONE } else { EXIT_HOST_GONE })
        }
        child => {
            drop(writer);
            let mut said = Vec::new();
            let read = { reader }.read_to_end(&mut said);
            // SAFETY: the child is ours and was not waited for.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
            read?;
            Ok(said)
        }
    }
}

/// Ends this process at once: no destructors, no exit handlers, nothing of V8.
pub(super) fn exit(code: i32) -> ! {
    // SAFETY: `_exit` has no preconditions.
    unsafe { libc::_exit(code) }
}

fn start_zygote(mut control: Control) -> ! {
    let Ok(ToZygote::Boot(boot)) = control.receive().map(|parcel| parcel.frame) else { exit(EXIT_HOST_GONE) };
    if let Some(reason) = refusal() {
        control.send(&FromZygote::Refused { reason });
        exit(EXIT_HOST_GONE);
    }
    zygote::serve_base(boot, control)
}

fn start_run(socket: UnixStream) -> ! {
    let boot = ParcelReader::default().receive(&socket, &HostMaxima).map(|parcel| (parcel.frame, parcel.descriptor));
    let Ok((ToRun::Boot(boot), snapshot)) = boot else { exit(EXIT_HOST_GONE) };
    let mut channel = Channel::new(socket);
    if let Some(reason) = refusal() {
        channel.send(&FromRun::Refused { reason });
        exit(EXIT_HOST_GONE);
    }
    // One that was not delivered is done without.
    spawned(&boot, snapshot.and_then(Result::ok), channel)
}

/// A spawned run: boots, jails itself, and runs what it is told.
fn spawned(boot: &Boot, snapshot: Option<OwnedFd>, mut channel: Channel) -> ! {
    let mut walls = jail::before_v8();
    let isolate = match scope_snapshot::received(boot, snapshot) {
        Some(snapshot) => isolate::Isolate::boot_scope(boot, snapshot),
        None => isolate::Isolate::boot(boot),
    };
    memory::note_addresses();
    jail::close(boot, jail::Occupant::Run, &mut walls);
    jail::close_run(boot, &mut walls);
    channel.send(&FromRun::Jailed { walls: walls.clone() });
    jail::insist(boot, &walls);
    run::serve(isolate, channel)
}

/// Why this process cannot be a guest, if it cannot: V8 without background threads and fork both need a process with one
/// thread, and V8 needs addresses.
fn refusal() -> Option<String> {
    match thread_count() {
        Some(threads) if threads > 1 => Some(format!(
            "`isolet::init()` was called in a process that already has {threads} threads: call it as the first line of `main`, \
             before a runtime, a logger or an allocator starts threads"
        )),
        _ => memory::refusal(),
    }
}

#[cfg(target_os = "linux")]
fn thread_count() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

#[cfg(not(target_os = "linux"))]
fn thread_count() -> Option<usize> {
    None
}

fn is_socket(descriptor: i32) -> bool {
    // SAFETY: `fstat` writes to a structure of the right size; a closed descriptor is an error and nothing else.
    let kind = unsafe {
        let mut status = std::mem::zeroed::<libc::stat>();
        (libc::fstat(descriptor, &raw mut status) == 0).then_some(status.st_mode & libc::S_IFMT)
    };
    kind == Some(libc::S_IFSOCK)
}
