//! One HTTP server as requests to it are made: its address, the operator's header fields, and those of the protocol over them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use isolet_outbound::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use isolet_outbound::{Client, Method, RequestBuilder, Url};

use super::http_line::HttpLine;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const JSON: &str = "application/json";

/// How long an answer to a request of the server may take.
const REPLY_MAX: Duration = Duration::from_secs(5);

/// Where one server is, and what is known of the conversation with it.
#[derive(Clone)]
pub(super) struct Endpoint {
    line: Arc<HttpLine>,
    client: Client,
    url: Url,
    /// Those of the operator.
    headers: HeaderMap,
}

impl Endpoint {
    /// The server at `url`, which gets these header fields with each request.
    pub(super) fn new(line: Arc<HttpLine>, client: Client, url: Url, headers: HeaderMap) -> Self {
        Self { line, client, url, headers }
    }

    pub(super) fn line(&self) -> &HttpLine {
        &self.line
    }

    /// A request.
    pub(super) fn request(&self, method: Method, headers: HeaderMap) -> RequestBuilder {
        self.client.request(method, self.url.clone()).headers(headers)
    }

    /// Sends `text`, an answer to a request of the server. What becomes of it is the server's.
    pub(super) async fn reply(&self, text: String) {
        let request = self.request(Method::POST, self.line.session_headers()).body(text).send();
        let _ = tokio::time::timeout(REPLY_MAX, request).await;
    }

    /// The header fields of a request.
    pub(super) fn headers(
        &self,
        accept: &'static str,
        session: Option<&str>,
        protocol: HashMap<HeaderName, HeaderValue>,
    ) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        if let Some(session) = session.and_then(|session| HeaderValue::from_str(session).ok()) {
            headers.insert(SESSION, session);
        }
        protocol.into_iter().for_each(|(name, value)| drop(headers.insert(name, value)));
        headers
    }
}
