//! The `id` of a request: whatever a client writes it gets back as it wrote it.

use std::hash::{Hash, Hasher};

use serde_json::value::RawValue;

use crate::envelope::{ID_BYTES_MAX, text_in};

/// An `id` of a client. Two that say the same text are equal, however it is escaped.
#[derive(Clone, Debug)]
pub struct ClientId {
    /// As the client wrote it.
    raw: Box<str>,
    /// The same for the same text, however it is escaped.
    key: Box<str>,
}

impl ClientId {
    /// What a client wrote, if a request can have it for an `id`: a number or a text, not beyond [`ID_BYTES_MAX`].
    #[must_use]
    pub fn of(json: &RawValue) -> Option<Self> {
        let raw = json.get();
        if raw.len() > ID_BYTES_MAX {
            return None;
        }
        let is_number = raw.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let key = match text_in(json) {
            Some(text) => format!("\"{text}"),
            None if is_number => raw.to_owned(),
            None => return None,
        };
        Some(Self { raw: raw.into(), key: key.into() })
    }

    /// As the client wrote it, JSON.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.raw
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        self.key.strip_prefix('"')
    }
}

impl PartialEq for ClientId {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for ClientId {}

impl Hash for ClientId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn id(json: &str) -> Option<ClientId> {
        ClientId::of(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn every_number_and_text_is_an_id_and_nothing_else_is() {
        for json in ["0", "-1", "1.5", "1e400", "1180591620717411303424", "\"\"", "\"a\\u0000\""] {
            assert_eq!(id(json).unwrap().as_json(), json);
        }
        for json in ["null", "true", "[1]", "{}"] {
            assert_eq!(id(json), None, "{json}");
        }
        assert!(id(&format!("\"{}\"", "x".repeat(ID_BYTES_MAX - 2))).is_some());
        assert!(id(&format!("\"{}\"", "x".repeat(ID_BYTES_MAX - 1))).is_none());
    }

    #[test]
    fn the_same_text_is_the_same_id_and_a_text_is_no_number() {
        assert_eq!(id("\"a\""), id("\"\\u0061\""));
        assert_ne!(id("\"1\""), id("1"));
        assert_eq!((id("\"1\"").unwrap().as_text(), id("1").unwrap().as_text()), (Some("1"), None));
    }
}
