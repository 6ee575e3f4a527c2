//! What happens in a run, told to whoever listens, as it happens.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::outcome::{CallRecord, ConsoleLine};
use super::run_id::RunId;

/// What happens in a run, as it happens.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Event {
    /// The program said something.
    #[non_exhaustive]
    Console {
        /// In this run.
        run: RunId,
        /// What it said.
        line: ConsoleLine,
    },
    /// A tool call was made.
    #[non_exhaustive]
    Called {
        /// In this run; `None` for a call of a classic client.
        run: Option<RunId>,
        /// Its number in the run, or in the connection of the client: from 1.
        call: u32,
        /// Its path.
        path: String,
    },
    /// A tool call has ended, and its reply is checked: the record that the outcome has. One for each `Called`.
    Answered(CallRecord),
}

/// Who listens: to one run, and to all of its session. One that is slow misses events and delays nothing; the outcome has them all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listeners(Option<Arc<[mpsc::Sender<Event>]>>);

impl Listeners {
    pub(crate) fn of(senders: impl IntoIterator<Item = mpsc::Sender<Event>>) -> Self {
        let senders: Vec<_> = senders.into_iter().collect();
        Self((!senders.is_empty()).then(|| senders.into()))
    }

    /// Tells them all. The event is made only if there is one.
    pub(crate) fn tell(&self, event: impl FnOnce() -> Event) {
        let Some(senders) = &self.0 else { return };
        let event = event();
        for sender in &**senders {
            let _ = sender.try_send(event.clone());
        }
    }
}
