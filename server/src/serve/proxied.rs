//! Who is let in by the word of a proxy.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use isolet::Principal;
use isolet_http::Refusal;

use crate::deployment::{Deployment, Proxy};

/// The tenant of users who are not in the file: no issuer is called so.
const TENANT: &str = "proxy";

/// A proxy, and the users of the file.
pub(super) struct Proxied {
    proxy: Proxy,
    users: BTreeMap<String, Principal>,
}

impl Proxied {
    /// What the deployment says of it.
    pub(super) fn of(deployment: &Deployment) -> Option<Self> {
        let users = deployment.users.keys().map(|name| (name.clone(), deployment.principal(name))).collect();
        Some(Self { proxy: deployment.proxy.clone()?, users })
    }

    /// Whom the request with this head is from: one of the file, or one who has the roles of all others. None if no proxy says so.
    pub(super) fn principal(&self, head: &Parts) -> Result<Option<Principal>, Refusal> {
        let Some(user) = self.proxy.trusted.user(head)? else { return Ok(None) };
        if let Some(principal) = self.users.get(user) {
            return Ok(Some(principal.clone()));
        }
        if self.proxy.roles.is_empty() {
            return Err(Refusal::Forbidden);
        }
        Ok(Some(self.proxy.roles.iter().fold(Principal::new(user).in_tenant(TENANT), Principal::with_role)))
    }
}
