//! Tokens that nobody is asked for: the deployment's own, by its client and secret, and one for each user in exchange for the token of the user's request
//! (RFC 8693), or by the word of an identity provider (ID-JAG). They are got when they are needed, once for all who wait, and kept in memory alone.
//!
//! An exchange gives another token, or it is none: what came in never goes on to a server of another audience.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use isolet::mcp::{CredentialError, OAuthGrant, OAuthSettings};
use isolet::{PrincipalKey, visible};
use isolet_outbound::{OutboundError, Secret};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::enterprise::{self, EnterpriseError};
use crate::grant_key::GrantKey;
use crate::http_client::{Clients, HttpClient};
use crate::introspection::basic;
use crate::subject_tokens::SubjectTokens;

/// The most tokens that are kept. One more is got each time.
const TOKENS_MAX: usize = 4096;

/// How long a token is used whose server does not say, and the most before its end that it is not used any more.
const LIFE_DEFAULT: Duration = Duration::from_secs(300);
const RENEWED_AHEAD: Duration = Duration::from_secs(60);

/// How long a server that gave none is left alone; a token that is younger, and is refused, is not got again.
const PAUSE: Duration = Duration::from_secs(5);

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What a token is for: all of it that decides which one it is.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Purpose {
    /// None: the deployment itself.
    principal: Option<PrincipalKey>,
    server: String,
    resource: String,
    settings: OAuthSettings,
}

/// What there is for one purpose.
#[derive(Default)]
struct Slot {
    held: Option<Held>,
    failed: Option<Instant>,
}

struct Held {
    token: Secret,
    /// What it was given for, if it was exchanged.
    subject: Option<Secret>,
    got: Instant,
    until: Instant,
}

type Slots = HashMap<Purpose, Arc<tokio::sync::Mutex<Slot>>>;

/// The tokens.
pub(crate) struct GrantedTokens {
    clients: Clients,
    subjects: SubjectTokens,
    slots: Mutex<Slots>,
}

