//! Tokens that only their issuer can read: it is asked about them (RFC 7662), and what it says holds for a short while.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use isolet_outbound::OutboundError;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use crate::claims::Claims;
use crate::http_client::{Clients, HttpClient};
use crate::issuer::Introspection;

/// How long what was said of a token holds, and of how many tokens that is kept. One more is asked about each time.
const LIFE: Duration = Duration::from_secs(30);
const TOKENS_MAX: usize = 4096;

/// How often the issuer is asked, in a second: strangers send any number of tokens.
const PER_SECOND_MAX: NonZeroU32 = NonZeroU32::new(100).expect("not zero");

/// What is known of a token by its hash: since when, and what it says, if it is active.
type Kept = HashMap<[u8; 32], (Instant, Option<Arc<Claims>>)>;

/// Who asks about the tokens of one issuer.
pub(crate) struct Introspector {
    clients: Clients,
    settings: Introspection,
    kept: Mutex<Kept>,
    asking: DefaultDirectRateLimiter,
}

/// Why an issuer says nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IntrospectionError {
    #[error("the issuer cannot be asked about a token")]
    Unreachable(#[from] OutboundError),
    #[error("the issuer answered {status} when it was asked about a token: look at the client and its secret")]
    Status { status: u16 },
    #[error("the issuer was asked about too many tokens")]
    TooOften,
    #[error("the issuer's answer about a token cannot be read")]
    NotUnderstood,
}

impl Introspector {
    pub(crate) fn new(clients: &Clients, settings: Introspection) -> Self {
        let asking = RateLimiter::direct(Quota::per_second(PER_SECOND_MAX));
        Self { clients: clients.clone(), settings, kept: Mutex::default(), asking }
    }

    /// What the issuer says of `token`; none if it is not active.
    pub(crate) async fn claims(&self, token: &str) -> Result<Option<Arc<Claims>>, IntrospectionError> {
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(known) = self.known(&hash) {
            return Ok(known);
        }
        self.asking.check().map_err(|_| IntrospectionError::TooOften)?;
        let claims = self.ask(token).await?.map(Arc::new);
        self.keep(hash, claims.clone());
        Ok(claims)
    }

    async fn ask(&self, token: &str) -> Result<Option<Claims>, IntrospectionError> {
        let Introspection { url, client_id, client_secret } = &self.settings;
        let http = HttpClient::new(&self.clients, url);
        let basic = basic(client_id, client_secret.expose());
        let answer =
            http.post_form(url.clone(), &[("token", token), ("token_type_hint", "access_token")], Some(&basic)).await?;
        if !answer.status.is_success() {
            return Err(IntrospectionError::Status { status: answer.status.as_u16() });
        }
        let said: Claims = serde_json::from_slice(&answer.body).map_err(|_| IntrospectionError::NotUnderstood)?;
        match said.get("active") {
            Some(Value::Bool(true)) => Ok(Some(said)),
            Some(Value::Bool(false)) => Ok(None),
            _ => Err(IntrospectionError::NotUnderstood),
        }
    }

    fn known(&self, hash: &[u8; 32]) -> Option<Option<Arc<Claims>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(hash).filter(|(since, _)| since.elapsed() < LIFE).map(|(_, claims)| claims.clone())
    }

    fn keep(&self, hash: [u8; 32], claims: Option<Arc<Claims>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= TOKENS_MAX {
            kept.retain(|_, (since, _)| since.elapsed() < LIFE);
        }
        if kept.len() < TOKENS_MAX {
            kept.insert(hash, (Instant::now(), claims));
        }
    }
}

/// A client and its secret as RFC 6749, section 2.3.1, has them.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::mcp::{Policy, Secret, Url};

    use super::*;

    #[test]
    fn what_was_said_of_no_more_tokens_is_kept_than_may_be() {
        let secret = Secret::new("a-client-secret").unwrap();
        let settings = Introspection::new(Url::parse("https://login.example/introspect").unwrap(), "me", secret);
        let introspector = Introspector::new(&Clients::new(&Policy::operator()).unwrap(), settings);
        for token in 0..TOKENS_MAX + 10 {
            introspector.keep(Sha256::digest(token.to_string()).into(), None);
        }
        assert_eq!(introspector.kept.lock().unwrap().len(), TOKENS_MAX);
        assert!(introspector.known(&Sha256::digest("0").into()).is_some());
    }
}
