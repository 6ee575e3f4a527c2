//! Security schemes as facts: where a credential goes, and which ones an operation asks for. Never the credential itself.

use serde_json::Value;

use crate::reference;

/// The most schemes and requirements that are looked at.
const SCHEMES_MAX: usize = 100;
const REQUIREMENTS_MAX: usize = 20;

/// One security scheme of a document.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityScheme {
    /// What the document calls it.
    pub name: String,
    /// Where its credential goes.
    pub location: SecurityLocation,
    /// The document's own words about it, data of a stranger.
    pub description: Option<String>,
}

/// Where a credential goes.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecurityLocation {
    /// This header field, as it is.
    Header(String),
    /// This query parameter, as it is.
    Query(String),
    /// This cookie, as it is.
    Cookie(String),
    /// `Authorization: Basic`: the credential is `user:password`.
    Basic,
    /// `Authorization: Bearer`: a token, also one of OAuth or OpenID Connect.
    Bearer,
    /// `Authorization` with another scheme, named here, before the credential.
    Authorization(String),
    /// The TLS connection: nothing that can be given here.
    MutualTls,
}

/// One scheme that an operation asks for, with the scopes.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityNeed {
    /// What the document calls the scheme.
    pub scheme: String,
    /// The scopes that are needed, of OAuth and OpenID Connect.
    pub scopes: Vec<String>,
}

/// The schemes of `document`; what is none is left out.
pub(crate) fn schemes(document: &Value) -> Vec<SecurityScheme> {
    let declared = document.pointer("/components/securitySchemes").and_then(Value::as_object);
    let declared = declared.into_iter().flatten().take(SCHEMES_MAX);
    declared
        .filter_map(|(name, scheme)| {
            let scheme = reference::resolve(document, scheme).ok()?;
            let description = scheme.get("description").and_then(Value::as_str).map(|text| text.chars().take(1_000).collect());
            Some(SecurityScheme { name: name.clone(), location: location(scheme)?, description })
        })
        .collect()
}

fn location(scheme: &Value) -> Option<SecurityLocation> {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str);
    match text("type")? {
        "apiKey" => {
            let name = text("name").filter(|name| !name.is_empty())?.to_owned();
            match text("in")? {
                "header" => Some(SecurityLocation::Header(name)),
                "query" => Some(SecurityLocation::Query(name)),
                "cookie" => Some(SecurityLocation::Cookie(name)),
                _ => None,
            }
        }
        "http" => match text("scheme")?.to_ascii_lowercase().as_str() {
            "basic" => Some(SecurityLocation::Basic),
            "bearer" => Some(SecurityLocation::Bearer),
            other => Some(SecurityLocation::Authorization(other.to_owned())),
        },
        "oauth2" | "openIdConnect" => Some(SecurityLocation::Bearer),
        "mutualTLS" => Some(SecurityLocation::MutualTls),
        _ => None,
    }
}

/// What `security` asks for: any one of these alternatives, each of them whole. An empty one asks for nothing.
pub(crate) fn needs(security: Option<&Value>) -> Vec<Vec<SecurityNeed>> {
    let alternatives = security.and_then(Value::as_array).into_iter().flatten().take(REQUIREMENTS_MAX);
    alternatives
        .filter_map(Value::as_object)
        .map(|alternative| {
            let scopes = |scopes: &Value| {
                scopes.as_array().into_iter().flatten().take(SCHEMES_MAX).filter_map(Value::as_str).map(str::to_owned).collect()
            };
            let needs = alternative.iter().take(REQUIREMENTS_MAX);
            needs.map(|(scheme, value)| SecurityNeed { scheme: scheme.clone(), scopes: scopes(value) }).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_scheme_says_where_its_credential_goes() {
        let document = json!({"components": {"securitySchemes": {
            "a": {"type": "apiKey", "in": "header", "name": "X-Key"}, "b": {"type": "apiKey", "in": "query", "name": "key"},
            "c": {"type": "apiKey", "in": "cookie", "name": "sid"}, "d": {"type": "http", "scheme": "Basic"},
            "e": {"type": "http", "scheme": "bearer"}, "f": {"type": "http", "scheme": "Digest"}, "g": {"type": "oauth2", "flows": {}},
            "h": {"type": "openIdConnect", "openIdConnectUrl": "https://e.x"}, "i": {"type": "mutualTLS"},
            "j": {"$ref": "#/components/securitySchemes/a"}, "k": {"type": "apiKey", "in": "body", "name": "x"}, "l": {}, "m": 1
        }}});
        let locations: Vec<(String, SecurityLocation)> =
            schemes(&document).into_iter().map(|scheme| (scheme.name, scheme.location)).collect();
        let expected = [
            ("a", SecurityLocation::Header("X-Key".to_owned())),
            ("b", SecurityLocation::Query("key".to_owned())),
            ("c", SecurityLocation::Cookie("sid".to_owned())),
            ("d", SecurityLocation::Basic),
            ("e", SecurityLocation::Bearer),
            ("f", SecurityLocation::Authorization("digest".to_owned())),
            ("g", SecurityLocation::Bearer),
            ("h", SecurityLocation::Bearer),
            ("i", SecurityLocation::MutualTls),
            ("j", SecurityLocation::Header("X-Key".to_owned())),
        ];
        assert_eq!(locations, expected.map(|(name, location)| (name.to_owned(), location)));
    }

    #[test]
    fn needs_are_alternatives_of_whole_sets() {
        let need = |scheme: &str, scopes: &[&str]| SecurityNeed {
            scheme: scheme.to_owned(),
            scopes: scopes.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            needs(Some(&json!([{"a": [], "b": ["read"]}, {}, 1]))),
            [vec![need("a", &[]), need("b", &["read"])], Vec::new()]
        );
        assert!(needs(None).is_empty() && needs(Some(&json!({}))).is_empty());
    }
}
