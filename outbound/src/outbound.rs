//! The client: one policy, one pool of connections, for libraries as for our own requests.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use reqwest::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, LOCATION};
use reqwest::multipart::{Form, Part as FormPart};
use reqwest::{Client, ClientBuilder, Method, Response, redirect};
use tokio::sync::Semaphore;
use url::Url;

use crate::error::OutboundError;
use crate::policy::{AddressSource, OutboundLimits, Policy};
use crate::redirect::{Redirects, check, for_libraries, is_redirect, name};
use crate::request::{Answer, Body, Part, Request};
use crate::resolver::{CheckedResolver, SystemResolver};
use crate::route::Router;
use crate::tls;

/// The most header fields of an answer.
const HEADERS_MAX: usize = 100;

/// The most idle connections that are kept for one host, and how long.
const IDLE_MAX: usize = 8;
const IDLE_FOR: Duration = Duration::from_secs(60);

/// Everything that goes out over HTTP, under one [`Policy`].
///
/// Cloning is cheap, and clones share connections and counts.
#[derive(Clone)]
pub struct Outbound {
    policy: Arc<Policy>,
    /// Follows no redirect: [`Outbound::send`] does, and checks each.
    own: Client,
    library: Client,
    places: Arc<Semaphore>,
}

impl Outbound {
    /// A client under `policy`, which asks the system for addresses.
    ///
    /// # Errors
    ///
    /// [`OutboundError::NotACertificate`] when [`Policy::roots`] cannot be read.
    pub fn new(policy: Policy) -> Result<Self, OutboundError> {
        let resolver = Arc::new(SystemResolver::new(policy.limits.lookups_max));
        Self::with_resolver(policy, resolver)
    }

    /// The same with another source of addresses. What it gives is checked as the system's answers are.
    ///
    /// # Errors
    ///
    /// As [`Outbound::new`].
    pub fn with_resolver(policy: Policy, resolver: Arc<dyn Resolve>) -> Result<Self, OutboundError> {
        let policy = Arc::new(policy);
        let tls = tls::config(&policy.roots)?;
        let builder = || builder(&policy, Arc::clone(&resolver)).tls_backend_preconfigured(tls.clone());
        let limits = &policy.limits;
        let own = built(builder().redirect(redirect::Policy::none()))?;
        let library = built(builder().redirect(for_libraries(limits.redirects_max)).read_timeout(limits.silence_max))?;
        let places = Arc::new(Semaphore::new(limits.requests_max.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { policy, own, library, places })
    }

    /// Its rules.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The client for a library that wants one. Every address that the library asks for is checked, whoever gave it.
    ///
    /// It follows 307 and 308 within an origin, other redirects are errors; it decompresses as it reads; it never repeats a request that a
    /// server may have taken. Its answers are streams without a length: whoever reads them has to count, as rmcp does. What its errors mean
    /// says [`OutboundError::explain`].
    #[must_use]
    pub fn client(&self) -> Client {
        self.library.clone()
    }

    /// Whether `url` may be called, as far as it can be said without asking for addresses: for configurations, ahead of any request.
    ///
    /// # Errors
    ///
    /// The error that a request would end with.
    pub fn check(&self, url: &Url) -> Result<(), OutboundError> {
        self.policy.check_url(url)
    }

    /// Sends `request` and reads the whole answer, whatever its status.
    ///
    /// # Errors
    ///
    /// When there is no answer, or one that goes past a limit.
    pub async fn send(&self, request: Request) -> Result<Answer, OutboundError> {
        let limits = &self.policy.limits;
        let time_max = request.answer_max.map_or(limits.answer_max, |asked| asked.min(limits.answer_max));
        let host = name(&request.url);
        let answer = async {
            let _place = self.places.acquire().await;
            self.follow(request).await
        };
        in_time(time_max, host, answer).await
    }

    async fn follow(&self, request: Request) -> Result<Answer, OutboundError> {
        self.check(&request.url)?;
        check_request(&request, &self.policy.limits)?;
        let mut url = request.url.clone();
        for _ in 0..=self.policy.limits.redirects_max {
            let response = self.once(&request, url.clone()).await?;
            let Some(next) = next(&request, &response, &url)? else { return self.answer(&request, url, response).await };
            // What a server wrote is checked as such, also if the first address was the operator's.
            let source = if next.origin() == url.origin() { self.policy.source } else { AddressSource::Server };
            self.policy.with_source(source).check_url(&next)?;
            url = next;
        }
        Err(OutboundError::TooManyRedirects { host: name(&url), redirects_max: self.policy.limits.redirects_max })
    }

    async fn once(&self, request: &Request, url: Url) -> Result<Response, OutboundError> {
        let host = name(&url);
        let builder = self.own.request(request.method.clone(), url).headers(request.headers.clone());
        let builder = match &request.body {
            Body::Empty => builder,
            Body::Bytes(bytes) => builder.body(bytes.clone()),
            Body::Multipart(parts) => builder.multipart(form(parts, &host)?),
        };
        builder.send().await.map_err(|error| explained(&error, host))
    }

    async fn answer(&self, request: &Request, url: Url, mut response: Response) -> Result<Answer, OutboundError> {
        let limits = &self.policy.limits;
        let host = name(&url);
        check_headers(response.headers(), &host, limits)?;
        let bytes_max = request.answer_bytes_max.map_or(limits.answer_bytes_max, |asked| asked.min(limits.answer_bytes_max));
        let too_large = || OutboundError::TooLarge { host: host.clone(), bytes_max };
        if announced(response.headers()).is_some_and(|length| length > bytes_max) && request.method != Method::HEAD {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| explained(&error, host.clone()))? {
            if chunk.len() > bytes_max - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body, url })
    }
}

