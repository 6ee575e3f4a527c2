//! All rows, and the rules that every tool shares: what a caller may see, what may be written, what time it is.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{
    error::TrackerError,
    role::{Caller, Role},
    row::{Change, Comment, Event, Issue, IssueId, Label, Milestone, Project, User, Visibility},
};

/// The tracker's data. Its clock stands still but for one minute per change, so that equal calls give equal answers.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) now: Timestamp,
    pub(crate) users: BTreeMap<String, User>,
    pub(crate) projects: BTreeMap<String, Project>,
    pub(crate) issues: BTreeMap<IssueId, Issue>,
    pub(crate) comments: BTreeMap<u32, Comment>,
    pub(crate) labels: BTreeMap<String, Label>,
    pub(crate) milestones: BTreeMap<String, Milestone>,
    pub(crate) events: Vec<Event>,
    /// The last issue number given out, by project key: numbers of deleted issues are not used again.
    pub(crate) last_numbers: BTreeMap<String, u32>,
    pub(crate) last_comment: u32,
}

impl Store {
    pub(crate) fn empty(now: Timestamp) -> Self {
        Self {
            now,
            users: BTreeMap::new(),
            projects: BTreeMap::new(),
            issues: BTreeMap::new(),
            comments: BTreeMap::new(),
            labels: BTreeMap::new(),
            milestones: BTreeMap::new(),
            events: Vec::new(),
            last_numbers: BTreeMap::new(),
            last_comment: 0,
        }
    }

    /// The time of a change that happens now.
    pub(crate) fn tick(&mut self) -> Timestamp {
        self.now = self.now.saturating_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX);
        self.now
    }

    pub(crate) fn user(&self, handle: &str) -> Result<&User, TrackerError> {
        self.users.get(handle).ok_or_else(|| not_found("user", handle, "`list_users` lists all users"))
    }

    /// The handle of somebody who can be given work.
    pub(crate) fn assignable(&self, handle: &str) -> Result<String, TrackerError> {
        let user = self.user(handle)?;
        if !user.active {
            return Err(TrackerError::conflict(format!("`{handle}` has left: choose an active user")));
        }
        Ok(user.handle.clone())
    }

    /// A project that the caller may see.
    pub(crate) fn project(&self, caller: &Caller, key: &str) -> Result<&Project, TrackerError> {
        self.projects
            .get(key)
            .filter(|project| is_visible(project, caller))
            .ok_or_else(|| not_found("project", key, "`list_projects` lists the projects that you may see"))
    }

    /// A project that the caller may see and that accepts changes.
    pub(crate) fn writable_project(&self, caller: &Caller, key: &str) -> Result<&Project, TrackerError> {
        let project = self.project(caller, key)?;
        if project.archived {
            return Err(TrackerError::conflict(format!("project `{key}` is archived and accepts no changes")));
        }
        Ok(project)
    }

    /// An issue of a project that the caller may see.
    pub(crate) fn issue(&self, caller: &Caller, id: &IssueId) -> Result<&Issue, TrackerError> {
        self.project(caller, &id.project)
            .ok()
            .and_then(|_| self.issues.get(id))
            .ok_or_else(|| not_found("issue", &id.to_string(), "`search_issues` finds the issues that you may see"))
    }

    /// An issue that the caller may see, in a project that accepts changes.
    pub(crate) fn writable_issue(&mut self, caller: &Caller, id: &IssueId) -> Result<&mut Issue, TrackerError> {
        self.issue(caller, id)?;
        self.writable_project(caller, &id.project)?;
        self.issues.get_mut(id).ok_or_else(|| not_found("issue", &id.to_string(), "it is gone"))
    }

    /// All issues that the caller may see, by project and number.
    pub(crate) fn visible_issues(&self, caller: &Caller) -> impl Iterator<Item = &Issue> {
        self.issues.values().filter(|issue| self.project(caller, &issue.project).is_ok())
    }

    /// A milestone of a project that the caller may see.
    pub(crate) fn milestone(&self, caller: &Caller, id: &str) -> Result<&Milestone, TrackerError> {
        self.milestones
            .get(id)
            .filter(|milestone| self.project(caller, &milestone.project).is_ok())
            .ok_or_else(|| not_found("milestone", id, "`list_milestones` lists the milestones of a project"))
    }

    pub(crate) fn label(&self, name: &str) -> Result<&Label, TrackerError> {
        self.labels.get(name).ok_or_else(|| not_found("label", name, "`list_labels` lists all, `create_label` adds one"))
    }

    pub(crate) fn comment(&self, caller: &Caller, id: u32) -> Result<&Comment, TrackerError> {
        self.comments
            .get(&id)
            .filter(|comment| self.project(caller, &comment.issue.project).is_ok())
            .ok_or_else(|| not_found("comment", &id.to_string(), "`list_comments` lists the comments of an issue"))
    }

    /// Writes down what the caller did to an issue.
    pub(crate) fn record(&mut self, caller: &Caller, issue: &IssueId, change: Change) {
        let at = self.now;
        self.events.push(Event { issue: issue.clone(), at, actor: caller.handle.clone(), change });
        if let Some(issue) = self.issues.get_mut(issue) {
            issue.updated_at = at;
        }
    }
}

/// Whether the caller may know of the project.
pub(crate) fn is_visible(project: &Project, caller: &Caller) -> bool {
    project.visibility == Visibility::Public || caller.role >= Role::Member
}

fn not_found(kind: &'static str, id: &str, remedy: &'static str) -> TrackerError {
    TrackerError::NotFound { kind, id: id.to_owned(), remedy }
}
