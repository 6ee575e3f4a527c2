//! The line to an MCP server: one JSON-RPC message a line, with parameters and results kept as the text that they are.
//!
//! rmcp decodes results into its own types: one malformed tool costs the whole `tools/list`, unknown members and content blocks are lost, and a
//! result with an extra `tools` member is taken for another kind of result. So this transport hands rmcp the results of the handshake only, with
//! nothing in them but what is needed; any other result goes through it as one opaque string of JSON text (see [`super::server_answer`]), and rmcp keeps
//! what it does well: ids, lifecycles, cancellation.
//!
//! Nothing that a server sends is trusted. A line has a maximum; what is no message is skipped; what nobody asked for is read at a bounded
//! rate ([`super::flood`]) and never reaches rmcp. Questions of a server go to whoever can be asked ([`super::asking`]); its other requests are answered
//! here with "method not found", a ping with a pong, and of notifications those are read that matter here ([`super::border`]).

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use isolet_bindings::{AskKind, visible, without_half_surrogates};
use isolet_rpc::line_reader::{Line, LineReader, text_of};
use isolet_rpc::output::Output;
use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, Semaphore};

use super::border::{Border, Heard};
use super::faults::Faults;
use super::flood::FloodGate;
use super::pending::Pending;
use super::request_params::Waiting;
use super::sent::Sent;
use super::sieve::Sieve;
use super::watches::Watches;

/// Answers to requests of a server that wait for it to read them. One that lets more wait asks only to be answered.
const ANSWERS_WAITING_MAX: usize = 64;

/// The line to one server.
pub(super) struct Wire<R, W> {
    server: String,
    lines: LineReader<R>,
    sieve: Sieve,
    gate: FloodGate,
    output: Arc<Output<W>>,
    answers: Arc<Semaphore>,
    border: Border,
}

/// What is to be done with a message of ours.
enum Outgoing {
    Line(String),
    Request(i64, Waiting),
    Nothing,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin + Send + 'static> Wire<R, W> {
    /// The line to `server`, which writes to `output` and reads from `input`.
    ///
    /// A line of more than `line_bytes_max` ends the connection: whose answer it was cannot be told, and waiting for it would never end. So does
    /// a server that takes nothing of a message for `stall_max`.
    pub(super) fn new(server: &str, output: R, input: W, line_bytes_max: usize, stall_max: Duration) -> Self {
        Self {
            server: server.to_owned(),
            lines: LineReader::new(output, line_bytes_max),
            sieve: Sieve::new(line_bytes_max),
            gate: FloodGate::new(),
            output: Output::new(input, stall_max),
            answers: Arc::new(Semaphore::new(ANSWERS_WAITING_MAX)),
            border: Border::default(),
        }
    }

    /// The same line, to a server that was sent this, and told that it can ask for that.
    pub(super) fn having_sent(mut self, sent: &Arc<Sent>, asks: &BTreeSet<AskKind>) -> Self {
        self.border = Border::of(Arc::clone(sent), asks);
        self
    }

    /// What the server did wrong so far.
    pub(super) fn faults(&self) -> Arc<Faults> {
        Arc::clone(&self.border.faults)
    }

