//! The line to an MCP server: one JSON-RPC message a line, with results kept as the text that they came in.
//!
//! rmcp decodes results into its own types: one malformed tool costs the whole `tools/list`, unknown members and content blocks are lost, and a
//! result with an extra `tools` member is taken for another kind of result. So this transport hands rmcp the results of the handshake only; any other
//! result goes through it as one opaque string of JSON text (see [`raw_result`]), and rmcp keeps what it does well: ids, lifecycles, cancellation.
//!
//! Nothing that a server sends is trusted. A line has a maximum; what is no message is skipped; requests of a server are answered with "method not found"
//! (we offer no sampling, no elicitation, no roots) and notifications are dropped unread, except for the ones that matter here.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::StreamExt as _;
use rmcp::RoleClient;
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, CustomRequest, CustomResult, ErrorData, JsonRpcMessage, PingRequest, RequestId,
    ServerJsonRpcMessage, ServerNotification, ServerRequest, ServerResult, ToolListChangedNotification,
};
use rmcp::transport::Transport;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Mutex;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, FramedRead};
use tokio_util::sync::CancellationToken;

/// The most characters that are kept of a line that is no message.
const RUBBISH_CHARACTERS_MAX: usize = 200;

/// The line to one server.
pub(super) struct Wire<R, W> {
    output: FramedRead<R, AnyDelimiterCodec>,
    input: Arc<Mutex<Option<W>>>,
    write_max: Duration,
    closed: CancellationToken,
    /// Requests of the handshake that are not answered yet; their results are for rmcp.
    handshakes: HashMap<RequestId, Handshake>,
    faults: Arc<Faults>,
}

/// What a server did wrong on its line; for the message when the connection has failed.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rubbish: OnceLock<String>,
    oversized: AtomicBool,
}

#[derive(Clone, Copy)]
enum Handshake {
    Initialize,
    Discover,
}

/// A JSON-RPC message of any kind, as far as it is read here.
#[derive(Deserialize)]
struct Envelope<'text> {
    #[serde(default)]
    id: Option<RequestId>,
    #[serde(default)]
    method: Option<String>,
    #[serde(borrow, default)]
    result: Option<&'text RawValue>,
    #[serde(borrow, default)]
    error: Option<&'text RawValue>,
}

/// The JSON text of a result that came over a [`Wire`], or `None` if it is one of the handshake.
pub(super) fn raw_result(result: ServerResult) -> Option<String> {
    match result {
        ServerResult::CustomResult(CustomResult(Value::String(text))) => Some(text),
        _ => None,
    }
}

/// Reads a JSON object. (serde would take an array for the fields of a struct, one by one.)
pub(super) fn object<'text, T: Deserialize<'text>>(text: &'text str) -> Result<T, serde_json::Error> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde::de::Error::custom("expected a JSON object"))
    }
}

impl<R: AsyncRead, W> Wire<R, W> {
    /// The line to a server that writes to `output` and reads from `input`.
    ///
    /// A line of more than `line_bytes_max` ends the connection: whose answer it was cannot be told, and waiting for it would never end. So does
    /// a server that does not take a message within `write_max`.
    pub(super) fn new(output: R, input: W, line_bytes_max: usize, write_max: Duration) -> Self {
        Self {
            output: FramedRead::new(
                output,
                AnyDelimiterCodec::new_with_max_length(b"\n".to_vec(), b"\n".to_vec(), line_bytes_max),
            ),
            input: Arc::new(Mutex::new(Some(input))),
            write_max,
            closed: CancellationToken::new(),
            handshakes: HashMap::new(),
            faults: Arc::default(),
        }
    }

