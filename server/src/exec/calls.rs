//! Calls of tools that the caller answers: each under an `id` of ours, answered once, and given up with its run.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use isolet::{Arguments, ToolCall, ToolError, ToolErrorCode, ToolReply};
use isolet_rpc::client_id::ClientId;
use isolet_rpc::envelope::{Envelope, object, present, text_in};
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::line::Line;

/// What the `id` of a call begins with, so that it is none of the caller's own.
const ID_PREFIX: &str = "isolet-";

/// The codes that an answer may have.
const CODES: [ToolErrorCode; 11] = [
    ToolErrorCode::ToolFailed,
    ToolErrorCode::InvalidArguments,
    ToolErrorCode::TooLarge,
    ToolErrorCode::TimedOut,
    ToolErrorCode::Cancelled,
    ToolErrorCode::Unavailable,
    ToolErrorCode::Unauthorised,
    ToolErrorCode::CannotAsk,
    ToolErrorCode::RateLimited,
    ToolErrorCode::InvalidReply,
    ToolErrorCode::Internal,
];

/// The calls that are not answered.
pub(super) struct Calls {
    line: Line,
    table: Mutex<Table>,
    /// Held while a call is said: who waits for it stands in a queue from the first look on, so that calls are said in the order in which they were made.
    saying: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<u64, Open>,
}

struct Open {
    answer: oneshot::Sender<Result<ToolReply, ToolError>>,
    /// A result of the tool is wrapped once more: see [`isolet::mcp::reply`].
    is_wrapped: bool,
}

/// Whose call it is.
pub(super) struct Whose<'call> {
    pub(super) scope: &'call str,
    /// The `id` of the request that runs the program, JSON.
    pub(super) run: &'call RawValue,
    pub(super) is_wrapped: bool,
}

