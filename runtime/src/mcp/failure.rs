//! How a server failed last, and how long it is left alone for that.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::UpstreamError;

/// The first time for which a server that fails to start is left alone.
const RETRY_MIN: Duration = Duration::from_secs(1);

/// The longest such time.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// A failure of one server.
pub(super) struct Failure {
    error: Arc<UpstreamError>,
    /// How long it is left alone, counted from `since`.
    pause: Duration,
    since: Instant,
}

impl Failure {
    /// The failure `error` after `last`: the server is left alone twice as long as the last time, if that was not long ago. Not at all where a user
    /// or a credential can mend it at any time.
    pub(super) fn after(last: Option<&Self>, error: &Arc<UpstreamError>) -> Self {
        let last = last.filter(|last| last.since.elapsed() < last.pause + RETRY_MAX);
        let pause = last.map_or(RETRY_MIN, |last| (last.pause * 2).clamp(RETRY_MIN, RETRY_MAX));
        let pause = if error.costs_a_pause() { pause } else { Duration::ZERO };
        Self { error: Arc::clone(error), pause, since: Instant::now() }
    }

    /// What went wrong.
    pub(super) fn error(&self) -> &Arc<UpstreamError> {
        &self.error
    }

    /// Whether the server is still left alone.
    pub(super) fn lasts(&self) -> bool {
        self.since.elapsed() < self.pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_fails_again_is_left_alone_for_longer() {
        let error = Arc::new(UpstreamError::NotInitialised);
        let mut last: Option<Failure> = None;
        let mut pause = || {
            last = Some(Failure::after(last.as_ref(), &error));
            last.as_ref().map(|failure| failure.pause.as_secs())
        };
        assert_eq!([pause(), pause(), pause()], [Some(1), Some(2), Some(4)]);
    }
}
