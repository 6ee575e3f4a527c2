//! Why a request of the caller is answered with an error: the code says whose fault it is.

use std::borrow::Cow;
use std::time::Duration;

use isolet::{RunError, visible, with_causes};
use isolet_rpc::refusal::{BUSY, INVALID_PARAMS, INVALID_REQUEST, Refusal, UNKNOWN_METHOD, error_text};
use serde_json::json;

/// A server, a guest process or the machine failed: nobody's mistake here.
pub(super) const HOST_FAILED: i32 = -32001;
/// The caller has cancelled the request.
const CANCELLED: i32 = -32800;
/// A fault of this program.
const INTERNAL: i32 = -32603;

/// The most characters of a message: a part of what the caller sent may be in it.
const MESSAGE_CHARACTERS_MAX: usize = 8000;

/// An error that is no outcome of a program.
#[derive(Debug)]
pub(super) struct Failure {
    code: i32,
    message: Cow<'static, str>,
    /// Of a failure of the host: whether the same may succeed later, and when at the earliest.
    retry: Option<(bool, Option<Duration>)>,
}

impl Failure {
    /// The parameters are wrong.
    pub(super) fn params(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: INVALID_PARAMS, message: message.into(), retry: None }
    }

    /// The parameters are wrong, and this is what found it.
    pub(super) fn wrong(error: &(dyn std::error::Error + 'static)) -> Self {
        Self::params(with_causes(error))
    }

    /// This is no time for such a request.
    pub(super) fn request(message: &'static str) -> Self {
        Self { code: INVALID_REQUEST, message: message.into(), retry: None }
    }

    /// There is no such method.
    pub(super) fn method(method: &str) -> Self {
        Self { code: UNKNOWN_METHOD, message: format!("there is no method `{method}`").into(), retry: None }
    }

    /// There are too many of something.
    pub(super) fn busy(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: BUSY, message: message.into(), retry: Some((true, None)) }
    }

    /// A server or the machine failed.
    pub(super) fn host(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: HOST_FAILED, message: message.into(), retry: Some((false, None)) }
    }

    /// The caller wants it no more.
    pub(super) fn cancelled() -> Self {
        Self { code: CANCELLED, message: "cancelled by the caller".into(), retry: None }
    }

    /// What handles the request has panicked.
    pub(super) fn panicked() -> Self {
        Self { code: INTERNAL, message: "the program failed: what handles this request panicked".into(), retry: None }
    }

    /// The answer to the request `id`, which is JSON.
    pub(super) fn answer(&self, id: &str) -> String {
        let data = self.retry.map(|(retryable, after)| match after {
            Some(after) => {
                json!({ "retryable": retryable, "retry_after_ms": u64::try_from(after.as_millis()).unwrap_or(u64::MAX) })
            }
            None => json!({ "retryable": retryable }),
        });
        error_text(id, self.code, &visible::line_within(&self.message, MESSAGE_CHARACTERS_MAX), data.as_ref())
    }
}

impl From<Refusal> for Failure {
    fn from((code, message): Refusal) -> Self {
        Self { code, message, retry: (code == BUSY).then_some((true, None)) }
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let message = with_causes(&error).into();
        match error {
            RunError::Configuration { .. } => Self { code: INVALID_PARAMS, message, retry: None },
            RunError::Overloaded { retry_after, .. } => Self { code: BUSY, message, retry: Some((true, Some(retry_after))) },
            RunError::System { .. } | RunError::ZygoteLost | RunError::Interrupted => {
                Self { code: HOST_FAILED, message, retry: Some((true, None)) }
            }
            _ => Self { code: HOST_FAILED, message, retry: Some((false, None)) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_by_its_code_whose_fault_it_is_and_whether_to_try_again() {
        let said = |failure: Failure| failure.answer("7");
        let busy = RunError::Overloaded { waiting: 3, retry_after: Duration::from_millis(20) };
        assert!(said(busy.into()).contains(r#""code":-32000"#));
        let busy = RunError::Overloaded { waiting: 3, retry_after: Duration::from_millis(20) };
        assert!(said(busy.into()).contains(r#""data":{"retryable":true,"retry_after_ms":20}"#));
        assert!(said(RunError::ZygoteLost.into()).contains(r#""code":-32001"#));
        assert!(said(RunError::ShutDown.into()).contains(r#""retryable":false"#));
        let wrong = said(RunError::Configuration { what: "x".to_owned() }.into());
        assert!(wrong.contains(r#""code":-32602"#) && !wrong.contains("data"), "{wrong}");
    }
}
