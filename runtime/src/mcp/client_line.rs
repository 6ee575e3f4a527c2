//! The line from an MCP client: one JSON-RPC message a line, and an answer to everything that has an `id`, whatever it is.
//!
//! | a client sends | it gets |
//! |---|---|
//! | what is no JSON; JSON that is no message; a line beyond [`LINE_BYTES_MAX`](isolet_rpc::messages::LINE_BYTES_MAX) | -32700 or -32600, with the `id` where one can be read, else `null` |
//! | half a surrogate pair, a byte that is no UTF-8 | U+FFFD in its place |
//! | messages in an array, as before 2025-06-18 | an answer to each, one a line |
//! | an `id` again before its answer | -32600 |
//! | more requests than may be under way | -32000, at once |
//! | requests, and takes no answers | nothing more is read from it, and after [`STALL_MAX`] the connection ends |
//!
//! Arguments of a call stay the text that they came in, and go to the face beside the request: a tree of them would take fifty times as much.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use isolet_rpc::client_id::ClientId;
use isolet_rpc::client_requests::{Admission, ClientRequests};
use isolet_rpc::envelope::{Envelope, number_in, object};
use isolet_rpc::messages::{Messages, Received, too_long};
use isolet_rpc::output::Output;
use isolet_rpc::refusal::{INVALID_REQUEST, Refusal, error_text, no_message};
use rmcp::RoleServer;
use rmcp::model::{
    CancelledNotification, CancelledNotificationParam, ClientJsonRpcMessage, ClientResult, CustomResult, GetExtensions as _,
    InitializedNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerNotification,
};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite};

use super::answer::{Answer, Said};
use super::client_params;
use super::server_answer::error_data;
use super::subscription_id;
use crate::host::session::CALLS_WAITING_MAX;

/// Requests of one client that may be under way: the calls that may wait, and some that do not.
const REQUESTS_MAX: usize = CALLS_WAITING_MAX + 256;

/// How long a client may take nothing while something waits for it.
const STALL_MAX: Duration = Duration::from_secs(30);

/// What may wait for a client at the very most, bytes; a client that lets more come together is given up at once.
const BACKLOG_BYTES_MAX: usize = 64 << 20;

/// The line from one client.
pub(super) struct ClientLine<R, W> {
    messages: Messages<R, W>,
    output: Arc<Output<W>>,
    requests: Arc<ClientRequests<Answer>>,
    /// What the client was asked and has not answered.
    asked: Mutex<HashSet<i64>>,
    /// Whether the client has sent `initialize`, and has not said yet that it is initialized.
    is_beginning: AtomicBool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelledParams<'text> {
    #[serde(borrow)]
    request_id: &'text RawValue,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + Send + 'static> ClientLine<R, W> {
    /// The line to a client that writes to `input` and reads from `output`.
    pub(super) fn new(input: R, output: W) -> Self {
        Self::with_stall_max(input, output, STALL_MAX)
    }

    fn with_stall_max(input: R, output: W, stall_max: Duration) -> Self {
        let output = Output::new(output, stall_max);
        let messages = Messages::new(input, Arc::clone(&output));
        let requests = Arc::new(ClientRequests::new(REQUESTS_MAX));
        Self { messages, output, requests, asked: Mutex::default(), is_beginning: AtomicBool::new(false) }
    }

    /// What a line or a part of an array is for rmcp, if it is for rmcp. Everything else is answered here.
    fn read(&mut self, text: &str) -> Option<ClientJsonRpcMessage> {
        let Ok(message) = object::<Envelope<'_>>(text) else {
            self.output.refuse(None, no_message(text));
            return None;
        };
        match (message.method(), message.id) {
            ((Some(method), _), None) => self.notification(&method, message.params),
            ((Some(method), _), Some(id)) => self.request(&method, id, &message, text.len()),
            ((None, false), id) if message.result.is_some() || message.error.is_some() => self.answer(id, &message),
            (_, id) => {
                let id = id.and_then(ClientId::of);
                self.output.refuse(id.as_ref(), (INVALID_REQUEST, "a request has a `method`, which is a text".into()));
                None
            }
        }
    }

