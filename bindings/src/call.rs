//! The values that cross between the runtime and whoever hosts the tools: a call, its reply, its error.
//!
//! A call names a tool by what its server calls it, because the host resolved it already. A reply carries JSON text, never a tree:
//! it goes into the isolate as it came, parsed once, there.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::asker::Asker;
use crate::authorization::Authorization;
use crate::call_news::Listener;
use crate::exact_integers::{Exact, ExactIntegers};
use crate::json;
use crate::surrogates::without_half_surrogates;

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
    pub arguments: Arguments,
    /// The call's number within its run, from the guest; it tells calls apart in records.
    pub id: u32,
    /// Who hears what the tool says while it works: progress, lines of its log. Nobody by default.
    pub listener: Listener,
    /// Whom the tool can ask while it works. Nobody by default.
    pub asker: Asker,
}

impl ToolCall {
    /// A call of `tool` at `server`, which the guest wrote as `path`.
    #[must_use]
    pub fn new(
        server: impl Into<String>,
        tool: impl Into<String>,
        path: impl Into<String>,
        arguments: impl Into<Arguments>,
        id: u32,
    ) -> Self {
        let (server, tool, path, arguments) = (server.into(), tool.into(), path.into(), arguments.into());
        Self { server, tool, path, arguments, id, listener: Listener::default(), asker: Asker::default() }
    }
}

/// The arguments of a call: the JSON text of one object, held once however often this is cloned.
///
/// The text is what was validated, byte for byte. It is on one line, has no key twice and no half surrogate pair, so it can be passed on as
/// it is. A tree takes up to sixty times as much memory as its text, so there is one only for who asks: [`Arguments::parse`] makes what the
/// caller wants, [`Arguments::as_map`] and [`Arguments::get`] a map that is kept with the text.
///
/// ```
/// use isolet_bindings::Arguments;
/// use serde_json::json;
///
/// #[derive(serde::Deserialize)]
/// struct Search { query: String, limit: Option<u32> }
///
/// let (arguments, _) = Arguments::read(r#"{"query":"is:open","limit":3}"#.to_owned())?;
/// let search: Search = arguments.parse()?;
/// assert_eq!((search.query.as_str(), search.limit), ("is:open", Some(3)));
/// assert_eq!(arguments.get("limit"), Some(&json!(3)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Arguments {
    json: Arc<RawValue>,
    map: Arc<OnceLock<Map<String, Value>>>,
}

/// A text that is not the JSON of one object.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum ArgumentsError {
    /// It is no JSON, or none that can be read in one way only.
    #[error("the arguments are not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It is something else.
    #[error("the arguments are {0}, not one object with named arguments")]
    NotAnObject(&'static str),
}

impl Arguments {
    /// Reads a text: the arguments that it says, and the same as a map, which is not kept.
    ///
    /// The text becomes one line, and half surrogate pairs become U+FFFD; neither changes its length.
    ///
    /// # Errors
    ///
    /// [`ArgumentsError`]. JSON with a key twice, a number beyond a double or more than 128 levels is refused too: others could read it
    /// in another way.
    pub fn read(json: String) -> Result<(Self, Map<String, Value>), ArgumentsError> {
        let json = one_line(mended(json));
        let map = match json::parse(&json).map_err(ArgumentsError::NotJson)? {
            Value::Object(map) => map,
            Value::Array(_) => return Err(ArgumentsError::NotAnObject("an array")),
            Value::Null => return Err(ArgumentsError::NotAnObject("null")),
            _ => return Err(ArgumentsError::NotAnObject("a single value")),
        };
        let json = RawValue::from_string(json).map_err(ArgumentsError::NotJson)?;
        Ok((Self::of_text(json), map))
    }

    /// The arguments that this map says.
    #[must_use]
    pub fn of(map: &Map<String, Value>) -> Self {
        Self::of_text(to_raw_value(map).expect("a JSON value is JSON"))
    }

    /// The arguments that this map says, where some numbers are rounded, with the digits of these.
    pub(crate) fn exactly(map: &Map<String, Value>, integers: &ExactIntegers) -> Self {
        if integers.is_empty() {
            return Self::of(map);
        }
        let value = Value::Object(map.clone());
        let exact = Exact { value: &value, pointer: String::new(), integers };
        to_raw_value(&exact).map_or_else(|_| Self::of(map), Self::of_text)
    }

    fn of_text(json: Box<RawValue>) -> Self {
        Self { json: json.into(), map: Arc::default() }
    }

