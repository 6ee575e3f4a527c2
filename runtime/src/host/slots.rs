//! Slots for live runs, and the queue for them, which is fair between users.
//!
//! The waiting runs of one user stand behind each other, and users take turns. Whatever backlog one user has, the first run of
//! another one gets the next free slot but for one of each user that waits already (SECURITY.md S-52).
//!
//! Runs that wait for a tool take memory, of which there is much; those that compute take a core, of which there are few. So a user's runs are
//! let in while fewer of that user's compute than its part of [`Capacity::computing_max`], which users that are here share; one may always.
//! Nobody waits for another user's computing.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
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

/// How many runs may live, compute and wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) live_max: usize,
    pub(crate) waiting_max: usize,
    pub(crate) live_of_user_max: usize,
    pub(crate) waiting_of_user_max: usize,
    /// Of all users together, if each has some that do.
    pub(crate) computing_max: usize,
}

/// The slots of a runtime.
#[derive(Debug)]
pub(crate) struct Slots {
    capacity: Capacity,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    live: usize,
    waiting: usize,
    users: HashMap<User, Runs>,
    /// Users that have runs which compute, or wait for a slot.
    busy_users: usize,
    /// Users that wait for a slot, in the order of their turns.
    turns: VecDeque<User>,
}

/// The runs of one user.
#[derive(Debug, Default)]
struct Runs {
    live: usize,
    /// Of those.
    computing: usize,
    waiting: VecDeque<oneshot::Sender<()>>,
}

/// A slot: free again when it is dropped. A run that has it computes, until it is said that it waits.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    user: User,
    computes: AtomicBool,
}

/// Too many runs wait; how many.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full(pub(crate) usize);

impl Slots {
    pub(crate) fn new(capacity: Capacity) -> Arc<Self> {
        Arc::new(Self { capacity, state: Mutex::default() })
    }

    // Nothing panics under this lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs that have a slot.
    pub(crate) fn live(&self) -> usize {
        self.lock().live
    }

    /// A slot for a run of `user`, now or when it is that user's turn.
    pub(crate) async fn take(self: &Arc<Self>, user: &User) -> Result<Slot, Full> {
        let turn = {
            let mut state = self.lock();
            // Where this user may have a slot, no run of this user waits for one, nor does any other that may have it.
            if state.may_begin(user, self.capacity) {
                state.begin(user);
                return Ok(self.slot(user));
            }
            let of_user = state.users.get(user).map_or(0, |runs| runs.waiting.len());
            if of_user >= self.capacity.waiting_of_user_max || state.waiting >= self.capacity.waiting_max {
                return Err(Full(state.waiting));
            }
            state.wait(user)
        };
        let mut turn = Turn { turn, slots: self, user, is_over: false };
        // The sender is kept until it is this run's turn.
        (&mut turn.turn).await.map_err(|_| Full(0))?;
        turn.is_over = true;
        Ok(self.slot(user))
    }

    fn slot(self: &Arc<Self>, user: &User) -> Slot {
        Slot { slots: Arc::clone(self), user: user.clone(), computes: AtomicBool::new(true) }
    }

    fn free(&self, user: &User, computed: bool) {
        let mut state = self.lock();
        state.end_turn(user, self.capacity);
        state.live -= 1;
        state.change(user, |runs| {
            runs.live -= 1;
            runs.computing -= usize::from(computed);
        });
        state.hand_out(self.capacity);
    }

    /// Takes the runs of `user` that were given up out of the queue.
    fn leave(&self, user: &User) {
        let mut state = self.lock();
        let mut left = 0;
        state.change(user, |runs| {
            left = runs.waiting.len();
            runs.waiting.retain(|turn| !turn.is_closed());
            left -= runs.waiting.len();
        });
        state.waiting -= left;
        state.hand_out(self.capacity);
    }
}

impl State {
    /// Changes the runs of a user, who is known while there are any.
    fn change(&mut self, user: &User, change: impl FnOnce(&mut Runs)) {
        let runs = self.users.entry(user.clone()).or_default();
        let was_busy = runs.is_busy();
        change(runs);
        let (is_busy, is_idle) = (runs.is_busy(), runs.live == 0 && runs.waiting.is_empty());
        self.busy_users = (self.busy_users + usize::from(is_busy)) - usize::from(was_busy);
        if is_idle {
            self.users.remove(user);
        }
    }

    /// Whether a run of `user` may have a slot now.
    fn may_begin(&self, user: &User, capacity: Capacity) -> bool {
        self.live < capacity.live_max && self.has_less_than_its_part(user, capacity)
    }

    /// Whether `user` has fewer runs than its own part.
    fn has_less_than_its_part(&self, user: &User, capacity: Capacity) -> bool {
        let Some(runs) = self.users.get(user) else { return capacity.live_of_user_max > 0 };
        let sharing = self.busy_users.max(1);
        runs.live < capacity.live_of_user_max && (runs.computing == 0 || runs.computing < capacity.computing_max / sharing)
    }

