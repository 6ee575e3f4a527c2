//! What rmcp's OAuth sends goes through the one HTTP client: addresses that a server supplied are checked as such, and everything is bounded.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use isolet::mcp::Url;
use isolet_outbound::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, WWW_AUTHENTICATE};
use isolet_outbound::{AddressSource, Answer, Body, Method, Outbound, OutboundError, Policy, Redirects, Request};
use rmcp::transport::auth::{OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRedirectPolicy, OAuthHttpRequest};
use url::form_urlencoded;

/// The most bytes of an answer, and how long it may take.
const ANSWER_BYTES_MAX: usize = 1 << 20;
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// The most requests of one authorization or refresh: metadata may name any number of places to look at.
const REQUESTS_MAX: usize = 32;

/// What both kinds of addresses are called with.
#[derive(Clone)]
pub(crate) struct Clients {
    /// Those of the operator: the server itself.
    operators: Outbound,
    /// Those that a server named.
    servers: Outbound,
}

impl Clients {
    /// Under the rules of `policy`, whoever wrote an address.
    pub(crate) fn new(policy: &Policy) -> Result<Self, OutboundError> {
        let with = |source| Outbound::new(policy.with_source(source));
        Ok(Self { operators: with(AddressSource::Operator)?, servers: with(AddressSource::Server)? })
    }

    /// Whether `url`, which the operator wrote, may be called.
    pub(crate) fn check_operators(&self, url: &Url) -> Result<(), OutboundError> {
        self.operators.check(url)
    }
}

/// What became of the last request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// The server has not seen it.
    NotSent,
    /// It was answered with this status.
    Answered(u16),
    /// It may have arrived; there is no answer.
    Lost,
}

/// The requests of one authorization or refresh, for one server.
pub(crate) struct HttpClient {
    clients: Clients,
    resource: Url,
    /// The `resource` to be sent, where it is not written as an address would be.
    stated_resource: Option<String>,
    requests: AtomicUsize,
    fate: Mutex<Fate>,
}

#[derive(Debug, thiserror::Error)]
#[error("more than {REQUESTS_MAX} requests: the metadata leads nowhere")]
struct TooMany;

impl HttpClient {
    /// What asks about the server at `resource`, as the operator has it.
    pub(crate) fn new(clients: &Clients, resource: &Url) -> Self {
        Self {
            clients: clients.clone(),
            resource: resource.clone(),
            stated_resource: None,
            requests: AtomicUsize::new(0),
            fate: Mutex::new(Fate::NotSent),
        }
    }

    /// The same, which says this as `resource`, whatever rmcp makes of it.
    pub(crate) fn stating(mut self, resource: &str) -> Self {
        self.stated_resource = Some(resource.to_owned());
        self
    }

    /// What became of the last `POST`.
    pub(crate) fn fate(&self) -> Fate {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether `url`, which a server named, may be called.
    pub(crate) fn check(&self, url: &Url) -> Result<(), OutboundError> {
        self.client(url).check(url)
    }

    /// What the server says to a stranger who greets it, or asks what it has: the challenge of its 401, if it is one.
    pub(crate) async fn probe(&self) -> Option<String> {
        const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"isolet","version":"1"}}}"#;
        const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#;
        match self.challenge_of(HELLO).await {
            None => self.challenge_of(LIST).await,
            challenge => challenge,
        }
    }

    async fn challenge_of(&self, message: &'static str) -> Option<String> {
        let mut request = Request::new(Method::POST, self.resource.clone());
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        request.body = Body::Bytes(message.as_bytes().to_vec());
        let answer = self.send(request).await.ok()?;
        let said = answer.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let said = said.collect::<Vec<_>>().join(", ");
        (answer.status.as_u16() == 401 && !said.is_empty()).then_some(said)
    }

    /// Gets what is at `url`, within these bounds.
    pub(crate) async fn get(&self, url: Url, bytes_max: usize, time_max: Duration) -> Result<Answer, OutboundError> {
        let mut request = Request::new(Method::GET, url);
        request.headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        request.answer_bytes_max = Some(bytes_max);
        request.answer_max = Some(time_max);
        self.client(&request.url).send(request).await
    }

    /// Posts a form, as the client `basic` if it has a secret.
    pub(crate) async fn post_form(
        &self,
        url: Url,
        pairs: &[(&str, &str)],
        basic: Option<&str>,
    ) -> Result<Answer, OutboundError> {
        let mut request = Request::new(Method::POST, url);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(mut basic) = basic.and_then(|basic| HeaderValue::from_str(basic).ok()) {
            basic.set_sensitive(true);
            request.headers.insert(AUTHORIZATION, basic);
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        request.body = Body::Bytes(form.into_bytes());
        request.redirects = Redirects::None;
        self.send(request).await
    }

    /// Posts a JSON text.
    pub(crate) async fn post_json(&self, url: Url, body: &serde_json::Value) -> Result<Answer, OutboundError> {
        let mut request = Request::new(Method::POST, url);
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.body = Body::Bytes(body.to_string().into_bytes());
        request.redirects = Redirects::None;
        self.send(request).await
    }

    async fn send(&self, mut request: Request) -> Result<Answer, OutboundError> {
        request.answer_bytes_max = Some(ANSWER_BYTES_MAX);
        request.answer_max = Some(ANSWER_MAX);
        self.client(&request.url).send(request).await
    }

    /// The client for `url`: the operator's for the server itself, and for this machine if the server is on it.
    fn client(&self, url: &Url) -> &Outbound {
        let is_own = url.origin() == self.resource.origin() || (is_loopback(url) && is_loopback(&self.resource));
        if is_own { &self.clients.operators } else { &self.clients.servers }
    }

    /// The form with the `resource` that is to be stated.
    fn stated(&self, form: Vec<u8>) -> Vec<u8> {
        let Some(resource) = &self.stated_resource else { return form };
        let mut stated = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(&form) {
            let value = if name == "resource" { resource.as_str() } else { &value };
            stated.append_pair(&name, value);
        }
        stated.finish().into_bytes()
    }
}

/// Whether `url` is on this machine, as an operator writes that.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl OAuthHttpClient for HttpClient {
    fn execute(&self, asked: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        Box::pin(async move {
            if self.requests.fetch_add(1, Ordering::Relaxed) >= REQUESTS_MAX {
                return Err(TooMany.into());
            }
            let OAuthHttpRequest { request, redirect_policy, .. } = asked;
            let (parts, body) = request.into_parts();
            let url = Url::parse(&parts.uri.to_string())?;
            let is_form = parts.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().ends_with(b"form-urlencoded"));
            let body = if is_form { self.stated(body) } else { body };
            let is_post = parts.method == Method::POST;
            let mut request = Request::new(parts.method, url);
            request.headers = parts.headers;
            request.body = if body.is_empty() { Body::Empty } else { Body::Bytes(body) };
            request.redirects = match redirect_policy {
                OAuthHttpRedirectPolicy::Follow => Redirects::SameOrigin,
                _ => Redirects::None,
            };
            let answer = self.send(request).await;
            if is_post {
                *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = match &answer {
                    Ok(answer) => Fate::Answered(answer.status.as_u16()),
                    Err(error) if error.may_have_arrived() => Fate::Lost,
                    Err(_) => Fate::NotSent,
                };
            }
            let answer = answer?;
            let mut response = http::Response::new(answer.body);
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
