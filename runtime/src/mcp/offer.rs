//! What a client is offered: a session, and a word on the servers whose tools are not in it.

use std::fmt::Write as _;
use std::sync::Arc;

use isolet_bindings::visible;

use crate::host::session::{Parts, Session};

/// Servers that are named, of those that still start and of those that failed.
const SERVERS_SHOWN_MAX: usize = 8;

/// A session to be served until the next one: [`serve_offers`](crate::mcp::serve_offers).
#[derive(Debug)]
pub struct Offer {
    session: Session,
    starting: Vec<String>,
    failed: Vec<String>,
}

impl Offer {
    /// All tools of `session`, and no others are to be expected.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, starting: Vec::new(), failed: Vec::new() }
    }

    /// The same, where these servers are still starting. Lists do not wait for them; calls do for a few seconds.
    #[must_use]
    pub fn without_yet(mut self, servers: impl IntoIterator<Item = String>) -> Self {
        self.starting.extend(servers);
        self
    }

    /// The same, where these servers cannot be used now. A model is not told why: that may be in the words of a server.
    #[must_use]
    pub fn without(mut self, servers: impl IntoIterator<Item = String>) -> Self {
        self.failed.extend(servers);
        self
    }

    pub(super) fn parts(&self) -> Arc<Parts> {
        self.session.parts()
    }

    /// Whether no server is still starting.
    pub(super) fn is_complete(&self) -> bool {
        self.starting.is_empty()
    }

    /// What a model is told of the servers whose tools are missing: a comment of TypeScript, a line each.
    pub(super) fn remarks(&self) -> String {
        let mut remarks = String::new();
        for server in self.starting.iter().take(SERVERS_SHOWN_MAX) {
            let _ = writeln!(remarks, "// the server `{}` is still starting: its tools come later", visible::line(server));
        }
        for server in self.failed.iter().take(SERVERS_SHOWN_MAX) {
            let _ = writeln!(
                remarks,
                "// the server `{}` cannot be used now: tell the user, if it is needed",
                visible::line(server)
            );
        }
        let more = self.starting.len().saturating_sub(SERVERS_SHOWN_MAX) + self.failed.len().saturating_sub(SERVERS_SHOWN_MAX);
        if more > 0 {
            let _ = writeln!(remarks, "// {more} more servers are starting or cannot be used");
        }
        remarks
    }
}
