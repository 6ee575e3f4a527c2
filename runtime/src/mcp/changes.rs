//! How soon a server is asked again that says that its tools have changed.

use std::time::{Duration, Instant};

/// Servers announce changes of their tools in bursts: how long the burst is waited for, at first. It doubles with every burst that follows the
/// last one soon, up to [`PAUSE_MAX`]: a server that always changes is asked once a minute.
const CHANGE_PAUSE: Duration = Duration::from_secs(1);

/// How many pauses of quiet make the next burst a first one again.
const QUIET_PAUSES: u32 = 10;

/// The longest wait before a server is asked again.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// When a server announced changes.
#[derive(Default)]
pub(super) struct Changes {
    last: Option<(Instant, Duration)>,
}

impl Changes {
    /// How long is waited for more, after one was announced now.
    pub(super) fn pause(&mut self) -> Duration {
        let soon_after = self.last.filter(|(at, pause)| at.elapsed() < *pause * QUIET_PAUSES);
        let pause = soon_after.map_or(CHANGE_PAUSE, |(_, pause)| (pause * 2).min(PAUSE_MAX));
        self.last = Some((Instant::now(), pause));
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_always_changes_is_asked_for_less_and_less_often() {
        let mut changes = Changes::default();
        let pauses: Vec<u64> = (0..8).map(|_| changes.pause().as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        changes.last = Some((Instant::now() - Duration::from_secs(601), Duration::from_secs(60)));
        assert_eq!(changes.pause(), CHANGE_PAUSE);
    }
}
