//! Who is connected: so many at a time, and so many of one address. Who waits makes room for who comes.
//!
//! Connections cost nothing to open, so those on which no user's request is under way have no claim to their slot: where all are
//! taken, the one that has waited longest is closed. Somebody who opens thousands and says nothing closes his own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How long a connection may wait before another can take its slot.
pub(crate) const CLAIM: Duration = Duration::from_millis(250);
/// How often is looked whether somebody has waited so long.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The connections of a server.
pub(crate) struct Connections {
    max: usize,
    of_address_max: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last_number: u64,
    by_number: BTreeMap<u64, Arc<Connection>>,
}

/// One connection.
pub(crate) struct Connection {
    address: IpAddr,
    state: Mutex<State>,
    needed: CancellationToken,
}

/// What a connection does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nobody has looked yet whether its client has said something: that the server is late is not its fault.
    New,
    /// It waits for a user's request, since then.
    Waiting(Instant),
    /// A user's request is under way.
    UnderWay,
}

/// The slot of a connection, which is free again when this is dropped.
pub(crate) struct ConnectionSlot {
    connections: Arc<Connections>,
    number: u64,
    connection: Arc<Connection>,
}

/// Why there is no slot.
#[derive(Debug, PartialEq, Eq)]
enum Full {
    NobodyWaits,
    NobodyWaitsLongEnough,
}

/// A user's request is under way as long as this lives.
pub(crate) struct UnderWay(Arc<Connection>);

impl Connections {
    pub(crate) fn new(max: usize, of_address_max: usize) -> Arc<Self> {
        Arc::new(Self { max, of_address_max, open: Mutex::default() })
    }

