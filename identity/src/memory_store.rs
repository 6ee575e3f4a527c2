//! Authorizations that end with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use isolet::PrincipalKey;
use zeroize::Zeroizing;

use crate::grant_key::GrantKey;
use crate::store::{Kept, RefreshLock, Store, StoreError, Version};
use crate::turns::Turns;

/// The grants, and whether a refresh of each has begun.
type Grants = HashMap<GrantKey, (Zeroizing<Vec<u8>>, bool)>;

/// Keeps authorizations in memory, for one process.
#[derive(Default)]
pub struct MemoryStore {
    grants: Mutex<Grants>,
    turns: Arc<Turns>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self, grant_key: &GrantKey) -> Result<Option<Kept>, StoreError> {
        let grants = self.grants();
        Ok(grants.get(grant_key).map(|(grant, is_refreshing)| Kept { grant: grant.clone(), is_refreshing: *is_refreshing }))
    }

    async fn save(&self, grant_key: &GrantKey, grant: Zeroizing<Vec<u8>>) -> Result<(), StoreError> {
        self.grants().insert(grant_key.clone(), (grant, false));
        Ok(())
    }

    async fn mark(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        if let Some((_, is_refreshing)) = self.grants().get_mut(grant_key) {
            *is_refreshing = true;
        }
        Ok(())
    }

    async fn remove(&self, grant_key: &GrantKey) -> Result<(), StoreError> {
        self.grants().remove(grant_key);
        Ok(())
    }

    async fn list(&self, principal: &PrincipalKey) -> Result<Vec<(String, String)>, StoreError> {
        let grants = self.grants();
        let own = grants.keys().filter(|grant_key| grant_key.principal() == principal);
        Ok(own.map(|grant_key| (grant_key.server().to_owned(), grant_key.resource().to_owned())).collect())
    }

    async fn version(&self, principal: &PrincipalKey) -> Result<Version, StoreError> {
        let grants = self.grants();
        let mut own: Vec<_> = grants.iter().filter(|(grant_key, _)| grant_key.principal() == principal).collect();
        own.sort_by_key(|(grant_key, _)| (grant_key.server(), grant_key.resource()));
        Ok(Version::of(own.into_iter().flat_map(|(grant_key, (grant, _))| [grant_key.server().as_bytes(), grant.as_slice()])))
    }

    async fn lock(&self, grant_key: &GrantKey) -> Result<RefreshLock, StoreError> {
        Ok(RefreshLock::new(self.turns.turn(grant_key).await))
    }
}
