//! The answer to a message: JSON where it comes at once, a stream of events where it takes its time.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::value::RawValue;
use tokio::sync::mpsc;

use super::line::Asked;
use super::message_refusal::MessageRefusal;
use super::waiting::Said;
use crate::answers::ENDING;
use crate::ending::Ending;
use crate::events;

/// How long an answer is waited for before a stream is begun: what comes sooner is JSON with a status of its own.
const STREAM_AFTER: Duration = Duration::from_millis(500);

/// The version is not spoken; a capability is missing; a header field disagrees.
const BAD_REQUEST_CODES: [i64; 3] = [-32022, -32021, -32020];
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const INVALID_REQUEST: i64 = -32600;

/// How the answer to a request goes out.
pub(super) struct Reply {
    /// The statuses are those of 2026-07-28; before, an error is answered as a result is.
    pub(super) is_modern: bool,
    /// The message says all that each says of its sender.
    pub(super) is_described: bool,
    /// The client takes a stream.
    pub(super) may_stream: bool,
    pub(super) heartbeat: Duration,
    pub(super) ending: Ending,
}

impl Reply {
    /// The answer to what was asked, with what has to be done before it goes out.
    pub(super) async fn to(
        self,
        mut asked: Asked,
        id: Box<RawValue>,
        before: impl FnOnce(&Said) -> Result<Option<HeaderValue>, MessageRefusal>,
    ) -> Response {
        let ended = |ending: bool| {
            let message = if ending { ENDING } else { "the session has ended: begin again" };
            MessageRefusal::busy(StatusCode::SERVICE_UNAVAILABLE, message).to(Some(&id))
        };
        let ending = self.ending.clone();
        let said = tokio::select! {
            biased;
            said = &mut asked.answer => said.map_err(|_| ended(false)),
            () = ending.is_cut() => Err(ended(true)),
            first = begins_to_stream(&mut asked.progress, self.may_stream) => return self.stream(asked, first, id),
        };
        let session = said.and_then(|said| before(&said).map(|session| (said, session)));
        match session {
            Ok((said, session)) => {
                let status = self.status(said.error);
                let mut response = (status, [(header::CONTENT_TYPE, "application/json")], said.text).into_response();
                response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
                if let Some(session) = session {
                    response.headers_mut().insert(super::headers::SESSION, session);
                }
                response
            }
            Err(refusal) => refusal.into_response(),
        }
    }

    fn status(&self, error: Option<i64>) -> StatusCode {
        match error {
            Some(_) if !self.is_modern => StatusCode::OK,
            Some(code) if BAD_REQUEST_CODES.contains(&code) || code == INVALID_REQUEST => StatusCode::BAD_REQUEST,
            Some(INVALID_PARAMS) if !self.is_described => StatusCode::BAD_REQUEST,
            Some(METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        }
    }

    fn stream(self, asked: Asked, first: Option<String>, id: Box<RawValue>) -> Response {
        let streamed = Streamed { first, asked: Some(asked), ending: self.ending, id };
        events::response(futures::stream::unfold(streamed, next), self.heartbeat)
    }
}

/// Waits until a stream is to be begun, which is never for a client that takes none; the progress that begins it, if any does.
async fn begins_to_stream(progress: &mut mpsc::Receiver<String>, may_stream: bool) -> Option<String> {
    if !may_stream {
        return std::future::pending().await;
    }
    tokio::time::timeout(STREAM_AFTER, progress.recv()).await.ok().flatten()
}

/// An answer that takes its time.
struct Streamed {
    /// What began the stream.
    first: Option<String>,
    /// None when it is there.
    asked: Option<Asked>,
    ending: Ending,
    id: Box<RawValue>,
}

/// The next event: progress, then the answer, then none.
async fn next(mut streamed: Streamed) -> Option<(String, Streamed)> {
    if let Some(first) = streamed.first.take() {
        return Some((events::message(&first), streamed));
    }
    let asked = streamed.asked.as_mut()?;
    let last = |message: &str| {
        let refusal = MessageRefusal::busy(StatusCode::SERVICE_UNAVAILABLE, message).to(Some(&streamed.id));
        events::message(&refusal.as_json().to_string())
    };
    let event = tokio::select! {
        biased;
        Some(progress) = asked.progress.recv() => {
            return Some((events::message(&progress), streamed));
        }
        said = &mut asked.answer => match said {
            Ok(said) => events::message(&said.text),
            Err(_) => last("the session has ended: begin again"),
        },
        () = streamed.ending.is_cut() => last(ENDING),
    };
    streamed.asked = None;
    Some((event, streamed))
}
