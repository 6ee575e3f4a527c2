//! What a client is offered: a session, and the servers whose tools are to come.

use std::sync::Arc;

use crate::host::session::{Parts, Session};

/// A session to be served until the next one: [`serve_offers`](crate::mcp::serve_offers).
#[derive(Debug)]
pub struct Offer {
    session: Session,
    starting: Vec<String>,
}

impl Offer {
    /// All tools of `session`, and no others are to be expected.
    #[must_use]
    pub fn new(session: Session) -> Self {
        Self { session, starting: Vec::new() }
    }

    /// The same, where these servers are still starting. Lists do not wait for them; calls do for a few seconds.
    #[must_use]
    pub fn without_yet(mut self, servers: impl IntoIterator<Item = String>) -> Self {
        self.starting.extend(servers);
        self
    }

    pub(super) fn parts(&self) -> Arc<Parts> {
        self.session.parts()
    }

    /// The servers that are still starting.
    pub(super) fn starting(&self) -> &[String] {
        &self.starting
    }
}
