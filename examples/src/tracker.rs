//! An issue tracker, to have something to call: about a thousand rows in memory, tools with honest schemas, users with
//! different rights.
//!
//! [`Tracker`] is the service. It can be called in process, where the embedding application says who the user is, and it
//! can be served over MCP with [`TrackerServer`]. Either way the tracker checks the user's rights itself.

mod error;
mod filter;
mod page;
mod role;
mod row;
mod seed;
mod server;
mod store;
mod tool;
mod tools;

#[cfg(test)]
mod tests;

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::Value;

pub use self::{error::TrackerError, role::Role, server::TrackerServer, tool::Reply};
use self::{role::Caller, store::Store, tool::Tool};

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(tools::all);

/// An issue tracker in memory. All users share it; what one writes, the others see.
///
/// ```
/// # use isolet_examples::tracker::{Reply, Tracker};
/// let tracker = Tracker::new();
/// let arguments = serde_json::json!({ "project": "PAY", "state": "open", "limit": 1 });
/// let Reply::Structured(page) = tracker.call("bob", "list_issues", arguments)? else { unreachable!() };
/// assert_eq!(page["items"][0]["project"], "PAY");
///
/// let refused = tracker.call("bob", "delete_issue", serde_json::json!({ "issue": "PAY-1" }));
/// assert_eq!(refused.unwrap_err().to_string(), "`bob` is a viewer and may not use `delete_issue`: ask an admin");
/// # Ok::<(), isolet_examples::tracker::TrackerError>(())
/// ```
#[derive(Debug)]
pub struct Tracker {
    store: Mutex<Store>,
}

impl Tracker {
    /// A tracker with the rows of Fernhill Cycles, the same in each process: `ada` is an admin, `bob` a viewer.
    #[expect(clippy::new_without_default, reason = "a thousand rows are no default")]
    pub fn new() -> Self {
        Self { store: Mutex::new(seed::store()) }
    }

    /// The definitions of all tools, as the `tools` of an MCP `tools/list` result.
    pub fn definitions() -> Vec<Value> {
        TOOLS.iter().map(Tool::definition).collect()
    }

    /// The least role that a user needs to call `tool`; `None` if there is no such tool.
    pub fn needed_role(tool: &str) -> Option<Role> {
        find(tool).map(|tool| tool.needs)
    }

    /// Calls a tool on behalf of a user.
    ///
    /// # Errors
    ///
    /// [`TrackerError`] says why nothing was done. An unknown user is [`TrackerError::NotFound`].
    pub fn call(&self, user: &str, tool: &str, arguments: Value) -> Result<Reply, TrackerError> {
        let tool = find(tool).ok_or_else(|| TrackerError::UnknownTool { tool: tool.to_owned() })?;
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let role = store.user(user)?.role;
        let caller = Caller { handle: user.to_owned(), role, query: query(user, tool.name, &arguments) };
        tool.call(&mut store, &caller, arguments)
    }

    fn check_user(&self, user: &str) -> Result<(), TrackerError> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner).user(user).map(|_| ())
    }
}

fn find(tool: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|candidate| candidate.name == tool)
}

/// Identifies what a page is a page of: user, tool and arguments, but for those that choose the page.
fn query(user: &str, tool: &str, arguments: &Value) -> u64 {
    let mut query = arguments.clone();
    if let Some(fields) = query.as_object_mut() {
        fields.shift_remove("limit");
        fields.shift_remove("cursor");
        fields.sort_keys();
    }
    let mut hasher = DefaultHasher::new();
    (user, tool, query.to_string()).hash(&mut hasher);
    hasher.finish()
}
