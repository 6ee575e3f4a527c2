//! A client's message, as far as it is looked into here: what it is, and what its header fields must agree with.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::message_refusal::MessageRefusal;

/// The longest `id`, bytes.
const ID_BYTES_MAX: usize = 256;

/// A message. Its parameters stay text.
#[derive(Deserialize)]
pub(super) struct Message<'text> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'text RawValue>,
    /// Also when it is `null`.
    #[serde(borrow, default, deserialize_with = "present")]
    pub(super) id: Option<&'text RawValue>,
    #[serde(default)]
    pub(super) method: Option<String>,
    #[serde(borrow, default)]
    params: Option<&'text RawValue>,
}

/// What is looked at of the parameters.
#[derive(Default, Deserialize)]
pub(super) struct Params<'text> {
    /// Of a tool, a prompt.
    #[serde(default)]
    pub(super) name: Option<String>,
    /// Of a resource.
    #[serde(default)]
    pub(super) uri: Option<String>,
    /// Of a call.
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'text RawValue>,
    /// Of a cancellation: which request.
    #[serde(borrow, default, rename = "requestId")]
    pub(super) request_id: Option<&'text RawValue>,
    #[serde(default, rename = "_meta")]
    meta: Option<Meta>,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default, rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<Value>,
    #[serde(default, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<Value>,
    #[serde(default, rename = "progressToken")]
    progress_token: Option<Value>,
}

/// What a message is.
pub(super) enum Kind<'text> {
    /// It has a method and an id: it is answered.
    Request(&'text RawValue),
    /// It has a method and no id.
    Notification,
    /// An answer to what its sender was asked.
    Answer,
}

impl<'text> Message<'text> {
    /// Reads a body.
    pub(super) fn read(text: &'text str) -> Result<Self, MessageRefusal> {
        if !text.trim_start().starts_with('{') {
            return Err(match serde_json::from_str::<serde::de::IgnoredAny>(text) {
                Ok(_) => MessageRefusal::no_message("a body is one message, a JSON object"),
                Err(error) => MessageRefusal::no_json(&error),
            });
        }
        serde_json::from_str(text).map_err(|error: serde_json::Error| {
            if error.is_data() {
                return MessageRefusal::no_message(format!("this is no message of JSON-RPC: {error}"));
            }
            MessageRefusal::no_json(&error)
        })
    }

    /// What it is.
    pub(super) fn kind(&self) -> Result<Kind<'text>, MessageRefusal> {
        match (&self.method, self.id) {
            (Some(_), Some(id)) if is_id(id) => Ok(Kind::Request(id)),
            (Some(_), Some(_)) => Err(MessageRefusal::no_message("an `id` is a number or a text, of at most 256 bytes")),
            (Some(_), None) => Ok(Kind::Notification),
            (None, _) => Ok(Kind::Answer),
        }
    }

    /// What is looked at of its parameters.
    pub(super) fn params(&self) -> Result<Params<'text>, MessageRefusal> {
        match self.params {
            Some(params) if params.get().starts_with('{') => {
                serde_json::from_str(params.get()).map_err(|error| MessageRefusal::wrong_params(&error).to(self.id))
            }
            // What they are instead, the line says.
            _ => Ok(Params::default()),
        }
    }

    /// As the line gets it: on one line, and numbered.
    pub(super) fn numbered(&self, number: u64) -> String {
        let jsonrpc = self.jsonrpc.map(|version| format!(r#""jsonrpc":{version},"#)).unwrap_or_default();
        let method = Value::from(self.method.as_deref().unwrap_or_default());
        let params = self.params.map(|params| format!(r#","params":{params}"#)).unwrap_or_default();
        // A line feed in JSON stands between its tokens, where a space means the same.
        format!(r#"{{{jsonrpc}"id":{number},"method":{method}{params}}}"#).replace(['\n', '\r'], " ")
    }
}

impl Params<'_> {
    /// The version that it says in its own parameters, as of 2026-07-28.
    pub(super) fn version(&self) -> Option<&str> {
        self.meta.as_ref()?.version.as_ref()?.as_str()
    }

    /// Whether all is there that each message says of its sender since 2026-07-28.
    pub(super) fn is_described(&self) -> bool {
        self.version().is_some()
            && self.meta.as_ref().is_some_and(|meta| meta.capabilities.as_ref().is_some_and(Value::is_object))
    }

    /// What its sender calls its progress.
    pub(super) fn progress_token(&self) -> Option<&Value> {
        self.meta.as_ref()?.progress_token.as_ref()
    }
}

fn is_id(id: &RawValue) -> bool {
    id.get().len() <= ID_BYTES_MAX && id.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// A member that is there, also when it is `null`.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[track_caller]
    fn check_refused(text: &str, code: i64) {
        let refused =
            Message::read(text).and_then(|message| message.kind().map(drop).and_then(|()| message.params().map(drop)));
        assert_eq!(refused.unwrap_err().as_json()["error"]["code"], code, "{text}");
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in ["", "{", "nonsense", "{\"id\": 1,}", "[1"] {
            check_refused(text, -32700);
        }
        for text in ["[]", "7", r#"[{"id": 1, "method": "ping"}]"#, r#"{"id": null, "method": "ping"}"#] {
            check_refused(text, -32600);
        }
        for text in [r#"{"id": {}, "method": "ping"}"#, r#"{"id": 1, "method": 7}"#, r#"{"id": 1, "id": 2, "method": "ping"}"#]
        {
            check_refused(text, -32600);
        }
        // Which of both would be meant?
        check_refused(r#"{"id": 1, "method": "tools/call", "params": {"name": "a", "name": "b"}}"#, -32602);
    }

    #[test]
    fn a_message_is_on_one_line_and_its_parameters_stay_as_they_are() {
        let text = "{\n\"jsonrpc\": \"2.0\",\n\"id\": \"\\u0041\", \"method\": \"tools/call\", \"params\": {\"n\":\n 1.00}}";
        let message = Message::read(text).unwrap();
        assert_eq!(message.numbered(7), r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"n":  1.00}}"#);
        assert!(matches!(message.kind(), Ok(Kind::Request(id)) if id.get() == "\"\\u0041\""));
        let bare = Message::read(r#"{"method": "a\"b"}"#).unwrap();
        assert!(matches!(bare.kind(), Ok(Kind::Notification)));
        assert_eq!(bare.numbered(1), r#"{"id":1,"method":"a\"b"}"#);
    }
}
