//! What a user has granted: the tokens, as which client they were given, and by whom.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use isolet_outbound::Secret;
use oauth2::TokenResponse as _;
use rmcp::transport::auth::{AuthorizationMetadata, OAuthTokenResponse, StoredCredentials};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::IdentityError;
use crate::grant_key::GrantKey;

/// How long before its end a token is renewed, unless a quarter of its life is less.
const RENEWED_AHEAD: Duration = Duration::from_secs(60);

/// By how much a clock may go back before a token counts as old.
const CLOCK_SKEW: Duration = Duration::from_secs(300);

/// One grant, as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) client_secret: Option<String>,
    pub(crate) redirect: String,
    /// The `resource` that it was asked for with.
    pub(crate) resource: String,
    /// The authorization server's, as it was then: a token goes to no other.
    pub(crate) metadata: AuthorizationMetadata,
    pub(crate) stored: StoredCredentials,
}

/// What may be told of a grant.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantFacts {
    /// The authorization server.
    pub issuer: Option<String>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// When the token ends, if that is known.
    pub expires: Option<SystemTime>,
    /// Whether it can be renewed without the user.
    pub is_renewable: bool,
}

impl Grant {
    /// Reads what is kept.
    pub(crate) fn read(kept: &[u8], grant_key: &GrantKey) -> Result<Self, IdentityError> {
        serde_json::from_slice(kept).map_err(|_| IdentityError::Kept { server: grant_key.server().to_owned() })
    }

    /// What is kept.
    pub(crate) fn write(&self, grant_key: &GrantKey) -> Result<Zeroizing<Vec<u8>>, IdentityError> {
        let kept = serde_json::to_vec(self).map(Zeroizing::new);
        kept.map_err(|_| IdentityError::Kept { server: grant_key.server().to_owned() })
    }

    /// The token.
    pub(crate) fn token(&self, grant_key: &GrantKey) -> Result<Secret, IdentityError> {
        let token = self.tokens().map(|tokens| tokens.access_token().secret().as_str()).unwrap_or_default();
        Secret::new(token).map_err(|source| IdentityError::Token { server: grant_key.server().to_owned(), source })
    }

    /// What renews the token, if anything does.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.tokens()?.refresh_token().map(|token| token.secret().as_str())
    }

    /// All of it that must not be seen.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let token = self.tokens().map(|tokens| tokens.access_token().secret().as_str());
        let texts = [token, self.refresh_token(), self.client_secret.as_deref()];
        texts.into_iter().flatten().filter_map(|text| Secret::new(text).ok()).collect()
    }

    /// Until when the token is used as it is. None: as long as the server takes it.
    pub(crate) fn renewed_at(&self) -> Option<SystemTime> {
        let life = self.life()?;
        self.received()?.checked_add(life.saturating_sub(RENEWED_AHEAD.min(life / 4)))
    }

    /// Whether the token is used as it is at `now`. A clock that went back makes it old: nobody knows how long ago it was given.
    pub(crate) fn is_fresh(&self, now: SystemTime) -> bool {
        let has_clock_gone_back = self.received().is_some_and(|received| received > now + CLOCK_SKEW);
        !has_clock_gone_back && self.renewed_at().is_none_or(|at| now < at)
    }

    /// What may be told of it.
    pub(crate) fn facts(&self) -> GrantFacts {
        let expires = self.life().and_then(|life| self.received()?.checked_add(life));
        GrantFacts {
            issuer: self.metadata.issuer.clone(),
            scopes: self.stored.granted_scopes.clone(),
            expires,
            is_renewable: self.refresh_token().is_some(),
        }
    }

    fn tokens(&self) -> Option<&OAuthTokenResponse> {
        self.stored.token_response.as_ref()
    }

    fn life(&self) -> Option<Duration> {
        self.tokens()?.expires_in()
    }

    fn received(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.stored.token_received_at?))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    /// A grant whose token lasts so long.
    pub(crate) fn grant(expires_in: u64) -> Grant {
        let stored = json!({
            "client_id": "me", "granted_scopes": ["a"], "token_received_at": 1_000_000,
            "token_response": {
                "access_token": "canary-access", "token_type": "bearer", "expires_in": expires_in, "refresh_token": "canary-refresh",
            },
        });
        let metadata = json!({"authorization_endpoint": "https://a.example/a", "token_endpoint": "https://a.example/t"});
        Grant {
            client_secret: Some("canary-secret".to_owned()),
            redirect: "http://127.0.0.1/callback".to_owned(),
            resource: "https://m.example/mcp".to_owned(),
            metadata: serde_json::from_value(metadata).unwrap(),
            stored: serde_json::from_value(stored).unwrap(),
        }
    }

    #[test]
    fn a_token_is_renewed_ahead_of_its_end_and_when_clocks_jump() {
        let at = |seconds: u64| UNIX_EPOCH + Duration::from_secs(1_000_000 + seconds);
        assert!(grant(3600).is_fresh(at(3539)) && !grant(3600).is_fresh(at(3540)));
        assert!(grant(60).is_fresh(at(44)) && !grant(60).is_fresh(at(45)), "a short one, in the last quarter");
        assert!(!grant(0).is_fresh(at(0)));
        let before = UNIX_EPOCH + Duration::from_secs(1_000_000 - 299);
        assert!(grant(3600).is_fresh(before) && !grant(3600).is_fresh(before - Duration::from_secs(2)));
        assert!(!grant(u64::MAX).is_fresh(UNIX_EPOCH) && grant(u64::MAX).is_fresh(at(1)));
    }

    #[test]
    fn a_grant_is_kept_whole_and_told_without_its_secrets() {
        let url = isolet::mcp::Url::parse("https://m.example/mcp").unwrap();
        let grant_key = GrantKey::new(&isolet::Principal::new("ada").key(), "m", &url);
        let again = Grant::read(&grant(60).write(&grant_key).unwrap(), &grant_key).unwrap();
        assert!(
            again.token(&grant_key).unwrap().expose() == "canary-access" && again.refresh_token() == Some("canary-refresh")
        );
        assert_eq!(again.secrets().len(), 3);
        assert!(!format!("{:?}", again.facts()).contains("canary"));
        assert!(matches!(Grant::read(b"{}", &grant_key), Err(IdentityError::Kept { .. })));
    }
}
