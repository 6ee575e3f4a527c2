//! What a session says that answers nothing: that a resource has changed, or what there is. It goes out over the streams that its client has opened for that
//! (GET, before 2026-07-28), each message over one of them; what is said while there is none waits for the next, each message once.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

/// Messages that wait for a stream; of more the oldest are forgotten.
const WAITING_MAX: usize = 128;

/// Streams of one session; one more ends the oldest.
const STREAMS_MAX: usize = 4;

/// What is said, and who hears it.
#[derive(Default)]
pub(super) struct Unasked(Mutex<State>);

#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    /// The newest last.
    streams: Vec<mpsc::Sender<String>>,
    is_ended: bool,
}

impl Unasked {
    /// Says `message` over the newest stream that takes it.
    pub(super) fn say(&self, message: &str) {
        let mut state = self.state();
        state.streams.retain(|stream| !stream.is_closed());
        let is_said = state.streams.iter().rev().any(|stream| stream.try_send(message.to_owned()).is_ok());
        if is_said || state.is_ended || state.waiting.iter().any(|waiting| waiting == message) {
            return;
        }
        if state.waiting.len() >= WAITING_MAX {
            state.waiting.pop_front();
        }
        state.waiting.push_back(message.to_owned());
    }

    /// Hears what is said from now on, and what has waited. Ends with the session.
    pub(super) fn hear(&self) -> mpsc::Receiver<String> {
        let (sender, messages) = mpsc::channel(2 * WAITING_MAX);
        let mut state = self.state();
        state.streams.retain(|stream| !stream.is_closed());
        for message in state.waiting.drain(..) {
            // There is room for all.
            let _ = sender.try_send(message);
        }
        if !state.is_ended {
            if state.streams.len() >= STREAMS_MAX {
                state.streams.remove(0);
            }
            state.streams.push(sender);
        }
        messages
    }

    /// Whether anybody hears.
    pub(super) fn is_heard(&self) -> bool {
        self.state().streams.iter().any(|stream| !stream.is_closed())
    }

    /// Nothing is said any more.
    pub(super) fn end(&self) {
        let mut state = self.state();
        state.is_ended = true;
        state.streams.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_message_goes_over_one_stream_and_waits_once_where_there_is_none() {
        let unasked = Unasked::default();
        for message in ["a", "b", "a"] {
            unasked.say(message);
        }
        let mut first = unasked.hear();
        assert_eq!((first.try_recv().as_deref(), first.try_recv().as_deref()), (Ok("a"), Ok("b")));
        assert!(first.try_recv().is_err() && unasked.is_heard());
        let mut second = unasked.hear();
        unasked.say("c");
        assert!(first.try_recv().is_err() && second.try_recv().as_deref() == Ok("c"));
        drop(second);
        unasked.say("d");
        assert_eq!(first.try_recv().as_deref(), Ok("d"));
        let others: Vec<_> = (0..STREAMS_MAX).map(|_| unasked.hear()).collect();
        assert!(first.is_closed() && others.iter().all(|stream| !stream.is_closed()), "the oldest has ended");
        unasked.end();
        assert!(others.iter().all(mpsc::Receiver::is_closed) && unasked.hear().is_closed() && !unasked.is_heard());
    }

    #[test]
    fn no_more_wait_than_there_may_be() {
        let unasked = Unasked::default();
        (0..2 * WAITING_MAX).for_each(|number| unasked.say(&number.to_string()));
        let mut stream = unasked.hear();
        assert_eq!((stream.len(), stream.try_recv()), (WAITING_MAX, Ok(WAITING_MAX.to_string())));
    }
}