    /// Told when the server says that its tools have changed; however often it says so, once.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.border.changed)
    }

    /// How often the server has said that its resources or prompts have changed.
    pub(super) fn offer_changes(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.border.offer_changes)
    }

    /// Who is told when a resource of the server has changed.
    pub(super) fn watches(&self) -> Arc<Watches> {
        Arc::clone(&self.border.watches)
    }

    /// The answer that a line is, if it is one to a request of ours.
    fn read(&mut self, line: &[u8]) -> Option<ServerJsonRpcMessage> {
        let text = text_of(line);
        let is_indented = line.first().is_some_and(u8::is_ascii_whitespace);
        let answer = match self.sieve.pass(&text, is_indented) {
            Some(message) => self.answer(&without_half_surrogates(&message)),
            None => {
                self.note_rubbish(&text);
                None
            }
        };
        if answer.is_none() {
            self.gate.note_unasked(line.len());
        }
        answer
    }

    fn answer(&mut self, text: &str) -> Option<ServerJsonRpcMessage> {
        match self.border.hear(text) {
            Heard::Answer(answer) => return Some(*answer),
            Heard::Request(refusal) => self.reply(std::future::ready(refusal.text())),
            Heard::Question(asking) => self.reply(asking.text()),
            Heard::Nothing => {}
        }
        None
    }

    /// Answers a request of the server. One that asks faster than it may, or than it reads, is ended.
    fn reply(&self, text: impl Future<Output = String> + Send + 'static) {
        let place = Arc::clone(&self.answers).try_acquire_owned();
        let (true, Ok(place)) = (self.gate.admits_request(), place) else {
            return self.end_for("requests");
        };
        let output = Arc::clone(&self.output);
        tokio::spawn(async move {
            // A line that is closed says so to whoever reads from it.
            let _ = output.send(vec![text.await.into()]).await;
            drop(place);
        });
    }

    fn end_for(&self, what: &'static str) {
        if self.border.faults.note_flooding(what) {
            tracing::warn!(server = %visible::line(&self.server), "an MCP server is ended: it floods its line with {what}");
        }
        self.output.backlog().closed().cancel();
    }

    fn note_rubbish(&self, text: &str) {
        if !text.is_empty() {
            self.border.faults.note_rubbish(text);
        }
    }

    fn outgoing(&self, message: ClientJsonRpcMessage) -> Result<Outgoing, serde_json::Error> {
        match &message {
            JsonRpcMessage::Request(request) => {
                // We number our requests.
                let RequestId::Number(id) = request.id else { return Ok(Outgoing::Nothing) };
                self.border.ask(id, &request.request);
                if let Some(waiting) = Waiting::of(&request.request, id) {
                    return Ok(Outgoing::Request(id, waiting));
                }
                // The handshake: nobody gives it up but with the connection.
                self.border.pending.begin(id);
            }
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(RequestId::Number(id)) = cancelled.params.request_id
                    && !self.border.pending.give_up(id)
                {
                    return Ok(Outgoing::Nothing);
                }
            }
            _ => {}
        }
        serde_json::to_string(&message).map(Outgoing::Line)
    }
}

/// Writes a request when its turn comes, if it is wanted then.
async fn write_request<W: AsyncWrite + Unpin>(
    output: &Output<W>,
    pending: &Pending,
    id: i64,
    waiting: Waiting,
) -> io::Result<()> {
    let turn = output.turn().await?;
    match waiting.begin() {
        Some(text) if pending.begin(id) => turn.write(&text.parts()).await,
        _ => {
            pending.give_up(id);
            Ok(())
        }
    }
}

