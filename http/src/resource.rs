//! What clients with OAuth ask before they sign in: whose tokens are taken here (RFC 9728), said in metadata and in every refusal.

use axum::http::HeaderValue;
use serde_json::{Value, json};
use url::Url;

use crate::refusal::Refusal;

/// Where the metadata is; the path of a resource follows.
pub(crate) const METADATA: &str = "/.well-known/oauth-protected-resource";

/// The paths that are resources of their own: those that clients of MCP are given.
const RESOURCES: [&str; 4] = ["/mcp", "/mcp/code", "/mcp/classic", "/mcp/search"];

/// What is protected: this service, and each of its endpoints of MCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResource {
    /// What clients call this service, without a slash at its end.
    base: String,
    authorization_servers: Vec<String>,
    scopes: Vec<String>,
}

impl ProtectedResource {
    /// The service that clients call `base`, for tokens of these authorization servers with these scopes.
    #[must_use]
    pub fn new(base: &Url, authorization_servers: Vec<String>, scopes: Vec<String>) -> Self {
        Self { base: base.as_str().trim_end_matches('/').to_owned(), authorization_servers, scopes }
    }

    /// What tokens for it can name as their audience.
    #[must_use]
    pub fn audiences(&self) -> Vec<String> {
        let endpoints = RESOURCES.iter().map(|path| format!("{}{path}", self.base));
        [self.base.clone(), format!("{}/", self.base)].into_iter().chain(endpoints).collect()
    }

    /// Nobody's request to `path`; `error` is the code of what is wrong with its token, if it has one.
    #[must_use]
    pub fn unauthenticated(&self, path: &str, error: Option<&str>) -> Refusal {
        Refusal::challenged(self.challenge(path, error))
    }

    /// A request to `path` whose token lacks a scope.
    #[must_use]
    pub fn insufficient_scope(&self, path: &str) -> Refusal {
        Refusal::insufficient(self.challenge(path, Some("insufficient_scope")))
    }

    fn challenge(&self, path: &str, error: Option<&str>) -> HeaderValue {
        let path = if RESOURCES.contains(&path) { path } else { "" };
        let mut challenge = format!("Bearer resource_metadata=\"{}{METADATA}{path}\"", self.base);
        if !self.scopes.is_empty() {
            challenge.push_str(&format!(", scope=\"{}\"", self.scopes.join(" ")));
        }
        if let Some(error) = error {
            challenge.push_str(&format!(", error=\"{error}\""));
        }
        HeaderValue::from_str(&challenge).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
    }

    /// The metadata of what is at `path`, which is empty for the service as a whole.
    pub(crate) fn metadata(&self, path: &str) -> Option<Value> {
        let is_one = path.is_empty() || RESOURCES.contains(&path);
        is_one.then(|| {
            json!({
                "resource": format!("{}{path}", self.base), "authorization_servers": self.authorization_servers,
                "scopes_supported": self.scopes, "bearer_methods_supported": ["header"], "resource_name": "Isolet",
            })
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_challenge_says_where_the_metadata_is_and_what_is_missing() {
        let base = Url::parse("https://tools.example.com/").unwrap();
        let resource =
            ProtectedResource::new(&base, vec!["https://login.example.com".to_owned()], vec!["a".to_owned(), "b".to_owned()]);
        let said = |refusal: Refusal| match refusal {
            Refusal::Unauthenticated { challenge } | Refusal::Insufficient { challenge } => {
                challenge.to_str().unwrap().to_owned()
            }
            _ => String::new(),
        };
        let metadata = "resource_metadata=\"https://tools.example.com/.well-known/oauth-protected-resource";
        assert_eq!(said(resource.unauthenticated("/v1/run", None)), format!("Bearer {metadata}\", scope=\"a b\""));
        let expected = format!("Bearer {metadata}/mcp\", scope=\"a b\", error=\"insufficient_scope\"");
        assert_eq!(said(resource.insufficient_scope("/mcp")), expected);
        assert!(resource.audiences().contains(&"https://tools.example.com/mcp".to_owned()));
    }
}
