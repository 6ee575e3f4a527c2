//! What the tracker stores, which is also what its tools answer: the doc comments here are the descriptions in the
//! output schemas.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::role::Role;

/// An issue's identifier: project key, dash, number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct IssueId {
    pub(crate) project: String,
    pub(crate) number: u32,
}

impl fmt::Display for IssueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.project, self.number)
    }
}

impl From<IssueId> for String {
    fn from(id: IssueId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for IssueId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.split_once('-')
            .and_then(|(project, number)| Some(Self { project: project.to_owned(), number: number.parse().ok()? }))
            .ok_or_else(|| format!("`{text}` is not an issue id: write it like `PAY-12`"))
    }
}

impl JsonSchema for IssueId {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IssueId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Z]{2,6}-[1-9][0-9]{0,6}$" })
    }
}

/// A person who uses the tracker.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct User {
    /// Short unique name, used wherever a user is referred to.
    pub(crate) handle: String,
    /// Full name.
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) role: Role,
    pub(crate) team: String,
    /// False for people who left: they keep their history but cannot be assigned.
    pub(crate) active: bool,
    pub(crate) joined_on: Date,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
    Public,
    Restricted,
}

/// A body of work with issues and milestones of its own.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Project {
    /// Unique prefix of its issue ids, for example `PAY`.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) description: String,
    /// Handle of the user who is responsible.
    pub(crate) lead: String,
    /// Restricted projects are invisible to viewers.
    pub(crate) visibility: Visibility,
    /// Archived projects accept no changes.
    pub(crate) archived: bool,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Open,
    InProgress,
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    Low,
    Medium,
    High,
    Urgent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Bug,
    Feature,
    Task,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CloseReason {
    /// The work was done.
    Completed,
    /// Decided against.
    NotPlanned,
    /// Another issue covers it.
    Duplicate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relation {
    Blocks,
    BlockedBy,
    Duplicates,
    DuplicatedBy,
    RelatesTo,
}

impl Relation {
    /// How the other issue is related to this one.
    pub(crate) fn inverse(self) -> Self {
        match self {
            Self::Blocks => Self::BlockedBy,
            Self::BlockedBy => Self::Blocks,
            Self::Duplicates => Self::DuplicatedBy,
            Self::DuplicatedBy => Self::Duplicates,
            Self::RelatesTo => Self::RelatesTo,
        }
    }
}

/// A relation to another issue of the same project.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub(crate) struct Link {
    pub(crate) relation: Relation,
    pub(crate) issue: IssueId,
}

/// A bug, a wish or a piece of work.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Issue {
    pub(crate) id: IssueId,
    /// Key of its project.
    pub(crate) project: String,
    pub(crate) title: String,
    /// Markdown.
    pub(crate) body: String,
    pub(crate) kind: Kind,
    pub(crate) state: State,
    pub(crate) priority: Priority,
    /// Names of labels, sorted.
    pub(crate) labels: Vec<String>,
    /// Handle of the user who works on it; null if nobody does.
    pub(crate) assignee: Option<String>,
    /// Handle of the user who filed it.
    pub(crate) reporter: String,
    /// Id of its milestone, for example `PAY-M2`.
    pub(crate) milestone: Option<String>,
    pub(crate) estimate_hours: Option<f64>,
    pub(crate) created_at: Timestamp,
    /// Time of the last change or comment.
    pub(crate) updated_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    /// Null unless the issue is closed.
    pub(crate) close_reason: Option<CloseReason>,
    pub(crate) comment_count: u32,
    pub(crate) links: Vec<Link>,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Comment {
    pub(crate) id: u32,
    pub(crate) issue: IssueId,
    /// Handle of the user who wrote it.
    pub(crate) author: String,
    /// Markdown.
    pub(crate) body: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) description: String,
    /// `#` and six hexadecimal digits.
    pub(crate) color: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MilestoneState {
    Open,
    Closed,
}

/// A release or a date that issues are planned for.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Milestone {
    /// Unique, for example `PAY-M2`.
    pub(crate) id: String,
    /// Key of its project.
    pub(crate) project: String,
    pub(crate) title: String,
    pub(crate) due_on: Date,
    pub(crate) state: MilestoneState,
}

/// What happened to an issue: one kind of change each.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Change {
    Created,
    Commented { comment: u32 },
    Assigned { from: Option<String>, to: Option<String> },
    StateChanged { from: State, to: State },
    PriorityChanged { from: Priority, to: Priority },
    Edited { fields: Vec<String> },
    Linked { relation: Relation, issue: IssueId },
}

#[derive(Clone, Debug, Serialize, JsonSchema)]
pub(crate) struct Event {
    pub(crate) issue: IssueId,
    pub(crate) at: Timestamp,
    /// Handle of the user who did it.
    pub(crate) actor: String,
    pub(crate) change: Change,
}
