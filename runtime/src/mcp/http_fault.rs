//! Why a request to an HTTP server has no answer.

use isolet_outbound::OutboundError;

use super::credential_supply::Missing;
use super::error::{Stage, UpstreamError};

/// What went wrong with one request.
#[derive(Clone, Debug, thiserror::Error)]
pub(super) enum HttpFault {
    /// The network, the server's address, or the operator's rules.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    /// An answer that says so by its status.
    #[error("HTTP {status}")]
    Status {
        /// The status.
        status: u16,
        /// The beginning of what was said with it, as it is shown.
        words: String,
    },
    /// A credential that is missing.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// An answer beyond its maximum.
    #[error("the answer is too large")]
    TooLarge,
    /// An answer that is no MCP message.
    #[error("the answer is not MCP")]
    NotMcp,
    /// The stream of the answer ended before the answer.
    #[error("the answer broke off")]
    BrokenOff,
    /// Nobody waits for the answer any more.
    #[error("no longer needed")]
    GivenUp,
}

impl HttpFault {
    /// What an error of the HTTP client means.
    pub(super) fn of_error(error: &(dyn std::error::Error + 'static)) -> Self {
        OutboundError::explain(error).map_or(Self::BrokenOff, Self::Outbound)
    }

    /// What the operator is told; `rubbish`: the first that was no MCP.
    pub(super) fn of(self, server: &str, stage: Stage, bytes_max: usize, rubbish: String) -> UpstreamError {
        let server = server.to_owned();
        match self {
            // Only the length of an answer is asked about here: that of ours is the caller's.
            Self::TooLarge | Self::Outbound(OutboundError::TooLarge { .. }) => UpstreamError::TooLarge { server, bytes_max },
            Self::Outbound(source) => UpstreamError::Unreachable { server, stage, source },
            Self::Status { status, words } => UpstreamError::Status { server, stage, status, words },
            Self::Missing(missing) => UpstreamError::of_missing(missing, &server, stage),
            Self::NotMcp => UpstreamError::NotMcp { server, stage, rubbish },
            Self::BrokenOff | Self::GivenUp => UpstreamError::BrokenOff { server, stage },
        }
    }
}
