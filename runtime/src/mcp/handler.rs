//! What handles the requests of a client: none goes without an answer, whatever its handler does, and none is handled for a client that takes nothing.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use rmcp::model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer};

use super::answer::{Answer, Said};

/// A face whose requests are all answered: rmcp alone leaves one whose handler panics without an answer.
pub(super) struct Handler<F>(pub(super) F);

impl<F: Service<RoleServer>> Service<RoleServer> for Handler<F> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        // rmcp itself answers `initialize`, with what it gets from here.
        let answer = Answer::of(&context).cloned().filter(|_| !matches!(request, ClientRequest::InitializeRequest(_)));
        if let Some(answer) = &answer {
            tokio::select! {
                () = answer.room() => {}
                // Nobody is answered any more.
                () = context.ct.cancelled() => return Ok(ServerResult::empty(())),
            }
        }
        let handled = AssertUnwindSafe(Service::handle_request(&self.0, request, context)).catch_unwind().await;
        let handled =
            handled.unwrap_or_else(|_| Err(ErrorData::internal_error("the server failed: its handler panicked", None)));
        match (answer, handled) {
            (Some(answer), Err(error)) => {
                answer.say(Said::Error(error));
                Ok(ServerResult::empty(()))
            }
            (_, handled) => handled,
        }
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Service::handle_notification(&self.0, notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.0)
    }
}
