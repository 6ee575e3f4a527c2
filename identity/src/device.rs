//! A user authorizes a server on another device (RFC 8628): where this machine has no browser that could come back to it.
//!
//! The user opens a page of the authorization server's anywhere, types a code there, and agrees; meanwhile the authorization server is asked for the
//! token, as slowly as it wants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use isolet::mcp::{OAuthSettings, Url};
use isolet::{Principal, visible};
use isolet_outbound::Secret;
use rmcp::transport::auth::{AuthorizationMetadata, OAuthTokenResponse, StoredCredentials};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::client::Client;
use crate::error::IdentityError;
use crate::grant::Grant;
use crate::grant_key::GrantKey;
use crate::http_client::HttpClient;
use crate::introspection::basic;
use crate::oauth::{OAuth, Target};

const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// How long the authorization server is left alone between two questions, where it does not say; and by how much longer when it says that that is too
/// little, or does not answer.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(5);
const INTERVAL_MIN: Duration = Duration::from_millis(100);
const INTERVAL_MAX: Duration = Duration::from_secs(60);
const SLOWER_BY: Duration = Duration::from_secs(5);

/// The most that a user has, whatever the authorization server says.
const LIFE_MAX: Duration = Duration::from_secs(1800);

/// The longest code that a user can be asked to type.
const CODE_CHARACTERS_MAX: usize = 64;

/// What a user does on any device: open the link, and type the code there.
pub struct DeviceConsent {
    /// The page of the authorization server.
    pub link: Url,
    /// The code.
    pub code: String,
    /// When it ends.
    pub expires: SystemTime,
    asking: Asking,
}

/// What the authorization server is asked until the user has agreed.
struct Asking {
    grant_key: GrantKey,
    client: Identity,
    metadata: AuthorizationMetadata,
    http: HttpClient,
    token_endpoint: Url,
    device_code: Secret,
    scopes: Vec<String>,
    until: Instant,
    interval: Duration,
}

/// As whom it is asked.
struct Identity {
    id: String,
    secret: Option<Secret>,
}

#[derive(Deserialize)]
struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    expires_in: u64,
    interval: Option<u64>,
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
}

#[derive(Deserialize)]
struct NotGiven {
    error: String,
}

/// What one question gave.
enum Said {
    Given(Box<OAuthTokenResponse>),
    Pending,
    Slower,
    Not(IdentityError),
}

impl OAuth {
    /// Begins an authorization on another device. None where the authorization server does not offer it.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]: there is no authorization server, or it is not used, or refuses.
    pub async fn begin_on_device(
        &self,
        principal: &Principal,
        target: Target<'_>,
    ) -> Result<Option<DeviceConsent>, IdentityError> {
        let grant_key = GrantKey::new(&principal.key(), target.server, target.url);
        let http = HttpClient::new(self.clients(), target.url);
        let challenge = http.probe().await;
        let client = Client::find(http, &grant_key, target.url, target.settings, challenge.as_deref()).await?;
        let Some(endpoint) = address(&client.metadata, "device_authorization_endpoint") else { return Ok(None) };
        let mut scopes = target.settings.scopes.clone();
        if scopes.is_empty() {
            scopes = client.manager.select_initial_scopes(&[]).await;
        }
        let (http, metadata) = (HttpClient::new(self.clients(), target.url), client.metadata);
        let unusable = |what, source| IdentityError::Address { server: target.server.to_owned(), what, source };
        let checked = |what, address: Option<Url>| {
            let address = address.ok_or_else(|| unusable(what, None))?;
            http.check(&address).map_err(|source| unusable(what, Some(Box::new(source))))?;
            Ok::<_, IdentityError>(address)
        };
        let endpoint = checked("device_authorization_endpoint", endpoint)?;
        let token_endpoint = checked("token_endpoint", Url::parse(&metadata.token_endpoint).ok())?;
        let identity = identify(&http, &metadata, target.settings, self.client_name(), &grant_key).await?;
        let (scope, id) = (scopes.join(" "), identity.id.clone());
        let mut pairs = vec![("client_id", id.as_str()), ("resource", grant_key.resource())];
        pairs.extend(Some(("scope", scope.as_str())).filter(|_| !scope.is_empty()));
        let answer = http.post_form(endpoint, &pairs, identity.basic().as_deref().map(String::as_str)).await;
        let begun: Begun = read(answer, &grant_key)?;
        let device_code = Secret::new(begun.device_code);
        let device_code = device_code.map_err(|source| IdentityError::Token { server: target.server.to_owned(), source })?;
        let link = checked("verification_uri", Url::parse(&begun.verification_uri).ok())?;
        let life = Duration::from_secs(begun.expires_in).min(LIFE_MAX);
        let interval = begun.interval.map_or(INTERVAL_DEFAULT, Duration::from_secs).clamp(INTERVAL_MIN, INTERVAL_MAX);
        let until = Instant::now() + life;
        let asking =
            Asking { grant_key, client: identity, metadata, http, token_endpoint, device_code, scopes, until, interval };
        let code = visible::line_within(&begun.user_code, CODE_CHARACTERS_MAX).into_owned();
        Ok(Some(DeviceConsent { link, code, expires: SystemTime::now() + life, asking }))
    }

    /// Waits until the user has agreed, and keeps what was granted. The server's name.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Denied`] when the user did not agree, or not in time; [`IdentityError::Refused`] when the authorization server says
    /// something else.
    pub async fn complete_on_device(&self, consent: DeviceConsent) -> Result<String, IdentityError> {
        let mut asking = consent.asking;
        let tokens = asking.tokens().await?;
        let received = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let granted =
            oauth2::TokenResponse::scopes(&*tokens).map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
        let Asking { grant_key, client, metadata, scopes, .. } = asking;
        let stored = StoredCredentials::new(client.id, Some(*tokens), granted.unwrap_or(scopes), Some(received));
        let stored = stored.with_issuer(metadata.issuer.clone());
        let client_secret = client.secret.map(|secret| secret.expose().to_owned());
        let resource = grant_key.resource().to_owned();
        // Nobody comes back here, and a refresh names no redirect.
        let grant = Grant { client_secret, redirect: resource.clone(), resource, metadata, stored };
        self.keep(&grant_key, &grant).await?;
        Ok(grant_key.server().to_owned())
    }
}

