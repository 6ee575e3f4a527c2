//! One request and its answer, both whole and bounded.

use std::fmt;
use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::redirect::Redirects;

/// What [`crate::Outbound::send`] sends.
#[non_exhaustive]
#[derive(Clone)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Where to, without user and password.
    pub url: Url,
    /// Its header fields, credentials included. Those that the connection needs (`host`, `content-length`) are added.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Body,
    /// What happens when it is redirected. Default [`Redirects::SameOrigin`].
    pub redirects: Redirects,
    /// Less than [`crate::OutboundLimits::answer_bytes_max`]. Default that.
    pub answer_bytes_max: Option<usize>,
    /// Less than [`crate::OutboundLimits::answer_max`]. Default that.
    pub answer_max: Option<Duration>,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            body: Body::Empty,
            redirects: Redirects::default(),
            answer_bytes_max: None,
            answer_max: None,
        }
    }
}

/// Headers and queries hold credentials: neither is shown.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.keys().map(reqwest::header::HeaderName::as_str).collect();
        write!(
            formatter,
            "Request({} {}, {names:?}, {} bytes)",
            self.method,
            self.url.origin().ascii_serialization(),
            self.body.len()
        )
    }
}

/// The body of a [`Request`].
#[non_exhaustive]
#[derive(Clone, Default)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// These bytes; what they are stands in the header `content-type`, which the caller sets.
    Bytes(Vec<u8>),
    /// `multipart/form-data`, with its own `content-type`.
    Multipart(Vec<Part>),
}

impl Body {
    /// The bytes in it; of parts also their names and types, and 150 for what separates each from the next.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Empty => 0,
            Self::Bytes(bytes) => bytes.len(),
            Self::Multipart(parts) => parts.iter().map(Part::len).sum(),
        }
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What a part of a form costs besides its own bytes: the boundary and the words of its header.
const PART_BYTES: usize = 150;

/// One part of a form.
#[expect(clippy::exhaustive_structs, reason = "a part of a form has these four things")]
#[derive(Clone)]
pub struct Part {
    /// The name of the field.
    pub name: String,
    /// The name of the file, if it is one.
    pub file_name: Option<String>,
    /// Its media type, if it is not plain text.
    pub content_type: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Part {
    fn len(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        PART_BYTES + self.name.len() + optional(&self.file_name) + optional(&self.content_type) + self.bytes.len()
    }
}

/// What came back: of any status, whole, decompressed.
#[non_exhaustive]
#[derive(Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its header fields.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
    /// Where it came from, after redirects.
    pub url: Url,
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.url.origin().ascii_serialization();
        write!(formatter, "Answer({} from {origin}, {} bytes)", self.status, self.body.len())
    }
}
