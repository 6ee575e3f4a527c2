//! Who is signed in, and whose request it is. This is the one file that knows tokens.

use anyhow::Context as _;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::tracker::Role;

/// Bytes of a token's randomness.
const TOKEN_BYTES: usize = 32;

/// Requests of one user at a time, those that wait for a run included. One more is answered 429.
pub const REQUESTS_OF_USER_MAX: usize = 64;

/// A user whose token came with the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// The users who are signed in, each with the token of this process.
pub(super) struct Users([SignedIn; 2]);

/// One of them.
pub(super) struct SignedIn {
    pub(super) user: User,
    token: String,
    /// A place for each request at a time.
    pub(super) requests: Semaphore,
}

impl Users {
    pub(super) const ADA: User = User { name: "ada", role: Role::Admin };
    pub(super) const BOB: User = User { name: "bob", role: Role::Viewer };

    /// Signs both in.
    pub(super) fn sign_in() -> anyhow::Result<Self> {
        let sign_in =
            |user| anyhow::Ok(SignedIn { user, token: random_token()?, requests: Semaphore::new(REQUESTS_OF_USER_MAX) });
        Ok(Self([sign_in(Self::ADA)?, sign_in(Self::BOB)?]))
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = (User, &str)> {
        self.0.iter().map(|signed_in| (signed_in.user, signed_in.token.as_str()))
    }

    /// Whose token it is. Every token is compared to its end, whatever is found: the time says nothing about any of them.
    fn find(&self, token: &str) -> Option<&SignedIn> {
        self.0.iter().fold(None, |found, signed_in| {
            let is_equal = bool::from(signed_in.token.as_bytes().ct_eq(token.as_bytes()));
            if is_equal { Some(signed_in) } else { found }
        })
    }

    /// Whose token is in the head of a request.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<&SignedIn> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.find(value.strip_prefix("Bearer ")?)
    }
}

pub(super) fn refused() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Bearer")], "the token is missing or wrong: sign in").into_response()
}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        parts.extensions.get().copied().ok_or_else(refused)
    }
}

fn random_token() -> anyhow::Result<String> {
    let mut bytes = [0_u8; TOKEN_BYTES];
    getrandom::fill(&mut bytes).context("the system has no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
