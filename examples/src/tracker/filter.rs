//! A condition on issues: a tree of `all`, `any`, `not` and simple tests.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;

use super::row::{Issue, Kind, Priority, State};

/// The deepest nesting of a condition that is accepted.
pub(crate) const DEPTH_MAX: usize = 8;

/// A condition on an issue.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Condition {
    /// All of these hold. An empty list always holds.
    All(Vec<Condition>),
    /// At least one of these holds. An empty list never holds.
    Any(Vec<Condition>),
    /// This does not hold.
    Not(Box<Condition>),
    /// Its project has this key.
    Project(String),
    /// Its state is one of these.
    State(Vec<State>),
    /// Its priority is this or higher.
    PriorityAtLeast(Priority),
    Kind(Kind),
    /// It has this label.
    Label(String),
    /// Handle of its assignee; null: nobody works on it.
    Assignee(Option<String>),
    Reporter(String),
    /// Id of its milestone; null: it is in none.
    Milestone(Option<String>),
    /// Every word occurs in the title or in the body, in any case.
    Text(String),
    CreatedAt(Period),
    UpdatedAt(Period),
    /// Open issues never match.
    ClosedAt(Period),
}

/// A span of time. An end that is left out is open.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Period {
    /// At or after this time.
    pub(crate) from: Option<Timestamp>,
    /// Before this time.
    pub(crate) before: Option<Timestamp>,
}

impl Period {
    pub(crate) fn contains(self, time: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= time) && self.before.is_none_or(|before| time < before)
    }
}

impl Condition {
    pub(crate) fn matches(&self, issue: &Issue) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|condition| condition.matches(issue)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.matches(issue)),
            Self::Not(condition) => !condition.matches(issue),
            Self::Project(key) => issue.project == *key,
            Self::State(states) => states.contains(&issue.state),
            Self::PriorityAtLeast(priority) => issue.priority >= *priority,
            Self::Kind(kind) => issue.kind == *kind,
            Self::Label(name) => issue.labels.contains(name),
            Self::Assignee(handle) => issue.assignee == *handle,
            Self::Reporter(handle) => issue.reporter == *handle,
            Self::Milestone(id) => issue.milestone == *id,
            Self::Text(words) => contains_words(issue, words),
            Self::CreatedAt(period) => period.contains(issue.created_at),
            Self::UpdatedAt(period) => period.contains(issue.updated_at),
            Self::ClosedAt(period) => issue.closed_at.is_some_and(|time| period.contains(time)),
        }
    }

    /// 1 for a simple test, and one more for each `all`, `any` or `not` around it.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::All(conditions) | Self::Any(conditions) => 1 + conditions.iter().map(Self::depth).max().unwrap_or(0),
            Self::Not(condition) => 1 + condition.depth(),
            _ => 1,
        }
    }
}

fn contains_words(issue: &Issue, words: &str) -> bool {
    let text = format!("{}\n{}", issue.title, issue.body).to_lowercase();
    words.to_lowercase().split_whitespace().all(|word| text.contains(word))
}
