//! The only place that speaks MCP: the client of upstream servers, and (to come) both server faces of a scope. No type of rmcp leaves it.
//!
//! ```text
//! Configuration -> Upstreams -> UpstreamHost: ToolHost
//!                      |
//!                      +-- connection -- wire -- child -- (supervisor process) -- the server
//! ```
//!
//! rmcp logs whole requests and results, arguments included, at its `debug` level: a subscriber must leave `rmcp` at `warn`.

mod child;
mod configuration;
mod connection;
mod error;
mod result;
pub(crate) mod supervisor;
mod tool_list;
mod upstream_host;
mod upstreams;
mod wire;

pub use child::ENVIRONMENT_KEPT;
pub use configuration::{CONFIGURATION_BYTES_MAX, Configuration, ConfigurationError, ServerConfiguration};
pub use error::{Stage, UpstreamError};
pub use upstream_host::{Discovery, UpstreamHost};
pub use upstreams::{UpstreamOptions, Upstreams};
