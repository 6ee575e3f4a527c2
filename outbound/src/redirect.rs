//! Redirects: followed where what was sent stays with the origin that it was meant for.

use reqwest::redirect;
use reqwest::{Method, StatusCode};
use url::Url;

use crate::error::OutboundError;
use crate::host::host_name;

/// The most characters of an address that a server redirected to.
const TARGET_LENGTH_MAX: usize = 200;

/// What a request does when it is redirected.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Redirects {
    /// The redirect is the answer.
    None,
    /// Followed within scheme, host and port, if the method stays as it is: 307 and 308, and for GET and HEAD any.
    #[default]
    SameOrigin,
    /// Followed anywhere that the policy allows a server to name, each time checked. For GET and HEAD without a body and without headers but
    /// `accept`; anything else is refused before it is sent.
    AnyOrigin,
}

/// The rule for libraries: same origin and 307 or 308, since a `POST` that becomes a `GET` loses its message.
pub(crate) fn for_libraries(redirects_max: usize) -> redirect::Policy {
    redirect::Policy::custom(move |attempt| {
        let Some(from) = attempt.previous().last() else { return attempt.stop() };
        let is_kept = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
        if attempt.previous().len() > redirects_max {
            let host = name(from);
            attempt.error(OutboundError::TooManyRedirects { host, redirects_max })
        } else if is_kept && from.origin() == attempt.url().origin() {
            attempt.follow()
        } else {
            let error = refusal(from, attempt.url());
            attempt.error(error)
        }
    })
}

/// Whether a request may be repeated at `to` after `status` at `from`.
pub(crate) fn check(rule: Redirects, status: StatusCode, method: &Method, from: &Url, to: &Url) -> Result<(), OutboundError> {
    let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT)
        || matches!(*method, Method::GET | Method::HEAD);
    let is_near_enough = rule == Redirects::AnyOrigin || from.origin() == to.origin();
    if keeps_method && is_near_enough { Ok(()) } else { Err(refusal(from, to)) }
}

/// Whether `status` is a redirect that says where to.
pub(crate) fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn refusal(from: &Url, to: &Url) -> OutboundError {
    // The path may be what the operator has to correct; a query may hold a secret. It is a server's text, so it is short.
    let target = format!("{}{}", to.origin().ascii_serialization(), to.path()).chars().take(TARGET_LENGTH_MAX).collect();
    OutboundError::Redirected { host: name(from), target }
}

pub(crate) fn name(url: &Url) -> String {
    url.host().map(|host| host_name(&host)).unwrap_or_default()
}
