//! The official MCP conformance suite (`@modelcontextprotocol/conformance`), and what this project needs around it.
//!
//! * [`fixture`]: an MCP server of our own that passes every scenario of both requirement sets by itself. Whatever fails with a gateway
//!   in front of it is therefore the gateway's fault. The program `conformance-fixture` serves it.
//! * [`runner`]: installs the suite, runs its requirement sets against a server or a client, and compares what came out with a file of
//!   exceptions. The program `conformance` is its command line.
//!
//! What a client under test has to do in each scenario is written down in `CLIENT.md`.

#![allow(clippy::exhaustive_enums, clippy::exhaustive_structs, reason = "nobody depends on the tests")]

pub mod fixture;
pub mod runner;