    /// A user that had all of its part and is about to have less comes after those who wait and have not.
    fn end_turn(&mut self, user: &User, capacity: Capacity) {
        if !self.has_less_than_its_part(user, capacity)
            && let Some(position) = self.turns.iter().position(|waiting| waiting == user)
        {
            self.turns.remove(position);
            self.turns.push_back(user.clone());
        }
    }

    /// Gives a run of `user` a slot.
    fn begin(&mut self, user: &User) {
        self.live += 1;
        self.change(user, |runs| {
            runs.live += 1;
            runs.computing += 1;
        });
    }

    /// Appends a run of `user` to the queue.
    fn wait(&mut self, user: &User) -> oneshot::Receiver<()> {
        let (sender, turn) = oneshot::channel();
        self.waiting += 1;
        self.change(user, |runs| runs.waiting.push_back(sender));
        if !self.turns.contains(user) {
            self.turns.push_back(user.clone());
        }
        turn
    }

    /// Gives the free slots to those whose turn it is.
    fn hand_out(&mut self, capacity: Capacity) {
        let waits = |users: &HashMap<User, Runs>, user: &User| users.get(user).is_some_and(|runs| !runs.waiting.is_empty());
        self.turns.retain(|user| waits(&self.users, user));
        while let Some(next) = self.turns.iter().position(|user| self.may_begin(user, capacity)) {
            let Some(user) = self.turns.remove(next) else { return };
            self.admit(&user);
            if waits(&self.users, &user) {
                self.turns.push_back(user);
            }
        }
    }

    /// Gives a slot to the first run of `user` that still waits.
    fn admit(&mut self, user: &User) {
        let (mut left, mut begins) = (0, false);
        self.change(user, |runs| {
            while let Some(turn) = runs.waiting.pop_front() {
                left += 1;
                if turn.send(()).is_ok() {
                    begins = true;
                    break;
                }
            }
            runs.live += usize::from(begins);
            runs.computing += usize::from(begins);
        });
        self.waiting -= left;
        self.live += usize::from(begins);
    }
}

impl Runs {
    fn is_busy(&self) -> bool {
        self.computing > 0 || !self.waiting.is_empty()
    }
}

