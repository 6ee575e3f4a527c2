//! What a grant is kept under: whose authorization it is, and for what.

use isolet::PrincipalKey;
use isolet::mcp::Url;
use sha2::{Digest as _, Sha256};

/// The key of a grant: one principal's authorization for one server at one address. A server that is configured at another address is another
/// one: no token goes anywhere but where it was given for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GrantKey {
    principal: PrincipalKey,
    server: String,
    resource: String,
}

impl GrantKey {
    /// The authorization of `principal` for `server` at `url`.
    #[must_use]
    pub fn new(principal: &PrincipalKey, server: &str, url: &Url) -> Self {
        Self { principal: principal.clone(), server: server.to_owned(), resource: url.to_string() }
    }

    /// Whose it is.
    #[must_use]
    pub fn principal(&self) -> &PrincipalKey {
        &self.principal
    }

    /// The server, as the configuration calls it.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Where it is.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The tenant, as a text of its own: no tenant differs from one without a name.
    pub(crate) fn tenant(&self) -> String {
        Self::tenant_of(&self.principal)
    }

    /// The same, of all keys of a principal.
    pub(crate) fn tenant_of(principal: &PrincipalKey) -> String {
        principal.tenant().map_or_else(String::new, |tenant| format!("={tenant}"))
    }

    /// All of it in one text that no other key has.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&*self.tenant(), self.principal.user(), &self.server, &self.resource] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use isolet::Principal;

    use super::*;

    #[test]
    fn no_two_keys_are_one() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (ada, here) = (Principal::new("ada").key(), url("https://a.example/mcp"));
        let keys = [
            GrantKey::new(&ada, "a", &here),
            GrantKey::new(&ada, "b", &here),
            GrantKey::new(&ada, "a", &url("https://b.example/mcp")),
            GrantKey::new(&Principal::new("bob").key(), "a", &here),
            GrantKey::new(&Principal::new("ada").in_tenant("").key(), "a", &here),
            GrantKey::new(&Principal::new("da").in_tenant("a").key(), "a", &here),
        ];
        for (one, key) in keys.iter().enumerate() {
            assert!(keys.iter().skip(one + 1).all(|other| other.digest() != key.digest()), "{key:?}");
        }
    }
}
