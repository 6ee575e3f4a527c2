//! Why a call failed: the program's, the user's, the server's or the network's doing, each told apart.

use std::time::Duration;

use isolet_outbound::{OutboundError, Scrubber};
use serde_json::Value;

use crate::credential::SchemeCredentialError;

/// Why a call has no value.
///
/// | whose it is | variants |
/// |---|---|
/// | the program's: its arguments | `UnknownOperation`, `Argument` |
/// | the user's: credentials | `NoCredential`, `Credential`, `Unauthorised`, `Forbidden` |
/// | the server's | `RateLimited`, `Failed`, `Answer` |
/// | the operator's, or the network's | `Base`, `Outbound` |
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The document has no such operation.
    #[error("there is no operation `{name}`: look at the list of tools")]
    UnknownOperation {
        /// The name that was asked for.
        name: String,
    },
    /// An argument that is missing, unknown, or cannot be written where it goes.
    #[error("the argument `{argument}` {what}")]
    Argument {
        /// Which.
        argument: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The operation asks for a credential that this user has not.
    #[error("the operation asks for the credential `{scheme}`, and there is none: sign in, or let the operator configure one")]
    NoCredential {
        /// What the document calls it.
        scheme: String,
    },
    /// The credential cannot be got now.
    #[error("the credential `{scheme}` cannot be got: {reason}")]
    Credential {
        /// What the document calls it.
        scheme: String,
        /// What its source says. It stands in the text, which a program may see, and so is no cause behind it.
        reason: SchemeCredentialError,
    },
    /// 401: the server takes the credential for none.
    #[error("the server refused the credential (401): {message}")]
    Unauthorised {
        /// What it says.
        message: String,
        /// What it would take, its `WWW-Authenticate`.
        challenge: Option<String>,
    },
    /// 403: the server knows the user, who may not do this.
    #[error("the server does not let this user do that (403): {message}")]
    Forbidden {
        /// What it says.
        message: String,
        /// What it would take, its `WWW-Authenticate`.
        challenge: Option<String>,
        /// When to try again, if it says that: some servers answer so to too many calls.
        retry_after: Option<Duration>,
    },
    /// 429: too many calls.
    #[error("the server asks for fewer calls (429{}): {message}", after(*retry_after))]
    RateLimited {
        /// What it says.
        message: String,
        /// When to try again, if it says that.
        retry_after: Option<Duration>,
    },
    /// Any other status but 2xx.
    #[error("the server answered {status}{}: {message}", after(*retry_after))]
    Failed {
        /// The status.
        status: u16,
        /// What it says, in a line.
        message: String,
        /// All that it says, if that is JSON (`application/problem+json` among it).
        body: Option<Box<Value>>,
        /// When to try again, if it says that.
        retry_after: Option<Duration>,
    },
    /// A success whose body is not what it says it is.
    #[error("the server's answer cannot be read, {what}: ask whoever runs it")]
    Answer {
        /// What is wrong.
        what: String,
    },
    /// The address that the operator gave cannot be one of an API.
    #[error("the address of the API cannot be used, {what}: write `https://host/path`")]
    Base {
        /// What is wrong.
        what: String,
    },
    /// There is no answer.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

fn after(retry_after: Option<Duration>) -> String {
    retry_after.map(|wait| format!(", again after {} s", wait.as_secs())).unwrap_or_default()
}

impl CallError {
    /// Whether the same call may succeed later, with nothing changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::RateLimited { .. } => true,
            Self::Forbidden { retry_after, .. } => retry_after.is_some(),
            Self::Failed { status, retry_after, .. } => retry_after.is_some() || matches!(status, 408 | 425 | 502..=504),
            Self::Outbound(error) => error.is_retryable(),
            _ => false,
        }
    }
}

impl CallError {
    /// The same without what was sent, in all that the server says.
    pub(crate) fn scrubbed(mut self, sent: &Scrubber) -> Self {
        let clean = |text: &mut String| *text = sent.text(text).into_owned();
        match &mut self {
            Self::Unauthorised { message, challenge } | Self::Forbidden { message, challenge, .. } => {
                clean(message);
                challenge.iter_mut().for_each(clean);
            }
            Self::RateLimited { message, .. } => clean(message),
            Self::Failed { message, body, .. } => {
                clean(message);
                body.iter_mut().for_each(|body| sent.value(body));
            }
            Self::Answer { what } => clean(what),
            Self::UnknownOperation { .. }
            | Self::Argument { .. }
            | Self::NoCredential { .. }
            | Self::Credential { .. }
            | Self::Base { .. }
            | Self::Outbound(_) => {}
        }
        self
    }
}

/// The most characters of a name that a program wrote.
const NAME_LENGTH_MAX: usize = 200;

/// An argument that cannot be written.
pub(crate) fn argument(name: &str, what: impl Into<String>) -> CallError {
    CallError::Argument { argument: name.chars().take(NAME_LENGTH_MAX).collect(), what: what.into() }
}
