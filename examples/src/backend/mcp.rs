//! The classic MCP server of a user, over streamable HTTP: rmcp does HTTP, and each message makes a session of its own, asks its face
//! over a channel in this process, and drops it. Nothing is kept between two messages, so nothing can be mixed up.
//!
//! Progress is not passed on: a message has one answer.

use std::sync::Arc;

use axum::http::request::Parts;
use isolet::mcp::channel;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, Implementation, ListToolsResult, PaginatedRequestParams,
    ServerCapabilities, ServerConfig,
};
use rmcp::service::{RequestContext, RunningService, ServiceError};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{RoleClient, RoleServer, ServerHandler, ServiceExt as _};

use super::limits::BODY_BYTES_MAX;
use super::shared::Backend;
use super::users::User;

/// Answers one message of the user who sent it.
#[derive(Clone)]
pub(super) struct Message(Arc<Backend>);

/// The service at `/mcp`. For whom requests are, and where they come from, was looked at before they get here.
pub(super) fn service(backend: Arc<Backend>) -> StreamableHttpService<Message, NeverSessionManager> {
    let mut config = StreamableHttpServerConfig::default().disable_allowed_hosts().disable_allowed_origins();
    config.legacy_session_mode = false;
    config.json_response = true;
    config.max_request_body_bytes = BODY_BYTES_MAX;
    let message = Message(backend);
    StreamableHttpService::new(move || Ok(message.clone()), Arc::new(NeverSessionManager::default()), config)
}

impl Message {
    /// A client of a session of the user who sent the message. The session ends with it.
    async fn client(&self, context: &RequestContext<RoleServer>) -> Result<Client, ErrorData> {
        let user = context.extensions.get::<Parts>().and_then(|parts| parts.extensions.get::<User>());
        let user = user.ok_or_else(|| ErrorData::invalid_request("nobody is signed in", None))?;
        let session = self.0.session(user).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        let (there, here) = channel();
        tokio::spawn(session.serve_classic(there));
        let service = ().serve(here).await.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
        Ok(Client { service, _session: session })
    }
}

/// The client of one message.
struct Client {
    service: RunningService<RoleClient, ()>,
    _session: isolet::Session,
}

impl ServerHandler for Message {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new("backend", env!("CARGO_PKG_VERSION"));
        config
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        self.client(&context).await?.service.list_tools(request).await.map_err(passed_on)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.client(&context).await?.service.call_tool(request).await.map(Into::into).map_err(passed_on)
    }
}

/// The session's own error; all else is the connection's, which is inside this process.
fn passed_on(error: ServiceError) -> ErrorData {
    match error {
        ServiceError::McpError(error) => error,
        error => ErrorData::internal_error(error.to_string(), None),
    }
}
