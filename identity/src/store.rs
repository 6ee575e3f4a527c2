//! Where authorizations are kept.

use std::any::Any;

use async_trait::async_trait;
use isolet::PrincipalKey;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::grant_key::GrantKey;

/// What is kept under one key.
#[expect(clippy::exhaustive_structs, reason = "stores of others make it")]
pub struct Kept {
    /// The grant, as its owner wrote it: secret.
    pub grant: Zeroizing<Vec<u8>>,
    /// Whether a refresh of it had begun when it was read, and had not come to its end.
    pub is_refreshing: bool,
}

/// The right to refresh the grant of one key, among all processes that share the store. It ends when this is dropped, or the process ends.
pub struct RefreshLock {
    _held: Box<dyn Any + Send>,
}

impl RefreshLock {
    /// A right that lasts as long as `held`.
    pub fn new(held: impl Any + Send) -> Self {
        Self { _held: Box::new(held) }
    }
}

/// What is kept for one principal, in a number: another one when something was granted, renewed or taken back since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version([u8; 32]);

impl Version {
    /// The version of rows, each of which says something else whenever it is written.
    pub fn of(rows: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Self {
        let hash = rows
            .into_iter()
            .fold(Sha256::new(), |hash, row| hash.chain_update((row.as_ref().len() as u64).to_le_bytes()).chain_update(row));
        Self(hash.finalize().into())
    }
}

/// Why a store does not do what it is asked.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file, or its folder.
    #[error("the credential store `{path}` cannot be used: it has to be this user's alone, on a disk with room")]
    File {
        /// Which.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The database: locked for too long, full, or no database.
    #[error(
        "the credential store cannot be read or written: is its disk full, or is it damaged? (move it away, and users log in again)"
    )]
    Database {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The database server: it cannot be reached, refuses this service, or does not answer.
    #[error("the database of credentials cannot be used: is PostgreSQL there, and may this service use it?")]
    Server {
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What the database has was sealed by replicas with other keys.
    #[error(
        "the database of credentials is sealed with another key: copy the file `credentials.key` of a replica that uses it"
    )]
    Keys,
    /// What is kept was sealed with a key that is not there, or was changed.
    #[error(
        "what the credential store has for `{server}` cannot be opened: its key is another, or it was changed; log in again"
    )]
    Sealed {
        /// The server.
        server: String,
    },
    /// A task was lost.
    #[error("the credential store has stopped")]
    Stopped,
}

impl StoreError {
    /// Whether the store cannot say now what it has: it has said nothing against it.
    pub(crate) fn is_temporary(&self) -> bool {
        !matches!(self, Self::Sealed { .. } | Self::Keys)
    }
}

/// Keeps what users have authorized. What it keeps is secret, also from whoever reads its files.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// What is kept for `grant_key`.
    async fn load(&self, grant_key: &GrantKey) -> Result<Option<Kept>, StoreError>;

    /// Keeps `grant`, whole or not at all. No refresh is under way then.
    async fn save(&self, grant_key: &GrantKey, grant: Zeroizing<Vec<u8>>) -> Result<(), StoreError>;

    /// Notes that a refresh begins: until the next [`Store::save`] nobody knows whether the refresh token was used.
    async fn mark(&self, grant_key: &GrantKey) -> Result<(), StoreError>;

    /// Forgets what is kept for `grant_key`.
    async fn remove(&self, grant_key: &GrantKey) -> Result<(), StoreError>;

    /// The servers for which something of `principal` is kept, with their addresses.
    async fn list(&self, principal: &PrincipalKey) -> Result<Vec<(String, String)>, StoreError>;

    /// The version of what is kept for `principal`: asked often, so it takes no more than a look.
    async fn version(&self, principal: &PrincipalKey) -> Result<Version, StoreError>;

    /// Waits for the right to refresh the grant of `grant_key`.
    async fn lock(&self, grant_key: &GrantKey) -> Result<RefreshLock, StoreError>;
}
