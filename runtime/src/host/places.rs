//! Places for live runs, and the queue for them, which is fair between users.
//!
//! The waiting runs of one user stand behind each other, and users take turns. Whatever backlog one user has, the first run of
//! another one gets the next free place but for one of each user that waits already (SECURITY.md S-52).

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Whose runs take turns with those of others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum User {
    /// As the application calls it.
    Named(Arc<str>),
    /// The one of a session that names none.
    OfSession(u64),
}

impl User {
    /// One that is like no other.
    pub(crate) fn of_new_session() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self::OfSession(LAST.fetch_add(1, Ordering::Relaxed))
    }
}

/// How many runs may live and wait, of all users and of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) live_max: usize,
    pub(crate) waiting_max: usize,
    pub(crate) live_of_user_max: usize,
    pub(crate) waiting_of_user_max: usize,
}

/// The places of a runtime.
#[derive(Debug)]
pub(crate) struct Places {
    capacity: Capacity,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    live: usize,
    waiting: usize,
    users: HashMap<User, Runs>,
    /// Users that wait and may have a further place, in the order of their turns.
    turns: VecDeque<User>,
}

/// The runs of one user.
#[derive(Debug, Default)]
struct Runs {
    live: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// A place: free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    user: User,
}

/// Too many runs wait; how many.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) usize);

impl Places {
    pub(crate) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self { capacity, state: Mutex::default() })
    }

    // Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs that have a place.
    pub(crate) fn live(&self) -> usize {
        self.lock().live
    }

    /// A place for a run of `user`, now or when it is that user's turn.
    pub(crate) async fn take(self: &Arc<Self>, user: &User) -> Result<Place, Full> {
        let turn = {
            let mut state = self.lock();
            let live = state.live;
            let runs = state.users.entry(user.clone()).or_default();
            // Where a place is free, nobody waits who may have it.
            if live < self.capacity.live_max && runs.live < self.capacity.live_of_user_max {
                runs.live += 1;
                state.live += 1;
                return Ok(Place { places: Arc::clone(self), user: user.clone() });
            }
            let of_user = runs.waiting.len();
            if of_user >= self.capacity.waiting_of_user_max || state.waiting >= self.capacity.waiting_max {
                let waiting = state.waiting;
                state.forget_if_idle(user);
                return Err(Full(waiting));
            }
            state.wait(user, self.capacity)
        };
        let mut turn = Turn { turn, places: self, user, is_over: false };
        // The sender is kept until it is this run's turn.
        (&mut turn.turn).await.map_err(|_| Full(0))?;
        turn.is_over = true;
        Ok(Place { places: Arc::clone(self), user: user.clone() })
    }

    fn free(&self, user: &User) {
        let mut state = self.lock();
        state.live -= 1;
        if let Some(runs) = state.users.get_mut(user) {
            runs.live -= 1;
        }
        state.queue_up(user, self.capacity);
        state.hand_out(self.capacity);
        state.forget_if_idle(user);
    }

    /// Takes the runs of `user` that were given up out of the queue.
    fn leave(&self, user: &User) {
        let mut state = self.lock();
        if let Some(runs) = state.users.get_mut(user) {
            let before = runs.waiting.len();
            runs.waiting.retain(|turn| !turn.is_closed());
            let left = before - runs.waiting.len();
            state.waiting -= left;
        }
        state.forget_if_idle(user);
    }
}

impl State {
    /// Appends a run of `user` to the queue.
    fn wait(&mut self, user: &User, capacity: Capacity) -> oneshot::Receiver<()> {
        let (sender, turn) = oneshot::channel();
        self.users.entry(user.clone()).or_default().waiting.push_back(sender);
        self.waiting += 1;
        self.queue_up(user, capacity);
        turn
    }

    /// Lets `user` take turns, if a run of that user waits and may have a place.
    fn queue_up(&mut self, user: &User, capacity: Capacity) {
        let may = self.users.get(user).is_some_and(|runs| !runs.waiting.is_empty() && runs.live < capacity.live_of_user_max);
        if may && !self.turns.contains(user) {
            self.turns.push_back(user.clone());
        }
    }

    /// Gives the free places to those whose turn it is.
    fn hand_out(&mut self, capacity: Capacity) {
        while self.live < capacity.live_max
            && let Some(user) = self.turns.pop_front()
        {
            let Some(runs) = self.users.get_mut(&user) else { continue };
            while runs.live < capacity.live_of_user_max
                && let Some(turn) = runs.waiting.pop_front()
            {
                self.waiting -= 1;
                if turn.send(()).is_ok() {
                    runs.live += 1;
                    self.live += 1;
                    break;
                }
            }
            self.queue_up(&user, capacity);
        }
    }

