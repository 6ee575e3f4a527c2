//! Results that reach a client whole, whatever their servers put into them.
//!
//! rmcp knows the members and kinds of content of the protocol's revisions and drops others, so a result or a definition that it cannot
//! hold is sent as the JSON it came as. And a handler that panics answers: rmcp alone leaves such a request without an answer.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use rmcp::model::{ClientNotification, ClientRequest, CustomResult, ProtocolVersion, ServerConfig, ServerResult};
use rmcp::service::{NotificationContext, RequestContext, Service};
use rmcp::{ErrorData, RoleServer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::face::Face;

/// How results are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fidelity {
    /// As rmcp's types, over a channel to a client that is made with rmcp.
    Typed,
    /// As JSON where those types would lose something.
    Lossless,
}

/// A face whose answers are whole.
pub(super) struct Lossless {
    face: Face,
    fidelity: Fidelity,
}

/// The JSON that is to be sent instead of a typed result: a place in the context of its request.
#[derive(Clone, Default)]
pub(super) struct Answer(Arc<Mutex<Option<Value>>>);

impl Answer {
    /// Notes what the answer to this request is, in full.
    pub(super) fn offer(context: &RequestContext<RoleServer>, result: Value) {
        if let Some(Self(place)) = context.extensions.get() {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
    }

    /// Whether the answer to this request may be another one than a typed result.
    fn is_taken(context: &RequestContext<RoleServer>) -> bool {
        context.extensions.get::<Self>().is_some()
    }

    fn take(&self) -> Option<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// `whole` in a type of rmcp, unless it is none; and whether that says all of it, as far as it matters to this client.
pub(super) fn typed<T: DeserializeOwned + Serialize>(whole: &Value, context: &RequestContext<RoleServer>) -> (Option<T>, bool) {
    let typed = serde_json::from_value::<T>(whole.clone()).ok();
    let is_exact = !Answer::is_taken(context)
        || typed.as_ref().is_some_and(|typed| serde_json::to_value(typed).is_ok_and(|said| said == *whole));
    (typed, is_exact)
}

impl Lossless {
    pub(super) fn new(face: Face, fidelity: Fidelity) -> Self {
        Self { face, fidelity }
    }
}

impl Service<RoleServer> for Lossless {
    async fn handle_request(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        let is_modern = context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28);
        let whole = Answer::default();
        if self.fidelity == Fidelity::Lossless {
            context.extensions.insert(whole.clone());
        }
        let answer = AssertUnwindSafe(Service::handle_request(&self.face, request, context)).catch_unwind().await;
        let typed =
            answer.unwrap_or_else(|_| Err(ErrorData::internal_error("the server failed: its handler panicked", None)))?;
        Ok(match whole.take() {
            Some(result) => ServerResult::CustomResult(CustomResult(for_era(result, is_modern))),
            None => typed,
        })
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        Service::handle_notification(&self.face, notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.face)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.face)
    }
}

/// The result as clients of this era take it: since 2026-07-28 each says its type, and output may be any JSON; before, output is an object.
fn for_era(mut result: Value, is_modern: bool) -> Value {
    let Some(members) = result.as_object_mut() else { return result };
    if is_modern {
        members.entry("resultType").or_insert_with(|| "complete".into());
        return result;
    }
    members.remove("resultType");
    if let Some(output) = members.get("structuredContent").filter(|output| !output.is_object()).cloned() {
        members.remove("structuredContent");
        let blocks = members.entry("content").or_insert_with(|| json!([]));
        if let Some(blocks) = blocks.as_array_mut().filter(|blocks| !says(blocks, &output)) {
            blocks.insert(0, json!({ "type": "text", "text": output.to_string() }));
        }
    }
    for tool in members.get_mut("tools").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(tool) = tool.as_object_mut()
            && tool.get("outputSchema").is_some_and(|schema| schema.get("type") != Some(&json!("object")))
        {
            tool.remove("outputSchema");
        }
    }
    result
}

/// Whether the first block is a text of this very JSON.
fn says(blocks: &[Value], output: &Value) -> bool {
    let text = blocks.first().and_then(|block| block.get("text")).and_then(Value::as_str);
    text.and_then(|text| serde_json::from_str::<Value>(text).ok()).is_some_and(|said| said == *output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_era_gets_the_results_that_it_takes() {
        let result = json!({ "content": [], "structuredContent": [1], "resultType": "complete", "x-vendor": 1 });
        assert_eq!(for_era(result.clone(), true), result);
        let old = json!({ "content": [{ "type": "text", "text": "[1]" }], "x-vendor": 1 });
        assert_eq!(for_era(result, false), old);
        let said = json!({ "content": [{ "type": "text", "text": "1 row" }], "structuredContent": [1] });
        let first = json!({ "content": [{ "type": "text", "text": "[1]" }, { "type": "text", "text": "1 row" }] });
        assert_eq!(for_era(said, false), first);
        assert_eq!(
            for_era(json!({ "content": [{ "type": "text", "text": "[1]" }], "structuredContent": [1] }), false)["content"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
        assert_eq!(for_era(json!({ "content": [] }), true), json!({ "content": [], "resultType": "complete" }));
    }

    #[test]
    fn an_older_client_is_not_shown_output_schemas_that_it_cannot_read() {
        let list = |schema: Value| json!({ "tools": [{ "name": "a", "outputSchema": schema }] });
        assert_eq!(for_era(list(json!({ "type": "array" })), false), json!({ "tools": [{ "name": "a" }] }));
        assert_eq!(for_era(list(json!({ "type": "object" })), false), list(json!({ "type": "object" })));
    }
}
