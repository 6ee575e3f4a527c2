//! One line of a file that decides something for a user.

use std::fmt;

use isolet::Grants;
use serde_json::Value;

/// A rule, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rule {
    pub(crate) what: What,
    /// The role that brings it; none where it is the user's own.
    pub(crate) role: Option<String>,
    /// The line; none where no file says it.
    pub(crate) line: Option<usize>,
}

/// What a rule decides.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// Tools that match may be called.
    Allow(String),
    /// Tools that match may not.
    Deny(String),
    /// Tools that match change nothing.
    ReadOnly(String),
    /// A tool has another name.
    Rename {
        /// Its address.
        tool: String,
        /// Its name here.
        name: String,
    },
    /// A tool has another description.
    Describe {
        /// Its address.
        tool: String,
        /// What is said of it here.
        text: String,
    },
    /// An argument of a tool is fixed.
    Pin {
        /// Its address.
        tool: String,
        /// The argument.
        argument: String,
        /// Its value.
        value: Value,
    },
}

impl Rule {
    /// Everything is allowed, where no file says who is.
    pub(crate) fn everything() -> Self {
        Self { what: What::Allow("*".to_owned()), role: None, line: None }
    }

    /// The grants, and this.
    pub(crate) fn applied_to(&self, grants: Grants) -> Grants {
        match &self.what {
            What::Allow(pattern) => grants.allow(pattern),
            What::Deny(pattern) => grants.deny(pattern),
            What::ReadOnly(pattern) => grants.trust_read_only(pattern),
            What::Rename { tool, name } => grants.rename(tool, name),
            What::Describe { tool, text } => grants.describe(tool, text),
            What::Pin { tool, argument, value } => grants.pin(tool, argument, value.clone()),
        }
    }

    /// The pattern, or the address of the tool.
    pub(crate) fn pattern(&self) -> &str {
        match &self.what {
            What::Allow(pattern) | What::Deny(pattern) | What::ReadOnly(pattern) => pattern,
            What::Rename { tool, .. } | What::Describe { tool, .. } | What::Pin { tool, .. } => tool,
        }
    }

    /// Whether both decide the same thing, each otherwise.
    pub(crate) fn contradicts(&self, other: &Self) -> bool {
        match (&self.what, &other.what) {
            (What::Allow(one), What::Deny(another)) | (What::Deny(one), What::Allow(another)) => {
                one == another && self.role == other.role
            }
            (What::Rename { tool, name }, What::Rename { tool: tool_2, name: name_2 }) => tool == tool_2 && name != name_2,
            (What::Describe { tool, text }, What::Describe { tool: tool_2, text: text_2 }) => tool == tool_2 && text != text_2,
            (What::Pin { tool, argument, value }, What::Pin { tool: tool_2, argument: argument_2, value: value_2 }) => {
                tool == tool_2 && argument == argument_2 && value != value_2
            }
            _ => false,
        }
    }
}

impl fmt::Display for Rule {
    /// What it decides, as a few words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Allow(pattern) => write!(f, "`{pattern}` is allowed"),
            What::Deny(pattern) => write!(f, "`{pattern}` is denied"),
            What::ReadOnly(pattern) => write!(f, "`{pattern}` is said to change nothing"),
            What::Rename { tool, name } => write!(f, "`{tool}` is renamed to `{name}`"),
            What::Describe { tool, .. } => write!(f, "`{tool}` is described"),
            What::Pin { tool, argument, value } => write!(f, "`{argument}` of `{tool}` is fixed to {value}"),
        }
    }
}
