//! What a request must be before anything is done for it: meant for this service, JSON where it changes something, whole in time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::answers;
use crate::names::ServiceNames;

/// Lets a request pass that is meant for this service, whatever page or name it comes from; and that is JSON unless it only reads or takes
/// away: forms and texts are what a page of another origin can send without asking.
pub(crate) async fn addressed(State(names): State<Arc<ServiceNames>>, request: Request, next: Next) -> Response {
    if !names.are_in(&request) {
        let message = "this host or origin may not be served here: use the address that the server printed, or add it to `hosts` and `origins`";
        return answers::refused(StatusCode::FORBIDDEN, "wrong_host_or_origin", message);
    }
    // A page of another origin asks before it sends a DELETE, and is answered above.
    let has_no_body = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::DELETE);
    if !has_no_body && !is_json(request.headers()) && !is_form_of_own_page(&request) {
        let message = "the body must be JSON: send `Content-Type: application/json`";
        return answers::refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", message);
    }
    next.run(request).await
}

fn is_json(headers: &HeaderMap) -> bool {
    is_of_type(headers, "application/json")
}

/// The form of the one page that has one. A browser says of a form which origin it is from, and that was looked at.
fn is_form_of_own_page(request: &Request) -> bool {
    let (headers, path) = (request.headers(), request.uri().path());
    path.starts_with("/authorize/")
        && headers.contains_key(header::ORIGIN)
        && is_of_type(headers, "application/x-www-form-urlencoded")
}

fn is_of_type(headers: &HeaderMap, expected: &str) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected)
}

/// Reads the body to its end before anything is done with it.
pub(crate) async fn whole(State(body_max): State<Duration>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let body = match tokio::time::timeout(body_max, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) if refused.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return answers::refused(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too long: send less at a time");
        }
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => {
            let message = "the body did not arrive in time: send it at once";
            return answers::refused(StatusCode::REQUEST_TIMEOUT, "too_slow", message);
        }
    };
    next.run(Request::from_parts(parts, Body::from(body))).await
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn json_is_json_with_or_without_a_character_set() {
        let is_json = |value: &str| is_json(&HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]));
        assert!(["application/json", "Application/JSON ; charset=utf-8"].into_iter().all(is_json));
        assert!(
            !["", "text/plain", "application/json-seq", "text/plain; application/json", "application/x-www-form-urlencoded"]
                .into_iter()
                .any(is_json)
        );
    }
}
