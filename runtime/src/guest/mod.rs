//! The guest process: where V8 lives. One thread, one isolate, one socket, no tokio.
//!
//! A process becomes a guest in [`become_guest_if_asked`], before anything else of the embedding program has run. It is
//! a *zygote*, which boots an isolate and forks a copy of itself for each run, or a *spawned run*, which boots and runs one
//! program: both go through the same [`isolate`] and the same [`run`]. Or it is the maker of one [`scope_snapshot`].

mod allocator;
mod aside;
mod assumption;
mod channel;
mod control;
mod declarations;
mod edits;
mod exit;
mod exports;
mod fences;
mod hot_pages;
mod huge_pages;
mod isolate;
mod jail;
mod meaning;
mod memory;
mod outbox;
mod parsing;
#[cfg(all(test, target_os = "linux"))]
mod probes;
mod program;
mod quotes;
mod recovery;
#[cfg(target_os = "linux")]
mod rehearsal;
mod run;
mod scope_snapshot;
mod single_thread;
mod syntax;
#[cfg(target_os = "linux")]
mod system_calls;
mod warm_up;
mod zygote;

use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use crate::contract::boot::Boot;
use crate::contract::codec::HostMaxima;
use crate::contract::guest_process::{ARGUMENT, EXIT_HOST_GONE, MAKER, SOCKET, ZYGOTE};
use crate::contract::parcel::ParcelReader;
use crate::contract::run::{FromRun, ToRun};
use crate::contract::zygote::{FromZygote, ToZygote};
use channel::Channel;
use control::Control;
use exit::exit;

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

fn start_zygote(mut control: Control) -> ! {
    let Ok(ToZygote::Boot(boot)) = control.receive().map(|parcel| parcel.frame) else { exit(EXIT_HOST_GONE) };
    if let Some(reason) = single_thread::refusal() {
        control.send(&FromZygote::Refused { reason });
        exit(EXIT_HOST_GONE);
    }
    zygote::serve_base(boot, control)
}

fn start_run(socket: UnixStream) -> ! {
    let boot = ParcelReader::default().receive(&socket, &HostMaxima).map(|parcel| (parcel.frame, parcel.descriptor));
    let Ok((ToRun::Boot(boot), snapshot)) = boot else { exit(EXIT_HOST_GONE) };
    let mut channel = Channel::new(socket);
    if let Some(reason) = single_thread::refusal() {
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

fn is_socket(descriptor: i32) -> bool {
    // SAFETY: `fstat` writes to a structure of the right size; a closed descriptor is an error and nothing else.
    let kind = unsafe {
        let mut status = std::mem::zeroed::<libc::stat>();
        (libc::fstat(descriptor, &raw mut status) == 0).then_some(status.st_mode & libc::S_IFMT)
    };
    kind == Some(libc::S_IFSOCK)
}