    /// The JSON text: one object, on one line.
    #[must_use]
    pub fn as_json(&self) -> &str {
        self.json.get()
    }

    /// The JSON text, to be written as it is.
    #[must_use]
    pub fn raw(&self) -> Arc<RawValue> {
        Arc::clone(&self.json)
    }

    /// The arguments in a type of the caller's own.
    ///
    /// # Errors
    ///
    /// When they do not fit it.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_json())
    }

    /// The arguments as a map. It is made at the first use and lives as long as these arguments do.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        // Whatever is here was read as an object, or written as one.
        self.map.get_or_init(|| self.parse().unwrap_or_default())
    }

    /// One argument, of [`Arguments::as_map`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.as_map().get(name)
    }
}

/// JSON text without half surrogate pairs.
fn mended(json: String) -> String {
    match without_half_surrogates(&json) {
        Cow::Borrowed(_) => json,
        Cow::Owned(mended) => mended,
    }
}

/// Valid JSON on one line: a control character between its tokens becomes a space. Inside of strings JSON has none.
fn one_line(json: String) -> String {
    if json.bytes().all(|byte| byte >= b' ') {
        return json;
    }
    json.chars().map(|character| if character < ' ' { ' ' } else { character }).collect()
}

impl From<Map<String, Value>> for Arguments {
    fn from(map: Map<String, Value>) -> Self {
        Self::of(&map)
    }
}

impl Serialize for Arguments {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json.serialize(serializer)
    }
}

/// Equal texts.
impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        self.as_json() == other.as_json()
    }
}

impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Arguments").field(&self.as_json()).finish()
    }
}

/// What a tool answered, as JSON text: the value that a program gets, and where there is more than that, the whole MCP result.
///
/// Half surrogate pairs in either become U+FFFD. Cheap to clone: the texts are held once.
#[derive(Clone, Debug)]
pub struct ToolReply {
    value: Arc<String>,
    result: Option<Arc<String>>,
    beside: Option<&'static str>,
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
        let json: Box<str> = json.into();
        Self { value: Arc::new(mended(json.into())), result: None, beside: None }
    }

    /// The same reply with the `tools/call` result that it was taken from, JSON text. A classic MCP client gets that instead of the
    /// value: with every content block, `structuredContent` and `_meta`.
    #[must_use]
    pub fn with_result(mut self, json: impl Into<String>) -> Self {
        self.result = Some(Arc::new(mended(json.into())));
        self
    }

    /// The same reply, with a word for what its result has beside the value, which a program sees only if it asks: `an image`.
    #[must_use]
    pub fn with_beside(mut self, what: &'static str) -> Self {
        self.beside = Some(what);
        self
    }

    /// What the result has beside the value.
    #[must_use]
    pub fn beside(&self) -> Option<&'static str> {
        self.beside
    }

    /// The same reply without the result that it was taken from.
    #[must_use]
    pub fn without_result(mut self) -> Self {
        self.result = None;
        self
    }

    /// The JSON text.
    #[must_use]
    pub fn as_json(&self) -> &str {
        &self.value
    }

    /// The `tools/call` result that the value was taken from, JSON text, where there is one.
    #[must_use]
    pub fn result(&self) -> Option<&str> {
        self.result.as_ref().map(|result| result.as_str())
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
    authorization: Option<Box<Authorization>>,
}

impl ToolError {
    /// An error with this code. It is retryable where its code usually is: [`ToolErrorCode::is_usually_retryable`].
    #[must_use]
    pub fn new(code: ToolErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retryable: code.is_usually_retryable(), result: None, authorization: None }
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

    /// The user has to authorize the server first. The outcome of the run says so too, whatever the program does with this.
    #[must_use]
    pub fn authorization_required(authorization: Authorization) -> Self {
        let message = format!("{authorization}, then run this again");
        let authorization = Some(Box::new(authorization));
        Self { authorization, ..Self::new(ToolErrorCode::AuthorizationRequired, message) }
    }

    /// What the user has to do first, of an error of [`ToolErrorCode::AuthorizationRequired`].
    #[must_use]
    pub fn authorization(&self) -> Option<&Authorization> {
        self.authorization.as_deref()
    }

