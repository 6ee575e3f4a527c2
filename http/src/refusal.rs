//! Why a request is not answered, and what its client is told.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::answers;

/// Why a request is not answered.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is nobody's: 401, with a challenge that says how to sign in.
    #[non_exhaustive]
    Unauthenticated {
        /// The value of `WWW-Authenticate`, such as `Bearer`.
        challenge: HeaderValue,
    },
    /// It is somebody's whose token says too little: 403, with a challenge that says what is missing.
    #[non_exhaustive]
    Insufficient {
        /// The value of `WWW-Authenticate`.
        challenge: HeaderValue,
    },
    /// It is somebody's who may not make it: 403.
    Forbidden,
    /// Whose it is cannot be found out now: 503.
    Unavailable,
}

impl Refusal {
    /// Nobody's; nothing was said that could be wrong.
    #[must_use]
    pub fn unauthenticated() -> Self {
        Self::challenged(HeaderValue::from_static("Bearer"))
    }

    /// Nobody's, with this value of `WWW-Authenticate`.
    #[must_use]
    pub fn challenged(challenge: HeaderValue) -> Self {
        Self::Unauthenticated { challenge }
    }

    /// Somebody's whose token says too little, with this value of `WWW-Authenticate`.
    #[must_use]
    pub fn insufficient(challenge: HeaderValue) -> Self {
        Self::Insufficient { challenge }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Unauthenticated { challenge } => {
                let message = "the key or token is missing or wrong: send it as `Authorization: Bearer KEY`";
                challenged(answers::refused(StatusCode::UNAUTHORIZED, "unauthenticated", message), challenge)
            }
            Self::Insufficient { challenge } => {
                let message = "the token does not have the scope that is needed here: ask for one that has";
                challenged(answers::refused(StatusCode::FORBIDDEN, "insufficient_scope", message), challenge)
            }
            Self::Unavailable => {
                let message = "the token cannot be checked now: send the request again later";
                answers::later(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            }
            Self::Forbidden => answers::refused(StatusCode::FORBIDDEN, "forbidden", "this user may not make this request"),
        }
    }
}

fn challenged(mut response: Response, challenge: HeaderValue) -> Response {
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}
