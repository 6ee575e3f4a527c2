//! What of a server's messages is let in, whatever they come over: answers to our requests, what is said before them to those who listen, and that
//! its lists have changed.
//!
//! Results go on as one opaque text (see [`super::server_answer`]); what nobody asked for never reaches rmcp.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use isolet_bindings::{AskKind, NotAnswered, Question};
use isolet_rpc::envelope::{Envelope, ID_BYTES_MAX, number_in, object};
use rmcp::model::{ClientRequest, CustomResult, JsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerResult};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use super::faults::Faults;
use super::news;
use super::pending::{Asked, Pending, Turn};
use super::question;
use super::request_params::{asker_of, listener_of};
use super::sent::Sent;
use super::server_answer::{error_data, server_result};
use super::watches::Watches;

/// What only clients ask for: from a server it is an echo of what we sent.
const OUR_METHODS: [&str; 13] = [
    "initialize",
    "server/discover",
    "tools/list",
    "tools/call",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "subscriptions/listen",
    "prompts/list",
    "prompts/get",
    "completion/complete",
];

/// The code of the answer to a question that was not answered.
const NOT_ANSWERED: i32 = -32000;
/// The same, of a kind that was never declared.
const NOT_DECLARED: i32 = -32601;

/// What is known of a conversation with a server.
#[derive(Default)]
pub(super) struct Border {
    pub(super) pending: Arc<Pending>,
    /// Told when the server says that its tools have changed; however often it says so, once.
    pub(super) changed: Arc<Notify>,
    /// How often it has said that its resources or prompts have changed.
    pub(super) offer_changes: Arc<AtomicU64>,
    /// Who is told when a resource has changed.
    pub(super) watches: Arc<Watches>,
    pub(super) faults: Arc<Faults>,
    /// What the server was told that it can ask for.
    asks: BTreeSet<AskKind>,
}

/// What a message is.
pub(super) enum Heard<'text> {
    /// The answer to a request of ours.
    Answer(Box<ServerJsonRpcMessage>),
    /// A request of the server, which waits for an answer with this id.
    Request(Refusal<'text>),
    /// A question of the server, which waits for an answer too.
    Question(Asking),
    /// Nothing that matters.
    Nothing,
}

/// How a request of a server is answered: a ping with a pong, any other but a question that can be asked with "method not
/// found".
pub(super) struct Refusal<'text> {
    id: &'text RawValue,
    is_ping: bool,
}

impl Refusal<'_> {
    /// The answer.
    pub(super) fn text(&self) -> String {
        let answer = if self.is_ping {
            r#""result":{}"#
        } else {
            r#""error":{"code":-32601,"message":"this client answers no requests but `ping`"}"#
        };
        format!(r#"{{"jsonrpc":"2.0","id":{},{answer}}}"#, self.id.get())
    }
}

/// A question of a server that is asked.
pub(super) struct Asking {
    id: Box<RawValue>,
    question: Question,
    turn: Turn,
    pending: Arc<Pending>,
    is_declared: bool,
}

impl Asking {
    /// The answer, once it is there. Whose question it is may be a guess: only when nobody waits any more whose it can be is it given up.
    pub(super) async fn text(self) -> String {
        let of = self.turn.of;
        let mut turn = Some(self.turn);
        let answer = loop {
            let Some(Turn { asker, given_up, .. }) = &turn else {
                break Err(NotAnswered("nobody waits for the call any more".to_owned()));
            };
            tokio::select! {
                biased;
                answer = asker.ask(self.question.clone()) => {
                    if answer.is_ok() || !given_up.is_cancelled() {
                        break answer;
                    }
                }
                () = given_up.cancelled() => {}
            }
            turn = self.pending.turn(of, self.question.kind);
        };
        let (name, value) = match answer {
            Ok(answer) => ("result", answer),
            Err(NotAnswered(why)) => {
                let code = if self.is_declared { NOT_ANSWERED } else { NOT_DECLARED };
                ("error", json!({ "code": code, "message": why }))
            }
        };
        format!(r#"{{"jsonrpc":"2.0","id":{},"{name}":{value}}}"#, self.id)
    }
}

impl Border {
    /// A conversation with a server that was sent this, and told that it can ask for that.
    pub(super) fn of(sent: Arc<Sent>, asks: &BTreeSet<AskKind>) -> Self {
        Self { faults: Arc::new(Faults::of(sent)), asks: asks.clone(), ..Self::default() }
    }

    /// Notes a request, which the server may answer from here on.
    pub(super) fn ask(&self, id: i64, request: &ClientRequest) {
        self.pending.add(id, Asked::by(request));
        if let Some((token, listener)) = listener_of(request) {
            self.pending.listen(id, token, listener);
        }
        if let Some((asker, kinds)) = asker_of(request) {
            self.pending.let_ask(id, asker, kinds);
        }
    }