    /// The answer to what the client was asked; none if it was not asked that, or has answered it already.
    fn answer(&self, id: Option<&RawValue>, message: &Envelope<'_>) -> Option<ClientJsonRpcMessage> {
        let id = id.and_then(number_in).filter(|id| self.asked().remove(id))?;
        let number = RequestId::Number(id);
        Some(match (message.error, message.result) {
            (Some(error), _) => JsonRpcMessage::error(error_data(error), Some(number)),
            (None, result) => {
                let text = result.map_or("null", RawValue::get).to_owned();
                JsonRpcMessage::response(ClientResult::CustomResult(CustomResult(Value::String(text))), number)
            }
        })
    }

    fn asked(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, method: &str, id: &RawValue, message: &Envelope<'_>, bytes: usize) -> Option<ClientJsonRpcMessage> {
        let Some(id) = ClientId::of(id) else {
            self.output.refuse(None, (INVALID_REQUEST, "an `id` is a number or a text, of at most 256 bytes".into()));
            return None;
        };
        let taken = self.take(method, &id, message, bytes);
        taken.map_err(|refusal| self.output.refuse(Some(&id), refusal)).ok()
    }

    fn take(&self, method: &str, id: &ClientId, message: &Envelope<'_>, bytes: usize) -> Result<ClientJsonRpcMessage, Refusal> {
        if !message.is_marked() {
            return Err((INVALID_REQUEST, "`jsonrpc` is \"2.0\" in every message".into()));
        }
        let mut request = client_params::request(method, message.params)?;
        let answer = Answer::new(self.output.backlog());
        let opened = self.requests.open(id.clone(), bytes, answer.clone());
        let (number, admission) = opened.map_err(Refusal::from)?;
        if method == "initialize" {
            self.is_beginning.store(true, Ordering::SeqCst);
        }
        let extensions = request.extensions_mut();
        extensions.insert(answer);
        extensions.insert(admission);
        Ok(ClientJsonRpcMessage::request(request, RequestId::Number(number)))
    }

    /// Of the notifications of a client two are heard: that it is initialized, once; and a cancellation, which ends its request, which is not answered then.
    fn notification(&self, method: &str, params: Option<&RawValue>) -> Option<ClientJsonRpcMessage> {
        if method == "notifications/initialized" && self.is_beginning.swap(false, Ordering::SeqCst) {
            return Some(ClientJsonRpcMessage::notification(InitializedNotification::default().into()));
        }
        if method != "notifications/cancelled" {
            return None;
        }
        let CancelledParams { request_id } = object(params?.get()).ok()?;
        let number = self.requests.number_of(&ClientId::of(request_id)?)?;
        self.requests.close(number);
        let cancelled = CancelledNotification::new(CancelledNotificationParam::new(Some(RequestId::Number(number)), None));
        Some(ClientJsonRpcMessage::notification(cancelled.into()))
    }