    /// A slot for a connection of `address`, one that waits making room if need be; none if nobody waits.
    pub(crate) async fn admit(self: &Arc<Self>, address: IpAddr) -> Option<ConnectionSlot> {
        loop {
            match self.admit_at(Instant::now(), address) {
                Ok(slot) => return Some(slot),
                Err(Full::NobodyWaits) => return None,
                Err(Full::NobodyWaitsLongEnough) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    }

    fn admit_at(self: &Arc<Self>, now: Instant, address: IpAddr) -> Result<ConnectionSlot, Full> {
        let mut open = lock(&self.open);
        if open.by_number.values().filter(|connection| connection.address == address).count() >= self.of_address_max {
            open.close_longest_waiting(now, |connection| connection.address == address)?;
        } else if open.by_number.len() >= self.max {
            open.close_longest_waiting(now, |_| true)?;
        }
        let connection = Arc::new(Connection { address, state: Mutex::new(State::New), needed: CancellationToken::new() });
        open.last_number += 1;
        let number = open.last_number;
        open.by_number.insert(number, Arc::clone(&connection));
        Ok(ConnectionSlot { connections: Arc::clone(self), number, connection })
    }
}

impl Open {
    fn close_longest_waiting(&mut self, now: Instant, may_be: impl Fn(&Connection) -> bool) -> Result<(), Full> {
        let states = self.by_number.iter().filter(|(_, connection)| may_be(connection));
        let states: Vec<_> = states.map(|(number, connection)| (*number, *lock(&connection.state))).collect();
        let waiting = states.iter().filter_map(|(number, state)| match state {
            State::Waiting(since) => Some((*since, *number)),
            State::New | State::UnderWay => None,
        });
        let number = match waiting.min() {
            Some((since, number)) if now.saturating_duration_since(since) >= CLAIM => number,
            None if states.iter().all(|(_, state)| *state == State::UnderWay) => return Err(Full::NobodyWaits),
            _ => return Err(Full::NobodyWaitsLongEnough),
        };
        if let Some(connection) = self.by_number.remove(&number) {
            connection.needed.cancel();
        }
        Ok(())
    }
}

impl Connection {
    /// It has been looked at, and waits for a request from now on.
    pub(crate) fn waits(&self) {
        *lock(&self.state) = State::Waiting(Instant::now());
    }

    /// A user's request has arrived on it.
    pub(crate) fn under_way(self: &Arc<Self>) -> UnderWay {
        *lock(&self.state) = State::UnderWay;
        UnderWay(Arc::clone(self))
    }

    /// Whether no user's request is under way.
    pub(crate) fn is_waiting(&self) -> bool {
        *lock(&self.state) != State::UnderWay
    }
}

impl ConnectionSlot {
    pub(crate) fn connection(&self) -> Arc<Connection> {
        Arc::clone(&self.connection)
    }

    /// When another needs the slot: this connection is to be closed.
    pub(crate) async fn is_needed(&self) {
        self.connection.needed.cancelled().await;
    }
}

impl Drop for ConnectionSlot {
    fn drop(&mut self) {
        lock(&self.connections.open).by_number.remove(&self.number);
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.waits();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn is_closed(slot: &ConnectionSlot) -> bool {
        slot.connection.needed.is_cancelled()
    }

    /// Whoever waits when a test begins has waited long enough by then.
    fn later() -> Instant {
        Instant::now() + 2 * CLAIM
    }

    fn admit<const COUNT: usize>(connections: &Arc<Connections>, addresses: [IpAddr; COUNT]) -> [ConnectionSlot; COUNT] {
        let slots = addresses.map(|address| connections.admit_at(Instant::now(), address).ok().unwrap());
        slots.iter().for_each(|slot| slot.connection.waits());
        slots
    }

    #[test]
    fn who_has_waited_longest_makes_room_for_one_more() {
        let connections = Connections::new(2, 2);
        let [first, second] = admit(&connections, [HERE, THERE]);
        assert!(!is_closed(&first) && !is_closed(&second));
        // It waits again, and not as long as the second one.
        drop(first.connection().under_way());
        let third = connections.admit_at(later(), HERE).ok().unwrap();
        assert!(!is_closed(&first) && is_closed(&second) && !is_closed(&third));
    }

    #[test]
    fn what_a_client_sends_at_once_is_waited_for() {
        let connections = Connections::new(1, 1);
        let first = connections.admit_at(Instant::now(), HERE).ok().unwrap();
        assert_eq!(connections.admit_at(later(), THERE).err(), Some(Full::NobodyWaitsLongEnough), "nobody has looked yet");
        first.connection.waits();
        let State::Waiting(now) = *lock(&first.connection.state) else { panic!("it waits") };
        let refused = connections.admit_at(now + CLAIM - Duration::from_millis(1), THERE);
        assert_eq!(refused.err(), Some(Full::NobodyWaitsLongEnough));
        assert!(!is_closed(&first));
        assert!(connections.admit_at(now + CLAIM, THERE).is_ok() && is_closed(&first));
    }

    #[test]
    fn a_request_under_way_keeps_its_place() {
        let connections = Connections::new(2, 2);
        let [first, second] = admit(&connections, [HERE, THERE]);
        let under_way = [first.connection().under_way(), second.connection().under_way()];
        assert_eq!(connections.admit_at(later(), HERE).err(), Some(Full::NobodyWaits));
        assert!(!first.connection.is_waiting() && !is_closed(&first) && !is_closed(&second));
        drop(under_way);
        let third = connections.admit_at(later(), HERE);
        assert!(third.is_ok() && is_closed(&first) && !is_closed(&second));
    }

    #[test]
    fn one_address_closes_its_own() {
        let connections = Connections::new(3, 2);
        let [there, first, second] = admit(&connections, [THERE, HERE, HERE]);
        let third = connections.admit_at(later(), HERE).ok().unwrap();
        assert!(!is_closed(&there), "it has waited longest, and is of another address");
        assert_eq!([&first, &second, &third].map(is_closed), [true, false, false]);
    }

    #[test]
    fn a_place_is_free_when_its_connection_has_ended() {
        let connections = Connections::new(1, 1);
        let [first] = admit(&connections, [HERE]);
        drop(first);
        let [second] = admit(&connections, [HERE]);
        // The slot of one that made room is another's.
        let third = connections.admit_at(later(), HERE).ok().unwrap();
        drop(second);
        assert_eq!(lock(&connections.open).by_number.len(), 1);
        assert!(!is_closed(&third));
    }
}
