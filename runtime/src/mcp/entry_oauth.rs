//! What one entry of a configuration says of OAuth.

use isolet_outbound::{Secret, Url};
use serde::Deserialize;

use super::configuration_error::ConfigurationError;
use super::entry_surroundings::{Surroundings, secret};
use super::oauth_settings::{IdentityProvider, OAuthGrant, OAuthSettings};

/// The member `oauth` of `credentials`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenOAuth {
    client_id: Option<String>,
    client_secret: Option<String>,
    client_metadata_url: Option<String>,
    scopes: Option<Vec<String>>,
    grant: Option<String>,
    token_url: Option<String>,
    audience: Option<String>,
    issuer: Option<String>,
    identity_provider: Option<WrittenProvider>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenProvider {
    issuer: String,
    token_url: String,
    client_id: String,
    client_secret: Option<String>,
}

/// What it says.
///
/// # Errors
///
/// Says where something is wrong, and never its value.
pub(super) fn settings(written: WrittenOAuth, around: &mut impl Surroundings) -> Result<OAuthSettings, ConfigurationError> {
    let mut settings = OAuthSettings { scopes: written.scopes.unwrap_or_default(), ..OAuthSettings::default() };
    settings.client_id = written.client_id.map(|id| around.expand(&member("clientId"), &id)).transpose()?;
    settings.client_secret = written.client_secret.map(|text| secret_at("clientSecret", &text, around)).transpose()?;
    if let Some(url) = written.client_metadata_url {
        let url = address("clientMetadataUrl", &url, around, |url| url.scheme() == "https" && url.path() != "/")?;
        settings.client_metadata_url = Some(url);
    }
    settings.token_url = written.token_url.map(|url| token_address("tokenUrl", &url, around)).transpose()?;
    settings.audience = written.audience.map(|audience| around.expand(&member("audience"), &audience)).transpose()?;
    settings.issuer = written.issuer.map(|issuer| around.expand(&member("issuer"), &issuer)).transpose()?;
    settings.identity_provider = written.identity_provider.map(|provider| identity_provider(provider, around)).transpose()?;
    settings.grant = grant(written.grant.as_deref(), &settings, around)?;
    Ok(settings)
}

fn identity_provider(written: WrittenProvider, around: &mut impl Surroundings) -> Result<IdentityProvider, ConfigurationError> {
    let client_secret = written.client_secret.map(|text| secret_at("identityProvider.clientSecret", &text, around));
    Ok(IdentityProvider {
        issuer: around.expand(&member("identityProvider.issuer"), &written.issuer)?,
        token_url: token_address("identityProvider.tokenUrl", &written.token_url, around)?,
        client_id: around.expand(&member("identityProvider.clientId"), &written.client_id)?,
        client_secret: client_secret.transpose()?,
    })
}

/// How a token is got, if there is what that needs.
fn grant(name: Option<&str>, settings: &OAuthSettings, around: &impl Surroundings) -> Result<OAuthGrant, ConfigurationError> {
    let wrong = |name: &str, problem| Err(ConfigurationError::NoCredential { at: around.at(&member(name)), problem });
    let grant = match name {
        None | Some("authorization_code") => return Ok(OAuthGrant::AuthorizationCode),
        Some("client_credentials") => OAuthGrant::ClientCredentials,
        Some("token_exchange") => OAuthGrant::TokenExchange,
        Some("enterprise_managed") => OAuthGrant::EnterpriseManaged,
        Some(_) => {
            let known = "there are `authorization_code`, `client_credentials`, `token_exchange` and `enterprise_managed`";
            return wrong("grant", known);
        }
    };
    let is_enterprise_managed = grant == OAuthGrant::EnterpriseManaged;
    match settings {
        OAuthSettings { token_url: None, .. } if !is_enterprise_managed => {
            wrong("tokenUrl", "this grant needs the address where tokens are given")
        }
        OAuthSettings { client_id: None, .. } => wrong("clientId", "this grant needs the client that is registered there"),
        OAuthSettings { identity_provider: None, .. } if is_enterprise_managed => {
            wrong("identityProvider", "this grant needs the identity provider that vouches for users")
        }
        // Its authorization server is found, and may know a client without a secret.
        OAuthSettings { client_secret: None, .. } if !is_enterprise_managed => {
            wrong("clientSecret", "this grant needs the client's secret")
        }
        _ => Ok(grant),
    }
}

fn secret_at(name: &str, text: &str, around: &mut impl Surroundings) -> Result<Secret, ConfigurationError> {
    let member = member(name);
    secret(&member, around.expand(&member, text)?, around)
}

/// An address where tokens are given.
fn token_address(name: &str, text: &str, around: &mut impl Surroundings) -> Result<Url, ConfigurationError> {
    address(name, text, around, |url| matches!(url.scheme(), "https" | "http"))
}

fn address(
    name: &str,
    text: &str,
    around: &mut impl Surroundings,
    is_one: impl Fn(&Url) -> bool,
) -> Result<Url, ConfigurationError> {
    let text = around.expand(&member(name), text)?;
    let url = Url::parse(&text).ok().filter(is_one);
    url.ok_or_else(|| ConfigurationError::Address { at: around.at(&member(name)) })
}

/// The member `name`, as errors call it.
fn member(name: &str) -> String {
    format!("credentials.oauth.{name}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::path::{Path, PathBuf};

    use serde_json::{Value, json};

    use super::*;

    /// An entry in which every text means itself.
    struct Plain;

    impl Surroundings for Plain {
        fn expand(&mut self, _: &str, text: &str) -> Result<String, ConfigurationError> {
            Ok(text.to_owned())
        }

        fn variable(&self, _: &str) -> Option<String> {
            None
        }

        fn file(&self, path: &Path) -> PathBuf {
            path.to_owned()
        }

        fn at(&self, member: &str) -> String {
            format!("servers.a.{member}")
        }
    }

    fn read(written: Value) -> Result<OAuthSettings, ConfigurationError> {
        settings(serde_json::from_value(written).unwrap(), &mut Plain)
    }

    #[test]
    fn what_an_identity_provider_is_asked_with_is_read_and_not_shown() {
        let provider = json!({
            "issuer": "https://i.example", "tokenUrl": "https://i.example/t", "clientId": "us", "clientSecret": "canary-7f3a9c",
        });
        let written = json!({
            "grant": "enterprise_managed", "clientId": "me", "issuer": "https://b.example", "identityProvider": provider,
        });
        let settings = read(written).unwrap();
        let provider = settings.identity_provider.as_ref().unwrap();
        assert!(settings.grant == OAuthGrant::EnterpriseManaged && settings.issuer.as_deref() == Some("https://b.example"));
        assert!(provider.issuer == "https://i.example" && provider.token_url.path() == "/t" && provider.client_id == "us");
        assert!(provider.client_secret == Some(Secret::new("canary-7f3a9c").unwrap()));
        assert!(!format!("{settings:?} {provider:?}").contains("canary"));
    }

    #[test]
    fn a_grant_without_what_it_needs_is_refused_with_the_place_of_that() {
        for (written, member) in [
            (json!({"grant": "id_jag"}), "grant"),
            (json!({"grant": "enterprise_managed", "clientId": "me"}), "identityProvider"),
            (json!({"grant": "enterprise_managed"}), "clientId"),
            (json!({"grant": "token_exchange", "clientId": "me", "tokenUrl": "https://i.example"}), "clientSecret"),
            (json!({"grant": "client_credentials", "clientId": "me"}), "tokenUrl"),
        ] {
            let error = read(written).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`servers.a.credentials.oauth.{member}` is no credential")), "{error}");
        }
    }
}
