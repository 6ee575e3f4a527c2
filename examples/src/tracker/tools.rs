//! All tools, one module for each thing that they are about.

mod comments;
mod issues;
mod labels;
mod milestones;
mod projects;
mod reports;
mod search;
mod users;

use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};

use super::tool::Tool;

/// Every tool of the tracker, in the order in which it lists them.
pub(crate) fn all() -> Vec<Tool> {
    [
        users::tools(),
        projects::tools(),
        issues::tools(),
        comments::tools(),
        labels::tools(),
        milestones::tools(),
        search::tools(),
        reports::tools(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The arguments of a tool that takes none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// That something is gone.
#[derive(Debug, Serialize, JsonSchema)]
struct Deleted {
    /// Its identifier.
    deleted: String,
}

/// Which way a listing is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    Ascending,
    #[default]
    Descending,
}

/// Decodes a field that may be absent (`None`), null (`Some(None)`) or a value.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Removes `default: null` from the schema of a field for which null and absence mean two things.
fn without_default(schema: &mut Schema) {
    schema.remove("default");
}
