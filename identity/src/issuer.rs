//! Whose tokens are taken, and what they say of their user: as an operator configures it.

use std::time::Duration;

use isolet::mcp::Url;
use isolet_outbound::Secret;

use crate::signing::SigningAlgorithm;

/// One issuer of tokens.
#[non_exhaustive]
#[derive(Clone)]
pub struct Issuer {
    /// Its identifier, which the claim `iss` of its tokens is, byte for byte.
    pub issuer: String,
    /// What its tokens may name as their audience; one of them has to.
    pub audiences: Vec<String>,
    /// Where its keys are. Default: where its metadata says (RFC 8414, OpenID Connect).
    pub jwks_url: Option<Url>,
    /// The algorithms that are taken. Default: RS256, PS256, ES256, EdDSA.
    pub algorithms: Vec<SigningAlgorithm>,
    /// Who is asked about tokens that are no JWT (RFC 7662). Default: nobody, and such tokens are refused.
    pub introspection: Option<Introspection>,
    /// By how much its clock and ours may differ. Default 60 s.
    pub clock_skew: Duration,
    /// What each token has to have in `scope`. Default: nothing.
    pub scopes: Vec<String>,
    /// The claim that is the user. Default `sub`.
    pub user_claim: String,
    /// The claim that is the user's tenant at this issuer. Default: none.
    pub tenant_claim: Option<String>,
    /// The roles of everybody.
    pub roles: Vec<String>,
    /// What claims give roles.
    pub rules: Vec<RoleRule>,
}

/// Who is asked about tokens, and as whom.
#[non_exhaustive]
#[derive(Clone)]
pub struct Introspection {
    /// Where.
    pub url: Url,
    /// The client that this service is there.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// Whose claim has this value has this role.
#[expect(clippy::exhaustive_structs, reason = "a claim, what it has, and the role")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleRule {
    /// The claim; `realm_access.roles` is a member of one.
    pub claim: String,
    /// What it is, or has: an element of a list, a word of `scope`.
    pub has: String,
    /// The role.
    pub role: String,
}

impl Issuer {
    /// The issuer with this identifier, whose tokens name one of `audiences`.
    #[must_use]
    pub fn new(issuer: impl Into<String>, audiences: impl IntoIterator<Item = String>) -> Self {
        use SigningAlgorithm::{EdDsa, Es256, Ps256, Rs256};

        Self {
            issuer: issuer.into(),
            audiences: audiences.into_iter().collect(),
            jwks_url: None,
            algorithms: vec![Rs256, Ps256, Es256, EdDsa],
            introspection: None,
            clock_skew: Duration::from_secs(60),
            scopes: Vec::new(),
            user_claim: "sub".to_owned(),
            tenant_claim: None,
            roles: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// The same, changed by `set`.
    #[must_use]
    pub fn with(mut self, set: impl FnOnce(&mut Self)) -> Self {
        set(&mut self);
        self
    }
}

impl Introspection {
    /// Asks at `url` as this client.
    #[must_use]
    pub fn new(url: Url, client_id: impl Into<String>, client_secret: Secret) -> Self {
        Self { url, client_id: client_id.into(), client_secret }
    }
}
