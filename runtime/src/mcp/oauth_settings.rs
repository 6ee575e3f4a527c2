//! What a configuration says of OAuth at one server.

use std::fmt;

use isolet_outbound::{Secret, Url};

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
}

/// Never the secret.
impl fmt::Debug for OAuthSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthSettings")
            .field("client_id", &self.client_id)
            .field("has_secret", &self.client_secret.is_some())
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
