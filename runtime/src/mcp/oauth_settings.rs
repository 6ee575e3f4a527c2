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
