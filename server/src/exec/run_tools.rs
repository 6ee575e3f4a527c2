//! The tools of one run: those that the caller answers, and those of servers.

use std::sync::Arc;

use isolet::{ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::value::RawValue;

use super::calls::{Calls, Whose};
use super::open_scope::OpenScope;

/// Calls the tools of a scope for one run.
pub(super) struct RunTools {
    pub(super) scope: Arc<OpenScope>,
    pub(super) calls: Arc<Calls>,
    /// The `id` of the request that runs the program, JSON.
    pub(super) run: Box<RawValue>,
}

impl ToolHost for RunTools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        if let Some(host) = self.scope.host_of(&call.server) {
            return host.call(call).await;
        }
        let is_wrapped = self.scope.scope().find(&call.path).is_some_and(|tool| tool.definition().unwraps_result());
        self.calls.ask(Whose { scope: self.scope.name(), run: &self.run, is_wrapped }, call).await
    }
}
