//! What a server did wrong on its line: for the message when the connection has failed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use isolet_bindings::visible;

use super::sent::Sent;

/// The most characters that are kept of what is no message.
const RUBBISH_CHARACTERS_MAX: usize = 200;

/// What one server did wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// What it was sent, and is not quoted with.
    sent: Arc<Sent>,
    rubbish: OnceLock<String>,
    oversized: AtomicBool,
    flooding: OnceLock<&'static str>,
}

impl Faults {
    /// Those of a server that was sent this.
    pub(super) fn of(sent: Arc<Sent>) -> Self {
        Self { sent, ..Self::default() }
    }

    /// What the server was sent.
    pub(super) fn sent(&self) -> &Sent {
        &self.sent
    }

    /// The beginning of `text`, as it is shown.
    pub(super) fn words(&self, text: &str) -> String {
        visible::line_within(self.sent.text(text).trim(), RUBBISH_CHARACTERS_MAX).into_owned()
    }

    /// The beginning of the first line that was no MCP message, as it is shown.
    pub(super) fn rubbish(&self) -> String {
        self.rubbish.get().cloned().unwrap_or_default()
    }

    /// Whether a line was too long.
    pub(super) fn is_oversized(&self) -> bool {
        self.oversized.load(Ordering::Relaxed)
    }

    /// What it was ended for sending too much of.
    pub(super) fn flooding(&self) -> Option<&'static str> {
        self.flooding.get().copied()
    }

    pub(super) fn note_rubbish(&self, text: &str) {
        self.rubbish.get_or_init(|| self.words(text));
    }

    pub(super) fn note_oversized(&self) {
        self.oversized.store(true, Ordering::Relaxed);
    }

    /// Whether that was not known before.
    pub(super) fn note_flooding(&self, what: &'static str) -> bool {
        self.flooding.set(what).is_ok()
    }
}
