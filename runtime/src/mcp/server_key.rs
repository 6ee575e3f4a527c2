//! What tells the servers of a process apart: two users never share one, whatever they configure, and neither do two credentials of one.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::credential_source::Credentials;
use super::server_configuration::ServerConfiguration;
use crate::host::principal::Principal;

/// Whose server it is, and which.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) principal: Arc<Principal>,
    pub(super) server: Arc<str>,
    pub(super) configuration: Arc<ServerConfiguration>,
    /// The credentials that came with the request.
    pub(super) given: Option<Credentials>,
    /// Whether what it says may be for this principal alone.
    pub(super) is_personal: bool,
}

impl Key {
    fn parts(&self) -> (&str, Option<&str>, &str, &ServerConfiguration, Option<&Credentials>) {
        let Principal { user, tenant, .. } = &*self.principal;
        (user, tenant.as_deref(), &self.server, &self.configuration, self.given.as_ref())
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}
