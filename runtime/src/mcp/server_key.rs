//! What tells the servers of a process apart: two users never share one, whatever they configure.

use std::sync::Arc;

use super::server_configuration::ServerConfiguration;

/// Whose server it is, and which.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) user: Arc<str>,
    pub(super) server: Arc<str>,
    pub(super) configuration: Arc<ServerConfiguration>,
}
