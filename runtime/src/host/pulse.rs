//! Whether a run computes or waits, from the processor time of its process: looked at now and then, more seldom the longer nothing changes.

use std::time::{Duration, Instant};

/// How soon it is looked at again after a change, and how late at the most.
const LOOK_MIN: Duration = Duration::from_millis(20);
const LOOK_MAX: Duration = Duration::from_secs(1);

/// What was seen so far.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// When it was looked at last, and the processor time that it had then.
    seen: Option<(Instant, Duration)>,
    next: Duration,
    /// It computed for at least half of the time before the last look.
    computed: bool,
}

impl Pulse {
    /// Of a process that is looked at first so long after its start.
    pub(crate) fn first_after(first: Duration) -> Self {
        Self { seen: None, next: first, computed: false }
    }

    /// When to look again, from the last look on.
    pub(crate) fn next_look(&self) -> Duration {
        self.next
    }

    /// Whether it was seen to compute: then that it makes calls does not mean that it waits for them.
    pub(crate) fn computed(&self) -> bool {
        self.computed
    }

    /// Looks at a process that is there and has used so much. Whether it computes, if that can be told: of one that was not seen before it cannot.
    pub(crate) fn look(&mut self, now: Instant, used: Duration) -> Option<bool> {
        let Some((seen, used_then)) = self.seen.replace((now, used)) else {
            self.next = LOOK_MIN;
            return None;
        };
        let computes = used.saturating_sub(used_then) * 2 >= now.saturating_duration_since(seen);
        self.next = if computes == self.computed { (self.next * 2).min(LOOK_MAX) } else { LOOK_MIN };
        self.computed = computes;
        Some(computes)
    }

    /// Notes that it has something to do again: an answer.
    pub(crate) fn wake(&mut self) {
        self.next = LOOK_MIN;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_time_is_computing_and_less_is_waiting() {
        let start = Instant::now();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let mut pulse = Pulse::first_after(Duration::from_millis(5));
        assert_eq!(pulse.look(after(0), Duration::from_millis(5)), None);
        assert_eq!(pulse.look(after(20), Duration::from_millis(14)), Some(false));
        assert_eq!(pulse.look(after(40), Duration::from_millis(24)), Some(true));
        assert!(pulse.computed());
        assert_eq!(pulse.look(after(60), Duration::from_millis(25)), Some(false));
        assert!(!pulse.computed());
    }

    #[test]
    fn it_is_looked_at_more_seldom_while_nothing_changes() {
        let start = Instant::now();
        let mut pulse = Pulse::first_after(Duration::from_millis(5));
        let mut looks = Vec::new();
        for second in 0..=8 {
            looks.push(pulse.next_look().as_millis());
            pulse.look(start + Duration::from_secs(second), Duration::ZERO);
        }
        assert_eq!(looks, [5, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        pulse.wake();
        assert_eq!(pulse.next_look(), LOOK_MIN);
        pulse.look(start + Duration::from_secs(9), Duration::from_secs(1));
        assert_eq!(pulse.next_look(), LOOK_MIN, "it computes");
    }
}
