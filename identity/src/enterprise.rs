//! Enterprise-managed authorization: the identity provider of the user's organisation vouches for the user (ID-JAG), and the server's authorization server
//! gives a token for that.
//!
//! The two exchanges are rmcp's (`auth-enterprise-managed`): the user's ID token for an assertion, at the identity provider, and the assertion for a token, at
//! the authorization server that the server's metadata names. The ID token goes to the identity provider, and the assertion to that authorization server.

use std::time::Duration;

use isolet::mcp::{OAuthSettings, Url};
use isolet_outbound::Secret;
use oauth2::ClientSecret;
use rmcp::transport::auth::enterprise::{
    EmaAuthorizationServer, EmaClientAuthentication, EmaError, EmaExchangeRequest, EmaExchangeStage,
};

use crate::client::Client;
use crate::error::IdentityError;
use crate::grant_key::GrantKey;
use crate::http_client::{Clients, HttpClient};

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnterpriseError {
    #[error("no `identityProvider` or `clientId` is configured for it")]
    NotConfigured,
    #[error("its authorization server is not used")]
    AuthorizationServer(#[source] IdentityError),
    #[error("the identity provider, or the authorization server, gave none")]
    NotGiven(#[source] EmaError),
    #[error("what was given is no token")]
    NoToken,
    #[error("what came in was given back: it is for others, and goes to no server")]
    PassedThrough,
}

impl EnterpriseError {
    /// Whether it may be gone at the next try: the user's next request comes with another ID token, too.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::AuthorizationServer(error) => error.is_temporary(),
            Self::NotGiven(EmaError::RequestFailed(_)) => true,
            Self::NotGiven(EmaError::InvalidGrant(stage)) => *stage == EmaExchangeStage::IdentityProvider,
            Self::NotGiven(EmaError::OAuthRejected { status, .. }) => *status >= 500 || *status == 429,
            Self::NotConfigured | Self::NotGiven(_) | Self::NoToken | Self::PassedThrough => false,
        }
    }
}

/// A token for `grant_key`, for whom `subject` is an ID token that the identity provider gave to this client; and how long it lasts, if that is said.
pub(crate) async fn token(
    clients: &Clients,
    grant_key: &GrantKey,
    settings: &OAuthSettings,
    subject: &Secret,
) -> Result<(Secret, Option<Duration>), EnterpriseError> {
    let (Some(provider), Some(client_id)) = (&settings.identity_provider, &settings.client_id) else {
        return Err(EnterpriseError::NotConfigured);
    };
    let url = Url::parse(grant_key.resource()).map_err(|_| EnterpriseError::NotConfigured)?;
    let http = HttpClient::new(clients, &url);
    let challenge = http.probe().await;
    let found = Client::discover(http, grant_key, &url, settings, challenge.as_deref()).await;
    let found = found.map_err(EnterpriseError::AuthorizationServer)?;
    let nameless =
        || EnterpriseError::AuthorizationServer(IdentityError::OtherIssuer { server: grant_key.server().to_owned() });
    let issuer = found.metadata.issuer.clone().ok_or_else(nameless)?;
    let identity_provider =
        party(&provider.issuer, provider.token_url.as_str(), &provider.client_id, provider.client_secret.as_ref());
    let authorization_server = party(&issuer, &found.metadata.token_endpoint, client_id, settings.client_secret.as_ref());
    let request =
        EmaExchangeRequest::new_with_id_token(identity_provider, authorization_server, grant_key.resource(), subject.expose());
    let request = request.with_scopes(settings.scopes.iter().map(String::as_str));
    let asked = HttpClient::new(clients, &provider.token_url);
    let assertion = request.exchange_id_jag(&asked).await.map_err(EnterpriseError::NotGiven)?;
    let vouched = Secret::new(assertion.assertion().secret().as_str()).map_err(|_| EnterpriseError::NoToken)?;
    let given = assertion.exchange(&*found.http).await.map_err(EnterpriseError::NotGiven)?;
    let token = Secret::new(given.access_token.secret().as_str()).map_err(|_| EnterpriseError::NoToken)?;
    if token == *subject || token == vouched {
        return Err(EnterpriseError::PassedThrough);
    }
    Ok((token, given.expires_in))
}

/// One of the two that give something, and as which client it is asked.
fn party(issuer: &str, token_url: &str, client_id: &str, secret: Option<&Secret>) -> EmaAuthorizationServer {
    let known = EmaAuthorizationServer::new(issuer, token_url, client_id);
    match secret {
        Some(secret) => {
            let secret = ClientSecret::new(secret.expose().to_owned());
            known.with_client_authentication(EmaClientAuthentication::ClientSecretBasic(secret))
        }
        None => known,
    }
}
