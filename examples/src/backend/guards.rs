//! What a request must be before anything is done for it: meant for this address, JSON where it changes something, whole in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest as _, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

/// What this service is called, by those who may call it.
pub(super) struct Names {
    hosts: [String; 2],
    origins: [String; 2],
}

impl Names {
    /// A server on this machine, for this machine.
    pub(super) fn of(address: SocketAddr) -> Self {
        let hosts = [address.to_string(), format!("localhost:{}", address.port())];
        let origins = hosts.each_ref().map(|host| format!("http://{host}"));
        Self { hosts, origins }
    }

    /// Whether the request names this service: in `Host`, once; in its target, if that names one; and as its origin, if it has one.
    fn are_in(&self, request: &Request) -> bool {
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let is_host = |name: &str| self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name));
        let has_one_host = hosts.next().is_some_and(|host| host.to_str().is_ok_and(is_host)) && hosts.next().is_none();
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let is_origin = |name: &str| self.origins.iter().any(|origin| origin.eq_ignore_ascii_case(name));
        has_one_host
            && request.uri().authority().is_none_or(|authority| is_host(authority.as_str()))
            && origins.all(|origin| origin.to_str().is_ok_and(is_origin))
    }
}

/// Lets a request pass that is meant for this service, whatever page or name it comes from; and that is JSON unless it only reads: forms
/// and texts are what a page of another origin can send without asking.
pub(super) async fn addressed(State(names): State<Arc<Names>>, request: Request, next: Next) -> Response {
    if !names.are_in(&request) {
        return (StatusCode::FORBIDDEN, "this host or origin may not be served here: use the address that the server printed")
            .into_response();
    }
    let only_reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !only_reads && !is_json(request.headers()) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be JSON: send `Content-Type: application/json`")
            .into_response();
    }
    next.run(request).await
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

/// How long a request and its answer may take.
#[derive(Clone, Copy)]
pub(super) struct Times {
    pub(super) body_max: Duration,
    pub(super) answer_max: Duration,
}

/// Reads the body to its end before anything is done with it, and gives the answer up when it takes too long.
pub(super) async fn in_time(State(times): State<Times>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = Bytes::from_request(Request::from_parts(parts.clone(), body), &());
    let body = match tokio::time::timeout(times.body_max, body).await {
        Ok(Ok(body)) => body,
        Ok(Err(refused)) => return refused.into_response(),
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time: send it at once").into_response(),
    };
    let answer = next.run(Request::from_parts(parts, Body::from(body)));
    tokio::time::timeout(times.answer_max, answer)
        .await
        .unwrap_or_else(|_| later(StatusCode::SERVICE_UNAVAILABLE, "there was no answer in time: try again".to_owned()))
}

/// An answer that says to come again.
pub(super) fn later(status: StatusCode, text: String) -> Response {
    (status, [(header::RETRY_AFTER, "1")], text).into_response()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[track_caller]
    fn check(target: &str, headers: &[(&str, &str)], is_meant: bool) {
        let request =
            headers.iter().fold(Request::builder().uri(target), |request, (name, value)| request.header(*name, *value));
        let names = Names::of("127.0.0.1:8808".parse().unwrap());
        assert_eq!(names.are_in(&request.body(Body::empty()).unwrap()), is_meant, "{target} {headers:?}");
    }

    #[test]
    fn a_request_names_this_service_or_is_refused() {
        check("/run", &[("host", "127.0.0.1:8808")], true);
        check("/run", &[("host", "LOCALHOST:8808"), ("origin", "http://localhost:8808")], true);
        check("http://localhost:8808/run", &[("host", "localhost:8808")], true);
        for host in
            ["", "localhost", "127.0.0.1", "127.0.0.1:80", "127.0.0.1:8808.evil.example", "evil.example", "evil.example:8808"]
        {
            check("/run", &[("host", host)], false);
        }
        check("/run", &[], false);
        check("/run", &[("host", "localhost:8808"), ("host", "evil.example")], false);
        check("http://evil.example/run", &[("host", "localhost:8808")], false);
        check("http://user@localhost:8808/run", &[("host", "localhost:8808")], false);
        for origin in
            ["null", "", "https://localhost:8808", "http://localhost", "http://evil.example", "http://localhost:8808/"]
        {
            check("/run", &[("host", "localhost:8808"), ("origin", origin)], false);
        }
        check("/run", &[("host", "localhost:8808"), ("origin", "http://localhost:8808"), ("origin", "null")], false);
    }

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
