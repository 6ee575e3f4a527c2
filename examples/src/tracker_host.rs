//! One user's view of the tracker, as the tools of a session: the user is the credential.

use std::sync::Arc;

use isolet::{Grants, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::Value;

use crate::tracker::{Reply, Role, Tracker};

/// What a role may call: everything but the tools of higher roles.
#[must_use]
pub fn grants_of(role: Role) -> Grants {
    let definitions = Tracker::definitions();
    let names = definitions.iter().filter_map(|tool| tool["name"].as_str());
    let denied = names.filter(|name| Tracker::needed_role(name).is_some_and(|needed| needed > role));
    denied.fold(Grants::new().allow("tracker.*"), |grants, name| grants.deny(format!("tracker.{name}")))
}

/// Calls the tracker as one user.
pub struct TrackerHost {
    tracker: Arc<Tracker>,
    user: String,
}

impl TrackerHost {
    /// The tracker for `user`, by login.
    #[must_use]
    pub fn new(tracker: Arc<Tracker>, user: impl Into<String>) -> Self {
        Self { tracker, user: user.into() }
    }
}

impl ToolHost for TrackerHost {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match self.tracker.call(&self.user, &call.tool, Value::Object(call.arguments.as_map().clone())) {
            Ok(Reply::Structured(value)) => Ok(ToolReply::from(value)),
            Ok(Reply::Text(text)) => Ok(ToolReply::text(text)),
            Err(error) => Err(ToolError::failed(error.to_string())),
        }
    }
}
