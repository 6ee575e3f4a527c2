//! How much of what nobody asked for is taken from a server: a flood costs the server its speed or its connection, and us next to nothing.
//!
//! Lines that answer no request of ours (notifications, noise, answers to nothing) are read no faster than [`UNASKED_PER_SECOND`]: a server that
//! writes more waits in its own `write`. Requests of a server are few by nature, so beyond their rate the connection is ended.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use governor::clock::Clock as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

/// Bytes of a line that count as one line.
const LINE_BYTES: usize = 4096;

/// Lines a second that nobody asked for, and how many may come at once.
const UNASKED_PER_SECOND: NonZeroU32 = NonZeroU32::new(2000).expect("not zero");
const UNASKED_AT_ONCE: NonZeroU32 = NonZeroU32::new(20_000).expect("not zero");

/// Requests a second of a server, and how many may come at once.
const REQUESTS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).expect("not zero");
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(1000).expect("not zero");

/// What of one server is let in.
pub(super) struct FloodGate {
    unasked: DefaultDirectRateLimiter,
    requests: DefaultDirectRateLimiter,
    /// Nothing is read before this.
    closed_until: Option<Instant>,
}

impl FloodGate {
    pub(super) fn new() -> Self {
        let limiter = |per_second, at_once| RateLimiter::direct(Quota::per_second(per_second).allow_burst(at_once));
        Self {
            unasked: limiter(UNASKED_PER_SECOND, UNASKED_AT_ONCE),
            requests: limiter(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE),
            closed_until: None,
        }
    }

    /// Notes a line of so many bytes that nobody asked for.
    pub(super) fn note_unasked(&mut self, bytes: usize) {
        let lines = u32::try_from(1 + bytes / LINE_BYTES).unwrap_or(u32::MAX).min(UNASKED_AT_ONCE.get());
        let lines = NonZeroU32::new(lines).unwrap_or(NonZeroU32::MIN);
        if let Ok(Err(too_early)) = self.unasked.check_n(lines) {
            let pause = too_early.wait_time_from(self.unasked.clock().now());
            self.closed_until = Some(Instant::now() + pause.max(Duration::from_millis(1)));
        }
    }

    /// Notes a request of the server: whether it is within their rate.
    pub(super) fn admits_request(&self) -> bool {
        self.requests.check().is_ok()
    }

    /// Waits until more may be read. Called again after it was dropped, it waits for the same time.
    pub(super) async fn opened(&mut self) {
        if let Some(until) = self.closed_until {
            tokio::time::sleep_until(until.into()).await;
            self.closed_until = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_flood_waits_and_a_burst_does_not() {
        let mut gate = FloodGate::new();
        for _ in 0..UNASKED_AT_ONCE.get() {
            gate.note_unasked(100);
        }
        assert_eq!(gate.closed_until, None);
        // The time that the loop took let some more in.
        while gate.closed_until.is_none() {
            gate.note_unasked(100);
        }
        gate.opened().await;
        assert_eq!(gate.closed_until, None);
    }

    #[test]
    fn a_long_line_counts_as_many() {
        let mut gate = FloodGate::new();
        let long = LINE_BYTES * 1000;
        let count = (0..1000)
            .take_while(|_| {
                gate.note_unasked(long);
                gate.closed_until.is_none()
            })
            .count();
        assert!((15..=25).contains(&count), "{count} lines of {long} bytes at once");
        gate.closed_until = None;
        gate.note_unasked(usize::MAX);
        assert!(gate.closed_until.is_some(), "a line that is longer than all that may come at once");
    }

    #[test]
    fn requests_beyond_their_rate_are_refused() {
        let gate = FloodGate::new();
        let count = (0..5000).take_while(|_| gate.admits_request()).count();
        assert!((1000..2000).contains(&count), "{count}");
    }
}
