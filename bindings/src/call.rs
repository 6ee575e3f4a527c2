//! The values that cross between the runtime and whoever hosts the tools: a call, its reply, its error.
//!
//! A call names a tool by what its server calls it, because the host resolved it already. A reply carries JSON text, never a tree:
//! it goes into the isolate as it came, parsed once, there.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

/// One call of one tool, resolved in the scope of its run, validated, with the pinned arguments added.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct ToolCall {
    /// The server's id, as the catalog was loaded with.
    pub server: String,
    /// The tool's name, as its server calls it.
    pub tool: String,
    /// What the guest wrote: `github.create_issue`. For records and messages; nothing is authorised by it.
    pub path: String,
    /// The arguments: what was validated is what is sent.
    pub arguments: Map<String, Value>,
    /// The call's number within its run, from the guest; it tells calls apart in records.
    pub id: u32,
}

impl ToolCall {
    /// A call of `tool` at `server`, which the guest wrote as `path`.
    #[must_use]
    pub fn new(
        server: impl Into<String>,
        tool: impl Into<String>,
        path: impl Into<String>,
        arguments: Map<String, Value>,
        id: u32,
    ) -> Self {
        Self { server: server.into(), tool: tool.into(), path: path.into(), arguments, id }
    }
}

/// What a tool answered, as JSON text: the value that a program gets, and where there is more than that, the whole MCP result.
#[derive(Clone, Debug)]
pub struct ToolReply {
    value: Box<RawValue>,
    result: Option<Box<str>>,
}

impl ToolReply {
    /// The reply whose value is `value`.
    ///
    /// # Errors
    ///
    /// When `value` cannot be JSON: a map with keys that are no strings, or a `Serialize` that fails.
    pub fn json<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        to_raw_value(value).map(Self::raw)
    }

    /// The reply whose value is the string `text`.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::from(Value::String(text.into()))
    }

    /// The reply with this JSON text, which is not parsed again.
    #[must_use]
    pub fn raw(json: Box<RawValue>) -> Self {
        Self { value: json, result: None }
    }

    /// The same reply with the `tools/call` result that it was taken from, JSON text. A classic MCP client gets that instead of the
    /// value: with every content block, `structuredContent` and `_meta`.
    #[must_use]
    pub fn with_result(mut self, json: impl Into<Box<str>>) -> Self {
        self.result = Some(json.into());
        self
    }

    /// The JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.value.get()
    }

    /// The `tools/call` result that the value was taken from, JSON text, where there is one.
    #[must_use]
    pub fn result(&self) -> Option<&str> {
        self.result.as_deref()
    }
}

impl From<Value> for ToolReply {
    fn from(value: Value) -> Self {
        Self::raw(to_raw_value(&value).expect("a JSON value is JSON"))
    }
}

/// Why a tool call failed: the guest gets it as an exception, and decides.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ToolError {
    /// The kind of failure; the guest sees [`ToolErrorCode::as_str`] as `error.code`.
    pub code: ToolErrorCode,
    /// One message for the model: what happened and what to do about it. The guest sees it, so it holds no secret.
    pub message: String,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    result: Option<Box<str>>,
}

impl ToolError {
    /// An error with this code. It is retryable where its code usually is: [`ToolErrorCode::is_usually_retryable`].
    #[must_use]
    pub fn new(code: ToolErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.is_usually_retryable(), result: None }
    }

    /// The tool ran and said that it failed, in these words.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(ToolErrorCode::ToolFailed, message)
    }

    /// There is no such tool, or this user may not call it: the guest must not be able to tell, so there is one text for both.
    #[must_use]
    pub fn unknown_tool() -> Self {
        Self::new(ToolErrorCode::UnknownTool, "no such tool in this scope: see what there is with `tools.search(query)`")
    }

    /// The same error, declared retryable or not.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// The same error with the `tools/call` result that says it, JSON text: see [`ToolReply::with_result`].
    #[must_use]
    pub fn with_result(mut self, json: impl Into<Box<str>>) -> Self {
        self.result = Some(json.into());
        self
    }

    /// The `tools/call` result that says it, JSON text, where there is one.
    #[must_use]
    pub fn result(&self) -> Option<&str> {
        self.result.as_deref()
    }
}

/// The kinds of [`ToolError`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ToolErrorCode {
    /// The tool ran and reported a failure (MCP's `isError`).
    ToolFailed,
    /// The arguments do not match the tool's schema; the message says where.
    InvalidArguments,
    /// No such tool in this scope, or not for this user.
    UnknownTool,
    /// Arguments or reply beyond their limit in bytes.
    TooLarge,
    /// The tool did not answer in its time.
    TimedOut,
    /// The run, or its caller, ended the call.
    Cancelled,
    /// The server cannot be reached or broke off; the call may have been executed.
    Unavailable,
    /// The server refused the user's credential, or has none.
    Unauthorised,
    /// The server asks for fewer calls.
    RateLimited,
    /// The server answered with something that is not a tool result.
    InvalidReply,
    /// A fault on our side.
    Internal,
}

impl ToolErrorCode {
    /// The code as the guest and records have it; these words stay.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToolFailed => "tool_failed",
            Self::InvalidArguments => "invalid_arguments",
            Self::UnknownTool => "unknown_tool",
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::Unauthorised => "unauthorised",
            Self::RateLimited => "rate_limited",
            Self::InvalidReply => "invalid_reply",
            Self::Internal => "internal",
        }
    }

    /// Whether the same call may well succeed later, when nothing more is known.
    #[must_use]
    pub fn is_usually_retryable(self) -> bool {
        matches!(self, Self::TimedOut | Self::Unavailable | Self::RateLimited)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[test]
    fn a_reply_is_the_json_text_of_its_value() {
        assert_eq!(ToolReply::json(&json!({"a": [1, null]})).unwrap().as_json(), r#"{"a":[1,null]}"#);
        assert_eq!(ToolReply::text("say \"hi\"").as_json(), r#""say \"hi\"""#);
        assert_eq!(ToolReply::from(json!(18_446_744_073_709_551_615_u64)).as_json(), "18446744073709551615");
        let kept = RawValue::from_string("{ \"a\" : 1 }".to_owned()).unwrap();
        assert_eq!(ToolReply::raw(kept).as_json(), "{ \"a\" : 1 }");
    }

    #[test]
    fn an_error_is_retryable_where_its_code_is() {
        assert!(ToolError::new(ToolErrorCode::Unavailable, "gone").retryable);
        assert!(!ToolError::failed("no").retryable);
        assert!(ToolError::failed("busy").with_retryable(true).retryable);
    }
}
