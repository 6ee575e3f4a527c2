//! Sessions over HTTP, for whoever a request is from: programs, types, tools, and MCP in both eras of the protocol.
//!
//! ```text
//! connection -> log -> Host, Origin, JSON -> whose request -> the body, in time -> a session of that principal -> an answer or a stream
//! ```
//!
//! | route | gives |
//! |---|---|
//! | `POST /v1/run` | the outcome of `{"code": ...}` as JSON; with `Accept: text/event-stream` console lines and calls as they happen, and the outcome last |
//! | `GET /v1/types` | the TypeScript of the tools; `?tokens=N` within a budget |
//! | `GET /v1/tools` | the tools as JSON |
//! | `/mcp`, `/mcp/code` | MCP over streamable HTTP: code mode |
//! | `/mcp/classic`, `/mcp/search` | the same: a tool each, and search |
//! | `POST /v1/authorizations`, `/v1/authorizations/callback` | for an application's page on which a user authorizes a server: what to open, and what came back |
//! | `/authorize/...` | that page, where the application has none |
//! | `/.well-known/oauth-protected-resource` | whose tokens are taken here, for clients with OAuth |
//! | `GET /metrics` | what was counted, for Prometheus, without any user |
//! | `GET /healthz`, `/readyz` | whether the process lives, and whether it takes requests; for anybody |
//!
//! The router is axum's and the names of what is refused are its `http` types: a new major version of axum is one of this crate.
//!
//! [`router`] is nested by an application that has a server and an authentication of its own; [`serve`] is a server with bounds for who has none.
//! A closure from the head of a request to a [`Principal`](isolet::Principal) authenticates, and one from that to a [`Session`](isolet::Session)
//! makes sessions:
//!
//! ```no_run
//! use axum::http::request::Parts;
//! use isolet::{Config, Grants, Principal, Runtime};
//! use isolet_http::{BearerKeys, Key, NoSession, Options, ServerLimits};
//!
//! # async fn serve(catalog: isolet::Catalog, tools: impl isolet::ToolHost + Clone) -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = Runtime::new(Config::default())?;
//! let key = Key::new()?;
//! let keys = BearerKeys::new().with(key.hash(), Principal::new("ada").with_role("admin"));
//! let listener = isolet_http::listen("127.0.0.1:0".parse()?)?;
//! let options = Options::of_address(listener.local_addr()?);
//! let sessions = {
//!     let runtime = runtime.clone();
//!     move |_: &Principal| {
//!         let scope = catalog.scope(&Grants::new().allow("github.*")).map_err(NoSession::failed)?;
//!         Ok::<_, NoSession>(runtime.session(scope, tools.clone()))
//!     }
//! };
//! let ending = options.ending.clone(); // `begin` it when the process is told to end
//! isolet_http::serve(listener, isolet_http::router(runtime, keys, sessions, options), ServerLimits::default(), ending).await;
//! # Ok(())
//! # }
//! ```

mod admission;
mod answers;
mod authentication;
mod authorizations;
mod authorize;
mod browsers;
mod connections;
mod consent_page;
mod counters;
mod ending;
mod events;
mod guards;
mod keys;
mod limits;
mod listener;
mod log;
mod make_session;
mod mcp;
mod metrics;
mod names;
mod options;
mod proxy;
mod refusal;
mod renewal;
mod request_slots;
mod resource;
mod resource_metadata;
mod router;
mod run;
mod shared;
mod tools;

pub use authentication::Authenticate;
pub use authorizations::Authorizations;
pub use ending::Ending;
pub use keys::{BearerKeys, Key, KeyHash, NotAKeyHash};
pub use limits::ServerLimits;
pub use listener::{listen, serve};
pub use make_session::{MakeSession, NoSession};
pub use names::ServiceNames;
pub use options::{Faces, Options};
pub use proxy::{NotAPeerRange, Peer, PeerRange, TrustedProxy};
pub use refusal::Refusal;
pub use renewal::Renewal;
pub use resource::ProtectedResource;
pub use router::router;
