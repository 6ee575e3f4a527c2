//! What is served now: who is let in, and the sessions of the users. It can be replaced while requests are under way; they keep what they began with.

use std::sync::{Arc, PoisonError, RwLock};

use axum::http::request::Parts;
use futures::future::BoxFuture;
use isolet::{Principal, Session};
use isolet_http::{Authenticate, MakeSession, NoSession, ProtectedResource, Refusal};

use super::access::Access;
use super::user_sessions::UserSessions;

/// What is served now; cheap to clone, and all clones are one.
#[derive(Clone)]
pub(super) struct Current(Arc<RwLock<Arc<Serving>>>);

/// What one reading of the file gave.
pub(super) struct Serving {
    pub(super) access: Access,
    pub(super) sessions: UserSessions,
}

impl Current {
    pub(super) fn new(serving: Serving) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(serving))))
    }

    /// Serves this from now on.
    pub(super) fn replace(&self, serving: Serving) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(serving);
    }

    fn now(&self) -> Arc<Serving> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Authenticate for Current {
    fn principal<'a>(&'a self, head: &'a Parts) -> BoxFuture<'a, Result<Principal, Refusal>> {
        let serving = self.now();
        Box::pin(async move { serving.access.principal(head).await })
    }

    fn resource(&self) -> Option<ProtectedResource> {
        self.now().access.resource()
    }
}

impl MakeSession for Current {
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>> {
        let serving = self.now();
        Box::pin(async move { serving.sessions.session(principal).await })
    }
}