    /// Reads one message.
    pub(super) fn hear<'text>(&self, text: &'text str) -> Heard<'text> {
        self.hear_with(text, None)
    }

    /// Reads one message, which came with the answer to the request `of`, if that is known.
    pub(super) fn hear_with<'text>(&self, text: &'text str, of: Option<i64>) -> Heard<'text> {
        let Ok(message) = object::<Envelope<'_>>(text) else {
            self.faults.note_rubbish(text);
            return Heard::Nothing;
        };
        match (message.method(), message.id) {
            ((Some(method), _), None) => {
                self.notification(&method, message.params);
                Heard::Nothing
            }
            ((Some(method), _), Some(id)) if message.is_marked() && !OUR_METHODS.contains(&&*method) => {
                if !is_answerable(id) {
                    Heard::Nothing
                } else if let Some(asking) = self.question(&method, id, message.params, of) {
                    Heard::Question(asking)
                } else {
                    Heard::Request(Refusal { id, is_ping: method == "ping" })
                }
            }
            ((None, false), id) if message.result.is_some() || message.error.is_some() => {
                self.response(id, &message).map_or(Heard::Nothing, |answer| Heard::Answer(Box::new(answer)))
            }
            _ => {
                self.faults.note_rubbish(text);
                Heard::Nothing
            }
        }
    }

    /// The question that a request of the server is, if it comes while a call can ask somebody.
    fn question(&self, method: &str, id: &RawValue, params: Option<&RawValue>, of: Option<i64>) -> Option<Asking> {
        // One that can be put to nobody is not read.
        self.pending.turn(of, question::kind_of(method, &Map::new())?)?;
        // From here on nobody sees what the server was sent.
        let params: Map<String, Value> = match params.filter(|params| params.get() != "null") {
            Some(params) => object(self.faults.sent().json(params).get()).ok()?,
            None => Map::new(),
        };
        let kind = question::kind_of(method, &params)?;
        let turn = self.pending.turn(of, kind)?;
        let (question, is_declared) = (Question::new(kind, params), self.asks.contains(&kind));
        Some(Asking { id: id.to_owned(), question, turn, pending: Arc::clone(&self.pending), is_declared })
    }

    fn notification(&self, method: &str, params: Option<&RawValue>) {
        // From here on nobody sees what the server was sent.
        let clean = || params.map(|params| self.faults.sent().json(params));
        match method {
            "notifications/tools/list_changed" => self.changed.notify_one(),
            "notifications/resources/list_changed" | "notifications/prompts/list_changed" => {
                self.offer_changes.fetch_add(1, Ordering::SeqCst);
            }
            "notifications/resources/updated" => params.into_iter().for_each(|params| self.watches.updated(params)),
            "notifications/subscriptions/acknowledged" => {
                params.into_iter().for_each(|params| self.watches.acknowledged(params))
            }
            "notifications/progress" => {
                if let Some((token, said)) = clean().and_then(|params| news::progress(&params)) {
                    self.pending.tell(token, said);
                }
            }
            "notifications/message" => {
                if let Some(said) = clean().and_then(|params| news::log(&params)) {
                    self.pending.tell_one(said);
                }
            }
            _ => {}
        }
    }

    /// The response to a request of ours. One to no request, or the second to one, is none.
    fn response(&self, id: Option<&RawValue>, message: &Envelope<'_>) -> Option<ServerJsonRpcMessage> {
        let is_nameless = id.is_none_or(|id| id.get() == "null") && message.error.is_some();
        let id = if is_nameless { self.pending.only() } else { id.and_then(number_in) }?;
        self.answer(id, message)
    }

    /// The error that answers the request `id`, whichever id it has itself: for errors that came where nothing else can be answered.
    pub(super) fn refusal_of(&self, id: i64, text: &str) -> Option<ServerJsonRpcMessage> {
        let message = object::<Envelope<'_>>(text).ok().filter(|message| message.error.is_some())?;
        self.answer(id, &message)
    }

    fn answer(&self, id: i64, message: &Envelope<'_>) -> Option<ServerJsonRpcMessage> {
        let asked = self.pending.take(id)?;
        let id = RequestId::Number(id);
        // From here on nobody sees what the server was sent.
        let clean = |said| self.faults.sent().json(said);
        Some(match (message.error.map(clean), message.result.map(clean)) {
            (Some(error), _) => JsonRpcMessage::error(error_data(&error), Some(id)),
            (None, Some(result)) => JsonRpcMessage::response(self.result(asked, &result), id),
            (None, None) => return None,
        })
    }

    fn result(&self, asked: Asked, result: &RawValue) -> ServerResult {
        server_result(asked, result).unwrap_or_else(|| {
            self.faults.note_rubbish(result.get());
            ServerResult::CustomResult(CustomResult(Value::Null))
        })
    }
}

fn is_answerable(id: &RawValue) -> bool {
    id.get().len() <= ID_BYTES_MAX && id.get().starts_with(['"', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
}
