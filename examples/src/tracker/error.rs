//! Why the tracker refuses a call, in words that tell the caller what to do instead.
//!
//! All but [`TrackerError::UnknownTool`] and [`TrackerError::Bug`] are errors of the tool, not of the protocol: over MCP they are results with
//! `isError`, so that a model can read them and try again (MCP 2025-11-25, tools, "Error Handling").

use super::role::Role;

/// A call that the tracker refused. Nothing was changed.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum TrackerError {
    /// No tool of that name. Over MCP: JSON-RPC error -32602.
    #[error("unknown tool `{tool}`: `tools/list` names all tools")]
    UnknownTool {
        /// The name that was asked for.
        tool: String,
    },
    /// The arguments do not match the tool's input schema, or contradict each other.
    #[error("invalid arguments for `{tool}`: {reason}")]
    InvalidArguments {
        /// The tool that was called.
        tool: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The caller's role does not allow it.
    #[error("`{user}` is {role} and may not {action}: ask {needed}")]
    Forbidden {
        /// The caller's handle.
        user: String,
        /// The role that the caller has, with its article.
        role: &'static str,
        /// What was refused: "use `delete_issue`".
        action: String,
        /// Who could do it.
        needed: &'static str,
    },
    /// There is no such row, or the caller may not know of it: the two cannot be told apart.
    #[error("no {kind} `{id}`: {remedy}")]
    NotFound {
        /// `issue`, `project`, `user`, ...
        kind: &'static str,
        /// The identifier that was asked for.
        id: String,
        /// Which tool lists those that exist.
        remedy: &'static str,
    },
    /// The tracker contradicts itself: its own fault, never the caller's.
    #[error("BUG in `{tool}`: {reason}")]
    Bug {
        /// The tool that was called.
        tool: String,
        /// What should not have happened.
        reason: String,
    },
    /// The row is in a state that does not allow the change.
    #[error("{reason}")]
    Conflict {
        /// What stands in the way, and the way out.
        reason: String,
    },
}

impl TrackerError {
    /// A short word for programs: `unknown_tool`, `invalid_arguments`, `forbidden`, `not_found`, `conflict`
    /// or `bug`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::InvalidArguments { .. } => "invalid_arguments",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound { .. } => "not_found",
            Self::Conflict { .. } => "conflict",
            Self::Bug { .. } => "bug",
        }
    }

    pub(crate) fn bug(tool: &str, reason: impl Into<String>) -> Self {
        Self::Bug { tool: tool.to_owned(), reason: reason.into() }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict { reason: reason.into() }
    }

    pub(crate) fn forbidden(user: &str, role: Role, action: String, needs: Role) -> Self {
        let needed = match needs {
            Role::Admin => "an admin",
            Role::Member | Role::Viewer => "a member of the team",
        };
        Self::Forbidden { user: user.to_owned(), role: role.with_article(), action, needed }
    }
}
