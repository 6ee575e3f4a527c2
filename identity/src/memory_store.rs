//! Authorizations that end with the process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use isolet::PrincipalKey;
use zeroize::Zeroizing;

use crate::place::Place;
use crate::store::{Kept, RefreshLock, Store, StoreError, Version};
use crate::turns::Turns;

/// The grants, and whether a refresh of each has begun.
type Grants = HashMap<Place, (Zeroizing<Vec<u8>>, bool)>;

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
    async fn load(&self, place: &Place) -> Result<Option<Kept>, StoreError> {
        let grants = self.grants();
        Ok(grants.get(place).map(|(grant, is_refreshing)| Kept { grant: grant.clone(), is_refreshing: *is_refreshing }))
    }

    async fn save(&self, place: &Place, grant: Zeroizing<Vec<u8>>) -> Result<(), StoreError> {
        self.grants().insert(place.clone(), (grant, false));
        Ok(())
    }

    async fn mark(&self, place: &Place) -> Result<(), StoreError> {
        if let Some((_, is_refreshing)) = self.grants().get_mut(place) {
            *is_refreshing = true;
        }
        Ok(())
    }

    async fn remove(&self, place: &Place) -> Result<(), StoreError> {
        self.grants().remove(place);
        Ok(())
    }

    async fn list(&self, principal: &PrincipalKey) -> Result<Vec<(String, String)>, StoreError> {
        let grants = self.grants();
        let own = grants.keys().filter(|place| place.principal() == principal);
        Ok(own.map(|place| (place.server().to_owned(), place.resource().to_owned())).collect())
    }

    async fn version(&self, principal: &PrincipalKey) -> Result<Version, StoreError> {
        let grants = self.grants();
        let mut own: Vec<_> = grants.iter().filter(|(place, _)| place.principal() == principal).collect();
        own.sort_by_key(|(place, _)| (place.server(), place.resource()));
        Ok(Version::of(own.into_iter().flat_map(|(place, (grant, _))| [place.server().as_bytes(), grant.as_slice()])))
    }

    async fn lock(&self, place: &Place) -> Result<RefreshLock, StoreError> {
        Ok(RefreshLock::new(self.turns.turn(place).await))
    }
}