/// The client would show what it sends to a proxy.
impl fmt::Debug for Outbound {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Outbound").field("policy", &self.policy).finish_non_exhaustive()
    }
}

async fn in_time<T>(
    time_max: Duration,
    host: String,
    answer: impl Future<Output = Result<T, OutboundError>>,
) -> Result<T, OutboundError> {
    tokio::time::timeout(time_max, answer).await.unwrap_or(Err(OutboundError::TimedOut { host }))
}

/// What both clients have in common. HTTP/1.1 alone: nothing here needs HTTP/2, and what is not there cannot be attacked.
fn builder(policy: &Arc<Policy>, resolver: Arc<dyn Resolve>) -> ClientBuilder {
    let router = Router::new(Arc::clone(policy));
    // Named explicitly, so that reqwest does not look into the environment.
    let mut way = reqwest::Proxy::custom(move |url| router.way(url));
    if let Some((user, password)) = policy.proxy.as_ref().and_then(crate::Proxy::credentials) {
        way = way.basic_auth(user, password);
    }
    Client::builder()
        .user_agent(concat!("isolet/", env!("CARGO_PKG_VERSION")))
        .proxy(way)
        .dns_resolver(Arc::new(CheckedResolver::new(Arc::clone(policy), resolver)))
        .connect_timeout(policy.limits.connect_max)
        .pool_max_idle_per_host(IDLE_MAX)
        .pool_idle_timeout(IDLE_FOR)
        .http1_only()
        .http1_max_headers(HEADERS_MAX)
        .retry(reqwest::retry::never())
        .referer(false)
}

fn built(builder: ClientBuilder) -> Result<Client, OutboundError> {
    builder.build().map_err(|error| explained(&error, String::new()))
}

fn explained(error: &reqwest::Error, host: String) -> OutboundError {
    OutboundError::explain(error).unwrap_or(OutboundError::Broken { host, detail: "for an unknown reason".to_owned() })
}

fn check_request(request: &Request, limits: &OutboundLimits) -> Result<(), OutboundError> {
    let (bytes, bytes_max) = (request.body.len(), limits.request_bytes_max);
    if bytes > bytes_max {
        return Err(OutboundError::RequestTooLarge { host: name(&request.url), bytes, bytes_max });
    }
    let is_bare = matches!(request.method, Method::GET | Method::HEAD)
        && request.body.is_empty()
        && request.headers.keys().all(|name| name == reqwest::header::ACCEPT);
    if request.redirects == Redirects::AnyOrigin && !is_bare {
        return Err(OutboundError::HeadersAcrossOrigins { host: name(&request.url) });
    }
    Ok(())
}

/// Where `response` sends the request on to, if it does and that is followed.
fn next(request: &Request, response: &Response, url: &Url) -> Result<Option<Url>, OutboundError> {
    if request.redirects == Redirects::None || !is_redirect(response.status()) {
        return Ok(None);
    }
    let Some(location) = response.headers().get(LOCATION) else { return Ok(None) };
    let malformed = || OutboundError::Malformed { host: name(url), detail: "its redirect has no address".to_owned() };
    let location = location.to_str().map_err(|_| malformed())?;
    let next = url.join(location).map_err(|_| malformed())?;
    check(request.redirects, response.status(), &request.method, url, &next)?;
    Ok(Some(next))
}

fn check_headers(headers: &HeaderMap, host: &str, limits: &OutboundLimits) -> Result<(), OutboundError> {
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > limits.header_bytes_max {
        return Err(OutboundError::HeadersTooLarge { host: host.to_owned() });
    }
    // What the client has decompressed it has taken this field from.
    match headers.get(CONTENT_ENCODING).map(|encoding| encoding.to_str().unwrap_or("?")) {
        None | Some("" | "identity") => Ok(()),
        Some(encoding) => {
            let encoding: String = encoding.chars().take(40).collect();
            Err(OutboundError::Encoding { host: host.to_owned(), detail: format!("it is `{encoding}`") })
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn form(parts: &[Part], host: &str) -> Result<Form, OutboundError> {
    // Names go out as browsers write them: `name*=`, which would be used otherwise, is none that a form may have (RFC 7578).
    parts.iter().try_fold(Form::new().percent_encode_noop(), |form, part| {
        let wrong = || OutboundError::NotARequest {
            host: host.to_owned(),
            detail: "a part of its form has no usable name or type".to_owned(),
        };
        let texts = [Some(&part.name), part.file_name.as_ref(), part.content_type.as_ref()];
        if texts.into_iter().flatten().any(|text| text.contains(char::is_control)) {
            return Err(wrong());
        }
        let mut field = FormPart::bytes(part.bytes.clone());
        if let Some(file_name) = &part.file_name {
            field = field.file_name(file_name.clone());
        }
        if let Some(content_type) = &part.content_type {
            field = field.mime_str(content_type).map_err(|_| wrong())?;
        }
        Ok(form.part(part.name.replace('"', "%22"), field))
    })
}
