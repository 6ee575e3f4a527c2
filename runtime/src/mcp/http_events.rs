//! A stream of server-sent events as rmcp is given it: answers as opaque text, ids and waits for resumption, and nothing else.
//!
//! rmcp reads such streams, and opens them again where they broke off. What it would have to parse, keep or log is taken out here first, and
//! read at a bounded rate ([`super::flood`]): what breaks off just ends, and the reason is noted on the line.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::{self, BoxStream, StreamExt as _};
use isolet_bindings::without_half_surrogates;
use isolet_outbound::{OutboundError, Response};
use rmcp::transport::streamable_http_client::SseError;
use sse_stream::{Sse, SseStream};

use super::border::Heard;
use super::http_endpoint::Endpoint;
use super::http_fault::HttpFault;

/// The longest id of an event, bytes: it is sent back in a header field.
const EVENT_ID_BYTES_MAX: usize = 1024;

/// What rmcp takes.
pub(super) type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The events of `response`, the answer to the request `id` if it is one.
pub(super) fn events(endpoint: Endpoint, response: Response, id: Option<i64>) -> Events {
    let unread = Arc::new(AtomicUsize::new(0));
    let bytes = {
        let (endpoint, unread) = (endpoint.clone(), Arc::clone(&unread));
        stream::try_unfold(response, move |mut response| {
            let (endpoint, unread) = (endpoint.clone(), Arc::clone(&unread));
            async move {
                let chunk = response.chunk().await.map_err(|error| HttpFault::of_error(&error))?;
                let Some(chunk) = chunk else { return Ok(None) };
                // Between two events lies one event, whatever the server calls it.
                if unread.fetch_add(chunk.len(), Ordering::Relaxed) + chunk.len() > endpoint.line().bytes_max {
                    endpoint.line().border.faults.note_oversized();
                    return Err(HttpFault::TooLarge);
                }
                Ok(Some((chunk, response)))
            }
        })
    };
    let reading = Reading { endpoint, unread, id };
    let events = SseStream::from_bytes_stream(bytes.boxed());
    stream::unfold((events, reading), |(mut events, reading)| async move {
        loop {
            if reading.endpoint.line().lost().is_cancelled() {
                return None;
            }
            reading.endpoint.line().gate.lock().await.opened().await;
            match events.next().await? {
                Ok(event) => {
                    if let Some(event) = reading.read(event).await {
                        return Some((Ok(event), (events, reading)));
                    }
                }
                Err(error) => {
                    reading.note(&error);
                    return None;
                }
            }
        }
    })
    .boxed()
}

/// One stream that is read.
struct Reading {
    endpoint: Endpoint,
    /// Bytes since the last event.
    unread: Arc<AtomicUsize>,
    id: Option<i64>,
}

impl Reading {
    /// What rmcp is given of `event`, if that is anything.
    async fn read(&self, event: Sse) -> Option<Sse> {
        let bytes = self.unread.swap(0, Ordering::Relaxed);
        let is_message = matches!(event.event.as_deref(), None | Some("" | "message"));
        let data = event.data.filter(|data| is_message && !data.trim().is_empty());
        let answer = match data {
            Some(data) => self.answer(&data).await,
            None => None,
        };
        if answer.is_none() {
            self.endpoint.line().gate.lock().await.note_unasked(bytes);
        }
        let id = event.id.filter(|id| id.len() <= EVENT_ID_BYTES_MAX);
        let is_empty = answer.is_none() && id.is_none() && event.retry.is_none();
        (!is_empty).then_some(Sse { event: None, data: answer, id, retry: event.retry })
    }

    /// The answer that `data` is, as text.
    async fn answer(&self, data: &str) -> Option<String> {
        let text = without_half_surrogates(data);
        match self.endpoint.line().border.hear_with(&text, self.id) {
            Heard::Answer(answer) => serde_json::to_string(&answer).ok(),
            Heard::Request(refusal) => {
                self.reply(std::future::ready(refusal.text())).await;
                None
            }
            Heard::Question(asking) => {
                self.reply(asking.text()).await;
                None
            }
            Heard::Nothing => None,
        }
    }

    /// Answers a request of the server, if it is within their rate.
    async fn reply(&self, text: impl Future<Output = String> + Send + 'static) {
        if let Some(place) = self.endpoint.line().admit_request().await {
            let endpoint = self.endpoint.clone();
            tokio::spawn(async move {
                endpoint.reply(text.await).await;
                drop(place);
            });
        }
    }

    fn note(&self, error: &SseError) {
        let own = match error {
            SseError::Body(error) => error.downcast_ref::<HttpFault>().cloned(),
            _ => Some(HttpFault::NotMcp),
        };
        let explained = || OutboundError::explain(error).map(HttpFault::Outbound);
        let fault = own.or_else(explained).unwrap_or(HttpFault::BrokenOff);
        self.endpoint.line().note(self.id, &fault);
    }
}
