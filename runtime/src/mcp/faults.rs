//! What a server did wrong on its line: for the message when the connection has failed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use isolet_bindings::visible;

/// The most characters that are kept of a line that is no message.
const RUBBISH_CHARACTERS_MAX: usize = 200;

/// What one server did wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    rubbish: OnceLock<String>,
    oversized: AtomicBool,
    flooding: OnceLock<&'static str>,
}

impl Faults {
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
        self.rubbish.get_or_init(|| visible::line_within(text, RUBBISH_CHARACTERS_MAX).into_owned());
    }

    pub(super) fn note_oversized(&self) {
        self.oversized.store(true, Ordering::Relaxed);
    }

    /// Whether that was not known before.
    pub(super) fn note_flooding(&self, what: &'static str) -> bool {
        self.flooding.set(what).is_ok()
    }
}
