//! How a process is started to be a guest, and with which codes it ends.

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
