//! The client against real sockets on this machine: servers that follow a script, a resolver that says what a test wants.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

mod addresses;
mod answers;
mod certificates;
mod proxies;
mod redirects;
mod server;
