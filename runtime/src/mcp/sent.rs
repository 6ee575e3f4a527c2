//! The credentials that went out to one server, and do not come back: not in a result, a list or an error, nor in what is quoted of it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use isolet_outbound::{Scrubber, Secret};
use serde_json::Value;
use serde_json::value::RawValue;

use super::credential_source::Credentials;

/// Credentials that are remembered when others have taken their place: an answer may be late.
const FORMER_MAX: usize = 4;

/// What one server was sent.
#[derive(Default)]
pub(super) struct Sent {
    /// What it is always sent.
    fixed: Vec<Secret>,
    changing: Mutex<Changing>,
}

#[derive(Default)]
struct Changing {
    /// The last one first.
    credentials: VecDeque<Credentials>,
    scrubber: Scrubber,
}

impl Sent {
    /// A server that is always sent `fixed`.
    pub(super) fn of(fixed: Vec<Secret>) -> Arc<Self> {
        let changing = Changing { credentials: VecDeque::new(), scrubber: Scrubber::of(fixed.iter().cloned()) };
        Arc::new(Self { fixed, changing: Mutex::new(changing) })
    }

    /// Notes what goes out now.
    pub(super) fn note(&self, credentials: &Credentials) {
        let mut changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        if credentials.is_empty() || changing.credentials.contains(credentials) {
            return;
        }
        changing.credentials.push_front(credentials.clone());
        changing.credentials.truncate(FORMER_MAX);
        let secrets: Vec<Secret> = changing.credentials.iter().flat_map(Credentials::secrets).collect();
        changing.scrubber = Scrubber::of(self.fixed.iter().cloned().chain(secrets));
    }

    /// `text` without them.
    pub(super) fn text(&self, text: &str) -> String {
        self.scrubber().text(text).into_owned()
    }

    /// JSON without them.
    pub(super) fn json<'text>(&self, json: &'text RawValue) -> Cow<'text, RawValue> {
        match self.scrubber().json(json.get()) {
            Cow::Borrowed(_) => Cow::Borrowed(json),
            // What cannot be cleaned is not let in.
            Cow::Owned(clean) => RawValue::from_string(clean).map_or(Cow::Borrowed(RawValue::NULL), Cow::Owned),
        }
    }

    /// Takes them out of a value.
    pub(super) fn clean(&self, value: &mut Value) {
        self.scrubber().value(value);
    }

    fn scrubber(&self) -> Scrubber {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner).scrubber.clone()
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sent")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn what_was_sent_lately_is_known_as_well_as_what_is_sent_now() {
        let secret = |text: &str| Secret::new(text).unwrap();
        let sent = Sent::of(vec![secret("fixed-canary")]);
        for n in 0..=FORMER_MAX {
            sent.note(&Credentials::bearer(&secret(&format!("canary-number-{n}"))));
        }
        let said = sent.text("fixed-canary canary-number-0 canary-number-1 Bearer canary-number-4");
        assert_eq!(said, "[configured value] canary-number-0 [configured value] [configured value]");
        let json = RawValue::from_string(r#"{"a":"canary-number-\u0033"}"#.to_owned()).unwrap();
        assert_eq!(sent.json(&json).get(), r#"{"a":"[configured value]"}"#);
        assert_eq!(sent.changing.lock().unwrap().credentials.len(), FORMER_MAX);
    }
}
