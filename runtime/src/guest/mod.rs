//! The guest process: where V8 lives. One thread, one isolate, one socket, no tokio.
//!
//! A process becomes a guest in [`become_guest_if_asked`], before anything else of the embedding program has run. It is
//! a *zygote*, which boots an isolate and forks a copy of itself for each run, or a *spawned run*, which boots and runs one
//! program: both go through the same [`isolate`] and the same [`run`]. Or it is the maker of one [`scope_snapshot`].

mod allocator;
mod arguments;
mod aside;
mod assumption;
mod blame;
mod brackets;
mod channel;
mod control;
mod declarations;
mod edits;
mod envelope;
mod exact;
mod exit;
mod exports;
mod facts;
mod fences;
mod hot_pages;
mod huge_pages;
mod isolate;
mod jail;
mod lacking_async;
mod literals;
mod meaning;
mod memory;
mod names;
mod nothing;
mod occupant;
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
mod single_thread;
mod slip;
mod syntax;
#[cfg(target_os = "linux")]
mod system_calls;
mod types;
mod warm_up;
mod zygote;

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use crate::contract::boot::{Boot, other_contract};
use crate::contract::codec::HostMaxima;
use crate::contract::guest_process::{self, EXIT_HOST_GONE, MAKER, ZYGOTE};
use crate::contract::parcel::{Parcel, ParcelReader};
use crate::contract::run::{FromRun, ToRun};
use crate::contract::zygote::{FromZygote, ToZygote};
use channel::Channel;
use control::Control;
use exit::exit;
use occupant::Occupant;

/// Becomes a guest process and never returns, if this process was started to be one. Otherwise does nothing.
pub(crate) fn become_guest_if_asked() {
    match guest_process::asked() {
        None => {}
        Some((kind, socket)) if kind == ZYGOTE => start_zygote(Control::new(socket)),
        Some((kind, socket)) if kind == MAKER => scope_snapshot::make(Channel::new(socket)),
        Some((_, socket)) => start_run(socket),
    }
}

fn start_zygote(mut control: Control) -> ! {
    let boot = match control.receive().map(|parcel| parcel.frame) {
        Ok(ToZygote::Boot(boot)) => Ok(boot),
        Ok(_) => exit(EXIT_HOST_GONE),
        Err(error) => Err(error),
    };
    match fit(boot) {
        Ok(boot) => zygote::serve_base(boot, control),
        Err(reason) => {
            control.send(&FromZygote::Refused { reason });
            exit(EXIT_HOST_GONE)
        }
    }
}

fn start_run(socket: UnixStream) -> ! {
    let (boot, snapshot) = match ParcelReader::default().receive(&socket, &HostMaxima) {
        Ok(Parcel { frame: ToRun::Boot(boot), descriptor }) => (Ok(boot), descriptor),
        Ok(_) => exit(EXIT_HOST_GONE),
        Err(error) => (Err(error), None),
    };
    let mut channel = Channel::new(socket);
    match fit(boot) {
        // A snapshot that was not delivered is done without.
        Ok(boot) => spawned(&boot, snapshot.and_then(Result::ok), channel),
        Err(reason) => {
            channel.send(&FromRun::Refused { reason });
            exit(EXIT_HOST_GONE)
        }
    }
}

/// The boot that came first, if this process can become a guest of who sent it; else why not. What cannot be read came from a host that
/// speaks otherwise, unless it is gone.
fn fit(boot: io::Result<Boot>) -> Result<Boot, String> {
    let boot = match boot {
        Ok(boot) => boot,
        Err(error) if error.kind() == io::ErrorKind::Other => return Err(other_contract()),
        Err(_) => exit(EXIT_HOST_GONE),
    };
    boot.mismatch().or_else(single_thread::refusal).map_or(Ok(boot), Err)
}

/// A spawned run: boots, jails itself, and runs what it is told.
fn spawned(boot: &Boot, snapshot: Option<OwnedFd>, mut channel: Channel) -> ! {
    let mut walls = jail::before_v8();
    let isolate = match scope_snapshot::received(boot, snapshot) {
        Some(snapshot) => isolate::Isolate::boot_scope(boot, snapshot),
        None => isolate::Isolate::boot(boot),
    };
    memory::note_addresses();
    jail::close(boot, Occupant::Run, &mut walls);
    jail::close_run(boot, &mut walls);
    channel.send(&FromRun::Jailed { walls: walls.clone() });
    jail::insist(boot, &walls);
    run::serve(isolate, channel)
}
