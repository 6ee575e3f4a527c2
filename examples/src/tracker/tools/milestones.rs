//! Milestones: releases and dates that issues are planned for.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tracker::{
    error::TrackerError,
    page::{Limit, Page},
    role::{Caller, Role},
    row::{Milestone, MilestoneState, State},
    store::Store,
    tool::{About, Effect, Tool},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "list_milestones",
                title: "List milestones",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "Milestones of one project, or of all that you may see, by due date.",
            },
            list_milestones,
        ),
        Tool::structured(
            About {
                name: "create_milestone",
                title: "Create a milestone",
                needs: Role::Member,
                effect: Effect::Adds,
                description: "Adds a milestone to a project.",
            },
            create_milestone,
        ),
        Tool::structured(
            About {
                name: "close_milestone",
                title: "Close a milestone",
                needs: Role::Member,
                effect: Effect::Sets,
                description: "Closes a milestone. Refused while it has issues that are not closed.",
            },
            close_milestone,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListMilestones {
    /// Key of a project.
    project: Option<String>,
    state: Option<MilestoneState>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn list_milestones(store: &mut Store, caller: &Caller, arguments: ListMilestones) -> Result<Page<Milestone>, TrackerError> {
    let ListMilestones { project, state, limit, cursor } = arguments;
    if let Some(key) = &project {
        store.project(caller, key)?;
    }
    let mut rows: Vec<Milestone> = store
        .milestones
        .values()
        .filter(|milestone| store.project(caller, &milestone.project).is_ok())
        .filter(|milestone| project.as_ref().is_none_or(|key| milestone.project == *key))
        .filter(|milestone| state.is_none_or(|state| milestone.state == state))
        .cloned()
        .collect();
    rows.sort_by(|a, b| a.due_on.cmp(&b.due_on).then_with(|| a.id.cmp(&b.id)));
    Page::of(rows, caller, "list_milestones", limit, cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateMilestone {
    /// Key of the project.
    project: String,
    #[schemars(length(min = 1, max = 80))]
    title: String,
    due_on: Date,
}

fn create_milestone(store: &mut Store, caller: &Caller, arguments: CreateMilestone) -> Result<Milestone, TrackerError> {
    let CreateMilestone { project, title, due_on } = arguments;
    store.writable_project(caller, &project)?;
    let number = store.milestones.values().filter(|milestone| milestone.project == project).count() + 1;
    let milestone = Milestone { id: format!("{project}-M{number}"), project, title, due_on, state: MilestoneState::Open };
    store.milestones.insert(milestone.id.clone(), milestone.clone());
    Ok(milestone)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CloseMilestone {
    /// Id of the milestone.
    milestone: String,
}

fn close_milestone(store: &mut Store, caller: &Caller, arguments: CloseMilestone) -> Result<Milestone, TrackerError> {
    let mut milestone = store.milestone(caller, &arguments.milestone)?.clone();
    store.writable_project(caller, &milestone.project)?;
    let unfinished = store
        .issues
        .values()
        .filter(|issue| issue.milestone.as_ref() == Some(&milestone.id) && issue.state != State::Closed)
        .count();
    if unfinished > 0 {
        return Err(TrackerError::conflict(format!(
            "milestone `{}` has {unfinished} issues that are not closed: close them or move them first",
            milestone.id
        )));
    }
    milestone.state = MilestoneState::Closed;
    store.milestones.insert(milestone.id.clone(), milestone.clone());
    Ok(milestone)
}
