//! The people, and the workspace that they share.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arguments::Nothing;
use crate::tracker::{
    error::TrackerError,
    page::{Limit, Page},
    role::{Caller, Role},
    row::{State, User},
    store::Store,
    tool::{About, Effect, Tool},
};

pub(super) fn tools() -> Vec<Tool> {
    vec![
        Tool::structured(
            About {
                name: "get_workspace",
                title: "Get the workspace",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "The tracker's name, its clock and how much it holds. Use `now` as the present time in reports.",
            },
            get_workspace,
        ),
        Tool::structured(
            About {
                name: "get_current_user",
                title: "Get the current user",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "The user on whose behalf you call, with the role that decides what is allowed.",
            },
            get_current_user,
        ),
        Tool::structured(
            About {
                name: "list_users",
                title: "List users",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "Users by handle, page by page. People who left have `active: false`.",
            },
            list_users,
        ),
        Tool::structured(
            About {
                name: "get_user",
                title: "Get a user",
                needs: Role::Viewer,
                effect: Effect::Reads,
                description: "One user by handle.",
            },
            get_user,
        ),
        Tool::structured(
            About {
                name: "set_user_role",
                title: "Set a user's role",
                needs: Role::Admin,
                effect: Effect::Sets,
                description: "Makes a user viewer, member or admin. Admins only. You cannot change your own role.",
            },
            set_user_role,
        ),
        Tool::structured(
            About {
                name: "deactivate_user",
                title: "Deactivate a user",
                needs: Role::Admin,
                effect: Effect::Sets,
                description: "For a user who leaves: unassigns the open issues and keeps the history. Admins only.",
            },
            deactivate_user,
        ),
    ]
}

/// The tracker as a whole.
#[derive(Debug, Serialize, JsonSchema)]
struct Workspace {
    name: String,
    /// The tracker's present time.
    now: Timestamp,
    users: usize,
    /// Projects that you may see.
    projects: usize,
    /// Issues that you may see.
    issues: usize,
}

fn get_workspace(store: &mut Store, caller: &Caller, _: Nothing) -> Result<Workspace, TrackerError> {
    Ok(Workspace {
        name: "Fernhill Cycles".to_owned(),
        now: store.now,
        users: store.users.len(),
        projects: store.projects.keys().filter(|key| store.project(caller, key).is_ok()).count(),
        issues: store.visible_issues(caller).count(),
    })
}

fn get_current_user(store: &mut Store, caller: &Caller, _: Nothing) -> Result<User, TrackerError> {
    store.user(&caller.handle).cloned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListUsers {
    role: Option<Role>,
    team: Option<String>,
    active: Option<bool>,
    limit: Option<Limit>,
    cursor: Option<String>,
}

fn list_users(store: &mut Store, caller: &Caller, arguments: ListUsers) -> Result<Page<User>, TrackerError> {
    let ListUsers { role, team, active, limit, cursor } = arguments;
    let rows = store
        .users
        .values()
        .filter(|user| role.is_none_or(|role| user.role == role))
        .filter(|user| team.as_ref().is_none_or(|team| user.team == *team))
        .filter(|user| active.is_none_or(|active| user.active == active))
        .cloned()
        .collect();
    Page::of(rows, caller, "list_users", limit, cursor.as_deref())
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneUser {
    /// The user's handle.
    user: String,
}

fn get_user(store: &mut Store, _: &Caller, OneUser { user }: OneUser) -> Result<User, TrackerError> {
    store.user(&user).cloned()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetUserRole {
    /// The user's handle.
    user: String,
    role: Role,
}

fn set_user_role(store: &mut Store, caller: &Caller, arguments: SetUserRole) -> Result<User, TrackerError> {
    let SetUserRole { user: handle, role } = arguments;
    let mut user = store.user(&handle)?.clone();
    if handle == caller.handle {
        return Err(TrackerError::conflict("you cannot change your own role: ask another admin"));
    }
    user.role = role;
    store.users.insert(handle, user.clone());
    Ok(user)
}

/// What became of a user's work.
#[derive(Debug, Serialize, JsonSchema)]
struct Deactivated {
    user: User,
    /// Ids of the issues that nobody works on any more.
    unassigned_issues: Vec<String>,
}

fn deactivate_user(store: &mut Store, caller: &Caller, OneUser { user: handle }: OneUser) -> Result<Deactivated, TrackerError> {
    let mut user = store.user(&handle)?.clone();
    if handle == caller.handle {
        return Err(TrackerError::conflict("you cannot deactivate yourself: ask another admin"));
    }
    user.active = false;
    store.users.insert(handle.clone(), user.clone());
    let ids: Vec<_> = store
        .issues
        .values()
        .filter(|issue| issue.state != State::Closed && issue.assignee.as_deref() == Some(handle.as_str()))
        .map(|issue| issue.id.clone())
        .collect();
    store.tick();
    for id in &ids {
        super::issues::assign(store, caller, id, None);
    }
    Ok(Deactivated { user, unassigned_issues: ids.into_iter().map(String::from).collect() })
}
