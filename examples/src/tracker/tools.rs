//! All tools, one module for each thing that they are about.

mod arguments;
mod comments;
mod deleted;
mod issues;
mod labels;
mod milestones;
mod projects;
mod reports;
mod search;
mod users;

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
