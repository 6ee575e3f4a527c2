//! Issues: listing, filing, changing, closing, linking and deleting them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::{Direction, present, without_default};
use super::deleted::Deleted;
use crate::tracker::{
    error::TrackerError,
    filter::Period,
    page::{Limit, Page},
    role::{Caller, Role},
    row::{Change, CloseReason, Event, Issue, IssueId, Kind, Link, Priority, Relation, State},
    store::Store,
    tool::{About, Effect, Tool, invalid},
};

pub(super) fn tools() -> Vec<Tool> {
    let mut tools = reading_tools();
    tools.extend(writing_tools());
    tools
}

fn reading_tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "list_issues",
                title: "List issues",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "Issues that match all given fields, newest change first unless sorted otherwise, page by page. \
                              For `or` and `not` use `search_issues`.",
            },
            list_issues,
        ),
        Tool::structured(
            About {
                name: "get_issue",
                title: "Get an issue",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "One issue by id. Its comments come from `list_comments`.",
            },
            get_issue,
        ),
        Tool::structured(
            About {
                name: "list_issue_events",
                title: "List what happened to an issue",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "The history of one issue, oldest first, page by page.",
            },
            list_issue_events,
        ),
    ]
}

fn writing_tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "create_issue",
                title: "Create an issue",
                needs: Role::Member,
                effect: Effect::Adds,
                description: "Files an issue in your name.",
            },
            create_issue,
        ),
        Tool::structured(
            About {
                name: "update_issue",
                title: "Update an issue",
                needs: Role::Member,
                effect: Effect::Sets,
                description: "Changes the given fields of an issue. Null clears assignee, milestone or estimate. \
                              To close or open it again use `close_issue` and `reopen_issue`.",
            },
            update_issue,
        ),
        Tool::structured(
            About {
                name: "close_issue",
                title: "Close an issue",
                needs: Role::Member,
                effect: Effect::Sets,
                description: "Closes an issue with a reason. A duplicate names the issue that stays.",
            },
            close_issue,
        ),
        Tool::structured(
            About {
                name: "reopen_issue",
                title: "Reopen an issue",
                needs: Role::Member,
                effect: Effect::Sets,
                description: "Opens a closed issue again.",
            },
            reopen_issue,
        ),
        Tool::structured(
            About {
                name: "link_issues",
                title: "Link two issues",
                needs: Role::Member,
                effect: Effect::Sets,
                description: "Relates two issues of one project to each other. Both show the link.",
            },
            link_issues,
        ),
        Tool::structured(
            About {
                name: "delete_issue",
                title: "Delete an issue",
                needs: Role::Admin,
                effect: Effect::Destroys,
                description: "Deletes an issue with its comments and history, for good. Admins only.",
            },
            delete_issue,
        ),
    ]
}

