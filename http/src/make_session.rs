//! The session of one request: what an application makes for whoever it is from.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::future::BoxFuture;
use isolet::{Principal, Session};

use crate::answers;

/// Makes the session of a principal. Asked for each request, and once for a connection of MCP before 2026-07-28.
///
/// A closure `|principal: &Principal| -> Result<Session, NoSession>` is one. Whose the runs are where users take turns is said here, by this crate:
/// [`Session::of_user`].
pub trait MakeSession: Send + Sync + 'static {
    /// The session of this principal.
    ///
    /// # Errors
    ///
    /// [`NoSession`] if there is none.
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>>;

    /// Whether sessions can be made: `/readyz` says so. Default: always.
    fn is_ready(&self) -> bool {
        true
    }
}

impl<F> MakeSession for F
where
    F: Fn(&Principal) -> Result<Session, NoSession> + Send + Sync + 'static,
{
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>> {
        Box::pin(std::future::ready(self(principal)))
    }
}

/// Why there is no session.
#[non_exhaustive]
#[derive(Debug, thiserror::Error)]
pub enum NoSession {
    /// The principal may have none: 403.
    #[error("this user has no tools here")]
    Forbidden,
    /// It could not be made: 500. What it was is logged, and not told.
    #[error("the session could not be made")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl NoSession {
    /// It could not be made.
    pub fn failed(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(error.into())
    }
}

impl IntoResponse for NoSession {
    fn into_response(self) -> Response {
        match &self {
            Self::Forbidden => answers::refused(StatusCode::FORBIDDEN, "forbidden", &self.to_string()),
            Self::Failed(_) => {
                tracing::error!(error = %isolet::with_causes(&self), "a session could not be made");
                let message = "the request could not be answered: try again";
                answers::refused(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            }
        }
    }
}
