//! Who is signed in, and whose request it is. This is the one file that knows tokens.

use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{Extension, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use super::connections::Connection;
use super::log::Caller;
use super::{Backend, guards};
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

struct SignedIn {
    user: User,
    token: String,
    /// A place for each request at a time.
    requests: Semaphore,
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

    fn of(&self, headers: &HeaderMap) -> Option<&SignedIn> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.find(value.strip_prefix("Bearer ")?)
    }
}

/// Lets a request pass that has the token of a user who has not sent too many at once, and says whose it is.
pub(super) async fn authenticate(
    State(backend): State<Arc<Backend>>,
    Extension(connection): Extension<Arc<Connection>>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(signed_in) = backend.users.of(request.headers()) else { return refused() };
    let _under_way = connection.under_way();
    caller.is(signed_in.user.name);
    request.extensions_mut().insert(signed_in.user);
    // Nothing that comes after has a use for it.
    request.headers_mut().remove(header::AUTHORIZATION);
    match signed_in.requests.try_acquire() {
        Ok(_place) => next.run(request).await,
        Err(_) => {
            let text = format!("{REQUESTS_OF_USER_MAX} of your requests are not answered yet: wait for them");
            guards::later(StatusCode::TOO_MANY_REQUESTS, text)
        }
    }
}

fn refused() -> Response {
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
