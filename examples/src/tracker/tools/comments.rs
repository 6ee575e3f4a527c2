//! What people say about an issue.

use schemars::JsonSchema;
use serde::Deserialize;

use super::deleted::Deleted;
use crate::tracker::{
    error::TrackerError,
    page::{Limit, Page},
    role::{Caller, Role},
    row::{Change, Comment, IssueId},
    store::Store,
    tool::{About, Effect, Tool},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "list_comments",
                title: "List comments",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "The comments on one issue, oldest first, page by page.",
            },
            list_comments,
        ),
        Tool::structured(
            About {
                name: "add_comment",
                title: "Add a comment",
                needs: Role::Member,
                effect: Effect::Adds,
                description: "Comments on an issue in your name. Markdown.",
            },
            add_comment,
        ),
        Tool::structured(
            About {
                name: "delete_comment",
                title: "Delete a comment",
                needs: Role::Member,
                effect: Effect::Destroys,
                description: "Deletes a comment of your own; admins may delete any.",
            },
            delete_comment,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListComments {
    issue: IssueId,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn list_comments(store: &mut Store, caller: &Caller, arguments: ListComments) -> Result<Page<Comment>, TrackerError> {
    store.issue(caller, &arguments.issue)?;
    let rows = store.comments.values().filter(|comment| comment.issue == arguments.issue).cloned().collect();
    Page::of(rows, caller, "list_comments", arguments.limit, arguments.cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddComment {
    issue: IssueId,
    /// Markdown.
    #[schemars(length(min = 1, max = 10_000))]
    body: String,
}

fn add_comment(store: &mut Store, caller: &Caller, arguments: AddComment) -> Result<Comment, TrackerError> {
    let AddComment { issue: id, body } = arguments;
    store.writable_issue(caller, &id)?.comment_count += 1;
    let created_at = store.tick();
    store.last_comment += 1;
    let comment = Comment { id: store.last_comment, issue: id.clone(), author: caller.handle.clone(), body, created_at };
    store.comments.insert(comment.id, comment.clone());
    store.record(caller, &id, Change::Commented { comment: comment.id });
    Ok(comment)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteComment {
    comment: u32,
}

fn delete_comment(store: &mut Store, caller: &Caller, arguments: DeleteComment) -> Result<Deleted, TrackerError> {
    let comment = store.comment(caller, arguments.comment)?.clone();
    if comment.author != caller.handle && caller.role < Role::Admin {
        let action = format!("delete a comment of `{}`", comment.author);
        return Err(TrackerError::forbidden(&caller.handle, caller.role, action, Role::Admin));
    }
    let issue = store.writable_issue(caller, &comment.issue)?;
    issue.comment_count = issue.comment_count.saturating_sub(1);
    store.comments.remove(&comment.id);
    Ok(Deleted { deleted: comment.id.to_string() })
}
