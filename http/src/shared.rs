//! What all requests of a router share. No user is in it but those who have requests or sessions.

use std::sync::Arc;

use isolet::{Principal, PrincipalKey, Runtime, Session};

use crate::authentication::Authenticate;
use crate::counters::Counters;
use crate::make_session::{MakeSession, NoSession};
use crate::mcp::store::Store;
use crate::options::Options;
use crate::request_slots::RequestSlots;

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) runtime: Runtime,
    pub(crate) authenticate: Box<dyn Authenticate>,
    pub(crate) sessions: Box<dyn MakeSession>,
    pub(crate) options: Options,
    pub(crate) request_slots: Arc<RequestSlots>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) mcp: Store,
}

impl Shared {
    /// The session of a request of `principal`, whose turns its runs take.
    pub(crate) async fn session(&self, principal: &Principal) -> Result<Session, NoSession> {
        Ok(self.sessions.session(principal).await?.of_user(user_of(&principal.key())))
    }

    /// The principal has authorized a server: sessions that are kept do not know its tools, and their clients begin again.
    pub(crate) fn has_authorized(&self, principal: &Principal) {
        self.mcp.end_all_of(&principal.key());
    }
}

/// One text for each principal.
fn user_of(principal: &PrincipalKey) -> String {
    match principal.tenant() {
        None => format!("user {}", principal.user()),
        Some(tenant) => format!("tenant {tenant:?} user {}", principal.user()),
    }
}