impl Asking {
    async fn tokens(&mut self) -> Result<Box<OAuthTokenResponse>, IdentityError> {
        let denied = |why: &str| IdentityError::Denied { server: self.grant_key.server().to_owned(), why: why.to_owned() };
        let ended = denied("expired_token");
        loop {
            let next = Instant::now() + self.interval;
            if next > self.until {
                return Err(ended);
            }
            tokio::time::sleep_until(next).await;
            match self.ask().await {
                Said::Given(tokens) => return Ok(tokens),
                Said::Pending => {}
                Said::Slower => self.interval = (self.interval + SLOWER_BY).min(INTERVAL_MAX),
                Said::Not(error) => return Err(error),
            }
        }
    }

    async fn ask(&self) -> Said {
        let pairs = [
            ("grant_type", DEVICE_GRANT),
            ("device_code", self.device_code.expose()),
            ("client_id", self.client.id.as_str()),
            ("resource", self.grant_key.resource()),
        ];
        let basic = self.client.basic();
        let answer = self.http.post_form(self.token_endpoint.clone(), &pairs, basic.as_deref().map(String::as_str)).await;
        // Who does not answer is asked again, later (RFC 8628, 3.5).
        let Ok(answer) = answer else { return Said::Slower };
        let (status, body) = (answer.status.as_u16(), Zeroizing::new(answer.body));
        if answer.status.is_success() {
            return match serde_json::from_slice(&body) {
                Ok(tokens) => Said::Given(Box::new(tokens)),
                Err(_) => Said::Not(refused(&self.grant_key, "its answer cannot be read")),
            };
        }
        let error = serde_json::from_slice(&body).map(|NotGiven { error }| error).unwrap_or_default();
        self.meaning(status, &error)
    }

    fn meaning(&self, status: u16, error: &str) -> Said {
        match (status, error) {
            (_, "authorization_pending") => Said::Pending,
            (_, "slow_down") | (429 | 500.., _) => Said::Slower,
            (_, "access_denied" | "expired_token") => {
                Said::Not(IdentityError::Denied { server: self.grant_key.server().to_owned(), why: error.to_owned() })
            }
            _ => Said::Not(refused(&self.grant_key, &format!("{status} `{}`", visible::line_within(error, 100)))),
        }
    }
}

impl Identity {
    fn basic(&self) -> Option<Zeroizing<String>> {
        self.secret.as_ref().map(|secret| Zeroizing::new(basic(&self.id, secret.expose())))
    }
}

/// Which client it is: the one that `settings` say, by its metadata document, or one that is registered now for this grant alone.
async fn identify(
    http: &HttpClient,
    metadata: &AuthorizationMetadata,
    settings: &OAuthSettings,
    name: &str,
    grant_key: &GrantKey,
) -> Result<Identity, IdentityError> {
    let takes_documents = metadata.additional_fields.get("client_id_metadata_document_supported");
    match (&settings.client_id, &settings.client_metadata_url) {
        (Some(id), _) => return Ok(Identity { id: id.clone(), secret: settings.client_secret.clone() }),
        (None, Some(document)) if takes_documents.is_some_and(|takes| takes == true) => {
            return Ok(Identity { id: document.to_string(), secret: None });
        }
        _ => {}
    }
    let endpoint = metadata.registration_endpoint.as_deref().and_then(|endpoint| Url::parse(endpoint).ok());
    let endpoint = endpoint.ok_or_else(|| refused(grant_key, "it registers nobody: configure a `clientId`"))?;
    let client = json!({
        "client_name": name, "application_type": "native", "token_endpoint_auth_method": "none",
        "grant_types": [DEVICE_GRANT, "refresh_token"], "response_types": [], "redirect_uris": [],
    });
    let Registered { client_id: id, client_secret } = read(http.post_json(endpoint, &client).await, grant_key)?;
    let unusable = |source| IdentityError::Token { server: grant_key.server().to_owned(), source };
    Ok(Identity { id, secret: client_secret.map(Secret::new).transpose().map_err(unusable)? })
}

/// An address of the metadata; none inside where it is none.
fn address(metadata: &AuthorizationMetadata, name: &str) -> Option<Option<Url>> {
    let said = metadata.additional_fields.get(name)?;
    Some(said.as_str().and_then(|said| Url::parse(said).ok()))
}

fn read<T: DeserializeOwned>(
    answer: Result<isolet_outbound::Answer, isolet_outbound::OutboundError>,
    grant_key: &GrantKey,
) -> Result<T, IdentityError> {
    let answer = answer.map_err(|error| refused(grant_key, &visible::line_within(&isolet::with_causes(&error), 300)))?;
    let body = Zeroizing::new(answer.body);
    if !answer.status.is_success() {
        let error = serde_json::from_slice(&body).map(|NotGiven { error }| error).unwrap_or_default();
        return Err(refused(grant_key, &format!("{} `{}`", answer.status.as_u16(), visible::line_within(&error, 100))));
    }
    serde_json::from_slice(&body).map_err(|_| refused(grant_key, "its answer cannot be read"))
}

fn refused(grant_key: &GrantKey, what: &str) -> IdentityError {
    IdentityError::Refused { server: grant_key.server().to_owned(), what: what.to_owned() }
}
