//! The only place that speaks MCP: the client of upstream servers, and both server faces of a session. No type of rmcp leaves it.
//!
//! ```text
//! Configuration -> Upstreams -> UpstreamHost: ToolHost
//!                      |
//!                      +-- connection -- wire -- child -- (supervisor process) -- the server
//!
//! Transport -> client_line -> handler -> face -> classic   -> gate -> ToolHost
//!                                             -> code mode -> a run
//!                                             -> search    -> classic
//! ```
//!
//! Both lines, that of a server and that of a client, bound what they take, what waits, and what is logged; what outlives a request is listed in
//! ARCHITECTURE.md. rmcp logs whole requests and results, arguments included, at its `debug` level: a subscriber must leave `rmcp` at `warn`.

mod answer;
mod classic;
mod classic_name;
mod client_line;
mod client_params;
mod client_requests;
mod code_mode;
mod configuration;
mod connection;
mod envelope;
mod error;
mod face;
mod faults;
mod flood;
mod handler;
mod known_lists;
mod line_reader;
mod log_gate;
mod lossless;
mod lost_id;
mod options;
mod output;
mod own_name;
mod pending;
mod refusal;
mod request_params;
mod result;
mod search_face;
mod server_answer;
mod server_key;
mod server_process;
mod sieve;
pub(crate) mod supervisor;
mod tool_list;
mod tool_search;
mod transport;
mod upstream_host;
mod upstreams;
mod wire;

pub use configuration::{CONFIGURATION_BYTES_MAX, Configuration, ConfigurationError, ServerConfiguration};
pub use error::{Stage, UpstreamError};
pub use face::{ServeError, ServeSoonError, serve_soon};
pub use options::{Mode, Results, ServeOptions};
pub use server_process::ENVIRONMENT_KEPT;
pub use transport::{ClientTransport, Closed, Transport, channel};
pub use upstream_host::{Discovery, UpstreamHost};
pub use upstreams::{UpstreamOptions, Upstreams};
