//! Who hears what is said of a call while it goes on: the client of the request that waits for it. A call that waits for an answer of its client has none
//! until that comes back, with a request of another name.

use std::sync::{Arc, Mutex, PoisonError};

use rmcp::model::ProgressToken;
use rmcp::service::RequestContext;
use rmcp::{Peer, RoleServer};

/// The client of the request that waits now, and how that calls its progress.
#[derive(Clone)]
pub(super) struct Hearer {
    pub(super) client: Peer<RoleServer>,
    pub(super) token: Option<ProgressToken>,
}

/// Who hears of one call.
#[derive(Clone, Default)]
pub(super) struct Audience(Arc<Mutex<Option<Hearer>>>);

impl Audience {
    /// That of the call of this request.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        context.extensions.get().cloned().unwrap_or_else(|| {
            let audience = Self::default();
            audience.follow(context);
            audience
        })
    }

    /// From now on it is this request that waits.
    pub(super) fn follow(&self, context: &RequestContext<RoleServer>) {
        self.set(Some(Hearer { client: context.peer.clone(), token: context.meta.get_progress_token() }));
    }

    /// From now on none waits.
    pub(super) fn leave(&self) {
        self.set(None);
    }

    /// Whoever hears now.
    pub(super) fn now(&self) -> Option<Hearer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, hearer: Option<Hearer>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = hearer;
    }
}
