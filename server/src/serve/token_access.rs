//! Who is let in with a token of an issuer that the deployment trusts, or with a key.

use axum::http::header;
use axum::http::request::Parts;
use isolet::Principal;
use isolet::mcp::Secret;
use isolet_http::{Authenticate as _, BearerKeys, ProtectedResource, Refusal};
use isolet_identity::{SubjectTokens, TokenRefused, TokenVerifier};

/// Keys and tokens.
pub(super) struct TokenAccess {
    pub(super) keys: BearerKeys,
    pub(super) verifier: TokenVerifier,
    pub(super) resource: ProtectedResource,
    /// Where tokens are held that are exchanged for others; none if none is.
    pub(super) subjects: Option<SubjectTokens>,
}

impl TokenAccess {
    /// Whose the request with this head is.
    pub(super) async fn principal(&self, head: &Parts) -> Result<Principal, Refusal> {
        let path = head.uri.path();
        if !head.headers.contains_key(header::AUTHORIZATION) {
            return Err(self.resource.unauthenticated(path, None));
        }
        if let Ok(principal) = self.keys.principal(head).await {
            return Ok(principal);
        }
        let invalid = || self.resource.unauthenticated(path, Some("invalid_token"));
        let token = bearer(head).ok_or_else(invalid)?;
        match self.verifier.verify(token).await {
            Ok(verified) => {
                if let (Some(subjects), Ok(token)) = (&self.subjects, Secret::new(token)) {
                    subjects.hold(&verified.principal.key(), &token, verified.expires);
                }
                Ok(verified.principal)
            }
            Err(TokenRefused::InsufficientScope) => Err(self.resource.insufficient_scope(path)),
            Err(error @ TokenRefused::Unavailable { .. }) => {
                tracing::warn!(error = %isolet::with_causes(&error), "a token cannot be checked");
                Err(Refusal::Unavailable)
            }
            Err(error @ TokenRefused::NoUser) => {
                tracing::warn!(%error, "a token is of no use");
                Err(Refusal::Forbidden)
            }
            Err(error) => {
                tracing::debug!(%error, "a token is refused");
                Err(invalid())
            }
        }
    }
}

/// The one token of a request.
fn bearer(head: &Parts) -> Option<&str> {
    let mut values = head.headers.get_all(header::AUTHORIZATION).iter();
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    (values.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}
