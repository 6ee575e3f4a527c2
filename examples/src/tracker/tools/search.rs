//! Searching and counting with a condition of any shape.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tracker::{
    error::TrackerError,
    filter::{Condition, DEPTH_MAX},
    page::{Limit, Page},
    role::{Caller, Role},
    row::Issue,
    store::Store,
    tool::{About, Effect, Tool, invalid},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "search_issues",
                title: "Search issues",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "Issues that meet a condition, newest change first, page by page. A condition is one test, such as \
                              `{\"label\": \"regression\"}`, or `all`, `any` or `not` of other conditions, at most 8 deep.",
            },
            search_issues,
        ),
        Tool::structured(
            About {
                name: "count_issues",
                title: "Count issues",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "How many issues meet a condition, by the values of one field. An issue with several labels counts \
                              for each of them.",
            },
            count_issues,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchIssues {
    condition: Condition,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn search_issues(store: &mut Store, caller: &Caller, arguments: SearchIssues) -> Result<Page<Issue>, TrackerError> {
    let SearchIssues { condition, limit, cursor } = arguments;
    check_depth("search_issues", &condition)?;
    let mut rows: Vec<Issue> = store.visible_issues(caller).filter(|issue| condition.matches(issue)).cloned().collect();
    rows.sort_by(|a, b| b.updated_at.cmp(&a.updated_at).then_with(|| a.id.cmp(&b.id)));
    Page::of(rows, caller, "search_issues", limit, cursor.as_deref())
}

fn check_depth(tool: &str, condition: &Condition) -> Result<(), TrackerError> {
    let depth = condition.depth();
    if depth > DEPTH_MAX {
        return Err(invalid(tool, format!("`condition` is {depth} deep: {DEPTH_MAX} is the limit, put it more flatly")));
    }
    Ok(())
}

/// A field of issues to group by.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Field {
    Project,
    State,
    Priority,
    Kind,
    Label,
    Assignee,
    Milestone,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CountIssues {
    /// Default: all issues.
    condition: Option<Condition>,
    group_by: Field,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Counts {
    /// Issues that meet the condition.
    total: usize,
    /// Most frequent first.
    groups: Vec<Group>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Group {
    /// Null: issues without a value in this field.
    value: Option<String>,
    issues: usize,
}

fn count_issues(store: &mut Store, caller: &Caller, arguments: CountIssues) -> Result<Counts, TrackerError> {
    if let Some(condition) = &arguments.condition {
        check_depth("count_issues", condition)?;
    }
    let mut total = 0;
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for issue in store.visible_issues(caller) {
        if arguments.condition.as_ref().is_none_or(|condition| condition.matches(issue)) {
            total += 1;
            for value in values(issue, arguments.group_by) {
                *counts.entry(value).or_default() += 1;
            }
        }
    }
    let mut groups: Vec<Group> = counts.into_iter().map(|(value, issues)| Group { value, issues }).collect();
    groups.sort_by(|a, b| b.issues.cmp(&a.issues).then_with(|| a.value.cmp(&b.value)));
    Ok(Counts { total, groups })
}

/// The values of one field of an issue: one, or one for each label.
fn values(issue: &Issue, field: Field) -> Vec<Option<String>> {
    let value = match field {
        Field::Project => Some(issue.project.clone()),
        Field::State => name(issue.state),
        Field::Priority => name(issue.priority),
        Field::Kind => name(issue.kind),
        Field::Label if issue.labels.is_empty() => None,
        Field::Label => return issue.labels.iter().cloned().map(Some).collect(),
        Field::Assignee => issue.assignee.clone(),
        Field::Milestone => issue.milestone.clone(),
    };
    vec![value]
}

/// The name of an enum's variant, as JSON has it.
fn name(variant: impl Serialize) -> Option<String> {
    serde_json::to_value(variant).ok()?.as_str().map(str::to_owned)
}
