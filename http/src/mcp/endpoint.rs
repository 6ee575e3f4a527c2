//! A route of MCP: one message a POST, of either era; GET hears what a session says that answers nothing; DELETE ends it.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete};
use isolet::mcp::{Mode, ServeOptions};
use isolet::{Principal, Session};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::headers::{self, Era};
use super::line::Line;
use super::message::{Kind, Message, Params};
use super::message_refusal::MessageRefusal;
use super::param_headers;
use super::replies::Reply;
use super::store::NotKept;
use super::waiting::{NotOpened, Said};
use crate::ending::Ending;
use crate::events;
use crate::shared::Shared;

/// The requests of sessions, which there are none of since 2026-07-28.
const REMOVED: [&str; 5] = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];

/// The route of this face.
pub(crate) fn routes(mode: Mode) -> MethodRouter<Arc<Shared>> {
    let ended = move |State(shared): State<Arc<Shared>>, Extension(principal): Extension<Principal>, headers: HeaderMap| async move {
        end(&shared, &principal, &headers, mode)
    };
    let said = move |State(shared): State<Arc<Shared>>,
                     Extension(principal): Extension<Principal>,
                     headers: HeaderMap,
                     body: Bytes| async move {
        Post { shared, principal, headers, mode }.answer(&body).await.unwrap_or_else(MessageRefusal::into_response)
    };
    let heard = move |State(shared): State<Arc<Shared>>, Extension(principal): Extension<Principal>, headers: HeaderMap| async move {
        hear(shared, principal, headers, mode).unwrap_or_else(MessageRefusal::into_response)
    };
    delete(ended).post(said).get(heard)
}

/// Ends a session.
fn end(shared: &Shared, principal: &Principal, headers: &HeaderMap, mode: Mode) -> Response {
    let is_ended = session_of(headers).is_some_and(|id| shared.mcp.end(id, &principal.key(), mode));
    if is_ended { StatusCode::NO_CONTENT.into_response() } else { MessageRefusal::no_session().into_response() }
}

/// A stream of what the session of these header fields says that answers nothing. It ends with the session, or when the service does.
fn hear(shared: Arc<Shared>, principal: Principal, headers: HeaderMap, mode: Mode) -> Result<Response, MessageRefusal> {
    if !events::are_accepted(headers.get(header::ACCEPT)) {
        return Err(MessageRefusal::no_stream());
    }
    let (heartbeat, ending) = (shared.options.heartbeat, shared.options.ending.clone());
    let messages = Post { shared, principal, headers, mode }.line()?.hear();
    let next = |(mut messages, ending): (mpsc::Receiver<String>, Ending)| async move {
        let message = tokio::select! {
            message = messages.recv() => message?,
            () = ending.begun() => return None,
        };
        Some((events::message(&message), (messages, ending)))
    };
    Ok(events::response(futures::stream::unfold((messages, ending), next), heartbeat))
}

fn session_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(headers::SESSION)?.to_str().ok()
}

/// One message.
struct Post {
    shared: Arc<Shared>,
    principal: Principal,
    headers: HeaderMap,
    mode: Mode,
}

impl Post {
    async fn answer(self, body: &[u8]) -> Result<Response, MessageRefusal> {
        let text = String::from_utf8_lossy(body);
        let message = Message::read(&text)?;
        let kind = message.kind()?;
        let params = message.params()?;
        let era = headers::era(&self.headers, &message, &params).map_err(|refusal| refusal.to(message.id))?;
        let method = message.method.as_deref().unwrap_or_default();
        match (era, kind) {
            (Era::Modern, Kind::Request(id)) if REMOVED.contains(&method) => {
                Err(MessageRefusal::no_method(method).to(Some(id)))
            }
            (Era::Modern, Kind::Request(id)) => self.ask_alone(&message, &params, id).await,
            // Between two messages nothing is under way but what waits for a request, so there is nothing to be told.
            (Era::Modern, Kind::Notification | Kind::Answer) => Ok(StatusCode::ACCEPTED.into_response()),
            (Era::Legacy, Kind::Request(id)) if method == "initialize" => self.begin(&message, &params, id).await,
            (Era::Legacy, Kind::Request(id)) => {
                let line = self.line().map_err(|refusal| refusal.to(Some(id)))?;
                let reply = self.reply(Era::Legacy, &message, &params);
                let asked = line.ask(&message, &params, id, reply.may_stream).map_err(|not_opened| refused(&not_opened, id))?;
                Ok(reply.to(asked, id.to_owned(), |_| Ok(None)).await)
            }
            (Era::Legacy, Kind::Notification) => {
                let line = self.line()?;
                if let ("notifications/cancelled", Some(id)) = (method, params.request_id) {
                    line.cancel(id);
                }
                Ok(StatusCode::ACCEPTED.into_response())
            }
            (Era::Legacy, Kind::Answer) => {
                self.line()?.answer(&text);
                Ok(StatusCode::ACCEPTED.into_response())
            }
        }
    }

