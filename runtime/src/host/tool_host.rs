//! The one door from a session back to the application: tool calls, with this user's credentials.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures::FutureExt as _;
use isolet_bindings::{ToolCall, ToolError, ToolErrorCode, ToolReply};

/// Calls tools for one user. Holds that user's credentials; nothing else in Isolet does.
///
/// A call arrives here after the host has resolved it in the scope of its run, checked the grants and validated the
/// arguments. Calls of one run are made at the same time where the program does so. A dropped future is a cancelled call.
///
/// ```
/// use isolet::{ToolCall, ToolError, ToolHost, ToolReply};
///
/// struct Greeter { token: String }
///
/// impl ToolHost for Greeter {
///     async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
///         match call.tool.as_str() {
///             "greet" => Ok(ToolReply::text(format!("hello from {}", self.token.len()))),
///             _ => Err(ToolError::unknown_tool()),
///         }
///     }
/// }
/// ```
pub trait ToolHost: Send + Sync + 'static {
    /// Calls one tool. An error becomes an exception in the program, with a stable `code`.
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send;
}

/// The answer of a call that is under way.
pub(crate) type Answer<'host> = Pin<Box<dyn Future<Output = Result<ToolReply, ToolError>> + Send + 'host>>;

/// [`ToolHost`] as an object.
pub(crate) trait AnyToolHost: Send + Sync + 'static {
    fn call_any(&self, call: ToolCall) -> Answer<'_>;
}

impl<Host: ToolHost> AnyToolHost for Host {
    fn call_any(&self, call: ToolCall) -> Answer<'_> {
        Box::pin(self.call(call))
    }
}

/// Calls one tool. A panic of the application's tool is that tool's failure, and so is an answer beyond its limit.
pub(crate) async fn call(host: &dyn AnyToolHost, call: ToolCall, reply_bytes_max: usize) -> Result<ToolReply, ToolError> {
    let answer = AssertUnwindSafe(async { host.call_any(call).await }).catch_unwind().await;
    within(answer.unwrap_or_else(|_| Err(ToolError::failed("the tool failed: its host panicked"))), reply_bytes_max)
}

/// The answer, unless it is beyond its limit: the value or the message, and the whole result beside it.
pub(crate) fn within(answer: Result<ToolReply, ToolError>, bytes_max: usize) -> Result<ToolReply, ToolError> {
    let (told, whole) = match &answer {
        Ok(reply) => (reply.as_json(), reply.result()),
        Err(error) => (error.message.as_str(), error.result()),
    };
    let bytes = told.len().max(whole.map_or(0, str::len));
    if bytes <= bytes_max {
        return answer;
    }
    let what = if answer.is_ok() { "the reply" } else { "the tool failed, and its message" };
    Err(ToolError::new(
        ToolErrorCode::TooLarge,
        format!("{what} has {bytes} bytes, the limit is {bytes_max}: ask for less at a time"),
    ))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_limit_holds_for_values_messages_and_whole_results() {
        let whole = |bytes: usize| "x".repeat(bytes);
        for (answer, fits) in [
            (Ok(ToolReply::text("12345678")), true),
            (Ok(ToolReply::text("123456789")), false),
            (Ok(ToolReply::text("").with_result(whole(10))), true),
            (Ok(ToolReply::text("").with_result(whole(11))), false),
            (Err(ToolError::failed(whole(10))), true),
            (Err(ToolError::failed(whole(11))), false),
            (Err(ToolError::failed("").with_result(whole(11))), false),
        ] {
            let (said, is_refused) = match within(answer, 10) {
                Ok(_) => (String::new(), false),
                Err(error) => (error.message, error.code == ToolErrorCode::TooLarge),
            };
            assert_eq!(is_refused, !fits, "{said}");
        }
    }

    #[tokio::test]
    async fn a_host_that_panics_before_or_in_its_future_has_failed() {
        struct Early;
        impl ToolHost for Early {
            fn call(&self, _: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
                assert!(std::env::args().len() > 1000, "early");
                async { Ok(ToolReply::text("")) }
            }
        }
        let tool_call = ToolCall::new("test", "early", "test.early", serde_json::Map::new(), 1);
        let error = call(&Early, tool_call, 1000).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (ToolErrorCode::ToolFailed, "the tool failed: its host panicked"));
    }
}
