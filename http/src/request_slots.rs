//! How many requests of each principal are under way: one who sends much leaves room to the others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use isolet::PrincipalKey;

/// The requests of all principals; those who have none are forgotten.
pub(crate) struct RequestSlots {
    max: usize,
    taken: Mutex<HashMap<PrincipalKey, usize>>,
}

/// The slot of one request, which is free again when this is dropped.
pub(crate) struct RequestSlot {
    slots: Arc<RequestSlots>,
    principal: PrincipalKey,
}

impl RequestSlots {
    /// So many of each at a time.
    pub(crate) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self { max, taken: Mutex::default() })
    }

    /// A slot for a request of `principal`, if one is free.
    pub(crate) fn take(self: &Arc<Self>, principal: PrincipalKey) -> Option<RequestSlot> {
        let mut taken = self.taken();
        let count = taken.get(&principal).copied().unwrap_or_default();
        if count >= self.max {
            return None;
        }
        taken.insert(principal.clone(), count + 1);
        drop(taken);
        Some(RequestSlot { slots: Arc::clone(self), principal })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<PrincipalKey, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RequestSlot {
    fn drop(&mut self) {
        let mut taken = self.slots.taken();
        match taken.get_mut(&self.principal) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(taken.remove(&self.principal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use isolet::Principal;

    use super::*;

    #[test]
    fn each_principal_has_so_many_and_who_has_none_is_forgotten() {
        let slots = RequestSlots::new(2);
        let take = |user: &str| slots.take(Principal::new(user).key());
        let held = [take("ada"), take("ada"), take("bob")];
        assert!(held.iter().all(Option::is_some) && take("ada").is_none());
        let [first, second, third] = held;
        drop(first);
        assert!(take("ada").is_some(), "one is free again");
        drop((second, third));
        assert!(slots.taken().is_empty(), "all were given back");
    }
}
