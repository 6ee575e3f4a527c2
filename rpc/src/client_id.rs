//! The `id` of a request: whatever a client writes it gets back as it wrote it.

use std::hash::{Hash, Hasher};

use serde_json::Value;
use serde_json::value::RawValue;

use crate::envelope::{ID_BYTES_MAX, text_in};

/// The member of `_meta` by which MCP says to which subscription a message or a result belongs: with the `id` of the request that began it.
pub const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// The member of `_meta` by which a question to a client says for which of its requests it is asked.
pub const ASKED_FOR: &str = "io.isolet/request";

/// The `id` of the request to which a message or a result says that it belongs, to be read and to be replaced by the client's own.
pub fn id_of_request_in(message: &mut Value) -> Option<&mut Value> {
    let meta = if message.get("params").is_some() { "/params/_meta" } else { "/_meta" };
    let meta = message.pointer_mut(meta)?.as_object_mut()?;
    let member = if meta.contains_key(SUBSCRIPTION) { SUBSCRIPTION } else { ASKED_FOR };
    meta.get_mut(member)
}

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

    use serde_json::json;

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
    fn what_belongs_to_a_request_is_seen_by_its_meta() {
        for member in [SUBSCRIPTION, ASKED_FOR] {
            let mut result = json!({ "_meta": { member: 7, "other": 1 } });
            let mut message = json!({ "method": "m", "params": { "_meta": { member: 7 } }, "_meta": { member: 8 } });
            for said in [&mut result, &mut message] {
                assert_eq!(id_of_request_in(said), Some(&mut json!(7)), "{member}");
            }
        }
        for mut other in [json!({}), json!({ "params": {}, "_meta": { ASKED_FOR: 7 } }), json!({ "_meta": [7] }), json!(7)] {
            assert_eq!(id_of_request_in(&mut other), None);
        }
    }

    #[test]
    fn the_same_text_is_the_same_id_and_a_text_is_no_number() {
        assert_eq!(id("\"a\""), id("\"\\u0061\""));
        assert_ne!(id("\"1\""), id("1"));
        assert_eq!((id("\"1\"").unwrap().as_text(), id("1").unwrap().as_text()), (Some("1"), None));
    }
}