    /// The same error, declared retryable or not.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.retryable = retryable;
        self
    }

    /// The same error with the `tools/call` result that says it, JSON text: see [`ToolReply::with_result`].
    #[must_use]
    pub fn with_result(mut self, json: impl Into<String>) -> Self {
        self.result = Some(mended(json.into()).into());
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
    /// To check these arguments against the tool's schema would take too much work: fewer or shorter ones can be checked.
    TooMuchWork,
    /// The tool did not answer in its time.
    TimedOut,
    /// The run, or its caller, ended the call.
    Cancelled,
    /// The server cannot be reached or broke off; the call may have been executed.
    Unavailable,
    /// The server refused the user's credential, or has none.
    Unauthorised,
    /// The user has to authorize the server first: [`ToolError::authorization`] says how.
    AuthorizationRequired,
    /// The tool asked the user, and that question was not passed on or not answered; the message says why.
    CannotAsk,
    /// The server asks for fewer calls.
    RateLimited,
    /// The server answered with something that is not a tool result.
    InvalidReply,
    /// A fault on our side.
    Internal,
}

impl std::fmt::Display for ToolErrorCode {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str(self.as_str())
    }
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
            Self::TooMuchWork => "too_much_work",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::Unavailable => "unavailable",
            Self::Unauthorised => "unauthorized",
            Self::AuthorizationRequired => "authorization_required",
            Self::CannotAsk => "cannot_ask",
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

    #[track_caller]
    fn check(text: &str, json: &str, map: Value) {
        let (arguments, read) = Arguments::read(text.to_owned()).unwrap();
        assert_eq!(arguments.as_json(), json);
        assert_eq!(Value::Object(read), map);
        assert_eq!(Value::Object(arguments.as_map().clone()), map);
        assert_eq!(arguments.parse::<Value>().unwrap(), map);
        assert_eq!(serde_json::to_string(&[&arguments]).unwrap(), format!("[{json}]"));
        assert_eq!(arguments.raw().get(), json);
    }

    #[test]
    fn arguments_are_the_text_that_was_read() {
        check("{}", "{}", json!({}));
        check(r#"{"a":1.0,"b":[1e2]}"#, r#"{"a":1.0,"b":[1e2]}"#, json!({"a": 1.0, "b": [1e2]}));
        check(r#"{"half":"\ud83d"}"#, r#"{"half":"\ufffd"}"#, json!({"half": "\u{fffd}"}));
        assert_eq!(Arguments::of(json!({"a": [1, null]}).as_object().unwrap()).as_json(), r#"{"a":[1,null]}"#);
    }

    #[test]
    fn arguments_are_one_line_whatever_was_between_their_tokens() {
        let text = "{\"a\":\r\n{\"jsonrpc\":\"2.0\"}\n}";
        check(text, "{\"a\":  {\"jsonrpc\":\"2.0\"} }", json!({"a": {"jsonrpc": "2.0"}}));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let refused = |text: &str| Arguments::read(text.to_owned()).unwrap_err().to_string();
        assert!(refused(r#"{"a":1,"a":2}"#).contains("given twice"));
        assert!(refused(r#"{"a":1e999}"#).contains("number out of range"));
        assert!(refused(&format!("{{\"a\":{}{}}}", "[".repeat(200), "]".repeat(200))).contains("recursion limit"));
        assert!(refused("{").starts_with("the arguments are not JSON: EOF"));
        for (text, what) in [("[{}]", "an array"), ("null", "null"), ("1", "a single value"), ("\"{}\"", "a single value")] {
            assert_eq!(refused(text), format!("the arguments are {what}, not one object with named arguments"));
        }
    }

    #[test]
    fn half_a_surrogate_pair_in_a_reply_is_replaced() {
        let raw = RawValue::from_string(r#"["\ud83d","\ud83d\ude00"]"#.to_owned()).unwrap();
        let reply = ToolReply::raw(raw).with_result(r#"{"content":"\ude00"}"#);
        assert_eq!((reply.as_json(), reply.result()), (r#"["\ufffd","\ud83d\ude00"]"#, Some(r#"{"content":"\ufffd"}"#)));
        assert_eq!(reply.without_result().result(), None);
        assert_eq!(ToolError::failed("no").with_result(r#"{"content":"\ude00"}"#).result(), Some(r#"{"content":"\ufffd"}"#));
    }

    #[test]
    fn an_error_is_retryable_where_its_code_is() {
        assert!(ToolError::new(ToolErrorCode::Unavailable, "gone").retryable);
        assert!(!ToolError::failed("no").retryable);
        assert!(ToolError::failed("busy").with_retryable(true).retryable);
    }
}
