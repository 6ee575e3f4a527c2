//! How a process is started to be a guest, and with which codes it ends.
#![allow(unsafe_code, reason = "takes the descriptor that it was started with")]

use std::ffi::OsString;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;

#[cfg(not(feature = "guest"))]
use super::{parcel::Sending, run::FromRun};

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

/// Of which kind this process is to be, and its socket, if it was started to be a guest: by its first argument *and* a socket as its fourth
/// descriptor. Call it once.
pub(crate) fn asked() -> Option<(OsString, UnixStream)> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|argument| argument != ARGUMENT) || !is_socket(SOCKET) {
        return None;
    }
    // SAFETY: the descriptor is open, and the host gave it to nothing else in this process.
    let socket = UnixStream::from(unsafe { OwnedFd::from_raw_fd(SOCKET) });
    Some((arguments.next().unwrap_or_default(), socket))
}

/// Says so and ends, if this process was started to be a guest: this build has no guest side.
#[cfg(not(feature = "guest"))]
pub(crate) fn refuse_if_asked() {
    if let Some((_, socket)) = asked() {
        let reason = "its executable was built without the feature `guest`: set `Config::executable` to a program that has it, as `isolet`";
        // The same frame for every kind of guest.
        let _ = Sending::<OwnedFd>::new(&FromRun::Refused { reason: reason.to_owned() }, None).send(&socket);
        std::process::exit(EXIT_HOST_GONE);
    }
}

fn is_socket(descriptor: i32) -> bool {
    // SAFETY: `fstat` writes to a structure of the right size; a closed descriptor is an error and nothing else.
    let kind = unsafe {
        let mut status = std::mem::zeroed::<libc::stat>();
        (libc::fstat(descriptor, &raw mut status) == 0).then_some(status.st_mode & libc::S_IFMT)
    };
    kind == Some(libc::S_IFSOCK)
}