    /// What the server did wrong so far.
    pub(super) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.faults)
    }

    /// The message of one line, if it is one for us.
    fn message(&mut self, line: &[u8]) -> Option<ServerJsonRpcMessage> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        match object(text) {
            Ok(Envelope { method: Some(method), id: Some(id), .. }) => Some(JsonRpcMessage::request(request(method), id)),
            Ok(Envelope { method: Some(method), id: None, .. }) => notification(&method).map(JsonRpcMessage::notification),
            Ok(Envelope { id: Some(id), result: Some(result), .. }) => {
                Some(JsonRpcMessage::response(self.result(&id, result), id))
            }
            Ok(Envelope { id, error: Some(error), .. }) => Some(JsonRpcMessage::error(error_data(error), id)),
            _ => {
                self.faults.note_rubbish(text);
                None
            }
        }
    }

    fn result(&mut self, id: &RequestId, result: &RawValue) -> ServerResult {
        let text = result.get();
        let handshake = match self.handshakes.remove(id) {
            Some(Handshake::Initialize) => object(text).map(ServerResult::InitializeResult),
            Some(Handshake::Discover) => object(text).map(ServerResult::DiscoverResult),
            None => Ok(ServerResult::CustomResult(CustomResult(Value::String(text.to_owned())))),
        };
        handshake.unwrap_or_else(|_| {
            self.faults.note_rubbish(text);
            ServerResult::CustomResult(CustomResult(Value::Null))
        })
    }
}

/// A request of the server: its text is not read further, because all but a ping are refused.
fn request(method: String) -> ServerRequest {
    if method == "ping" {
        ServerRequest::PingRequest(PingRequest { method: Default::default(), extensions: Default::default() })
    } else {
        ServerRequest::CustomRequest(CustomRequest::new(method, None))
    }
}

fn notification(method: &str) -> Option<ServerNotification> {
    (method == "notifications/tools/list_changed").then(|| {
        ServerNotification::ToolListChangedNotification(ToolListChangedNotification {
            method: Default::default(),
            extensions: Default::default(),
        })
    })
}

/// The error object of a response; one that cannot be read still ends its request.
fn error_data(error: &RawValue) -> ErrorData {
    object(error.get())
        .unwrap_or_else(|_| ErrorData::internal_error(format!("the server answered with the error {}", error.get()), None))
}

impl Faults {
    /// The beginning of the first line that was no MCP message.
    pub(super) fn rubbish(&self) -> Option<&str> {
        self.rubbish.get().map(String::as_str)
    }

    /// Whether a line was too long.
    pub(super) fn is_oversized(&self) -> bool {
        self.oversized.load(Ordering::Relaxed)
    }

    fn note_rubbish(&self, text: &str) {
        tracing::debug!("an MCP server wrote a line that is no message");
        self.rubbish.get_or_init(|| text.chars().take(RUBBISH_CHARACTERS_MAX).collect());
    }
}