    /// A request by itself, in a session that ends with its answer.
    async fn ask_alone(&self, message: &Message<'_>, params: &Params<'_>, id: &RawValue) -> Result<Response, MessageRefusal> {
        let session = match self.shared.session(&self.principal).await {
            Ok(session) => session,
            Err(none) => return Ok(none.into_response()),
        };
        if self.mode == Mode::Classic && message.method.as_deref() == Some("tools/call") {
            let names = self.shared.options.serve.names;
            param_headers::check(&self.headers, session.scope(), names, params).map_err(|refusal| refusal.to(Some(id)))?;
        }
        let reply = self.reply(Era::Modern, message, params);
        let asked = self.open(session).ask(message, params, id, reply.may_stream);
        Ok(reply.to(asked.map_err(|not_opened| refused(&not_opened, id))?, id.to_owned(), |_| Ok(None)).await)
    }

    /// A session begins, and is kept if its face takes it.
    async fn begin(&self, message: &Message<'_>, params: &Params<'_>, id: &RawValue) -> Result<Response, MessageRefusal> {
        let line = match self.shared.session(&self.principal).await {
            Ok(session) => self.open(session),
            Err(none) => return Ok(none.into_response()),
        };
        let reply = self.reply(Era::Legacy, message, params);
        let asked = line.ask(message, params, id, reply.may_stream).map_err(|not_opened| refused(&not_opened, id))?;
        let keep = |said: &Said| {
            if said.error.is_some() {
                return Ok(None);
            }
            let kept = self.shared.mcp.keep(&self.principal.key(), self.mode, line);
            let kept = kept.map_err(|not_kept| not_kept_refusal(&not_kept).to(Some(id)))?;
            Ok(HeaderValue::try_from(kept).ok())
        };
        Ok(reply.to(asked, id.to_owned(), keep).await)
    }

    /// The line to a session, for one message or for those that follow.
    fn open(&self, session: Session) -> Arc<Line> {
        let options = &self.shared.options;
        let mut serve: ServeOptions = options.serve.clone();
        (serve.mode, serve.heartbeat) = (self.mode, options.heartbeat);
        serve.open_calls = serve.open_calls.of(self.principal.key());
        Line::open(session, serve)
    }

    /// The line of the session that the message belongs to.
    fn line(&self) -> Result<Arc<Line>, MessageRefusal> {
        let missing = || {
            MessageRefusal::no_message(format!(
                "`{}` is missing: begin with `initialize`, or send all that 2026-07-28 wants in each message",
                headers::SESSION
            ))
        };
        let id = session_of(&self.headers).ok_or_else(missing)?;
        self.shared.mcp.find(id, &self.principal.key(), self.mode).ok_or_else(MessageRefusal::no_session)
    }

    fn reply(&self, era: Era, message: &Message<'_>, params: &Params<'_>) -> Reply {
        // All else is answered at once, with a status of its own.
        let is_call = matches!(message.method.as_deref(), Some("tools/call" | "subscriptions/listen"));
        Reply {
            is_modern: era == Era::Modern,
            is_described: params.is_described(),
            may_stream: is_call && events::are_accepted(self.headers.get(header::ACCEPT)),
            heartbeat: self.shared.options.heartbeat,
            ending: self.shared.options.ending.clone(),
        }
    }
}

fn refused(not_opened: &NotOpened, id: &RawValue) -> MessageRefusal {
    match not_opened {
        NotOpened::Twice => {
            MessageRefusal::no_message("this `id` is that of a request which is not answered yet: take another one")
                .to(Some(id))
        }
        NotOpened::Closed => MessageRefusal::no_session().to(Some(id)),
    }
}

fn not_kept_refusal(not_kept: &NotKept) -> MessageRefusal {
    match not_kept {
        NotKept::OfPrincipal => {
            MessageRefusal::busy(StatusCode::TOO_MANY_REQUESTS, "all sessions of this user are in use: end one of them")
        }
        NotKept::OfAll => MessageRefusal::busy(StatusCode::SERVICE_UNAVAILABLE, "there are too many sessions: try again later"),
        NotKept::NoId => MessageRefusal::busy(StatusCode::SERVICE_UNAVAILABLE, "the session could not be made: try again"),
    }
}
