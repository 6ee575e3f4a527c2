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

/// Calls one tool. A panic of the application's tool is that tool's failure, and so is a reply beyond its limit.
pub(crate) async fn call(host: &dyn AnyToolHost, call: ToolCall, reply_bytes_max: usize) -> Result<ToolReply, ToolError> {
    let answer = AssertUnwindSafe(host.call_any(call)).catch_unwind().await;
    within(answer.unwrap_or_else(|_| Err(ToolError::failed("the tool failed: its host panicked")))?, reply_bytes_max)
}

/// The reply, unless it is beyond its limit.
pub(crate) fn within(reply: ToolReply, bytes_max: usize) -> Result<ToolReply, ToolError> {
    match reply.as_json().len() {
        bytes if bytes > bytes_max => Err(ToolError::new(
            ToolErrorCode::TooLarge,
            format!("the reply has {bytes} bytes, the limit is {bytes_max}: ask for less at a time"),
        )),
        _ => Ok(reply),
    }
}
