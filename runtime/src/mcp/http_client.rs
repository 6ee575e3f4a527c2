//! The requests to an HTTP server, under rmcp's sessions, resumption and cancellation: everything bounded, nothing parsed beyond its envelope.
//!
//! rmcp's own client decodes results into its types (see [`super::wire`] for what that costs) and would make a client of its own rules; this one goes
//! through [`isolet_outbound`], where addresses are checked at connect time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use isolet_bindings::without_half_surrogates;
use isolet_outbound::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use isolet_outbound::{Method, Response, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::{StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse};

use super::border::Heard;
use super::http_endpoint::{Endpoint, JSON, SESSION};
use super::http_events::{Events, events};
use super::http_fault::HttpFault;
use super::http_line::HttpLine;
use super::request_params::Waiting;

/// How long the end of a session is waited for: the server forgets it anyway.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// The most of an answer that is read for its words, bytes.
const WORDS_BYTES_MAX: usize = 4096;

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

const EVENT_STREAM: &str = "text/event-stream";

/// What calls one server, as rmcp takes it.
#[derive(Clone)]
pub(super) struct HttpClient(Endpoint);

type HttpError = StreamableHttpError<HttpFault>;

impl HttpClient {
    /// What calls the server at `endpoint`.
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    fn line(&self) -> &HttpLine {
        self.0.line()
    }

    async fn post(
        &self,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        protocol: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let id = match &message {
            JsonRpcMessage::Request(request) => match request.id {
                RequestId::Number(id) => Some(id),
                RequestId::String(_) => None,
            },
            _ => None,
        };
        let mut headers = self.0.headers("application/json, text/event-stream", session.as_deref(), protocol);
        let body = self.body(&message, id, &mut headers)?;
        self.line().keep_session_headers(&headers);
        let answer = match self.0.send(Method::POST, &headers, body).await {
            Ok(response) => self.answer(response, id, session.is_some()).await,
            Err(fault) => Err(StreamableHttpError::Client(fault)),
        };
        if let Err(StreamableHttpError::Client(fault)) = &answer {
            self.line().note(id, fault);
        }
        answer
    }

    /// The text of `message`, which is pending from here on if it is a request.
    fn body(&self, message: &ClientJsonRpcMessage, id: Option<i64>, headers: &mut HeaderMap) -> Result<Vec<u8>, HttpError> {
        if let (JsonRpcMessage::Request(request), Some(id)) = (message, id) {
            self.line().border.ask(id, &request.request);
            self.line().border.pending.begin(id);
            if let Some(waiting) = Waiting::of(&request.request, id) {
                let Some(text) = waiting.begin() else {
                    self.line().forget(id);
                    return Err(StreamableHttpError::Client(HttpFault::GivenUp));
                };
                let name = text.text_of("name").or_else(|| text.text_of("uri"));
                if let Some(name) = name.filter(|_| headers.contains_key(METHOD)) {
                    headers.insert(NAME, header_value(&name));
                }
                return Ok(text.parts().concat());
            }
        }
        Ok(serde_json::to_vec(message)?)
    }

    async fn answer(
        &self,
        response: Response,
        id: Option<i64>,
        has_session: bool,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let status = response.status();
        if status == StatusCode::NOT_FOUND && has_session {
            return Err(StreamableHttpError::SessionExpired);
        }
        if !status.is_success() {
            return self.refusal(response, id, has_session).await;
        }
        let Some(id) = id else { return Ok(StreamableHttpPostResponse::Accepted) };
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        let session = response.headers().get(SESSION).and_then(|session| session.to_str().ok()).map(str::to_owned);
        if media(&response).is_some_and(|media| media == EVENT_STREAM) {
            return Ok(StreamableHttpPostResponse::Sse(events(self.0.clone(), response, Some(id)), session));
        }
        let body = self.read(response, self.line().bytes_max).await.map_err(StreamableHttpError::Client)?;
        let text = String::from_utf8_lossy(&body);
        match self.heard(&text) {
            Some(answer) => Ok(StreamableHttpPostResponse::Json(answer, session)),
            None => Err(StreamableHttpError::Client(HttpFault::NotMcp)),
        }
    }

    fn heard(&self, text: &str) -> Option<ServerJsonRpcMessage> {
        if !text.trim_start().starts_with('{') {
            self.line().border.faults.note_rubbish(text);
            return None;
        }
        match self.line().border.hear(&without_half_surrogates(text)) {
            Heard::Answer(answer) => Some(*answer),
            _ => None,
        }
    }

    /// What an answer means that says by its status that the request was refused.
    async fn refusal(
        &self,
        response: Response,
        id: Option<i64>,
        has_session: bool,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        let status = response.status();
        let is_json = media(&response).is_some_and(|media| media == JSON);
        let body = self.begin(response, if is_json { self.line().bytes_max } else { WORDS_BYTES_MAX }).await;
        let text = String::from_utf8_lossy(&body);
        // Whoever is refused at the door is, whatever the door says.
        let is_at_door = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if status == StatusCode::BAD_REQUEST && has_session && is_about_session(&text) {
            return Err(StreamableHttpError::SessionExpired);
        }
        if let Some(answer) = id.filter(|_| !is_at_door).and_then(|id| self.line().border.refusal_of(id, &text)) {
            return Ok(StreamableHttpPostResponse::Json(answer, None));
        }
        let fault = HttpFault::Status { status: status.as_u16(), words: self.line().border.faults.words(&text) };
        Err(StreamableHttpError::Client(fault))
    }

    /// The whole body.
    async fn read(&self, mut response: Response, bytes_max: usize) -> Result<Vec<u8>, HttpFault> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| HttpFault::of_error(&error))? {
            if body.len() + chunk.len() > bytes_max {
                return Err(HttpFault::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The beginning of the body, as much of it as comes.
    async fn begin(&self, mut response: Response, bytes_max: usize) -> Vec<u8> {
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            body.extend_from_slice(&chunk);
            if body.len() > bytes_max {
                body.truncate(bytes_max);
                break;
            }
        }
        body
    }

    async fn stream(
        &self,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        protocol: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, HttpError> {
        self.line().streams.until_ready().await;
        let mut headers = self.0.headers(EVENT_STREAM, session.as_deref(), protocol);
        headers.remove(CONTENT_TYPE);
        let is_resumed = last_event.is_some();
        if let Some(last_event) = last_event.and_then(|id| HeaderValue::from_str(&id).ok()) {
            headers.insert(LAST_EVENT, last_event);
        }
        let response = self.0.send(Method::GET, &headers, Vec::new()).await.map_err(StreamableHttpError::Client)?;
        let status = response.status();
        if status.is_success() && media(&response).is_some_and(|media| media == EVENT_STREAM) {
            return Ok(events(self.0.clone(), response, None));
        }
        // Servers need not offer one; one that may be there later is asked for again.
        if is_resumed && status.is_server_error() {
            return Err(StreamableHttpError::Client(HttpFault::Status { status: status.as_u16(), words: String::new() }));
        }
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}

impl StreamableHttpClient for HttpClient {
    type Error = HttpFault;

    async fn post_message(
        &self,
        _: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, HttpError> {
        self.post(message, session, headers).await
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), HttpError> {
        let headers = self.0.headers(JSON, Some(&session), headers);
        let request = self.0.send(Method::DELETE, &headers, Vec::new());
        // Whatever it answers, nothing more is said to it.
        let _ = tokio::time::timeout(GOODBYE_MAX, request).await;
        Ok(())
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, HttpError> {
        self.stream(session, last_event, headers).await
    }
}

/// The media type of an answer, without its parameters.
fn media(response: &Response) -> Option<String> {
    let media = response.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

/// Whether a refusal says that the session is not known: many servers do so with 400, where the specification has 404. The request was not taken.
fn is_about_session(text: &str) -> bool {
    text.trim_start().starts_with('{') && text.contains("\"error\"") && text.to_ascii_lowercase().contains("session")
}

/// `text` as the value of a header field: in base64 where it cannot stand as it is (MCP 2026-07-28, SEP-2243).
fn header_value(text: &str) -> HeaderValue {
    let is_plain = text.chars().all(|c| matches!(c, ' '..='~')) && text.trim() == text && !text.starts_with("=?base64?");
    let plain = || HeaderValue::from_str(text).ok();
    let encoded = || HeaderValue::from_str(&format!("=?base64?{}?=", STANDARD.encode(text))).ok();
    is_plain.then(plain).flatten().or_else(encoded).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_so_that_it_can_stand_in_a_header_field() {
        for (name, expected) in [
            ("create_issue", "create_issue"),
            ("two words", "two words"),
            (" a", "=?base64?IGE=?="),
            ("größe", "=?base64?Z3LDtsOfZQ==?="),
            ("a\nb", "=?base64?YQpi?="),
            ("=?base64?YQ==?=", "=?base64?PT9iYXNlNjQ/WVE9PT89?="),
        ] {
            assert_eq!(header_value(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_lost_session_is_told_from_other_refusals() {
        let lost =
            r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#;
        assert!(is_about_session(lost));
        assert!(!is_about_session("<p>your session</p>"));
        assert!(!is_about_session(r#"{"error":{"code":-32602,"message":"wrong"}}"#));
    }
}