#[derive(Serialize)]
struct CallParams<'call> {
    scope: &'call str,
    run: &'call RawValue,
    call: u32,
    server: &'call str,
    tool: &'call str,
    path: &'call str,
    arguments: &'call Arguments,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply<'text> {
    #[serde(borrow, default, deserialize_with = "present")]
    value: Option<&'text RawValue>,
    #[serde(borrow, default)]
    mcp: Option<&'text RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fault<'text> {
    #[serde(borrow)]
    message: Option<&'text RawValue>,
    #[serde(borrow)]
    data: Option<&'text RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FaultData<'text> {
    #[serde(borrow)]
    code: Option<&'text RawValue>,
    retryable: Option<bool>,
}

/// A call that is waited for. Dropped before its answer, it is given up, and the caller is told.
struct Waiting<'calls> {
    calls: &'calls Calls,
    number: u64,
    /// The caller may know of it.
    is_asked: bool,
}

impl Calls {
    pub(super) fn new(line: Line) -> Self {
        Self { line, table: Mutex::default(), saying: tokio::sync::Mutex::default() }
    }

    /// Has the caller answer a call. Dropping the future gives it up.
    pub(super) async fn ask(&self, whose: Whose<'_>, call: ToolCall) -> Result<ToolReply, ToolError> {
        // A run looks first whether a call is answered at once, and only then gives it a task. What is said before that is written by another thread, which
        // has to wake for it.
        let turn = tokio::task::unconstrained(self.saying.lock()).await;
        tokio::task::yield_now().await;
        let (answer, answered) = oneshot::channel();
        let number = {
            let mut table = self.table();
            table.last += 1;
            let number = table.last;
            table.open.insert(number, Open { answer, is_wrapped: whose.is_wrapped });
            number
        };
        let mut waiting = Waiting { calls: self, number, is_asked: false };
        let ToolCall { server, tool, path, arguments, id: call, .. } = &call;
        let params = CallParams { scope: whose.scope, run: whose.run, call: *call, server, tool, path, arguments };
        let params =
            serde_json::to_string(&params).map_err(|error| ToolError::new(ToolErrorCode::Internal, error.to_string()))?;
        let id = id_of(number);
        self.line.say(format!(r#"{{"jsonrpc":"2.0","id":"{id}","method":"tool/call","params":{params}}}"#)).await;
        drop(turn);
        waiting.is_asked = true;
        answered.await.unwrap_or_else(|_| Err(ToolError::new(ToolErrorCode::Unavailable, "whoever answers this tool is gone")))
    }

    /// Takes an answer of the caller. What is wrong with it, if it is none that anybody waits for, or none that can be read.
    pub(super) fn answer(&self, message: &Envelope<'_>) -> Option<String> {
        let id = message.id.map_or("null", RawValue::get);
        let nobody =
            || format!("nobody waits for the answer with the `id` {id}: its call was answered, cancelled, or never made");
        let open = message.id.and_then(ClientId::of).and_then(|id| self.take(&id));
        let Some(open) = open else { return Some(nobody()) };
        let answer = match (message.error, message.result) {
            (Some(error), _) => Err(tool_error(error)),
            (None, result) => read_reply(result, open.is_wrapped),
        };
        let wrong = match &answer {
            Err(error) if error.code == ToolErrorCode::InvalidReply && message.error.is_none() => {
                Some(format!("the answer with the `id` {id} is no result of a tool: {}", error.message))
            }
            _ => None,
        };
        // Whoever waited may have gone in this moment.
        let _ = open.answer.send(answer);
        wrong
    }

    /// Fails the call whose answer was a line that is too long, if it was one.
    pub(super) fn lose(&self, id: &ClientId, bytes_max: usize) -> bool {
        let Some(open) = self.take(id) else { return false };
        let message = format!("the tool's answer has more than {bytes_max} bytes: ask for less at a time");
        let _ = open.answer.send(Err(ToolError::new(ToolErrorCode::TooLarge, message)));
        true
    }

    fn take(&self, id: &ClientId) -> Option<Open> {
        let number = id.as_text()?.strip_prefix(ID_PREFIX)?.parse().ok()?;
        self.table().open.remove(&number)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.calls.table().open.remove(&self.number).is_none() || !self.is_asked || self.calls.line.is_closed() {
            return;
        }
        let (line, id) = (self.calls.line.clone(), id_of(self.number));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { line.notify("tool/cancelled", json!({ "id": id })).await });
        }
    }
}

fn id_of(number: u64) -> String {
    format!("{ID_PREFIX}{number}")
}

/// What the program gets for this result.
fn read_reply(result: Option<&RawValue>, is_wrapped: bool) -> Result<ToolReply, ToolError> {
    let invalid = |what: &str| ToolError::new(ToolErrorCode::InvalidReply, format!("whoever answers this tool {what}"));
    let reply: Reply<'_> = object(result.map_or("null", RawValue::get))
        .map_err(|error| invalid(&format!("gave what is neither a `value` nor a result of MCP: {error}")))?;
    match (reply.value, reply.mcp) {
        (Some(value), None) => Ok(ToolReply::raw(value.to_owned())),
        (None, Some(result)) => isolet::mcp::reply(result.get(), is_wrapped),
        (None, None) => Err(invalid("gave neither `value` nor `mcp`")),
        (Some(_), Some(_)) => Err(invalid("gave both `value` and `mcp`")),
    }
}

/// What the program gets for this error. An error that cannot be read is one all the same.
fn tool_error(error: &RawValue) -> ToolError {
    let fault: Fault<'_> = object(error.get()).unwrap_or_default();
    let data: FaultData<'_> = fault.data.and_then(|data| object(data.get()).ok()).unwrap_or_default();
    let message = fault.message.and_then(text_in).map_or_else(|| "the tool failed".to_owned(), std::borrow::Cow::into_owned);
    let said = data.code.and_then(text_in);
    let code = CODES.into_iter().find(|code| Some(code.as_str()) == said.as_deref()).unwrap_or(ToolErrorCode::ToolFailed);
    let error = ToolError::new(code, message);
    match data.retryable {
        Some(retryable) => error.with_retryable(retryable),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn reply(json: &str) -> Result<String, (ToolErrorCode, String)> {
        let reply = read_reply(Some(&raw(json)), false);
        reply.map(|reply| reply.as_json().to_owned()).map_err(|error| (error.code, error.message))
    }

    #[test]
    fn a_result_is_a_value_or_a_result_of_mcp_and_nothing_else() {
        assert_eq!(reply(r#"{"value":null}"#).unwrap(), "null");
        assert_eq!(reply(r#"{"value":{"a":[1.50]}}"#).unwrap(), r#"{"a":[1.50]}"#);
        assert_eq!(reply(r#"{"mcp":{"content":[{"type":"text","text":"hi"}]}}"#).unwrap(), r#""hi""#);
        let failed = reply(r#"{"mcp":{"content":[{"type":"text","text":"no"}],"isError":true}}"#);
        assert_eq!(failed, Err((ToolErrorCode::ToolFailed, "no".to_owned())));
        for json in ["null", "7", "[1]", "{}", r#"{"value":1,"mcp":{}}"#, r#"{"result":1}"#, r#"{"value":1,"value":2}"#] {
            assert_eq!(reply(json).unwrap_err().0, ToolErrorCode::InvalidReply, "{json}");
        }
    }

    #[test]
    fn an_error_keeps_its_words_and_a_code_that_is_known() {
        let error = |json: &str| {
            let ToolError { code, message, retryable, .. } = tool_error(&raw(json));
            (code, message, retryable)
        };
        let limited = error(r#"{"code":1,"message":"slow down","data":{"code":"rate_limited"}}"#);
        assert_eq!(limited, (ToolErrorCode::RateLimited, "slow down".to_owned(), true));
        let unknown = error(r#"{"code":1,"message":"no","data":{"code":"unknown_tool","retryable":true}}"#);
        assert_eq!(unknown, (ToolErrorCode::ToolFailed, "no".to_owned(), true));
        for json in ["7", "null", "[]", r#"{"message":7,"data":7}"#] {
            assert_eq!(error(json), (ToolErrorCode::ToolFailed, "the tool failed".to_owned(), false), "{json}");
        }
    }
}
