//! What all requests share, and the session of one.

use std::sync::Arc;

use isolet::{Catalog, Config, Runtime, Session};

use super::users::{User, Users};
use crate::tracker::Tracker;
use crate::tracker_host::{TrackerHost, grants_of};

/// What all requests share. No user is in it but those who are signed in.
pub(super) struct Backend {
    runtime: Runtime,
    catalog: Catalog,
    tracker: Arc<Tracker>,
    pub(super) users: Users,
}

impl Backend {
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.live_runs_max = 128;
        // A quarter, so that one user who sends much leaves places to the others.
        config.live_runs_of_user_max = 32;
        Ok(Self {
            runtime: Runtime::new(config)?,
            catalog: Catalog::load([("tracker", Tracker::definitions())])?,
            tracker: Arc::new(Tracker::new()),
            users: Users::sign_in()?,
        })
    }

    /// The session of one request. What the user may not call is not in it, and its runs take the user's turns.
    pub(super) fn session(&self, user: &User) -> anyhow::Result<Session> {
        let scope = self.catalog.scope(&grants_of(user.role))?;
        Ok(self.runtime.session(scope, TrackerHost::new(Arc::clone(&self.tracker), user.name)).of_user(user.name))
    }
}
