//! Server-sent events: each on lines of its own, and a comment where there is none for a while, so that whoever waits knows that somebody is there.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use serde_json::Value;

/// The type of a stream.
pub(crate) const CONTENT_TYPE: &str = "text/event-stream";

/// An event called `name`, whose data is JSON.
pub(crate) fn named(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

/// A message of JSON-RPC as an event. A line feed in JSON stands between its tokens, where a space means the same.
pub(crate) fn message(json: &str) -> String {
    format!("event: message\ndata: {}\n\n", json.replace(['\n', '\r'], " "))
}

/// Something that only people read.
pub(crate) fn comment(text: &str) -> String {
    format!(": {text}\n\n")
}

/// An answer of these events; no silence in it is longer than `heartbeat`.
pub(crate) fn response(events: impl Stream<Item = String> + Send + 'static, heartbeat: Duration) -> Response {
    let beating = futures::stream::unfold(Box::pin(events), move |mut events| async move {
        let event = match tokio::time::timeout(heartbeat, events.next()).await {
            Ok(event) => event?,
            Err(_) => comment("alive"),
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(event)), events))
    });
    let mut response = Body::from_stream(beating).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that collect what they pass on would keep it back.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The same answer; if it is a stream, `held` is dropped when it ends or its client is gone.
pub(crate) fn holding(response: Response, held: impl Send + 'static) -> Response {
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|value| value != CONTENT_TYPE) {
        return response;
    }
    response.map(|body| {
        Body::from_stream(body.into_data_stream().map(move |chunk| {
            let _held = &held;
            chunk
        }))
    })
}

/// Whether a client takes a stream: it names the type, which `*/*` does not.
pub(crate) fn are_accepted(accept: Option<&HeaderValue>) -> bool {
    let named = |accept: &str| {
        accept.split(',').any(|range| {
            let (range, weight) = range.split_once(';').unwrap_or((range, ""));
            let is_none = weight.trim().strip_prefix("q=").is_some_and(|weight| weight.parse() == Ok(0.0_f64));
            range.trim().eq_ignore_ascii_case(CONTENT_TYPE) && !is_none
        })
    };
    accept.is_some_and(|accept| accept.to_str().is_ok_and(named))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_stream_is_for_who_asks_for_one() {
        let are_accepted = |value: &str| are_accepted(Some(&value.parse().unwrap()));
        assert!(are_accepted("application/json, text/event-stream") && are_accepted("Text/Event-Stream;q=0.5"));
        assert!(!are_accepted("*/*") && !are_accepted("application/json") && !are_accepted("text/event-stream; q=0.0"));
        assert!(!super::are_accepted(None));
    }

    #[test]
    fn no_text_ends_an_event_early() {
        let event = named("console", &Value::from("a\n\nevent: outcome\ndata: 1\r\n\r\n"));
        assert_eq!(event.lines().count(), 3, "{event}");
        assert_eq!(message("{\n\"a\":\r\n1}"), "event: message\ndata: { \"a\":  1}\n\n");
    }

    #[tokio::test]
    async fn silence_is_filled_and_what_is_held_goes_with_the_stream() {
        let (held, gone) = tokio::sync::oneshot::channel::<()>();
        let response = response(futures::stream::pending(), Duration::from_millis(1));
        let mut body = holding(response, held).into_body().into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), ": alive\n\n");
        drop(body);
        assert!(gone.await.is_err());
    }
}