    fn forget_if_idle(&mut self, user: &User) {
        if self.users.get(user).is_some_and(|runs| runs.live == 0 && runs.waiting.is_empty()) {
            self.users.remove(user);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.free(&self.user);
    }
}

/// A run that waits. One that is given up leaves the queue, or passes on the place that it just got.
struct Turn<'run> {
    turn: oneshot::Receiver<()>,
    places: &'run Places,
    user: &'run User,
    is_over: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.turn.close();
        if self.turn.try_recv().is_ok() { self.places.free(self.user) } else { self.places.leave(self.user) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::pin::Pin;

    use futures::FutureExt as _;

    use super::*;

    const CAPACITY: Capacity = Capacity { live_max: 2, waiting_max: 5, live_of_user_max: 2, waiting_of_user_max: 4 };

    type Taking = Pin<Box<dyn Future<Output = Result<Place, Full>>>>;

    fn user(name: &str) -> User {
        User::Named(name.into())
    }

    /// A run of a user that asks for a place now.
    fn asks(places: &Arc<Places>, name: &str) -> Taking {
        let (places, user) = (Arc::clone(places), user(name));
        let mut taking: Taking = Box::pin(async move { places.take(&user).await });
        // A future that has ended must not be asked again.
        match (&mut taking).now_or_never() {
            Some(taken) => Box::pin(std::future::ready(taken)),
            None => taking,
        }
    }

    /// Its place, if it has one by now.
    fn place_of(taking: &mut Taking) -> Option<Place> {
        taking.now_or_never().map(Result::unwrap)
    }

    #[test]
    fn users_take_turns() {
        let places = Places::new(CAPACITY);
        let mut running: Vec<_> = (0..2).filter_map(|_| place_of(&mut asks(&places, "a"))).collect();
        let mut waiting: Vec<_> = ["a", "a", "b", "b", "c"].map(|name| (name, asks(&places, name))).into();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            running.remove(0);
            let next = waiting.iter_mut().position(|(_, taking)| place_of(taking).map(|place| running.push(place)).is_some());
            order.push(waiting.remove(next.unwrap()).0);
        }
        // "a" had both places: its backlog comes after the first run of each other user.
        assert_eq!(order, ["b", "c", "a", "b", "a"]);
        running.clear();
        assert!(places.lock().users.is_empty() && places.live() == 0, "{places:?}");
    }

    #[test]
    fn a_user_has_no_more_places_than_its_own_even_where_some_are_free() {
        let places = Places::new(Capacity { live_of_user_max: 1, ..CAPACITY });
        let first = place_of(&mut asks(&places, "a"));
        let mut second = asks(&places, "a");
        assert!(place_of(&mut second).is_none());
        assert!(place_of(&mut asks(&places, "b")).is_some(), "the free place is another user's");
        drop(first);
        assert!(place_of(&mut second).is_some());
    }

    #[test]
    fn a_queue_has_an_end_for_one_user_and_for_all() {
        let places = Places::new(CAPACITY);
        let running: Vec<_> = (0..2).filter_map(|_| place_of(&mut asks(&places, "a"))).collect();
        let waiting: Vec<_> = (0..4).map(|_| asks(&places, "a")).collect();
        assert_eq!(asks(&places, "a").now_or_never().unwrap().unwrap_err(), Full(4));
        let last = asks(&places, "b");
        assert_eq!(asks(&places, "c").now_or_never().unwrap().unwrap_err(), Full(5));
        drop((waiting, last, running));
        assert!(places.lock().users.is_empty() && places.lock().waiting == 0, "{places:?}");
    }

    #[test]
    fn a_run_that_is_given_up_passes_its_turn_on() {
        let places = Places::new(CAPACITY);
        let mut running: Vec<_> = (0..2).filter_map(|_| place_of(&mut asks(&places, "a"))).collect();
        let (given_up, told_and_given_up, mut last) = (asks(&places, "b"), asks(&places, "c"), asks(&places, "d"));
        drop(given_up);
        running.pop(); // it is the turn of "c", which does not look
        drop(told_and_given_up);
        assert!(place_of(&mut last).is_some());
    }
}
