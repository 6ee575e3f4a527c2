//! A message that is refused before any face sees it: an error of JSON-RPC, with the status that the protocol gives it.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The body is no JSON.
const PARSE_ERROR: i64 = -32700;
/// It is no message.
const INVALID_REQUEST: i64 = -32600;
/// Its method is none.
const METHOD_NOT_FOUND: i64 = -32601;
/// Its parameters are not those of its method.
const INVALID_PARAMS: i64 = -32602;
/// A header field says something else than the message.
const HEADER_MISMATCH: i64 = -32020;
/// The server cannot take it now.
const BUSY: i64 = -32000;

/// Why a message is refused.
#[derive(Debug)]
pub(super) struct MessageRefusal {
    status: StatusCode,
    code: i64,
    message: String,
    id: Option<Box<RawValue>>,
}

impl MessageRefusal {
    fn new(status: StatusCode, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), id: None }
    }

    /// The body is no JSON.
    pub(super) fn no_json(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, PARSE_ERROR, format!("this is no JSON: {error}"))
    }

    /// It is no message.
    pub(super) fn no_message(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_REQUEST, message)
    }

    /// Its parameters are not those of its method.
    pub(super) fn wrong_params(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, INVALID_PARAMS, format!("the parameters cannot be read: {error}"))
    }

    /// A header field says something else than the message.
    pub(super) fn mismatch(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, HEADER_MISMATCH, message)
    }

    /// There is no such method in its version.
    pub(super) fn no_method(method: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, METHOD_NOT_FOUND, format!("`{method}` is no method of 2026-07-28: leave it out"))
    }

    /// The session is not there, or somebody else's.
    pub(super) fn no_session() -> Self {
        Self::new(StatusCode::NOT_FOUND, BUSY, "there is no such session: begin again with `initialize`")
    }

    /// A stream is asked for by who does not take one.
    pub(super) fn no_stream() -> Self {
        Self::new(
            StatusCode::NOT_ACCEPTABLE,
            INVALID_REQUEST,
            "`accept` does not name `text/event-stream`: there is nothing else to get",
        )
    }

    /// The server cannot take it now.
    pub(super) fn busy(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(status, BUSY, message)
    }

    /// The same, as the answer to the request with this id.
    pub(super) fn to(mut self, id: Option<&RawValue>) -> Self {
        self.id = id.map(ToOwned::to_owned);
        self
    }

    /// As a message.
    pub(super) fn as_json(&self) -> Value {
        json!({ "jsonrpc": "2.0", "id": self.id, "error": { "code": self.code, "message": self.message } })
    }
}

impl IntoResponse for MessageRefusal {
    fn into_response(self) -> Response {
        (self.status, Json(self.as_json())).into_response()
    }
}
