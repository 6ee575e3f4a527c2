//! What a router serves, to whom it answers, and what one of them can take of it.

use std::net::SocketAddr;
use std::time::Duration;

use isolet::mcp::{Mode, ServeOptions};

use crate::authorizations::Authorizations;
use crate::ending::Ending;
use crate::names::ServiceNames;
use crate::renewal::Renewal;

/// Which ways to the tools there are. Default: all.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faces {
    /// `/v1/run`, `/v1/types` and `/v1/tools`.
    pub run: bool,
    /// `/mcp` and `/mcp/code`.
    pub code: bool,
    /// `/mcp/classic`.
    pub classic: bool,
    /// `/mcp/search`.
    pub search: bool,
}

impl Default for Faces {
    fn default() -> Self {
        Self { run: true, code: true, classic: true, search: true }
    }
}

/// How a router serves. Every quantity is a maximum.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Options {
    /// What the service is called. A request for another host, or of a page of another origin, is answered 403.
    pub names: ServiceNames,
    /// Which ways to the tools there are.
    pub faces: Faces,
    /// How the faces of MCP are; the mode is that of the route.
    pub serve: ServeOptions,
    /// The longest silence of a stream, by comments. Default 10 s, and of MCP by progress too: [`ServeOptions::heartbeat`].
    pub heartbeat: Duration,
    /// A request's body, bytes. Default 2 MiB: a program has at most 256 KiB and arguments 1 MiB, which JSON may write as twice as many. Past it: 413.
    pub body_bytes_max: usize,
    /// From a request's head to the end of its body. Default 10 s. Past it: 408.
    pub body_max: Duration,
    /// Requests of one principal at a time, streams included. Default 64. One more is answered 429.
    pub requests_of_principal_max: usize,
    /// Sessions of MCP clients before 2026-07-28, of all principals. Default 1,024. One more is answered 503.
    pub mcp_sessions_max: usize,
    /// Those of one principal. Default 32. One more takes the place of the one that was used longest ago; if all are in use, it is answered 429.
    pub mcp_sessions_of_principal_max: usize,
    /// How long one of them is kept after its last request. Default 30 minutes. Past it: 404, and its client begins again.
    pub mcp_session_idle_max: Duration,
    /// How users authorize servers. Default: nobody is asked here.
    pub authorizations: Option<Authorizations>,
    /// Sessions are made otherwise.
    pub renewal: Renewal,
    /// The end of the service.
    pub ending: Ending,
}

impl Options {
    /// The defaults, for a service with these names.
    #[must_use]
    pub fn new(names: ServiceNames) -> Self {
        Self {
            names,
            faces: Faces::default(),
            serve: ServeOptions::new(Mode::Code),
            heartbeat: Duration::from_secs(10),
            body_bytes_max: 2 << 20,
            body_max: Duration::from_secs(10),
            requests_of_principal_max: 64,
            mcp_sessions_max: 1_024,
            mcp_sessions_of_principal_max: 32,
            mcp_session_idle_max: Duration::from_secs(30 * 60),
            authorizations: None,
            renewal: Renewal::default(),
            ending: Ending::default(),
        }
    }

    /// The defaults, for a server that listens at `address`.
    #[must_use]
    pub fn of_address(address: SocketAddr) -> Self {
        Self::new(ServiceNames::of(address))
    }

    /// The same, changed by `set`.
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}
