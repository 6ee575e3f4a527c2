//! The requests of one client that are not answered yet: so many, of so many bytes, each under a number of ours instead of the client's `id`.
//!
//! rmcp knows numbers and texts for an `id`. JSON has more of them (`1.5`, 2^70), and whatever the client wrote it gets back as it wrote it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::value::RawValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::Answer;
use super::envelope::{ID_BYTES_MAX, text_in};
use crate::host::session::CALLS_WAITING_MAX;

/// Requests of one client that may be under way: the calls that may wait, and some that do not.
const REQUESTS_MAX: usize = CALLS_WAITING_MAX + 256;

/// What those may have together, in units of [`UNIT_BYTES`]: 32 MiB.
const UNITS_MAX: usize = 32 << 10;
const UNIT_BYTES: usize = 1024;

/// An `id` of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClientId {
    /// As the client wrote it.
    raw: Box<str>,
    /// The same for the same text, however it is escaped.
    key: Box<str>,
}

/// The requests.
pub(super) struct ClientRequests {
    table: Mutex<Table>,
    places: Arc<Semaphore>,
    units: Arc<Semaphore>,
}

#[derive(Default)]
struct Table {
    last: i64,
    by_number: HashMap<i64, Open>,
    by_key: HashMap<Box<str>, i64>,
}

/// A request that is not answered.
pub(super) struct Open {
    pub(super) id: ClientId,
    pub(super) answer: Answer,
    /// Until what is answered is written too.
    pub(super) admission: Admission,
}

/// A place among the requests: held by a request as long as anybody works on it.
#[derive(Clone)]
pub(super) struct Admission {
    _held: Arc<[OwnedSemaphorePermit; 2]>,
}

/// Why a request cannot be taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// Another one with this `id` is not answered.
    Twice,
    /// There are too many, or they are too large.
    Busy,
}

impl ClientId {
    /// What a client wrote, if a request can have it for an `id`: a number or a text, not beyond [`ID_BYTES_MAX`].
    pub(super) fn of(json: &RawValue) -> Option<Self> {
        let raw = json.get();
        if raw.len() > ID_BYTES_MAX {
            return None;
        }
        let is_number = raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let key = match text_in(json) {
            Some(text) => format!("\"{text}"),
            None if is_number => raw.to_owned(),
            None => return None,
        };
        Some(Self { raw: raw.into(), key: key.into() })
    }

    /// As the client wrote it, JSON.
    pub(super) fn as_json(&self) -> &str {
        self.raw.borrow()
    }
}

impl ClientRequests {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::default(),
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
            units: Arc::new(Semaphore::new(UNITS_MAX)),
        }
    }

    /// Takes a request of so many bytes: its number, and its place.
    pub(super) fn open(&self, id: ClientId, bytes: usize, answer: Answer) -> Result<(i64, Admission), NotTaken> {
        let mut table = self.table();
        if table.by_key.contains_key(&id.key) {
            return Err(NotTaken::Twice);
        }
        let units = u32::try_from(bytes / UNIT_BYTES + 1).unwrap_or(u32::MAX);
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| NotTaken::Busy)?;
        let units = Arc::clone(&self.units).try_acquire_many_owned(units).map_err(|_| NotTaken::Busy)?;
        let admission = Admission { _held: Arc::new([place, units]) };
        table.last += 1;
        let number = table.last;
        table.by_key.insert(id.key.clone(), number);
        table.by_number.insert(number, Open { id, answer, admission: admission.clone() });
        Ok((number, admission))
    }

    /// Forgets a request, because it is answered or cancelled.
    pub(super) fn close(&self, number: i64) -> Option<Open> {
        let mut table = self.table();
        let open = table.by_number.remove(&number)?;
        table.by_key.remove(&open.id.key);
        Some(open)
    }

    /// The number of the request with this `id`.
    pub(super) fn number_of(&self, id: &ClientId) -> Option<i64> {
        self.table().by_key.get(&id.key).copied()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::mcp::output::Backlog;

    fn id(json: &str) -> Option<ClientId> {
        ClientId::of(&RawValue::from_string(json.to_owned()).unwrap())
    }

    fn answer() -> Answer {
        Answer::new(&Arc::<Backlog>::default())
    }

    #[test]
    fn every_number_and_text_is_an_id_and_nothing_else_is() {
        for json in ["0", "-1", "1.5", "1e400", "1180591620717411303424", "\"\"", "\"a\\u0000\""] {
            assert_eq!(id(json).unwrap().as_json(), json);
        }
        for json in ["null", "true", "[1]", "{}"] {
            assert_eq!(id(json), None, "{json}");
        }
        assert!(id(&format!("\"{}\"", "x".repeat(ID_BYTES_MAX - 2))).is_some());
        assert!(id(&format!("\"{}\"", "x".repeat(ID_BYTES_MAX - 1))).is_none());
    }

    #[test]
    fn one_id_is_one_request_at_a_time() {
        let requests = ClientRequests::new();
        let (number, _) = requests.open(id("\"a\"").unwrap(), 1, answer()).unwrap();
        assert_eq!(requests.open(id("\"\\u0061\"").unwrap(), 1, answer()).err(), Some(NotTaken::Twice));
        assert!(requests.open(id("1").unwrap(), 1, answer()).is_ok());
        assert!(requests.open(id("\"1\"").unwrap(), 1, answer()).is_ok(), "a text is no number");
        assert_eq!(requests.number_of(&id("\"a\"").unwrap()), Some(number));
        assert!(requests.close(number).is_some() && requests.close(number).is_none());
        assert!(requests.open(id("\"a\"").unwrap(), 1, answer()).is_ok());
    }

    #[test]
    fn there_are_so_many_and_so_large_and_a_place_is_free_when_nobody_works_on_its_request() {
        let requests = ClientRequests::new();
        for number in 0..REQUESTS_MAX {
            assert!(requests.open(id(&number.to_string()).unwrap(), 1, answer()).is_ok());
        }
        assert_eq!(requests.open(id("-1").unwrap(), 1, answer()).err(), Some(NotTaken::Busy));
        let requests = ClientRequests::new();
        let (number, working) = requests.open(id("1").unwrap(), UNITS_MAX * UNIT_BYTES - 1, answer()).unwrap();
        assert_eq!(requests.open(id("2").unwrap(), 1, answer()).err(), Some(NotTaken::Busy));
        drop(requests.close(number));
        assert_eq!(requests.open(id("2").unwrap(), 1, answer()).err(), Some(NotTaken::Busy), "its handler still works on it");
        drop(working);
        assert!(requests.open(id("2").unwrap(), 1, answer()).is_ok());
    }
}
