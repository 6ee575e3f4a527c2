//! The one door from a session back to the application: tool calls, with this user's credentials.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures::FutureExt as _;
use isolet_bindings::{ToolCall, ToolError, ToolErrorCode, ToolReply};

use super::wanted::Wanted;

/// Calls tools for one user. Holds that user's credentials; nothing else in Isolet does.
///
/// A call arrives here after the host has resolved it in the scope of its run, checked the grants and validated the
/// arguments. Calls of one run are made at the same time where the program does so. A dropped future is a cancelled call.
///
/// The future is `Send`, since calls of one run are answered on whatever thread is free; so what it holds over an `await` is, too. An `Arc` or
/// `Box` of a tool host is one, a closure becomes one ([`tool_fn`]), and one whose type is not known is an [`AnyToolHost`].
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

    /// The servers that may have resources or prompts, by the ids that the catalog has. Default: none.
    fn servers(&self) -> Vec<String> {
        Vec::new()
    }

    /// Gives what `server`, one of [`ToolHost::servers`], has beside tools. Asked only for what a user may have: of servers that their grants allow as a
    /// whole. Default: an error.
    fn give(&self, server: String, wanted: Wanted) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        drop((server, wanted));
        std::future::ready(Err(ToolError::new(ToolErrorCode::UnknownTool, "there is nothing but tools here")))
    }
}

/// The answer of a call that is under way, of a tool host whose type is not known.
pub type Answer<'host> = Pin<Box<dyn Future<Output = Result<ToolReply, ToolError>> + Send + 'host>>;

/// [`ToolHost`] as an object: every tool host is one. `Arc<dyn AnyToolHost>` and `Box<dyn AnyToolHost>` are tool hosts again.
///
/// ```
/// use std::sync::Arc;
/// use isolet::{AnyToolHost, ToolCall, ToolError, ToolHost, ToolReply, tool_fn};
///
/// struct Real;
///
/// impl ToolHost for Real {
///     async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
///         Ok(ToolReply::text("from the service"))
///     }
/// }
///
/// fn host(is_test: bool) -> Arc<dyn AnyToolHost> {
///     if is_test { Arc::new(tool_fn(async |_| Ok(ToolReply::text("as the test has it")))) } else { Arc::new(Real) }
/// }
///
/// fn is_tool_host(_: impl ToolHost) {}
/// is_tool_host(host(true));
/// ```
pub trait AnyToolHost: Send + Sync + 'static {
    /// [`ToolHost::call`].
    fn call_any(&self, call: ToolCall) -> Answer<'_>;

    /// [`ToolHost::servers`].
    fn servers_any(&self) -> Vec<String>;

    /// [`ToolHost::give`].
    fn give_any(&self, server: String, wanted: Wanted) -> Answer<'_>;
}

impl<Host: ToolHost> AnyToolHost for Host {
    fn call_any(&self, call: ToolCall) -> Answer<'_> {
        Box::pin(self.call(call))
    }

    fn servers_any(&self) -> Vec<String> {
        self.servers()
    }

    fn give_any(&self, server: String, wanted: Wanted) -> Answer<'_> {
        Box::pin(self.give(server, wanted))
    }
}

impl<Host: ToolHost> ToolHost for Arc<Host> {
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        Host::call(self, call)
    }

    fn servers(&self) -> Vec<String> {
        Host::servers(self)
    }

    fn give(&self, server: String, wanted: Wanted) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        Host::give(self, server, wanted)
    }
}

impl<Host: ToolHost> ToolHost for Box<Host> {
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        Host::call(self, call)
    }

    fn servers(&self) -> Vec<String> {
        Host::servers(self)
    }

    fn give(&self, server: String, wanted: Wanted) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        Host::give(self, server, wanted)
    }
}

impl ToolHost for Arc<dyn AnyToolHost> {
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        (**self).call_any(call)
    }

    fn servers(&self) -> Vec<String> {
        (**self).servers_any()
    }

    fn give(&self, server: String, wanted: Wanted) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        (**self).give_any(server, wanted)
    }
}

impl ToolHost for Box<dyn AnyToolHost> {
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        (**self).call_any(call)
    }

    fn servers(&self) -> Vec<String> {
        (**self).servers_any()
    }

    fn give(&self, server: String, wanted: Wanted) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        (**self).give_any(server, wanted)
    }
}

/// A closure as a tool host: [`tool_fn`].
#[derive(Clone, Copy, Debug)]
pub struct ToolFn<Call>(Call);

/// A tool host that is a closure.
///
/// ```
/// use isolet::{ToolReply, tool_fn};
///
/// let host = tool_fn(async |call| Ok(ToolReply::text(format!("hello from {}", call.tool))));
/// # fn is_tool_host(_: impl isolet::ToolHost) {}
/// # is_tool_host(host);
/// ```
pub fn tool_fn<Call, Answered>(call: Call) -> ToolFn<Call>
where
    Call: Fn(ToolCall) -> Answered + Send + Sync + 'static,
    Answered: Future<Output = Result<ToolReply, ToolError>> + Send,
{
    ToolFn(call)
}

impl<Call, Answered> ToolHost for ToolFn<Call>
where
    Call: Fn(ToolCall) -> Answered + Send + Sync + 'static,
    Answered: Future<Output = Result<ToolReply, ToolError>> + Send,
{
    fn call(&self, call: ToolCall) -> impl Future<Output = Result<ToolReply, ToolError>> + Send {
        (self.0)(call)
    }
}

/// Calls one tool. A panic of the application's tool is that tool's failure, and so is an answer beyond its limit.
pub(crate) async fn call(host: &dyn AnyToolHost, call: ToolCall, reply_bytes_max: usize) -> Result<ToolReply, ToolError> {
    answered(async { host.call_any(call).await }, reply_bytes_max).await
}

/// Gives what a server has beside tools. A panic and an answer beyond its limit are failures, as those of a tool.
pub(crate) async fn give(
    host: &dyn AnyToolHost,
    server: String,
    wanted: Wanted,
    reply_bytes_max: usize,
) -> Result<ToolReply, ToolError> {
    answered(async { host.give_any(server, wanted).await }, reply_bytes_max).await
}

async fn answered(
    answer: impl Future<Output = Result<ToolReply, ToolError>>,
    reply_bytes_max: usize,
) -> Result<ToolReply, ToolError> {
    let answer = AssertUnwindSafe(answer).catch_unwind().await;
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
    async fn shared_boxed_erased_and_a_closure_are_the_same_tools() {
        async fn said(host: impl ToolHost) -> String {
            let tool_call = ToolCall::new("test", "greet", "test.greet", serde_json::Map::new(), 1);
            call(&host, tool_call, 1000).await.unwrap().as_json().to_owned()
        }
        let greeter = || tool_fn(|call: ToolCall| async move { Ok(ToolReply::text(call.tool)) });
        assert_eq!(said(greeter()).await, r#""greet""#);
        assert_eq!(said(Arc::new(greeter())).await, r#""greet""#);
        assert_eq!(said(Box::new(greeter())).await, r#""greet""#);
        assert_eq!(said(Arc::new(greeter()) as Arc<dyn AnyToolHost>).await, r#""greet""#);
        assert_eq!(said(Box::new(greeter()) as Box<dyn AnyToolHost>).await, r#""greet""#);
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
