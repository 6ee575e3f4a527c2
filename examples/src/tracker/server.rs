//! The tracker as an MCP server: one user, any transport.
//!
//! It does what most servers do: it shows every tool to every user, and refuses when a call comes.

use std::{future::ready, sync::Arc};

use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CacheScope, CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
        PaginatedRequestParams, ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
};
use serde_json::Value;

use super::{Tracker, error::TrackerError, tool::Reply};

/// How long a client may keep the list of tools: it never changes while the server lives.
const TOOLS_TTL_MS: u64 = 3_600_000;

/// Serves the tracker to one user. Cheap to clone and to make.
#[derive(Clone, Debug)]
pub struct TrackerServer {
    tracker: Arc<Tracker>,
    user: Arc<str>,
}

impl TrackerServer {
    /// A server that acts for `user`, who must be known to the tracker.
    ///
    /// # Errors
    ///
    /// [`TrackerError::NotFound`] if there is no such user.
    pub fn new(tracker: Arc<Tracker>, user: &str) -> Result<Self, TrackerError> {
        tracker.check_user(user)?;
        Ok(Self { tracker, user: user.into() })
    }
}

impl ServerHandler for TrackerServer {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("tracker", env!("CARGO_PKG_VERSION"));
        config.instructions = Some("An issue tracker. Start with `get_current_user` and `list_projects`.".to_owned());
        config
    }

    fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<ListToolsResult, ErrorData>> + Send {
        let tools: Result<Vec<rmcp::model::Tool>, _> = Tracker::definitions().into_iter().map(serde_json::from_value).collect();
        ready(
            tools
                .map(|tools| {
                    ListToolsResult::with_all_items(tools).with_ttl_ms(TOOLS_TTL_MS).with_cache_scope(CacheScope::Public)
                })
                .map_err(|error| ErrorData::internal_error(error.to_string(), None)),
        )
    }

    fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> impl Future<Output = Result<CallToolResponse, ErrorData>> + Send {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        ready(match self.tracker.call(&self.user, &request.name, arguments) {
            Ok(Reply::Structured(value)) => Ok(CallToolResult::structured(value).into()),
            Ok(Reply::Text(text)) => Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into()),
            Err(error @ TrackerError::UnknownTool { .. }) => Err(ErrorData::invalid_params(error.to_string(), None)),
            Err(error @ TrackerError::Bug { .. }) => Err(ErrorData::internal_error(error.to_string(), None)),
            Err(error) => Ok(CallToolResult::error(vec![ContentBlock::text(error.to_string())]).into()),
        })
    }
}
