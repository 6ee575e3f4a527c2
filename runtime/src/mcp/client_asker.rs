//! Asking the client of a request. In the era with sessions each question is a request of ours to it, which is taken back when nobody waits for its answer
//! any more; since 2026-07-28 it is a part of what the request itself is answered ([`super::ongoing`]).

use isolet_bindings::{Answering, Asker, NotAnswered, Question, visible};
use isolet_rpc::client_id::ASKED_FOR;
use rmcp::model::{ClientResult, CustomRequest, CustomResult, RequestId, ServerRequest};
use rmcp::service::{PeerRequestOptions, RequestContext, RequestHandle, ServiceError};
use rmcp::{Peer, RoleServer};
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::answer::is_modern;
use super::client_capabilities::kinds;
use super::question;

/// A question that is to be a part of an answer.
pub(super) struct Open {
    pub(super) question: Question,
    pub(super) answer: oneshot::Sender<Result<Value, NotAnswered>>,
    /// Cancelled when nobody waits for the answer any more.
    pub(super) given_up: CancellationToken,
}

/// Where such questions of one call go, in the extensions of its request.
#[derive(Clone)]
pub(super) struct Questions(pub(super) mpsc::UnboundedSender<Open>);

/// Whoever can be asked by what the client of this request does for it.
pub(super) fn of(context: &RequestContext<RoleServer>) -> Asker {
    let kinds = kinds(&context.client_capabilities().unwrap_or_default());
    if kinds.is_empty() {
        return Asker::default();
    }
    if let Some(Questions(questions)) = context.extensions.get().cloned() {
        return Asker::new(kinds, move |question| -> Answering { Box::pin(ask_apart(questions.clone(), question)) });
    }
    if is_modern(context) {
        // It is sent no requests, and there is nobody who would take its answers.
        return Asker::default();
    }
    // The line numbers all requests.
    let RequestId::Number(number) = context.id else { return Asker::default() };
    let peer = context.peer.clone();
    Asker::new(kinds, move |question| -> Answering { Box::pin(ask(peer.clone(), number, question)) })
}

fn gone() -> NotAnswered {
    NotAnswered("the client is gone".to_owned())
}

async fn ask_apart(questions: mpsc::UnboundedSender<Open>, question: Question) -> Result<Value, NotAnswered> {
    let (answer, answered) = oneshot::channel();
    let given_up = CancellationToken::new();
    let _given_up_when_dropped = given_up.clone().drop_guard();
    questions.send(Open { question, answer, given_up }).map_err(|_| gone())?;
    answered.await.unwrap_or_else(|_| Err(gone()))
}

/// A question that nobody waits for any more is taken back.
struct CancelOnDrop(Option<RequestHandle<RoleServer>>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let (Some(handle), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(handle.cancel(Some("no longer needed".to_owned())));
        }
    }
}

/// `number`: that of the request that it is asked for.
async fn ask(client: Peer<RoleServer>, number: i64, Question { kind, params, .. }: Question) -> Result<Value, NotAnswered> {
    let params = with_meta(params, ASKED_FOR, number.into());
    let request = CustomRequest::new(question::method(kind), Some(Value::Object(params)));
    let request = ServerRequest::CustomRequest(request);
    let sent = client.send_request_with_option(request, PeerRequestOptions::no_options()).await;
    let mut asked = CancelOnDrop(Some(sent.map_err(|_| gone())?));
    let answer = match &mut asked.0 {
        Some(handle) => (&mut handle.rx).await,
        None => return Err(gone()),
    };
    asked.0 = None;
    let unreadable = || NotAnswered("the client's answer cannot be read".to_owned());
    match answer {
        Ok(Ok(ClientResult::CustomResult(CustomResult(Value::String(text))))) => {
            serde_json::from_str(&text).map_err(|_| unreadable())
        }
        Ok(Ok(_)) => Err(unreadable()),
        Ok(Err(ServiceError::McpError(error))) => {
            Err(NotAnswered(format!("the client refuses the question: {}", visible::line_within(&error.message, 300))))
        }
        Ok(Err(_)) | Err(_) => Err(gone()),
    }
}

/// The parameters with this in their `_meta`.
fn with_meta(mut params: Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let meta = params.entry("_meta").or_insert_with(|| json!({}));
    match meta.as_object_mut() {
        Some(meta) => drop(meta.insert(name.to_owned(), value)),
        None => *meta = json!({ name: value }),
    }
    params
}
