//! Where credentials come from: for one principal and one server, what goes out, or that the user has to be asked.
//!
//! A source is asked before each request over HTTP, and before each start of a command, so what it gives may change at any time. What it gives goes
//! out, and is taken out of whatever comes back ([`isolet_outbound::Scrubber`]). Nobody else sees it: it is in no argument, frame, log, error or
//! outcome.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use isolet_bindings::Authorization;
use isolet_outbound::{Secret, Url, secrets_in};

use super::credential_error::CredentialError;
use super::oauth_settings::OAuthSettings;
use crate::host::principal::Principal;

/// For whom, and for what, credentials are asked.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub struct CredentialRequest<'a> {
    /// Whose they are.
    pub principal: &'a Principal,
    /// The server, as the configuration calls it.
    pub server: &'a str,
    /// Where it is, if it is called over HTTP: credentials for one address go to no other.
    pub url: Option<&'a Url>,
    /// What the configuration says of OAuth at this server.
    pub oauth: Option<&'a OAuthSettings>,
}

/// What goes out to one server for one principal.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Credentials {
    headers: BTreeMap<String, Secret>,
    env: BTreeMap<String, Secret>,
}

/// What a source says.
#[non_exhaustive]
pub enum Given {
    /// It has nothing for this server, and another one may.
    Nothing,
    /// These go out.
    These(Credentials),
    /// The user has to do something first.
    Ask(Authorization),
}

/// Why a server refused a request.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The status of its answer: 401, or 403.
    pub status: u16,
    /// Its `WWW-Authenticate`, if it sent one. The server's own text.
    pub authenticate: Option<String>,
}

/// What a source says, once it knows.
pub type Giving<'a> = Pin<Box<dyn Future<Output = Result<Given, CredentialError>> + Send + 'a>>;

/// Gives the credentials of users.
///
/// ```
/// use isolet::mcp::{CredentialRequest, CredentialSource, Credentials, Given, Giving, Secret};
///
/// /// The token that came with the request, for the one server that it is for.
/// struct OfRequest(Secret);
///
/// impl CredentialSource for OfRequest {
///     fn credentials<'a>(&'a self, request: CredentialRequest<'a>) -> Giving<'a> {
///         let is_for = request.server == "issues";
///         Box::pin(async move { Ok(if is_for { Given::These(Credentials::bearer(&self.0)) } else { Given::Nothing }) })
///     }
/// }
/// # fn is_source(_: impl CredentialSource) {}
/// # is_source(OfRequest(Secret::new("0123456789").unwrap()));
/// ```
pub trait CredentialSource: Send + Sync + 'static {
    /// What goes out.
    ///
    /// # Errors
    ///
    /// When there should be something, and it cannot be got now.
    fn credentials<'a>(&'a self, request: CredentialRequest<'a>) -> Giving<'a>;

    /// The server refused a request with `sent`: what goes out instead, once; or that the user has to be asked. By default the source knows no
    /// better.
    ///
    /// # Errors
    ///
    /// As [`CredentialSource::credentials`].
    fn refused<'a>(&'a self, request: CredentialRequest<'a>, sent: &'a Credentials, challenge: &'a Challenge) -> Giving<'a> {
        let _ = (request, sent, challenge);
        Box::pin(async { Ok(Given::Nothing) })
    }
}

impl<Source: CredentialSource + ?Sized> CredentialSource for Arc<Source> {
    fn credentials<'a>(&'a self, request: CredentialRequest<'a>) -> Giving<'a> {
        (**self).credentials(request)
    }

    fn refused<'a>(&'a self, request: CredentialRequest<'a>, sent: &'a Credentials, challenge: &'a Challenge) -> Giving<'a> {
        (**self).refused(request, sent, challenge)
    }
}

impl<'a> CredentialRequest<'a> {
    /// A request for the credentials of `principal` for `server`.
    #[must_use]
    pub fn new(principal: &'a Principal, server: &'a str) -> Self {
        Self { principal, server, url: None, oauth: None }
    }

    /// The same, for a server at `url`.
    #[must_use]
    pub fn at(mut self, url: &'a Url) -> Self {
        self.url = Some(url);
        self
    }
}

impl Credentials {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `Authorization: Bearer` and this token.
    #[must_use]
    pub fn bearer(token: &Secret) -> Self {
        // It is longer than the token, which is long enough.
        let value = Secret::new(format!("Bearer {}", token.expose())).unwrap_or_else(|_| token.clone());
        Self::new().with_header("authorization", value)
    }

    /// The same with a header field, for servers that are called over HTTP.
    #[must_use]
    pub fn with_header(mut self, name: impl AsRef<str>, value: Secret) -> Self {
        self.headers.insert(name.as_ref().to_ascii_lowercase(), value);
        self
    }

    /// The same with a variable, for servers that are started.
    #[must_use]
    pub fn with_env(mut self, name: impl Into<String>, value: Secret) -> Self {
        self.env.insert(name.into(), value);
        self
    }

    /// The header fields, by their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The variables.
    pub fn env(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.env.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Whether nothing goes out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty() && self.env.is_empty()
    }

    /// These and `others`; where both say something, these hold.
    pub(super) fn or(mut self, others: Self) -> Self {
        for (name, value) in others.headers {
            self.headers.entry(name).or_insert(value);
        }
        for (name, value) in others.env {
            self.env.entry(name).or_insert(value);
        }
        self
    }

    /// What of them must not come back.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        self.headers.values().chain(self.env.values()).flat_map(|value| secrets_in(value.expose())).collect()
    }
}

impl Challenge {
    /// A refusal with this status.
    #[must_use]
    pub fn new(status: u16, authenticate: Option<String>) -> Self {
        Self { status, authenticate }
    }

    /// Whether it says that the token is good and says too little.
    #[must_use]
    pub fn asks_for_more(&self) -> bool {
        self.status == 403 && self.authenticate.as_ref().is_some_and(|text| text.contains("insufficient_scope"))
    }
}

/// Names alone.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("headers", &self.headers.keys()).field("env", &self.env.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_goes_out_is_named_and_not_shown() {
        let token = Secret::new("canary-7f3a9c").unwrap();
        let credentials = Credentials::bearer(&token).with_env("TOKEN", token.clone());
        let shown = format!("{credentials:?}");
        assert!(shown.contains("authorization") && shown.contains("TOKEN") && !shown.contains("canary"), "{shown}");
        let secrets = credentials.secrets();
        assert!(secrets.iter().any(|secret| secret == &token), "the token counts without its scheme");
    }

    #[test]
    fn what_was_said_first_holds() {
        let secret = |text: &str| Secret::new(text).unwrap();
        let first = Credentials::new().with_header("X-Key", secret("first-key"));
        let both = first.or(Credentials::new().with_header("x-key", secret("second-key")).with_env("A", secret("a-variable")));
        let headers: Vec<_> = both.headers().map(|(name, value)| (name, value.expose())).collect();
        assert_eq!((headers, both.env().count()), (vec![("x-key", "first-key")], 1));
    }
}
