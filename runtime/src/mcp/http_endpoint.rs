//! One HTTP server as requests to it are made: its address, the operator's header fields, those of the protocol over them, and the credentials of
//! whoever it is called for.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use isolet_outbound::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use isolet_outbound::{Client, Method, Response, StatusCode, Url};

use super::credential_source::Challenge;
use super::credential_supply::{CredentialSupply, Missing};
use super::http_fault::HttpFault;
use super::http_headers::put;
use super::http_line::HttpLine;

pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const JSON: &str = "application/json";

/// How long an answer to a request of the server may take.
const REPLY_MAX: Duration = Duration::from_secs(5);

/// How often a request that was refused is sent once more, with other credentials: whoever refuses at the door has done nothing.
const REPEATS_MAX: usize = 1;

/// The most characters of a challenge that are read.
const CHALLENGE_CHARACTERS_MAX: usize = 4096;

/// Where one server is, and what is known of the conversation with it.
#[derive(Clone)]
pub(super) struct Endpoint {
    line: Arc<HttpLine>,
    client: Client,
    url: Url,
    /// Those of the operator.
    headers: HeaderMap,
    supply: Arc<CredentialSupply>,
}

impl Endpoint {
    /// The server at `url`, which gets these header fields with each request, and what `supply` has then.
    pub(super) fn new(
        line: &Arc<HttpLine>,
        client: Client,
        url: Url,
        headers: HeaderMap,
        supply: &Arc<CredentialSupply>,
    ) -> Self {
        Self { line: Arc::clone(line), client, url, headers, supply: Arc::clone(supply) }
    }

    pub(super) fn line(&self) -> &HttpLine {
        &self.line
    }

    /// Sends a request with the credentials that there are now. One that the server refuses at the door is sent once more if there are others.
    pub(super) async fn send(&self, method: Method, headers: &HeaderMap, body: Vec<u8>) -> Result<Response, HttpFault> {
        let mut credentials = self.supply.current().await?;
        let mut repeats = 0;
        loop {
            let mut headers = headers.clone();
            put(&credentials, &mut headers).map_err(Missing::from)?;
            let request = self.client.request(method.clone(), self.url.clone()).headers(headers).body(body.clone());
            let response = request.send().await.map_err(|error| HttpFault::of_error(&error))?;
            if !matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
                return Ok(response);
            }
            let challenge = self.challenge(&response);
            if challenge.status != 401 && !challenge.asks_for_more() {
                return Ok(response);
            }
            match self.supply.refused(&credentials, &challenge).await? {
                Some(others) if repeats < REPEATS_MAX => credentials = others,
                _ => return Ok(response),
            }
            repeats += 1;
        }
    }

    fn challenge(&self, response: &Response) -> Challenge {
        let said = response.headers().get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let said = said.collect::<Vec<_>>().join(", ");
        let said: String = self.line.border.faults.sent().text(&said).chars().take(CHALLENGE_CHARACTERS_MAX).collect();
        Challenge::new(response.status().as_u16(), (!said.is_empty()).then_some(said))
    }

    /// Sends `text`, an answer to a request of the server. What becomes of it is the server's.
    pub(super) async fn reply(&self, text: String) {
        let headers = self.line.session_headers();
        let request = self.send(Method::POST, &headers, text.into_bytes());
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
