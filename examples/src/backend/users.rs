//! Who is signed in, and whose request it is. This is the one file that knows tokens.

use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::Backend;
use crate::tracker::Role;

/// Bytes of a token's randomness.
const TOKEN_BYTES: usize = 32;

/// A user whose token came with the request.
#[derive(Clone, Copy, Debug)]
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) role: Role,
}

/// The users who are signed in, each with the token of this process.
pub(super) struct Users([(User, String); 2]);

impl Users {
    pub(super) const ADA: User = User { name: "ada", role: Role::Admin };
    pub(super) const BOB: User = User { name: "bob", role: Role::Viewer };

    /// Signs both in.
    pub(super) fn sign_in() -> anyhow::Result<Self> {
        Ok(Self([(Self::ADA, random_token()?), (Self::BOB, random_token()?)]))
    }

    pub(super) fn tokens(&self) -> impl Iterator<Item = (User, &str)> {
        self.0.iter().map(|(user, token)| (*user, token.as_str()))
    }

    /// Whose token it is. Every token is compared to its end, whatever is found: the time says nothing about any of them.
    fn find(&self, token: &str) -> Option<User> {
        self.0.iter().fold(None, |found, (user, known)| {
            let is_equal = bool::from(known.as_bytes().ct_eq(token.as_bytes()));
            if is_equal { Some(*user) } else { found }
        })
    }

    fn of(&self, headers: &HeaderMap) -> Option<User> {
        let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        self.find(value.strip_prefix("Bearer ")?)
    }
}

/// Lets a request pass that has the token of a user, and says in the request who it is.
pub(super) async fn authenticate(State(backend): State<Arc<Backend>>, mut request: Request, next: Next) -> Response {
    match backend.users.of(request.headers()) {
        Some(user) => {
            request.extensions_mut().insert(user);
            // Nothing that comes after has a use for it.
            request.headers_mut().remove(header::AUTHORIZATION);
            next.run(request).await
        }
        None => refused(),
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