#[derive(Debug, thiserror::Error)]
enum GrantError {
    #[error("no `tokenUrl` or `clientId` is configured for it")]
    NotConfigured,
    #[error("the user's request came with no token that could be exchanged, or that one has ended")]
    NoSubject,
    #[error("no token was given a moment ago")]
    Lately,
    #[error("the address where tokens are given cannot be reached")]
    Unreachable(#[source] OutboundError),
    #[error("no token was given: {status} `{error}`")]
    Refused { status: u16, error: String },
    #[error("what was given is no bearer token")]
    NoToken,
    #[error("the token that came in was given back: it is for this service, and goes to no server")]
    PassedThrough,
    #[error(transparent)]
    Enterprise(#[from] EnterpriseError),
}

impl GrantError {
    fn told(self, server: &str) -> CredentialError {
        let is_temporary = matches!(&self, Self::NoSubject | Self::Lately | Self::Unreachable(_))
            || matches!(&self, Self::Refused { status, .. } if *status >= 500 || *status == 429)
            || matches!(&self, Self::Enterprise(error) if error.is_temporary());
        let told = CredentialError::new(format!("no token for `{}` can be got", visible::line(server))).caused_by(self);
        if is_temporary { told.temporary() } else { told }
    }
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    token_type: String,
    expires_in: Option<u64>,
}

#[derive(Deserialize)]
struct NotGiven {
    error: String,
}

impl GrantedTokens {
    pub(crate) fn new(clients: &Clients, subjects: SubjectTokens) -> Self {
        Self { clients: clients.clone(), subjects, slots: Mutex::default() }
    }

    /// The token for `grant_key`, as `settings` say; another one than `refused`.
    pub(crate) async fn token(
        &self,
        grant_key: &GrantKey,
        settings: &OAuthSettings,
        refused: Option<&Secret>,
    ) -> Result<Secret, CredentialError> {
        self.got(grant_key, settings, refused).await.map_err(|error| error.told(grant_key.server()))
    }

    /// Whether the token was got a moment ago.
    pub(crate) fn is_new(&self, grant_key: &GrantKey, settings: &OAuthSettings) -> bool {
        let slot = self.slots().get(&Purpose::of(grant_key, settings)).cloned();
        // Who is at it gets a new one.
        slot.is_some_and(|slot| {
            slot.try_lock().map_or(true, |slot| slot.held.as_ref().is_some_and(|held| held.got.elapsed() < PAUSE))
        })
    }

    async fn got(
        &self,
        grant_key: &GrantKey,
        settings: &OAuthSettings,
        refused: Option<&Secret>,
    ) -> Result<Secret, GrantError> {
        let subject = match settings.grant {
            OAuthGrant::TokenExchange | OAuthGrant::EnterpriseManaged => {
                Some(self.subjects.of(grant_key.principal()).ok_or(GrantError::NoSubject)?)
            }
            _ => None,
        };
        let slot = self.slot(Purpose::of(grant_key, settings));
        // One gets it for all who wait.
        let mut slot = slot.lock().await;
        let is_good = |held: &&Held| Instant::now() < held.until && held.subject == subject && Some(&held.token) != refused;
        if let Some(held) = slot.held.as_ref().filter(is_good) {
            return Ok(held.token.clone());
        }
        if slot.failed.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(GrantError::Lately);
        }
        match self.ask(grant_key, settings, subject.as_ref()).await {
            Ok((token, life)) => {
                let got = Instant::now();
                let until = got + life.saturating_sub(RENEWED_AHEAD.min(life / 4));
                *slot = Slot { held: Some(Held { token: token.clone(), subject, got, until }), failed: None };
                Ok(token)
            }
            Err(error) => {
                *slot = Slot { held: None, failed: Some(Instant::now()) };
                Err(error)
            }
        }
    }

    async fn ask(
        &self,
        grant_key: &GrantKey,
        settings: &OAuthSettings,
        subject: Option<&Secret>,
    ) -> Result<(Secret, Duration), GrantError> {
        if settings.grant == OAuthGrant::EnterpriseManaged {
            let subject = subject.ok_or(GrantError::NoSubject)?;
            let (token, life) = enterprise::token(&self.clients, grant_key, settings, subject).await?;
            return Ok((token, life_of(life)));
        }
        let (Some(url), Some(id), Some(secret)) = (&settings.token_url, &settings.client_id, &settings.client_secret) else {
            return Err(GrantError::NotConfigured);
        };
        let scope = settings.scopes.join(" ");
        let mut pairs = match subject {
            None => vec![("grant_type", "client_credentials")],
            Some(subject) => vec![
                ("grant_type", EXCHANGE),
                ("subject_token", subject.expose()),
                ("subject_token_type", ACCESS_TOKEN),
                ("requested_token_type", ACCESS_TOKEN),
            ],
        };
        pairs.push(("resource", grant_key.resource()));
        pairs.extend(settings.audience.as_deref().map(|audience| ("audience", audience)));
        pairs.extend(Some(scope.as_str()).filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope)));
        let basic = Zeroizing::new(basic(id, secret.expose()));
        let http = HttpClient::new(&self.clients, url);
        let answer = http.post_form(url.clone(), &pairs, Some(&basic)).await.map_err(GrantError::Unreachable)?;
        let body = Zeroizing::new(answer.body);
        if !answer.status.is_success() {
            let error = serde_json::from_slice(&body).map(|NotGiven { error }| error).unwrap_or_default();
            return Err(GrantError::Refused {
                status: answer.status.as_u16(),
                error: visible::line_within(&error, 100).into_owned(),
            });
        }
        let Given { access_token, token_type, expires_in } = serde_json::from_slice(&body).map_err(|_| GrantError::NoToken)?;
        let token = Secret::new(access_token).map_err(|_| GrantError::NoToken)?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(GrantError::NoToken);
        }
        if Some(&token) == subject {
            return Err(GrantError::PassedThrough);
        }
        Ok((token, life_of(expires_in.map(Duration::from_secs))))
    }

    fn slot(&self, purpose: Purpose) -> Arc<tokio::sync::Mutex<Slot>> {
        let mut slots = self.slots();
        if slots.len() >= TOKENS_MAX && !slots.contains_key(&purpose) {
            slots.retain(|_, slot| {
                let is_held = |slot: &Slot| slot.held.as_ref().is_some_and(|held| Instant::now() < held.until);
                slot.try_lock().map_or(true, |slot| is_held(&slot))
            });
        }
        if slots.len() >= TOKENS_MAX && !slots.contains_key(&purpose) {
            return Arc::default();
        }
        Arc::clone(slots.entry(purpose).or_default())
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a token is used, of which its server says so. A year is as good as for ever, and can be added to any clock.
fn life_of(said: Option<Duration>) -> Duration {
    said.map_or(LIFE_DEFAULT, |life| life.min(Duration::from_secs(365 * 24 * 3600)))
}

impl Purpose {
    fn of(grant_key: &GrantKey, settings: &OAuthSettings) -> Self {
        let is_own = settings.grant == OAuthGrant::ClientCredentials;
        Self {
            principal: (!is_own).then(|| grant_key.principal().clone()),
            server: grant_key.server().to_owned(),
            resource: grant_key.resource().to_owned(),
            settings: settings.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::Principal;
    use isolet::mcp::{Policy, Url};

    use super::*;

    fn settings(grant: OAuthGrant) -> OAuthSettings {
        let mut settings = OAuthSettings::default();
        settings.grant = grant;
        settings
    }

    #[test]
    fn the_deployments_own_token_is_everybodys_and_an_exchanged_one_is_one_users() {
        let grant_key =
            |user: &str| GrantKey::new(&Principal::new(user).key(), "m", &Url::parse("https://m.example/mcp").unwrap());
        let is_same =
            |grant| Purpose::of(&grant_key("ada"), &settings(grant)) == Purpose::of(&grant_key("bob"), &settings(grant));
        assert!(is_same(OAuthGrant::ClientCredentials) && !is_same(OAuthGrant::TokenExchange));
    }

    #[test]
    fn no_more_tokens_are_kept_than_may_be() {
        let tokens = GrantedTokens::new(&Clients::new(&Policy::operator()).unwrap(), SubjectTokens::default());
        let url = Url::parse("https://m.example/mcp").unwrap();
        for user in 0..TOKENS_MAX + 10 {
            let grant_key = GrantKey::new(&Principal::new(user.to_string()).key(), "m", &url);
            let slot = tokens.slot(Purpose::of(&grant_key, &settings(OAuthGrant::TokenExchange)));
            let until = Instant::now() + Duration::from_secs(60);
            let held = Held { token: Secret::new("canary-token").unwrap(), subject: None, got: Instant::now(), until };
            slot.try_lock().unwrap().held = Some(held);
        }
        assert_eq!(tokens.slots().len(), TOKENS_MAX);
    }
}
