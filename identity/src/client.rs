//! An authorization server that is talked to: found, checked, and as which client.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use isolet::mcp::{OAuthSettings, Url};
use isolet_outbound::Secret;
use rmcp::transport::auth::{
    AuthError, AuthorizationManager, AuthorizationMetadata, CredentialStore, OAuthClientConfig, StoredCredentials,
};

use crate::error::IdentityError;
use crate::grant::Grant;
use crate::grant_key::GrantKey;
use crate::http_client::{HttpClient, is_loopback};

/// How long it may take to find an authorization server.
const DISCOVERY_MAX: Duration = Duration::from_secs(60);

/// What rmcp keeps: in memory, until it is sealed.
#[derive(Clone, Default)]
pub(crate) struct Slot(Arc<Mutex<Option<StoredCredentials>>>);

impl Slot {
    /// What was kept last.
    pub(crate) fn take(&self) -> Option<StoredCredentials> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, credentials: Option<StoredCredentials>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = credentials;
    }
}

#[async_trait]
impl CredentialStore for Slot {
    async fn load(&self) -> Result<Option<StoredCredentials>, AuthError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    async fn save(&self, credentials: StoredCredentials) -> Result<(), AuthError> {
        self.set(Some(credentials));
        Ok(())
    }

    async fn clear(&self) -> Result<(), AuthError> {
        self.set(None);
        Ok(())
    }
}

/// One client at one authorization server, and what it is given.
pub(crate) struct Client {
    pub(crate) manager: AuthorizationManager,
    pub(crate) slot: Slot,
    pub(crate) http: Arc<HttpClient>,
    pub(crate) metadata: AuthorizationMetadata,
    pub(crate) client_secret: Option<String>,
}

impl Client {
    /// Finds the authorization server of the server at `url`, for users who consent, and becomes a client of it: one that does not know PKCE is not used.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]: there is none, or it is not used.
    pub(crate) async fn find(
        http: HttpClient,
        grant_key: &GrantKey,
        url: &Url,
        settings: &OAuthSettings,
        challenge: Option<&str>,
    ) -> Result<Self, IdentityError> {
        let client = Self::discover(http, grant_key, url, settings, challenge).await?;
        let methods = client.metadata.code_challenge_methods_supported.iter().flatten();
        if !methods.into_iter().any(|method| method == "S256") {
            return Err(IdentityError::NoPkce { server: grant_key.server().to_owned() });
        }
        Ok(client)
    }

    /// Finds the authorization server of the server at `url`, and checks what it says.
    ///
    /// # Errors
    ///
    /// [`IdentityError`]: there is none, or it is not used.
    pub(crate) async fn discover(
        http: HttpClient,
        grant_key: &GrantKey,
        url: &Url,
        settings: &OAuthSettings,
        challenge: Option<&str>,
    ) -> Result<Self, IdentityError> {
        let server = || grant_key.server().to_owned();
        let refused = |error: AuthError| IdentityError::of(&error, grant_key.server(), &[]);
        let http = Arc::new(http);
        let mut manager = AuthorizationManager::new_with_oauth_http_client(url.clone(), http.clone()).await.map_err(refused)?;
        let found = manager.resolve_metadata_from_challenge(challenge);
        let found = tokio::time::timeout(DISCOVERY_MAX, found).await.map_err(|_| IdentityError::Slow { server: server() })?;
        let found = found.map_err(refused)?;
        if !found.source.is_discovered() {
            return Err(IdentityError::NoAuthorizationServer { server: server() });
        }
        if settings.issuer.is_some() && settings.issuer != found.metadata.issuer {
            return Err(IdentityError::OtherIssuer { server: server() });
        }
        check(&found.metadata, &http, grant_key)?;
        manager.set_metadata(found.metadata.clone());
        let slot = Slot::default();
        manager.set_credential_store(slot.clone());
        Ok(Self { manager, slot, http, metadata: found.metadata, client_secret: None })
    }

    /// The client that `grant` was given to.
    pub(crate) async fn of_grant(http: HttpClient, grant_key: &GrantKey, grant: &Grant) -> Result<Self, IdentityError> {
        let refused = |error: AuthError| IdentityError::of(&error, grant_key.server(), &grant.secrets());
        let http = Arc::new(http.stating(&grant.resource));
        let mut manager =
            AuthorizationManager::new_with_oauth_http_client(grant_key.resource(), http.clone()).await.map_err(refused)?;
        manager.set_metadata(grant.metadata.clone());
        let mut config = OAuthClientConfig::new(grant.stored.client_id.clone(), grant.redirect.clone());
        config.client_secret.clone_from(&grant.client_secret);
        manager.configure_client(config).map_err(refused)?;
        let slot = Slot::default();
        slot.set(Some(grant.stored.clone()));
        manager.set_credential_store(slot.clone());
        let (metadata, client_secret) = (grant.metadata.clone(), grant.client_secret.clone());
        Ok(Self { manager, slot, http, metadata, client_secret })
    }

    /// Which client it is: the one that `settings` say, by its metadata document, or one that is registered now.
    pub(crate) async fn identify(
        &mut self,
        settings: &OAuthSettings,
        name: &str,
        redirect: &Url,
        scopes: &[&str],
        grant_key: &GrantKey,
    ) -> Result<(), IdentityError> {
        let secrets: Vec<Secret> = settings.client_secret.iter().cloned().collect();
        let refused = |error: AuthError| IdentityError::of(&error, grant_key.server(), &secrets);
        let kind = if is_loopback(redirect) { "native" } else { "web" };
        let config = |id: &str| OAuthClientConfig::new(id, redirect.as_str()).with_application_type(kind);
        let takes_documents = self.metadata.additional_fields.get("client_id_metadata_document_supported");
        let takes_documents = takes_documents.and_then(serde_json::Value::as_bool).unwrap_or_default();
        let mut config = match (&settings.client_id, &settings.client_metadata_url) {
            (Some(id), _) => config(id),
            (None, Some(document)) if takes_documents => config(document.as_str()),
            _ => {
                // What kind of client it is has to be known before it is registered.
                self.manager.configure_client(config("to-be-registered")).map_err(refused)?;
                self.manager.register_client(name, redirect.as_str(), scopes).await.map_err(refused)?
            }
        };
        if let Some(secret) = &settings.client_secret {
            config.client_secret = Some(secret.expose().to_owned());
        }
        self.client_secret.clone_from(&config.client_secret);
        self.manager.configure_client(config).map_err(refused)
    }
}

/// Whether the authorization server is used: it names no address that is not called.
fn check(metadata: &AuthorizationMetadata, http: &HttpClient, grant_key: &GrantKey) -> Result<(), IdentityError> {
    let revocation = metadata.additional_fields.get("revocation_endpoint").and_then(serde_json::Value::as_str);
    let addresses = [
        ("authorization_endpoint", Some(metadata.authorization_endpoint.as_str())),
        ("token_endpoint", Some(metadata.token_endpoint.as_str())),
        ("registration_endpoint", metadata.registration_endpoint.as_deref()),
        ("revocation_endpoint", revocation),
    ];
    for (what, address) in addresses {
        let Some(address) = address else { continue };
        let wrong = |source| IdentityError::Address { server: grant_key.server().to_owned(), what, source };
        let url = Url::parse(address).map_err(|_| wrong(None))?;
        http.check(&url).map_err(|source| wrong(Some(Box::new(source))))?;
    }
    Ok(())
}
