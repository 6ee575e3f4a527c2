//! A principal: whom a session is made for.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The user whom a session is made for, made by whatever authenticated the request.
///
/// What is kept for longer than a request (connections, credentials, quotas) is kept by its [`PrincipalKey`]: roles and claims
/// may change from one request to the next, the user and the tenant are who it is.
///
/// ```
/// use isolet::Principal;
///
/// let principal = Principal::new("ada").in_tenant("acme").with_role("support");
/// assert!(principal.has_role("support"));
/// assert_eq!(principal.key(), Principal::new("ada").in_tenant("acme").key());
/// assert_ne!(principal.key(), Principal::new("ada").key());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Principal {
    /// The user's identifier: what does not change when the user's name does.
    pub user: String,
    /// The tenant to which the user belongs, where there are tenants. The same user name in two tenants is two principals.
    pub tenant: Option<String>,
    /// The roles, by which tools are granted.
    pub roles: BTreeSet<String>,
    /// What else is known of the user, as the members of a token.
    pub claims: Map<String, Value>,
}

/// Who a [`Principal`] is, without what may change: the key of everything that is kept for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalKey {
    tenant: Option<String>,
    user: String,
}

impl Principal {
    /// A user without tenant, roles and claims.
    pub fn new(user: impl Into<String>) -> Self {
        Self { user: user.into(), tenant: None, roles: BTreeSet::new(), claims: Map::new() }
    }

    /// The same user, in a tenant.
    #[must_use]
    pub fn in_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// The same principal, with one more role.
    #[must_use]
    pub fn with_role(mut self, role: impl Into<String>) -> Self {
        self.roles.insert(role.into());
        self
    }

    /// The same principal, with one more claim.
    #[must_use]
    pub fn with_claim(mut self, name: impl Into<String>, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    /// Whether the principal has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.contains(role)
    }

    /// Who it is, without roles and claims.
    pub fn key(&self) -> PrincipalKey {
        PrincipalKey { tenant: self.tenant.clone(), user: self.user.clone() }
    }
}

/// A user without tenant, roles and claims.
impl From<&str> for Principal {
    fn from(user: &str) -> Self {
        Self::new(user)
    }
}

impl From<&Principal> for Principal {
    fn from(principal: &Principal) -> Self {
        principal.clone()
    }
}

impl PrincipalKey {
    /// The user's identifier.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The tenant to which the user belongs, where there are tenants.
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }
}
