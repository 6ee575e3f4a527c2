//! All that speaks MCP: the client of upstream servers, and both server faces of a session. No type of rmcp leaves it.
//!
//! ```text
//! Configuration -> Upstreams -> UpstreamHost: ToolHost
//!                      |
//!                      +-- connection -- wire -- child -- (supervisor process) -- the server
//!                      |             +-- http_transport -- http_client -- (isolet-outbound) -- the server
//!                      +-- apis -- api_call -- (isolet-openapi) -- the API
//!                      +-- credential_supply -- CredentialSource: what each of them is sent, and sent: what does not come back
//!
//! Transport -> client_line -> handler -> face -> classic   -> gate -> ToolHost
//!                                             -> code mode -> a run
//!                                             -> search    -> classic
//! ```
//!
//! Both lines, that of a server and that of a client, bound what they take, what waits, and what is logged; what outlives a request is listed in
//! ARCHITECTURE.md. rmcp logs whole requests and results, arguments included, at its `debug` level: a subscriber must leave `rmcp` at `warn`.

mod answer;
mod api_call;
mod apis;
mod asking;
mod audience;
mod authorization_pages;
mod border;
mod changes;
mod classic;
mod classic_name;
mod classic_offers;
mod client_asker;
mod client_capabilities;
mod client_line;
mod client_params;
mod code_mode;
mod configuration;
mod configuration_error;
mod configuration_text;
mod connection;
mod credential_error;
mod credential_source;
mod credential_supply;
mod entry;
mod entry_credentials;
mod entry_oauth;
mod entry_surroundings;
mod env_file;
mod error;
mod face;
mod face_tools;
mod failure;
mod far_end;
mod faults;
mod fitted;
mod flood;
mod handler;
mod handshake;
mod hearing;
mod http_client;
mod http_endpoint;
mod http_events;
mod http_fault;
mod http_headers;
mod http_line;
mod http_transport;
mod keyring;
mod known_lists;
mod list;
mod log_gate;
mod lossless;
mod news;
mod oauth_settings;
mod offer;
mod offered;
mod ongoing;
mod open_calls;
mod opening;
mod options;
mod own_arguments;
mod own_name;
mod pending;
mod question;
mod remarks;
mod request_params;
mod resource_watch;
mod result;
mod rounds;
mod run_result;
mod search_face;
mod secret_value;
mod sent;
mod server_answer;
mod server_configuration;
mod server_environment;
mod server_key;
mod server_offers;
mod server_process;
mod sieve;
mod subscription_id;
mod subscriptions;
pub(crate) mod supervisor;
mod tool_list;
mod tool_search;
mod transport;
mod upstream_host;
mod upstream_options;
mod upstreams;
mod usage;
mod variables;
mod watches;
mod wire;

pub use apis::LeftOutOperation;
pub use classic_name::{ClassicNames, classic_name, classic_names};
pub use configuration::Configuration;
pub use configuration_error::{CONFIGURATION_BYTES_MAX, ConfigurationError, ConfigurationWarning, NotToml};
pub use credential_error::CredentialError;
pub use credential_source::{Challenge, CredentialRequest, CredentialSource, Credentials, Given, Giving};
pub use entry_credentials::EntryCredentials;
pub use error::{Stage, UpstreamError};
pub use face::{ServeError, serve_offers};
pub use isolet_outbound::{Destination, NotADestination, OutboundError, Policy, Secret, ShortSecret, Url};
pub use keyring::{KeyringEntry, KeyringError};
pub use oauth_settings::{IdentityProvider, OAuthGrant, OAuthSettings};
pub use offer::Offer;
pub use open_calls::OpenCalls;
pub use options::{Mode, Results, ServeOptions};
pub use result::reply;
pub use secret_value::SecretValue;
pub use server_configuration::{CommandServer, Document, HttpServer, OpenApiServer, ServerConfiguration};
pub use server_environment::ENVIRONMENT_KEPT;
pub use transport::{Transport, channel};
pub use upstream_host::{Discovery, ToolChanges, UpstreamHost};
pub use upstream_options::UpstreamOptions;
pub use upstreams::Upstreams;
pub use variables::Variables;
