//! Answers that are no result: a code for programs, a sentence for people.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use isolet::RunError;
use serde_json::{Value, json};

/// What is said where the server ends before the answer is there.
pub(crate) const ENDING: &str = "the server ends: send the request again to the next one";

/// An error: `{"error": {"code", "message"}}`.
pub(crate) fn refused(status: StatusCode, code: &str, message: &str) -> Response {
    (status, Json(error(code, message))).into_response()
}

/// The body of an error.
pub(crate) fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

/// An error after which to come again.
pub(crate) fn later(status: StatusCode, code: &str, message: &str) -> Response {
    let mut response = refused(status, code, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The code and the words for a run that failed for no fault of its program, and its status. What it was may name what a user should not read,
/// and is in the log.
pub(crate) fn failed_run(failure: &RunError) -> (StatusCode, &'static str, String) {
    match failure {
        RunError::Overloaded { .. } => (StatusCode::SERVICE_UNAVAILABLE, "overloaded", failure.to_string()),
        RunError::ShutDown => (StatusCode::SERVICE_UNAVAILABLE, "ending", ENDING.to_owned()),
        _ => {
            tracing::error!(error = %isolet::with_causes(failure), "a run failed");
            (StatusCode::INTERNAL_SERVER_ERROR, "internal", "the program could not be run: try again".to_owned())
        }
    }
}