impl Slot {
    /// Notes whether its run computes, or waits for a tool or for time to pass. One that computes again does not wait for others.
    pub(crate) fn set_computes(&self, computes: bool) {
        if self.computes.swap(computes, Ordering::Relaxed) == computes {
            return;
        }
        let mut state = self.slots.lock();
        if !computes {
            state.end_turn(&self.user, self.slots.capacity);
        }
        state.change(&self.user, |runs| {
            runs.computing = if computes { runs.computing + 1 } else { runs.computing - 1 };
        });
        if !computes {
            state.hand_out(self.slots.capacity);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.free(&self.user, *self.computes.get_mut());
    }
}

/// A run that waits. One that is given up leaves the queue, or passes on the slot that it just got.
struct Turn<'run> {
    turn: oneshot::Receiver<()>,
    slots: &'run Slots,
    user: &'run User,
    is_over: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.turn.close();
        if self.turn.try_recv().is_ok() { self.slots.free(self.user, true) } else { self.slots.leave(self.user) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::pin::Pin;

    use futures::FutureExt as _;

    use super::*;

    const CAPACITY: Capacity =
        Capacity { live_max: 2, waiting_max: 5, live_of_user_max: 2, waiting_of_user_max: 4, computing_max: 100 };
    const CORES: Capacity =
        Capacity { live_max: 100, waiting_max: 100, live_of_user_max: 100, waiting_of_user_max: 100, computing_max: 4 };

    type Taking = Pin<Box<dyn Future<Output = Result<Slot, Full>>>>;

    fn user(name: &str) -> User {
        User::Named(name.into())
    }

    /// A run of a user that asks for a slot now.
    fn asks(slots: &Arc<Slots>, name: &str) -> Taking {
        let (slots, user) = (Arc::clone(slots), user(name));
        let mut taking: Taking = Box::pin(async move { slots.take(&user).await });
        // A future that has ended must not be asked again.
        match (&mut taking).now_or_never() {
            Some(taken) => Box::pin(std::future::ready(taken)),
            None => taking,
        }
    }

    /// Its slot, if it has one by now.
    fn slot_of(taking: &mut Taking) -> Option<Slot> {
        taking.now_or_never().map(Result::unwrap)
    }

    #[test]
    fn users_take_turns() {
        let slots = Slots::new(CAPACITY);
        let mut running: Vec<_> = (0..2).filter_map(|_| slot_of(&mut asks(&slots, "a"))).collect();
        let mut waiting: Vec<_> = ["a", "a", "b", "b", "c"].map(|name| (name, asks(&slots, name))).into();
        let mut order = Vec::new();
        while !waiting.is_empty() {
            running.remove(0);
            let next = waiting.iter_mut().position(|(_, taking)| slot_of(taking).map(|slot| running.push(slot)).is_some());
            order.push(waiting.remove(next.unwrap()).0);
        }
        // "a" had both slots: its backlog comes after the first run of each other user.
        assert_eq!(order, ["b", "c", "a", "b", "a"]);
        running.clear();
        assert!(slots.lock().users.is_empty() && slots.live() == 0, "{slots:?}");
    }

    #[test]
    fn a_user_has_no_more_places_than_its_own_even_where_some_are_free() {
        let slots = Slots::new(Capacity { live_of_user_max: 1, ..CAPACITY });
        let first = slot_of(&mut asks(&slots, "a"));
        let mut second = asks(&slots, "a");
        assert!(slot_of(&mut second).is_none());
        assert!(slot_of(&mut asks(&slots, "b")).is_some(), "the free slot is another user's");
        drop(first);
        assert!(slot_of(&mut second).is_some());
    }

    #[test]
    fn a_queue_has_an_end_for_one_user_and_for_all() {
        let slots = Slots::new(CAPACITY);
        let running: Vec<_> = (0..2).filter_map(|_| slot_of(&mut asks(&slots, "a"))).collect();
        let waiting: Vec<_> = (0..4).map(|_| asks(&slots, "a")).collect();
        assert_eq!(asks(&slots, "a").now_or_never().unwrap().unwrap_err(), Full(4));
        let last = asks(&slots, "b");
        assert_eq!(asks(&slots, "c").now_or_never().unwrap().unwrap_err(), Full(5));
        drop((waiting, last, running));
        assert!(slots.lock().users.is_empty() && slots.lock().waiting == 0, "{slots:?}");
    }

    #[test]
    fn a_run_that_is_given_up_passes_its_turn_on() {
        let slots = Slots::new(CAPACITY);
        let mut running: Vec<_> = (0..2).filter_map(|_| slot_of(&mut asks(&slots, "a"))).collect();
        let (given_up, told_and_given_up, mut last) = (asks(&slots, "b"), asks(&slots, "c"), asks(&slots, "d"));
        drop(given_up);
        running.pop(); // it is the turn of "c", which does not look
        drop(told_and_given_up);
        assert!(slot_of(&mut last).is_some());
    }

    /// Asks for so many slots for `name`; those that it gets.
    fn slots_of(slots: &Arc<Slots>, name: &str, asked: usize) -> (Vec<Slot>, Vec<Taking>) {
        let (mut got, mut waiting) = (Vec::new(), Vec::new());
        for _ in 0..asked {
            let mut taking = asks(slots, name);
            match slot_of(&mut taking) {
                Some(slot) => got.push(slot),
                None => waiting.push(taking),
            }
        }
        (got, waiting)
    }

    #[test]
    fn runs_that_compute_are_let_in_by_cores_and_those_that_wait_are_not_counted() {
        let slots = Slots::new(CORES);
        let (computing, mut waiting) = slots_of(&slots, "a", 6);
        assert_eq!((computing.len(), waiting.len()), (4, 2));
        computing[0].set_computes(false);
        let next = slot_of(&mut waiting[0]);
        assert!(next.is_some() && slot_of(&mut waiting[1]).is_none());
        computing[0].set_computes(true);
        computing[1].set_computes(false);
        assert!(slot_of(&mut waiting[1]).is_none(), "the first computes again: four do");
        computing[2].set_computes(false);
        assert!(slot_of(&mut waiting[1]).is_some());
        drop((computing, next, waiting));
        assert!(slots.lock().users.is_empty() && slots.lock().busy_users == 0, "{slots:?}");
    }

    #[test]
    fn nobody_waits_for_another_users_computing_and_users_share_the_cores() {
        let slots = Slots::new(CORES);
        let (first, mut waiting) = slots_of(&slots, "a", 8);
        assert_eq!(first.len(), 4);
        let (second, _waiting) = slots_of(&slots, "b", 4);
        assert_eq!(second.len(), 2, "half of them, though none is free");
        let many: Vec<_> = ["c", "d", "e", "f"].iter().flat_map(|name| slots_of(&slots, name, 2).0).collect();
        assert_eq!(many.len(), 4, "one for each");
        drop(many);
        let mut first = first.into_iter();
        drop((first.next(), first.next()));
        assert!(waiting.iter_mut().all(|taking| slot_of(taking).is_none()), "the first has its half");
        drop(first.next());
        let next: Vec<_> = waiting.iter_mut().filter_map(slot_of).collect();
        assert_eq!(next.len(), 1);
    }

    #[test]
    fn what_is_left_of_a_users_part_is_given_to_those_who_wait() {
        let slots = Slots::new(CORES);
        let (other, _) = slots_of(&slots, "b", 1);
        let (first, mut waiting) = slots_of(&slots, "a", 3);
        assert_eq!((first.len(), waiting.len()), (2, 1));
        other[0].set_computes(false);
        assert!(slot_of(&mut waiting[0]).is_some(), "the other has gone to wait: all cores are the first one's");
    }
}