impl<R, W> Transport<RoleClient> for Wire<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        if let JsonRpcMessage::Request(request) = &message {
            match request.request {
                ClientRequest::InitializeRequest(_) => drop(self.handshakes.insert(request.id.clone(), Handshake::Initialize)),
                ClientRequest::DiscoverRequest(_) => drop(self.handshakes.insert(request.id.clone(), Handshake::Discover)),
                _ => {}
            }
        }
        let (input, closed, write_max) = (Arc::clone(&self.input), self.closed.clone(), self.write_max);
        async move {
            let mut line = serde_json::to_vec(&message)?;
            line.push(b'\n');
            let write = async {
                let mut input = input.lock().await;
                let open = input.as_mut().ok_or(io::ErrorKind::NotConnected)?;
                open.write_all(&line).await?;
                open.flush().await
            };
            tokio::select! {
                written = tokio::time::timeout(write_max, write) => match written {
                    Ok(written) => written,
                    Err(_) => {
                        // A part of the line may be written: nothing that follows would be understood.
                        closed.cancel();
                        Err(io::ErrorKind::TimedOut.into())
                    }
                },
                () = closed.cancelled() => Err(io::ErrorKind::NotConnected.into()),
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let line = tokio::select! {
                line = self.output.next() => line?,
                () = self.closed.cancelled() => return None,
            };
            let line = match line {
                Ok(line) => line,
                Err(AnyDelimiterCodecError::MaxChunkLengthExceeded) => {
                    self.faults.oversized.store(true, Ordering::Relaxed);
                    return None;
                }
                Err(AnyDelimiterCodecError::Io(_)) => return None,
            };
            if let Some(message) = self.message(&line) {
                return Some(message);
            }
        }
    }

    /// Ends the server's input: it is told so, or its supervisor is.
    async fn close(&mut self) -> io::Result<()> {
        self.closed.cancel();
        drop(self.input.lock().await.take());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use rmcp::model::{ListToolsRequest, NumberOrString};
    use tokio::io::DuplexStream;

    use super::*;

    const LINE_BYTES_MAX: usize = 1000;

    /// A wire to a server that has written `output` and ended.
    fn wire(output: &str) -> Wire<io::Cursor<Vec<u8>>, DuplexStream> {
        let (input, _) = tokio::io::duplex(64);
        Wire::new(io::Cursor::new(output.as_bytes().to_vec()), input, LINE_BYTES_MAX, Duration::from_secs(60))
    }

    #[tokio::test]
    async fn a_result_stays_the_text_that_it_came_in() {
        let mut wire =
            wire("{\"result\": {\"tools\": [7], \"x\": 18446744073709551615.0}, \"jsonrpc\": \"2.0\", \"id\": 5}\r\n");
        let (result, id) = wire.receive().await.unwrap().into_response().unwrap();
        assert_eq!(id, NumberOrString::Number(5));
        assert_eq!(raw_result(result).unwrap(), "{\"tools\": [7], \"x\": 18446744073709551615.0}");
    }

    #[tokio::test]
    async fn what_is_no_message_is_skipped_and_the_first_of_it_kept() {
        let mut wire = wire("Listening...\n[1]\n\n{\"id\":1}\n{\"id\":1,\"result\":{}}\n");
        assert!(wire.receive().await.unwrap().into_response().is_some());
        assert!(wire.receive().await.is_none());
        assert_eq!(wire.faults().rubbish(), Some("Listening..."));
        assert!(!wire.faults().is_oversized());
    }

    #[tokio::test]
    async fn a_line_up_to_the_maximum_is_read_and_a_longer_one_ends_the_connection() {
        let empty = r#"{"id":1,"result":""}"#.len();
        let line = |bytes: usize| format!("{{\"id\":1,\"result\":\"{}\"}}\n", "x".repeat(bytes - empty));
        assert!(wire(&line(LINE_BYTES_MAX)).receive().await.is_some());
        let mut long = wire(&(line(LINE_BYTES_MAX + 1) + &line(100)));
        assert!(long.receive().await.is_none());
        assert!(long.faults().is_oversized());
    }

    #[tokio::test]
    async fn only_notifications_that_matter_come_through_and_requests_arrive_without_their_text() {
        let mut wire = wire(concat!(
            "{\"method\":\"notifications/message\",\"params\":{\"data\":1}}\n",
            "{\"method\":\"notifications/tools/list_changed\"}\n",
            "{\"method\":\"sampling/createMessage\",\"id\":\"a\",\"params\":{\"messages\":1}}\n",
            "{\"method\":\"ping\",\"id\":1}\n",
        ));
        assert!(matches!(
            wire.receive().await.unwrap().into_notification(),
            Some(ServerNotification::ToolListChangedNotification(_))
        ));
        let (request, id) = wire.receive().await.unwrap().into_request().unwrap();
        assert!(matches!(request, ServerRequest::CustomRequest(CustomRequest { params: None, .. })));
        assert_eq!(id, NumberOrString::String("a".into()));
        assert!(matches!(wire.receive().await.unwrap().into_request(), Some((ServerRequest::PingRequest(_), _))));
    }

    #[tokio::test]
    async fn an_error_that_cannot_be_read_still_ends_its_request() {
        let mut wire = wire("{\"id\":3,\"error\":\"no\"}\n");
        let ServerJsonRpcMessage::Error(error) = wire.receive().await.unwrap() else { panic!("an error is expected") };
        assert_eq!(error.id, Some(NumberOrString::Number(3)));
        assert!(error.error.message.contains("\"no\""), "{}", error.error.message);
    }

    #[tokio::test]
    async fn a_server_that_does_not_read_ends_the_connection_not_the_caller() {
        let (input, _kept_unread) = tokio::io::duplex(8);
        let (output, _kept_open) = tokio::io::duplex(8);
        let mut wire = Wire::new(output, input, LINE_BYTES_MAX, Duration::from_millis(10));
        let message = ClientJsonRpcMessage::request(
            ClientRequest::ListToolsRequest(ListToolsRequest::default()),
            NumberOrString::Number(1),
        );
        assert_eq!(wire.send(message).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(wire.receive().await.is_none());
    }
}