impl<R, W> Transport<RoleClient> for Wire<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let outgoing = self.outgoing(message);
        let (output, pending) = (Arc::clone(&self.output), Arc::clone(&self.border.pending));
        async move {
            match outgoing? {
                Outgoing::Line(line) => output.send(vec![line.into()]).await,
                Outgoing::Nothing => Ok(()),
                Outgoing::Request(id, waiting) => write_request(&output, &pending, id, waiting).await,
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        let closed = self.output.backlog().closed().clone();
        loop {
            let line = async {
                self.gate.opened().await;
                self.lines.next().await
            };
            let line = tokio::select! {
                biased;
                () = closed.cancelled() => return None,
                line = line => line,
            };
            match line {
                Ok(Some(Line::Whole(line))) => {
                    if let Some(message) = self.read(&line) {
                        return Some(message);
                    }
                }
                Ok(Some(Line::TooLong(_) | Line::EndOfTooLong(_))) => {
                    self.border.faults.note_oversized();
                    return None;
                }
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// Ends the server's input: it is told so, or its supervisor is.
    async fn close(&mut self) -> io::Result<()> {
        self.output.close().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use rmcp::model::{CancelledNotification, CancelledNotificationParam};
    use serde_json::value::RawValue;
    use tokio::io::{AsyncBufReadExt as _, BufReader, DuplexStream};

    use super::*;
    use crate::mcp::pending::Asked;
    use crate::mcp::request_params::{self, Members};
    use crate::mcp::server_answer::raw_result;

    const LINE_BYTES_MAX: usize = 1000;

    /// A wire to a server that has written `output` and ended, with requests 1 to 9 under way; and what the server reads.
    fn wire(output: &str) -> (Wire<io::Cursor<Vec<u8>>, DuplexStream>, BufReader<DuplexStream>) {
        let (input, server) = tokio::io::duplex(1 << 20);
        let output = io::Cursor::new(output.as_bytes().to_vec());
        let wire = Wire::new("test", output, input, LINE_BYTES_MAX, Duration::from_secs(60));
        for id in 1..10 {
            wire.border.pending.add(id, Asked::Other);
            wire.border.pending.begin(id);
        }
        (wire, BufReader::new(server))
    }

    /// The results that come through.
    async fn results(output: &str) -> Vec<(i64, String)> {
        let (mut wire, _server) = wire(output);
        let mut results = Vec::new();
        while let Some(message) = wire.receive().await {
            let (result, RequestId::Number(id)) = message.into_response().unwrap() else { panic!("we number our requests") };
            results.push((id, raw_result(result).unwrap()));
        }
        results
    }

    fn members(argument: &str) -> Arc<Members> {
        Arc::new(Members::default().with("arguments", RawValue::from_string(argument.to_owned()).unwrap()))
    }

    fn call(members: &Arc<Members>, id: i64) -> ClientJsonRpcMessage {
        ClientJsonRpcMessage::request(request_params::request("tools/call", members), RequestId::Number(id))
    }

    #[tokio::test]
    async fn a_result_stays_the_text_that_it_came_in() {
        let text = "{\"tools\": [7], \"x\": 18446744073709551615.0}";
        let line = format!("{{\"result\": {text}, \"jsonrpc\": \"2.0\", \"id\": 5}}\r\n");
        assert_eq!(results(&line).await, [(5, text.to_owned())]);
    }

    #[tokio::test]
    async fn an_answer_is_known_by_its_number_however_it_is_written() {
        let answers = "{\"id\":\"1\",\"result\":1}\n{\"id\":2.0,\"result\":null}\n\u{feff}{\"id\":3,\"result\":3}\n";
        let expected = [(1, "1".to_owned()), (2, "null".to_owned()), (3, "3".to_owned())];
        assert_eq!(results(answers).await, expected);
    }

    #[tokio::test]
    async fn answers_to_nothing_and_second_ones_go_nowhere() {
        let answers = "{\"id\":99,\"result\":1}\n{\"id\":\"x\",\"result\":1}\n{\"id\":1,\"result\":1}\n{\"id\":1,\"result\":2}\n{\"result\":1}\n";
        assert_eq!(results(answers).await, [(1, "1".to_owned())]);
    }

    #[tokio::test]
    async fn half_a_surrogate_pair_becomes_a_replacement() {
        assert_eq!(results("{\"id\":1,\"result\":[\"\\ud83d\"]}\n").await, [(1, "[\"\\ufffd\"]".to_owned())]);
    }

    #[tokio::test]
    async fn what_is_no_message_is_skipped_and_the_first_of_it_kept() {
        let (mut wire, _server) = wire("Listening...\n[1]\n\n{\"id\":1}\n> {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
        assert!(wire.receive().await.unwrap().into_response().is_some());
        assert!(wire.receive().await.is_none());
        assert_eq!(wire.faults().rubbish(), "Listening...");
        assert!(!wire.faults().is_oversized());
    }

    #[tokio::test]
    async fn a_line_up_to_the_maximum_is_read_and_a_longer_one_ends_the_connection() {
        let empty = r#"{"id":1,"result":""}"#.len();
        let line = |bytes: usize| format!("{{\"id\":1,\"result\":\"{}\"}}\n", "x".repeat(bytes - empty));
        assert!(wire(&line(LINE_BYTES_MAX)).0.receive().await.is_some());
        let (mut long, _server) = wire(&(line(LINE_BYTES_MAX + 1) + &line(100)));
        assert!(long.receive().await.is_none());
        assert!(long.faults().is_oversized());
    }

    #[tokio::test]
    async fn only_the_notification_that_matters_is_noticed_and_requests_are_answered_unread() {
        let (mut wire, server) = wire(concat!(
            "{\"method\":\"notifications/message\",\"params\":{\"data\":1}}\n",
            "{\"jsonrpc\":\"2.0\",\"method\":\"sampling/createMessage\",\"id\":\"a\",\"params\":{\"messages\":1}}\n",
            "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":7}\n",
            "{\"method\":\"GET\",\"id\":8,\"url\":\"/\"}\n",
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{}}\n",
            "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}\n",
            "{\"method\":\"notifications/tools/list_changed\"}\n",
        ));
        let changed = wire.changed();
        assert!(wire.receive().await.is_none());
        changed.notified().await;
        let mut lines = server.lines();
        let refused = lines.next_line().await.unwrap().unwrap();
        assert!(refused.starts_with(r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32601,"#), "{refused}");
        assert_eq!(lines.next_line().await.unwrap().unwrap(), r#"{"jsonrpc":"2.0","id":7,"result":{}}"#);
        wire.close().await.unwrap();
        assert_eq!(lines.next_line().await.unwrap(), None, "an access log and an echo are not answered");
    }

    #[tokio::test]
    async fn requests_that_the_server_does_not_read_the_answers_of_end_it() {
        let (input, _kept_unread) = tokio::io::duplex(8);
        let pings: String =
            (0..=ANSWERS_WAITING_MAX).map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}\n")).collect();
        let output = io::Cursor::new(pings.into_bytes());
        let mut wire = Wire::new("test", output, input, LINE_BYTES_MAX, Duration::from_secs(60));
        assert!(wire.receive().await.is_none());
        assert_eq!(wire.faults().flooding(), Some("requests"));
        assert_eq!(wire.send(call(&members("{}"), 1)).await.unwrap_err().kind(), io::ErrorKind::NotConnected);
    }

    #[tokio::test]
    async fn an_error_that_cannot_be_read_still_ends_its_request() {
        for (line, id, words) in [
            ("{\"id\":3,\"error\":\"no\"}\n", 3, "\"no\""),
            ("{\"id\":\"4\",\"error\":{\"code\":\"x\",\"message\":\"no\"}}\n", 4, "no"),
        ] {
            let (mut wire, _server) = wire(line);
            let ServerJsonRpcMessage::Error(error) = wire.receive().await.unwrap() else { panic!("an error is expected") };
            assert_eq!(error.id, Some(RequestId::Number(id)));
            assert!(error.error.message.contains(words), "{}", error.error.message);
        }
    }

    #[tokio::test]
    async fn an_error_without_an_id_is_that_of_the_only_request() {
        let (mut wire, _server) = wire("{\"id\":null,\"error\":{\"code\":-32700,\"message\":\"no\"}}\n");
        (2..10).for_each(|id| assert!(wire.border.pending.take(id).is_some()));
        let ServerJsonRpcMessage::Error(error) = wire.receive().await.unwrap() else { panic!("an error is expected") };
        assert_eq!(error.id, Some(RequestId::Number(1)));
    }

    #[tokio::test]
    async fn a_server_that_does_not_read_ends_the_connection_not_the_caller() {
        let (input, _kept_unread) = tokio::io::duplex(8);
        let (output, _kept_open) = tokio::io::duplex(8);
        let mut wire = Wire::new("test", output, input, LINE_BYTES_MAX, Duration::from_millis(10));
        assert_eq!(wire.send(call(&members("{}"), 1)).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(wire.receive().await.is_none());
    }

    #[tokio::test]
    async fn a_call_that_is_cancelled_before_its_turn_leaves_nothing_and_the_server_is_not_told() {
        let (input, server) = tokio::io::duplex(8);
        let (output, _kept_open) = tokio::io::duplex(8);
        let mut wire = Wire::new("test", output, input, LINE_BYTES_MAX, Duration::from_secs(60));
        let first = members("\"first\"");
        let first = tokio::spawn({
            let sent = wire.send(call(&first, 1));
            async move {
                let _held = first;
                sent.await
            }
        });
        let large = members(&format!("\"{}\"", "x".repeat(1 << 20)));
        let held = Arc::downgrade(&large);
        let waiting = tokio::spawn(wire.send(call(&large, 2)));
        drop(large);
        assert!(held.upgrade().is_none(), "the transport keeps the arguments of a call that nobody waits for");
        let cancelled = CancelledNotification::new(CancelledNotificationParam::new(Some(RequestId::Number(2)), None));
        wire.send(ClientJsonRpcMessage::notification(cancelled.into())).await.unwrap();
        let mut lines = BufReader::new(server).lines();
        assert!(lines.next_line().await.unwrap().unwrap().contains("first"));
        first.await.unwrap().unwrap();
        waiting.await.unwrap().unwrap();
        wire.close().await.unwrap();
        assert_eq!(lines.next_line().await.unwrap(), None);
    }
}
