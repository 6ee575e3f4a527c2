//! Why an authorization cannot be asked for, given, used or taken back.

use isolet::visible;
use isolet_outbound::{OutboundError, Scrubber, Secret, ShortSecret};
use rmcp::transport::auth::AuthError;

use crate::store::StoreError;

/// The most characters that are quoted of an authorization server.
const QUOTE_CHARACTERS_MAX: usize = 300;

/// What went wrong. Nothing in it is a secret; what an authorization server wrote is one visible line.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The server names no authorization server whose metadata can be had.
    #[error("server `{server}` names no authorization server: configure its credentials in `credentials`, or `headers`")]
    NoAuthorizationServer {
        /// The server.
        server: String,
    },
    /// The authorization server does not say that it knows PKCE with S256, without which a code can be stolen.
    #[error("the authorization server of `{server}` does not say that it knows PKCE (S256): nobody is sent there")]
    NoPkce {
        /// The server.
        server: String,
    },
    /// The metadata names another authorization server than the configuration does.
    #[error(
        "the metadata of `{server}` names another authorization server than its `issuer` in the configuration: nobody is sent there"
    )]
    OtherIssuer {
        /// The server.
        server: String,
    },
    /// An address in the metadata that nobody is sent to.
    #[error("the metadata of `{server}` names an address that is not used for `{what}`")]
    Address {
        /// The server.
        server: String,
        /// Of what.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<Box<OutboundError>>,
    },
    /// The server, or its authorization server, refused, failed, or contradicts itself.
    #[error("the authorization server of `{server}` did not do it: {what}")]
    Refused {
        /// The server.
        server: String,
        /// What was said, or what is wrong with that.
        what: String,
    },
    /// The authorization server took longer than may be.
    #[error("the authorization server of `{server}` did not answer in time: try again later")]
    Slow {
        /// The server.
        server: String,
    },
    /// The user did not agree.
    #[error("the authorization of `{server}` was not given ({why}): start it again if that was a mistake")]
    Denied {
        /// The server.
        server: String,
        /// The error of the authorization server, as `access_denied`.
        why: String,
    },
    /// A link or a callback that is unknown, used, too old, or another principal's: which of them nobody is told.
    #[error("this link is not valid (any more): start the authorization again")]
    NotValid,
    /// More authorizations are under way than may be.
    #[error("too many authorizations are under way: finish one of them, or try again in ten minutes")]
    TooMany,
    /// A token that cannot be used.
    #[error("the token for `{server}` cannot be used")]
    Token {
        /// The server.
        server: String,
        /// Why.
        #[source]
        source: ShortSecret,
    },
    /// What is kept cannot be read.
    #[error("what is kept for `{server}` cannot be read: log in again")]
    Kept {
        /// The server.
        server: String,
    },
    /// The token cannot be renewed now; what there is may still be good later.
    #[error("the token for `{server}` cannot be renewed now: try again later")]
    NotNow {
        /// The server.
        server: String,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl IdentityError {
    /// What rmcp's error means, without `secrets`.
    pub(crate) fn of(error: &AuthError, server: &str, secrets: &[Secret]) -> Self {
        let mut what = error.to_string();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            what.push_str(&format!(": {source}"));
            cause = source.source();
        }
        let clean = Scrubber::of(secrets.iter().cloned());
        let what = visible::line_within(&clean.text(&what), QUOTE_CHARACTERS_MAX).into_owned();
        Self::Refused { server: server.to_owned(), what }
    }

    /// Whether what was granted is lost: only the user can give it again.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Kept { .. } | Self::Store(StoreError::Sealed { .. }))
    }

    /// Whether it may be gone at the next try.
    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self, Self::NotNow { .. } | Self::Slow { .. } | Self::TooMany | Self::Store(_))
    }
}
