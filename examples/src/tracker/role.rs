//! Who may do what: three roles, each of which may do all that the one below it may.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a user may do in the whole tracker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads public projects.
    Viewer,
    /// Also reads restricted projects and writes issues, comments, labels and milestones.
    Member,
    /// Also deletes, moves projects and manages users.
    Admin,
}

impl Role {
    pub(crate) fn with_article(self) -> &'static str {
        match self {
            Self::Viewer => "a viewer",
            Self::Member => "a member",
            Self::Admin => "an admin",
        }
    }
}

/// The user on whose behalf one call is made.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) handle: String,
    pub(crate) role: Role,
    /// Identifies the query of this call (tool and arguments but for `limit` and `cursor`), so that a cursor only
    /// continues the listing that it came from.
    pub(crate) query: u64,
}
