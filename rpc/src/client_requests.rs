//! The requests of one client that are not answered yet: so many, of so many bytes, each under a number of ours instead of the client's `id`.
//!
//! Libraries know numbers and texts for an `id`. JSON has more of them (`1.5`, 2^70), and whatever the client wrote it gets back as it wrote it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::client_id::ClientId;

/// What the requests may have together, in units of [`UNIT_BYTES`]: 32 MiB.
const UNITS_MAX: usize = 32 << 10;
const UNIT_BYTES: usize = 1024;

/// The requests, and what is kept of each.
#[derive(Debug)]
pub struct ClientRequests<Kept> {
    table: Mutex<Table<Kept>>,
    places: Arc<Semaphore>,
    units: Arc<Semaphore>,
}

#[derive(Debug)]
struct Table<Kept> {
    last: i64,
    by_number: HashMap<i64, Open<Kept>>,
    by_id: HashMap<ClientId, i64>,
}

/// A request that is not answered.
#[non_exhaustive]
#[derive(Debug)]
pub struct Open<Kept> {
    /// The client's name for it.
    pub id: ClientId,
    /// What was kept of it.
    pub kept: Kept,
    /// Until what is answered is written too.
    pub admission: Admission,
}

/// A slot among the requests: held by a request as long as anybody works on it.
#[derive(Clone, Debug)]
pub struct Admission {
    _held: Arc<[OwnedSemaphorePermit; 2]>,
}

/// Why a request cannot be taken.
#[expect(clippy::exhaustive_enums, reason = "each has an answer of its own in every protocol")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// Another one with this `id` is not answered.
    Twice,
    /// There are too many, or they are too large.
    Busy,
}

impl<Kept> ClientRequests<Kept> {
    /// At most `requests_max` requests at a time.
    #[must_use]
    pub fn new(requests_max: usize) -> Self {
        Self {
            table: Mutex::new(Table { last: 0, by_number: HashMap::new(), by_id: HashMap::new() }),
            places: Arc::new(Semaphore::new(requests_max)),
            units: Arc::new(Semaphore::new(UNITS_MAX)),
        }
    }

    /// Takes a request of so many bytes: its number, and its slot.
    ///
    /// # Errors
    ///
    /// [`NotTaken`] says why not.
    pub fn open(&self, id: ClientId, bytes: usize, kept: Kept) -> Result<(i64, Admission), NotTaken> {
        let mut table = self.table();
        if table.by_id.contains_key(&id) {
            return Err(NotTaken::Twice);
        }
        let units = u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NotTaken::Busy)?;
        let units = Arc::clone(&self.units).try_acquire_many_owned(units).map_err(|_| NotTaken::Busy)?;
        let admission = Admission { _held: Arc::new([place, units]) };
        table.last += 1;
        let number = table.last;
        table.by_id.insert(id.clone(), number);
        table.by_number.insert(number, Open { id, kept, admission: admission.clone() });
        Ok((number, admission))
    }

    /// Forgets a request, because it is answered or cancelled.
    pub fn close(&self, number: i64) -> Option<Open<Kept>> {
        let mut table = self.table();
        let open = table.by_number.remove(&number)?;
        table.by_id.remove(&open.id);
        Some(open)
    }

    /// The number of the request with this `id`.
    #[must_use]
    pub fn number_of(&self, id: &ClientId) -> Option<i64> {
        self.table().by_id.get(id).copied()
    }

    /// What the client calls the request with this number.
    #[must_use]
    pub fn id_of(&self, number: i64) -> Option<ClientId> {
        self.table().by_number.get(&number).map(|open| open.id.clone())
    }

    /// What is kept of the request with this `id`.
    #[must_use]
    pub fn kept_of(&self, id: &ClientId) -> Option<Kept>
    where
        Kept: Clone,
    {
        let table = self.table();
        Some(table.by_number.get(table.by_id.get(id)?)?.kept.clone())
    }

    fn table(&self) -> MutexGuard<'_, Table<Kept>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::value::RawValue;

    use super::*;

    const REQUESTS_MAX: usize = 1280;

    fn id(json: &str) -> Option<ClientId> {
        ClientId::of(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn one_id_is_one_request_at_a_time() {
        let requests = ClientRequests::new(REQUESTS_MAX);
        let (number, _) = requests.open(id("\"a\"").unwrap(), 1, "kept").unwrap();
        assert_eq!(requests.open(id("\"\\u0061\"").unwrap(), 1, "").err(), Some(NotTaken::Twice));
        assert!(requests.open(id("1").unwrap(), 1, "").is_ok());
        assert!(requests.open(id("\"1\"").unwrap(), 1, "").is_ok(), "a text is no number");
        assert_eq!(requests.number_of(&id("\"a\"").unwrap()), Some(number));
        assert_eq!(requests.kept_of(&id("\"a\"").unwrap()), Some("kept"));
        assert!(requests.close(number).is_some() && requests.close(number).is_none());
        assert!(requests.open(id("\"a\"").unwrap(), 1, "").is_ok());
    }

    #[test]
    fn there_are_so_many_and_so_large_and_a_place_is_free_when_nobody_works_on_its_request() {
        let requests = ClientRequests::new(REQUESTS_MAX);
        for number in 0..REQUESTS_MAX {
            assert!(requests.open(id(&number.to_string()).unwrap(), 1, ()).is_ok());
        }
        assert_eq!(requests.open(id("-1").unwrap(), 1, ()).err(), Some(NotTaken::Busy));
        let requests = ClientRequests::new(REQUESTS_MAX);
        let (number, working) = requests.open(id("1").unwrap(), UNITS_MAX * UNIT_BYTES - 1, ()).unwrap();
        assert_eq!(requests.open(id("2").unwrap(), 1, ()).err(), Some(NotTaken::Busy));
        drop(requests.close(number));
        assert_eq!(requests.open(id("2").unwrap(), 1, ()).err(), Some(NotTaken::Busy), "its handler still works on it");
        drop(working);
        assert!(requests.open(id("2").unwrap(), 1, ()).is_ok());
    }
}
