//! Projects, and who leads them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::tracker::{
    error::TrackerError,
    page::{Limit, Page},
    role::{Caller, Role},
    row::{MilestoneState, Project, State, Visibility},
    store::{Store, is_visible},
    tool::{About, Effect, Tool},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "list_projects",
                title: "List projects",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "The projects that you may see, by key. Archived ones are left out unless asked for.",
            },
            list_projects,
        ),
        Tool::structured(
            About {
                name: "get_project",
                title: "Get a project",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "One project by key, with counts of its issues and milestones.",
            },
            get_project,
        ),
        Tool::structured(
            About {
                name: "create_project",
                title: "Create a project",
                needs: Role::Admin,
                effect: Effect::Adds,
                description: "Starts a project. Its key becomes the prefix of its issue ids and cannot be changed. Admins only.",
            },
            create_project,
        ),
        Tool::structured(
            About {
                name: "transfer_project",
                title: "Transfer a project",
                needs: Role::Admin,
                effect: Effect::Sets,
                description: "Makes another active user the lead of a project. Admins only.",
            },
            transfer_project,
        ),
        Tool::structured(
            About {
                name: "archive_project",
                title: "Archive a project",
                needs: Role::Admin,
                effect: Effect::Destroys,
                description: "Freezes a project for good: it can be read but accepts no changes. Admins only.",
            },
            archive_project,
        ),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListProjects {
    /// Default: false.
    include_archived: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn list_projects(store: &mut Store, caller: &Caller, arguments: ListProjects) -> Result<Page<Project>, TrackerError> {
    let archived_too = arguments.include_archived.unwrap_or(false);
    let rows = store
        .projects
        .values()
        .filter(|project| is_visible(project, caller) && (archived_too || !project.archived))
        .cloned()
        .collect();
    Page::of(rows, caller, "list_projects", arguments.limit, arguments.cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneProject {
    /// The project's key.
    project: String,
}

/// A project and what it holds.
#[derive(Debug, Serialize, JsonSchema)]
struct ProjectSummary {
    project: Project,
    /// How many of its issues are in each state.
    issues: IssueCounts,
    open_milestones: usize,
}

#[derive(Debug, Default, Serialize, JsonSchema)]
struct IssueCounts {
    open: usize,
    in_progress: usize,
    closed: usize,
}

fn get_project(
    store: &mut Store,
    caller: &Caller,
    OneProject { project: key }: OneProject,
) -> Result<ProjectSummary, TrackerError> {
    let project = store.project(caller, &key)?.clone();
    let mut issues = IssueCounts::default();
    for issue in store.issues.values().filter(|issue| issue.project == key) {
        match issue.state {
            State::Open => issues.open += 1,
            State::InProgress => issues.in_progress += 1,
            State::Closed => issues.closed += 1,
        }
    }
    let open_milestones = store
        .milestones
        .values()
        .filter(|milestone| milestone.project == key && milestone.state == MilestoneState::Open)
        .count();
    Ok(ProjectSummary { project, issues, open_milestones })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateProject {
    #[schemars(regex(pattern = r"^[A-Z]{2,6}$"))]
    key: String,
    #[schemars(length(min = 1, max = 80))]
    name: String,
    #[schemars(length(max = 1000))]
    description: Option<String>,
    /// Handle of an active user. Default: you.
    lead: Option<String>,
    /// Default: public.
    visibility: Option<Visibility>,
}

fn create_project(store: &mut Store, caller: &Caller, arguments: CreateProject) -> Result<Project, TrackerError> {
    let CreateProject { key, name, description, lead, visibility } = arguments;
    if store.projects.contains_key(&key) {
        return Err(TrackerError::conflict(format!("project `{key}` exists already: choose another key")));
    }
    let project = Project {
        key: key.clone(),
        name,
        description: description.unwrap_or_default(),
        lead: store.assignable(lead.as_deref().unwrap_or(&caller.handle))?,
        visibility: visibility.unwrap_or(Visibility::Public),
        archived: false,
        created_at: store.tick(),
    };
    store.projects.insert(key, project.clone());
    Ok(project)
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TransferProject {
    /// The project's key.
    project: String,
    /// Handle of the new lead.
    lead: String,
}

fn transfer_project(store: &mut Store, caller: &Caller, arguments: TransferProject) -> Result<Project, TrackerError> {
    let mut project = store.writable_project(caller, &arguments.project)?.clone();
    project.lead = store.assignable(&arguments.lead)?;
    store.projects.insert(arguments.project, project.clone());
    Ok(project)
}

fn archive_project(
    store: &mut Store,
    caller: &Caller,
    OneProject { project: key }: OneProject,
) -> Result<Project, TrackerError> {
    let mut project = store.writable_project(caller, &key)?.clone();
    project.archived = true;
    store.projects.insert(key, project.clone());
    Ok(project)
}
