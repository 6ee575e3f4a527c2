//! An MCP server with everything that the conformance suite asks for, in both eras: sessions that begin with `initialize`
//! (2025-11-25 and older) and self-contained requests (2026-07-28).

#![expect(
    deprecated,
    reason = "logging, sampling and roots are on their way out of the protocol, and still in both requirement sets"
)]

mod asking;
mod call;
mod era;
mod http;
mod lists;
mod media;
mod prompts;
mod questions;
mod resources;
mod seal;
mod server;
mod shared;
mod stream_end;
mod tool;
mod tools;

pub use http::router;
pub use server::Fixture;