/// What a listing is sorted by.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SortBy {
    Created,
    #[default]
    Updated,
    Priority,
    CommentCount,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListIssues {
    /// Key of a project. Default: all that you may see.
    project: Option<String>,
    state: Option<State>,
    priority: Option<Priority>,
    kind: Option<Kind>,
    /// Handle of the assignee, or `none` for issues that nobody works on.
    assignee: Option<String>,
    /// Names of labels: the issue has all of them.
    labels: Option<Vec<String>>,
    /// Id of a milestone.
    milestone: Option<String>,
    /// When the issue was last changed.
    updated: Option<Period>,
    /// Default: updated.
    sort: Option<SortBy>,
    /// Default: descending.
    direction: Option<Direction>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

impl ListIssues {
    fn matches(&self, issue: &Issue) -> bool {
        self.project.as_ref().is_none_or(|key| issue.project == *key)
            && self.state.is_none_or(|state| issue.state == state)
            && self.priority.is_none_or(|priority| issue.priority == priority)
            && self.kind.is_none_or(|kind| issue.kind == kind)
            && self.assignee.as_deref().is_none_or(|handle| issue.assignee.as_deref().unwrap_or("none") == handle)
            && self.labels.iter().flatten().all(|name| issue.labels.contains(name))
            && self.milestone.as_ref().is_none_or(|id| issue.milestone.as_ref() == Some(id))
            && self.updated.is_none_or(|period| period.contains(issue.updated_at))
    }
}

fn list_issues(store: &mut Store, caller: &Caller, arguments: ListIssues) -> Result<Page<Issue>, TrackerError> {
    if let Some(key) = &arguments.project {
        store.project(caller, key)?;
    }
    if let Some(handle) = arguments.assignee.as_deref().filter(|handle| *handle != "none") {
        store.user(handle)?;
    }
    let mut rows: Vec<Issue> = store.visible_issues(caller).filter(|issue| arguments.matches(issue)).cloned().collect();
    rows.sort_by(|a, b| {
        let order = match arguments.sort.unwrap_or_default() {
            SortBy::Created => a.created_at.cmp(&b.created_at),
            SortBy::Updated => a.updated_at.cmp(&b.updated_at),
            SortBy::Priority => a.priority.cmp(&b.priority),
            SortBy::CommentCount => a.comment_count.cmp(&b.comment_count),
        };
        match arguments.direction.unwrap_or_default() {
            Direction::Ascending => order,
            Direction::Descending => order.reverse(),
        }
        .then_with(|| a.id.cmp(&b.id))
    });
    Page::of(rows, caller, "list_issues", arguments.limit, arguments.cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneIssue {
    issue: IssueId,
}

fn get_issue(store: &mut Store, caller: &Caller, OneIssue { issue }: OneIssue) -> Result<Issue, TrackerError> {
    store.issue(caller, &issue).cloned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListIssueEvents {
    issue: IssueId,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn list_issue_events(store: &mut Store, caller: &Caller, arguments: ListIssueEvents) -> Result<Page<Event>, TrackerError> {
    store.issue(caller, &arguments.issue)?;
    let rows = store.events.iter().filter(|event| event.issue == arguments.issue).cloned().collect();
    Page::of(rows, caller, "list_issue_events", arguments.limit, arguments.cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateIssue {
    /// Key of the project.
    project: String,
    #[schemars(length(min = 1, max = 200))]
    title: String,
    /// Markdown.
    #[schemars(length(max = 20_000))]
    body: Option<String>,
    /// Default: task.
    kind: Option<Kind>,
    /// Default: medium.
    priority: Option<Priority>,
    labels: Option<Vec<String>>,
    /// Handle of an active user.
    assignee: Option<String>,
    /// Id of a milestone of the same project.
    milestone: Option<String>,
    #[schemars(range(min = 0, max = 1000))]
    estimate_hours: Option<f64>,
}

fn create_issue(store: &mut Store, caller: &Caller, arguments: CreateIssue) -> Result<Issue, TrackerError> {
    let project = store.writable_project(caller, &arguments.project)?.key.clone();
    let mut labels = arguments.labels.unwrap_or_default();
    for name in &labels {
        store.label(name)?;
    }
    labels.sort();
    labels.dedup();
    let assignee = arguments.assignee.as_deref().map(|handle| store.assignable(handle)).transpose()?;
    let milestone = arguments.milestone.as_deref().map(|id| milestone_of(store, caller, &project, id)).transpose()?;
    let created_at = store.tick();
    let number = store.last_numbers.entry(project.clone()).or_default();
    *number += 1;
    let issue = Issue {
        id: IssueId { project: project.clone(), number: *number },
        project,
        title: arguments.title,
        body: arguments.body.unwrap_or_default(),
        kind: arguments.kind.unwrap_or(Kind::Task),
        state: State::Open,
        priority: arguments.priority.unwrap_or(Priority::Medium),
        labels,
        assignee,
        reporter: caller.handle.clone(),
        milestone,
        estimate_hours: arguments.estimate_hours,
        created_at,
        updated_at: created_at,
        closed_at: None,
        close_reason: None,
        comment_count: 0,
        links: Vec::new(),
    };
    store.issues.insert(issue.id.clone(), issue.clone());
    store.record(caller, &issue.id, Change::Created);
    Ok(issue)
}

fn milestone_of(store: &Store, caller: &Caller, project: &str, id: &str) -> Result<String, TrackerError> {
    let milestone = store.milestone(caller, id)?;
    if milestone.project != project {
        return Err(TrackerError::conflict(format!(
            "milestone `{id}` belongs to project `{}`: choose one of `{project}`",
            milestone.project
        )));
    }
    Ok(milestone.id.clone())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateIssue {
    issue: IssueId,
    #[schemars(length(min = 1, max = 200))]
    title: Option<String>,
    #[schemars(length(max = 20_000))]
    body: Option<String>,
    priority: Option<Priority>,
    /// `in_progress` when somebody starts, `open` when nobody works on it any more.
    state: Option<Progress>,
    add_labels: Option<Vec<String>>,
    remove_labels: Option<Vec<String>>,
    /// Handle of an active user; null: nobody.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", transform = without_default)]
    assignee: Option<Option<String>>,
    /// Id of a milestone of the same project; null: none.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<String>", transform = without_default)]
    milestone: Option<Option<String>>,
    /// Null: not estimated.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<f64>", range(min = 0, max = 1000), transform = without_default)]
    estimate_hours: Option<Option<f64>>,
}

/// The states of an issue that is not closed.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Progress {
    Open,
    InProgress,
}

fn update_issue(store: &mut Store, caller: &Caller, arguments: UpdateIssue) -> Result<Issue, TrackerError> {
    let id = arguments.issue;
    let before = store.writable_issue(caller, &id)?.clone();
    for name in arguments.add_labels.iter().flatten() {
        store.label(name)?;
    }
    let assignee = match arguments.assignee {
        Some(Some(handle)) => Some(Some(store.assignable(&handle)?)),
        other => other,
    };
    let milestone = match arguments.milestone {
        Some(Some(milestone)) => Some(Some(milestone_of(store, caller, &id.project, &milestone)?)),
        other => other,
    };
    let state = match (arguments.state, before.state) {
        (Some(_), State::Closed) => {
            return Err(TrackerError::conflict(format!("`{id}` is closed: open it with `reopen_issue` first")));
        }
        (Some(Progress::Open), _) => State::Open,
        (Some(Progress::InProgress), _) => State::InProgress,
        (None, state) => state,
    };
    let mut after = before.clone();
    after.title = arguments.title.unwrap_or(after.title);
    after.body = arguments.body.unwrap_or(after.body);
    after.estimate_hours = arguments.estimate_hours.unwrap_or(after.estimate_hours);
    after.milestone = milestone.unwrap_or(after.milestone);
    after.labels.extend(arguments.add_labels.into_iter().flatten());
    after.labels.retain(|name| !arguments.remove_labels.iter().flatten().any(|removed| removed == name));
    after.labels.sort();
    after.labels.dedup();
    let fields = changed_fields(&before, &after);
    store.tick();
    *store.writable_issue(caller, &id)? = after;
    if !fields.is_empty() {
        store.record(caller, &id, Change::Edited { fields });
    }
    if let Some(priority) = arguments.priority.filter(|priority| *priority != before.priority) {
        store.writable_issue(caller, &id)?.priority = priority;
        store.record(caller, &id, Change::PriorityChanged { from: before.priority, to: priority });
    }
    set_state(store, caller, &id, state);
    if let Some(assignee) = assignee {
        assign(store, caller, &id, assignee);
    }
    store.issue(caller, &id).cloned()
}

fn changed_fields(before: &Issue, after: &Issue) -> Vec<String> {
    [
        ("title", before.title != after.title),
        ("body", before.body != after.body),
        ("labels", before.labels != after.labels),
        ("milestone", before.milestone != after.milestone),
        ("estimate_hours", before.estimate_hours != after.estimate_hours),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(field, _)| field.to_owned())
    .collect()
}

/// Gives an issue to somebody or to nobody, at the store's present time.
pub(super) fn assign(store: &mut Store, caller: &Caller, id: &IssueId, to: Option<String>) {
    let Some(issue) = store.issues.get_mut(id) else { return };
    let from = std::mem::replace(&mut issue.assignee, to.clone());
    if from != to {
        store.record(caller, id, Change::Assigned { from, to });
    }
}

fn set_state(store: &mut Store, caller: &Caller, id: &IssueId, to: State) {
    let Some(issue) = store.issues.get_mut(id) else { return };
    let from = std::mem::replace(&mut issue.state, to);
    if from != to {
        store.record(caller, id, Change::StateChanged { from, to });
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CloseIssue {
    issue: IssueId,
    reason: CloseReason,
    /// With reason `duplicate`, and only then: the issue of the same project that stays.
    duplicate_of: Option<IssueId>,
}

fn close_issue(store: &mut Store, caller: &Caller, arguments: CloseIssue) -> Result<Issue, TrackerError> {
    let CloseIssue { issue: id, reason, duplicate_of } = arguments;
    if (reason == CloseReason::Duplicate) != duplicate_of.is_some() {
        return Err(invalid("close_issue", "`duplicate_of` belongs to reason `duplicate`: give both or neither"));
    }
    if store.writable_issue(caller, &id)?.state == State::Closed {
        return Err(TrackerError::conflict(format!("`{id}` is closed already")));
    }
    if let Some(other) = duplicate_of {
        link(store, caller, &id, Relation::Duplicates, &other)?;
    }
    let closed_at = store.tick();
    let issue = store.writable_issue(caller, &id)?;
    issue.closed_at = Some(closed_at);
    issue.close_reason = Some(reason);
    set_state(store, caller, &id, State::Closed);
    store.issue(caller, &id).cloned()
}

fn reopen_issue(store: &mut Store, caller: &Caller, OneIssue { issue: id }: OneIssue) -> Result<Issue, TrackerError> {
    let issue = store.writable_issue(caller, &id)?;
    if issue.state != State::Closed {
        return Err(TrackerError::conflict(format!("`{id}` is not closed")));
    }
    issue.closed_at = None;
    issue.close_reason = None;
    store.tick();
    set_state(store, caller, &id, State::Open);
    store.issue(caller, &id).cloned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LinkIssues {
    issue: IssueId,
    /// How `issue` is related to `other`.
    relation: Relation,
    other: IssueId,
}

/// Both ends of a link.
#[derive(Debug, Serialize, JsonSchema)]
struct Linked {
    issue: Issue,
    other: Issue,
}

fn link_issues(store: &mut Store, caller: &Caller, arguments: LinkIssues) -> Result<Linked, TrackerError> {
    let LinkIssues { issue, relation, other } = arguments;
    store.writable_issue(caller, &issue)?;
    store.tick();
    link(store, caller, &issue, relation, &other)?;
    Ok(Linked { issue: store.issue(caller, &issue)?.clone(), other: store.issue(caller, &other)?.clone() })
}

fn link(store: &mut Store, caller: &Caller, id: &IssueId, relation: Relation, other: &IssueId) -> Result<(), TrackerError> {
    store.issue(caller, other)?;
    if id.project != other.project || id == other {
        return Err(TrackerError::conflict(format!("`{id}` and `{other}` must be two issues of one project")));
    }
    for (one, relation, two) in [(id, relation, other), (other, relation.inverse(), id)] {
        let link = Link { relation, issue: two.clone() };
        let links = &mut store.writable_issue(caller, one)?.links;
        if !links.contains(&link) {
            links.push(link);
            links.sort();
            store.record(caller, one, Change::Linked { relation, issue: two.clone() });
        }
    }
    Ok(())
}

fn delete_issue(store: &mut Store, caller: &Caller, OneIssue { issue: id }: OneIssue) -> Result<Deleted, TrackerError> {
    store.writable_issue(caller, &id)?;
    store.issues.remove(&id);
    store.comments.retain(|_, comment| comment.issue != id);
    store.events.retain(|event| event.issue != id);
    for issue in store.issues.values_mut() {
        issue.links.retain(|link| link.issue != id);
    }
    Ok(Deleted { deleted: id.to_string() })
}
