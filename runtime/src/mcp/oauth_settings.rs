//! What a configuration says of OAuth at one server.

use std::fmt;

use isolet_outbound::{Secret, Url};

/// How a token for a server is got.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OAuthGrant {
    /// Each user is asked, once, and consents in a browser.
    #[default]
    AuthorizationCode,
    /// As the deployment itself, for a server that is the deployment's own: every user is the same there.
    ClientCredentials,
    /// In exchange for the token that came with the user's request (RFC 8693): one of this server's audience, for the same user.
    TokenExchange,
    /// Enterprise-managed: the identity provider of the user's organisation vouches for the user (ID-JAG), and the server's authorization server gives a
    /// token for that. Needs [`OAuthSettings::identity_provider`].
    EnterpriseManaged,
}

/// The identity provider of an organisation, by whose word a server's authorization server gives tokens ([`OAuthGrant::EnterpriseManaged`]).
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct IdentityProvider {
    /// Its `issuer`, byte for byte.
    pub issuer: String,
    /// Where it gives tokens.
    pub token_url: Url,
    /// The client that is registered there, which is the one that users' ID tokens are for.
    pub client_id: String,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret>,
}

impl IdentityProvider {
    /// The one that calls itself `issuer` and gives tokens at `token_url`, which knows this service as `client_id`, without a secret.
    #[must_use]
    pub fn new(issuer: impl Into<String>, token_url: Url, client_id: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), token_url, client_id: client_id.into(), client_secret: None }
    }

    /// The same, with this secret.
    #[must_use]
    pub fn with_secret(mut self, secret: Secret) -> Self {
        self.client_secret = Some(secret);
        self
    }
}

/// As whom, and for what, an authorization server is asked. All of it may be left out: then the server's metadata says it.
#[non_exhaustive]
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct OAuthSettings {
    /// The client that is registered there. Default: one by [`OAuthSettings::client_metadata_url`] where the authorization server takes that, else one
    /// that is registered when it is needed.
    pub client_id: Option<String>,
    /// Its secret, if it has one.
    pub client_secret: Option<Secret>,
    /// An https address where a document about this client is, which is its name then (Client ID Metadata Document).
    pub client_metadata_url: Option<Url>,
    /// What is asked for. Default: what the server says.
    pub scopes: Vec<String>,
    /// How a token is got. Default: each user is asked.
    pub grant: OAuthGrant,
    /// Where tokens are given, for the grants that ask nobody: nobody is looked for there.
    pub token_url: Option<Url>,
    /// The `audience` that is asked for by those grants, beside the server's address as `resource`. Default: none.
    pub audience: Option<String>,
    /// The `issuer` of the only authorization server that is used, byte for byte. Default: whichever the server's metadata names.
    pub issuer: Option<String>,
    /// Who vouches for users, for [`OAuthGrant::EnterpriseManaged`].
    pub identity_provider: Option<IdentityProvider>,
}

/// Never the secret.
impl fmt::Debug for OAuthSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthSettings")
            .field("client_id", &self.client_id)
            .field("has_secret", &self.client_secret.is_some())
            .field("scopes", &self.scopes)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}

/// Never the secret.
impl fmt::Debug for IdentityProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentityProvider")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .field("has_secret", &self.client_secret.is_some())
            .finish_non_exhaustive()
    }
}
