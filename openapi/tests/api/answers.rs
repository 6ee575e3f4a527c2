//! Answers: values as they are, and failures that are told apart.

use std::time::Duration;

use isolet_openapi::{Api, CallError};
use serde_json::{Value, json};

use crate::server::{Server, call, operation};

fn api() -> Api {
    operation("get", "/", json!({}))
}

async fn answered(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Result<Value, CallError> {
    let server = Server::answering(status, headers, body).await;
    call(&server, &api(), json!({})).await
}

#[tokio::test]
async fn a_success_is_a_value() {
    for (headers, body, expected) in [
        (&["content-type: application/json"][..], &b"[1.0, 18446744073709551615, null]"[..], json!([1.0, u64::MAX, null])),
        (&["content-type: application/problem+json; charset=utf-8"], b"{}", json!({})),
        (&["content-type: text/plain"], b"null", json!("null")),
        (&["content-type: application/xml"], b"<a/>", json!("<a/>")),
        (&["content-type: application/x-ndjson"], b"{}\n{}", json!("{}\n{}")),
        (&["content-type: image/png"], b"\x89PNG", json!({"base64": "iVBORw==", "mediaType": "image/png"})),
        (&["content-type: text/plain"], b"\xff", json!({"base64": "/w==", "mediaType": "text/plain"})),
        (&[], b"{\"a\":1}", json!({"a": 1})),
        (&[], b"plain", json!("plain")),
        (&["content-type: application/json"], b"", Value::Null),
    ] {
        assert_eq!(answered("200 OK", headers, body).await.unwrap(), expected);
    }
    assert_eq!(answered("204 No Content", &[], "").await.unwrap(), Value::Null);
    assert_eq!(answered("201 Created", &[], "7").await.unwrap(), json!(7));
}

#[tokio::test]
async fn json_that_is_none_is_no_value() {
    for body in ["{", "nonsense", &"[".repeat(10_000)] {
        let error = answered("200 OK", &["content-type: application/json"], body).await.unwrap_err();
        assert!(matches!(error, CallError::Answer { .. }) && !error.is_retryable(), "{error}");
    }
}

/// Sixteen megabytes of `{"":0}` would be more than a gigabyte of values.
#[tokio::test]
async fn an_answer_of_too_many_values_is_no_value() {
    let of_json = ["content-type: application/json"];
    let many = format!("[{}0]", "{\"\":0},".repeat(1_000_001));
    let error = answered("200 OK", &of_json, &many).await.unwrap_err();
    assert!(matches!(error, CallError::Answer { .. }) && error.to_string().contains("values"), "{error}");
    assert_eq!(answered("200 OK", &[], &many).await.unwrap(), json!(many), "nobody says that it is more than a text");
    let text = format!("\"{}\"", "[,".repeat(1_000_001));
    assert!(answered("200 OK", &of_json, text).await.unwrap().is_string());
}

#[tokio::test]
async fn refusals_and_waits_are_errors_of_their_own() {
    let problem = r#"{"type": "about:blank", "title": "No", "detail": "Not you."}"#;
    match answered("401 Unauthorized", &["www-authenticate: Bearer scope=\"x\""], problem).await.unwrap_err() {
        CallError::Unauthorised { message, challenge } => {
            assert_eq!((message.as_str(), challenge.as_deref()), ("No: Not you.", Some("Bearer scope=\"x\"")));
        }
        other => panic!("{other:?}"),
    }
    match answered("403 Forbidden", &["retry-after: 60"], "").await.unwrap_err() {
        CallError::Forbidden { message, retry_after, challenge: None } => {
            assert_eq!((message.as_str(), retry_after), ("Forbidden", Some(Duration::from_secs(60))));
        }
        other => panic!("{other:?}"),
    }
    for (headers, expected) in [(&["retry-after: 3"][..], Some(3)), (&["retry-after: soon"], None), (&[], None)] {
        let error = answered("429 Too Many Requests", headers, "").await.unwrap_err();
        assert!(error.is_retryable());
        match error {
            CallError::RateLimited { retry_after, .. } => assert_eq!(retry_after, expected.map(Duration::from_secs)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn other_failures_say_what_the_server_says() {
    for (status, body, message) in [
        ("400 Bad Request", r#"{"title": "Bad", "detail": "Really bad."}"#, "the server answered 400: Bad: Really bad."),
        ("404 Not Found", r#"{"message": "Not Found"}"#, "the server answered 404: Not Found"),
        ("422 Unprocessable", r#"{"error": {"message": "a\nb"}}"#, "the server answered 422: a b"),
        (
            "422 Unprocessable",
            r#"{"detail": [{"loc": ["x"], "msg": "field required"}]}"#,
            "the server answered 422: field required",
        ),
        ("500 Oops", "<html>\r\n\u{1b}[31mbroken</html>", "the server answered 500: <html> [31mbroken</html>"),
        ("502 Bad Gateway", "", "the server answered 502: Bad Gateway"),
        ("599 Odd", "", "the server answered 599: it says nothing"),
        ("304 Not Modified", "", "the server answered 304: Not Modified"),
    ] {
        let error = answered(status, &[], body).await.unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let error = answered("503 Service Unavailable", &["retry-after: 9"], r#"{"a": 1}"#).await.unwrap_err();
    assert_eq!(error.to_string(), r#"the server answered 503, again after 9 s: {"a":1}"#);
    assert!(error.is_retryable());
    match error {
        CallError::Failed { status: 503, body: Some(body), .. } => assert_eq!(*body, json!({"a": 1})),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_failure_is_cut() {
    for body in ["x".repeat(1 << 20), format!("{{\"message\": \"{}\"}}", "y".repeat(1 << 20))] {
        let error = answered("500 Oops", &[], body).await.unwrap_err();
        assert!(error.to_string().len() < 600);
        assert!(matches!(error, CallError::Failed { body: None, .. }));
    }
}
