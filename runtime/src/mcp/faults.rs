//! What a server did wrong on its line: for the message when the connection has failed.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use isolet_bindings::visible;

/// The most characters that are kept of what is no message.
const RUBBISH_CHARACTERS_MAX: usize = 200;

/// The shortest value that is taken out of what is quoted: shorter ones are words.
const SECRET_BYTES_MIN: usize = 4;

/// What one server did wrong so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// What goes out to the server and is not quoted.
    secrets: Secrets,
    rubbish: OnceLock<String>,
    oversized: AtomicBool,
    flooding: OnceLock<&'static str>,
}

/// Texts that are not shown.
#[derive(Default)]
struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Faults {
    /// Those of a server that may say what it was sent: these values of header fields are not quoted.
    pub(super) fn hiding<'a>(values: impl Iterator<Item = &'a String>) -> Self {
        let mut secrets: Vec<String> = values.flat_map(|value| secrets_in(value)).collect();
        // A value before what is a part of it.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { secrets: Secrets(secrets), ..Self::default() }
    }

    /// `text` without what is not quoted.
    pub(super) fn scrub(&self, text: &str) -> String {
        self.secrets.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "[configured value]"))
    }

    /// The beginning of `text`, as it is shown.
    pub(super) fn words(&self, text: &str) -> String {
        visible::line_within(self.scrub(text).trim(), RUBBISH_CHARACTERS_MAX).into_owned()
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

/// A value, and what stands after its scheme (`Bearer ...`).
fn secrets_in(value: &str) -> Vec<String> {
    let after_scheme = value.split_once(' ').map(|(_, rest)| rest.trim());
    let parts = [Some(value.trim()), after_scheme].into_iter().flatten();
    parts.filter(|part| part.len() >= SECRET_BYTES_MIN).map(str::to_owned).collect()
}