    /// The answer to a request, as it goes out; none to one that was cancelled.
    fn outgoing(&self, message: ServerJsonRpcMessage) -> Option<(Vec<Arc<str>>, Option<Admission>)> {
        match &message {
            ServerJsonRpcMessage::Request(asked) => {
                if let RequestId::Number(id) = asked.id {
                    self.asked().insert(id);
                }
            }
            ServerJsonRpcMessage::Notification(said) => {
                if let ServerNotification::CancelledNotification(cancelled) = &said.notification
                    && let Some(RequestId::Number(id)) = cancelled.params.request_id
                {
                    self.asked().remove(&id);
                }
            }
            _ => {}
        }
        let number = match &message {
            ServerJsonRpcMessage::Response(response) => &response.id,
            ServerJsonRpcMessage::Error(error) => error.id.as_ref()?,
            _ => return Some((vec![subscription_id::text(&message, |number| self.requests.id_of(number))?.into()], None)),
        };
        let RequestId::Number(number) = number else { return None };
        let open = self.requests.close(*number)?;
        let id = open.id.as_json();
        let result = |text: Arc<str>| vec![format!(r#"{{"jsonrpc":"2.0","id":{id},"result":"#).into(), text, "}".into()];
        let error = |error: &rmcp::ErrorData| vec![error_text(id, error.code.0, &error.message, error.data.as_ref()).into()];
        let parts = match (open.kept.take(), &message) {
            (Some(Said::Result(text)), _) => result(text),
            (Some(Said::Error(said)), _) => error(&said),
            (None, ServerJsonRpcMessage::Response(response)) => {
                result(subscription_id::text(&response.result, |_| Some(open.id.clone()))?.into())
            }
            (None, ServerJsonRpcMessage::Error(said)) => error(&said.error),
            (None, _) => return None,
        };
        Some((parts, Some(open.admission)))
    }
}

impl<R, W> Transport<RoleServer> for ClientLine<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = std::convert::Infallible;

    /// Never fails: that nothing can be written any more is seen by whoever reads.
    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let sent = self.outgoing(message).map(|(parts, admission)| (self.output.send(parts), admission));
        if self.output.backlog().bytes() > BACKLOG_BYTES_MAX {
            self.output.backlog().closed().cancel();
        }
        async move {
            if let Some((written, _admission)) = sent {
                let _ = written.await;
            }
            Ok(())
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        while let Some(received) = self.messages.next().await {
            match received {
                Received::Text(text) => {
                    if let Some(message) = self.read(&text) {
                        return Some(message);
                    }
                }
                Received::TooLong(id) => self.output.refuse(id.as_ref(), too_long()),
            }
        }
        if self.output.backlog().closed().is_cancelled() {
            tracing::warn!("a connection is ended: its MCP client takes no answers");
        }
        None
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.output.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet_rpc::output::WAITING_BYTES_MAX;
    use rmcp::model::ServerResult;
    use tokio::io::{AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// A line whose client writes to the first and reads from the second.
    fn line(stall_max: Duration) -> (ClientLine<DuplexStream, DuplexStream>, DuplexStream, DuplexStream) {
        let (client_output, input) = tokio::io::duplex(1 << 20);
        let (output, client_input) = tokio::io::duplex(64);
        (ClientLine::with_stall_max(input, output, stall_max), client_output, client_input)
    }

    async fn ask(client: &mut DuplexStream, id: usize) {
        client.write_all(format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n").as_bytes()).await.unwrap();
    }

    /// Answers the next request with so many bytes.
    async fn answer(line: &mut ClientLine<DuplexStream, DuplexStream>, bytes: usize) -> bool {
        let Some(message) = line.receive().await else { return false };
        let (_, id) = message.into_request().unwrap();
        let result = ServerResult::CustomResult(CustomResult(Value::String("x".repeat(bytes))));
        tokio::spawn(line.send(JsonRpcMessage::response(result, id)));
        true
    }

    #[tokio::test]
    async fn a_client_that_takes_nothing_is_not_read_from_and_then_given_up() {
        let (mut line, mut client, _kept_unread) = line(Duration::from_millis(200));
        for id in 0..100 {
            ask(&mut client, id).await;
        }
        let mut answered = 0;
        while answer(&mut line, (1 << 20) - 1000).await {
            answered += 1;
        }
        assert_eq!(answered, WAITING_BYTES_MAX / (1 << 20) + 1, "one more than there was room for");
        assert!(line.output.backlog().closed().is_cancelled());
        assert!(line.receive().await.is_none());
    }

    #[tokio::test]
    async fn a_client_whose_answers_become_too_many_at_once_is_given_up() {
        let (mut line, mut client, _kept_unread) = line(Duration::from_secs(60));
        let mut waiting = Vec::new();
        for id in 0..3 {
            ask(&mut client, id).await;
            waiting.push(line.receive().await.unwrap().into_request().unwrap().1);
        }
        for id in waiting {
            let result = ServerResult::CustomResult(CustomResult(Value::String("x".repeat(BACKLOG_BYTES_MAX / 2))));
            tokio::spawn(line.send(JsonRpcMessage::response(result, id)));
        }
        assert!(line.receive().await.is_none());
    }

    #[tokio::test]
    async fn a_slow_client_gets_every_answer() {
        use tokio::io::AsyncBufReadExt as _;

        let (mut line, mut client, client_input) = line(Duration::from_secs(60));
        tokio::spawn(async move {
            for id in 0..50 {
                ask(&mut client, id).await;
            }
            std::future::pending::<()>().await;
        });
        tokio::spawn(async move { while answer(&mut line, 1 << 18).await {} });
        let mut lines = tokio::io::BufReader::new(client_input).lines();
        for _ in 0..50 {
            assert!(lines.next_line().await.unwrap().is_some_and(|line| line.len() > 1 << 18));
        }
    }
}
