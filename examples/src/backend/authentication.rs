//! The guard that asks each request whose it is.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::connections::Connection;
use super::guards;
use super::log::Caller;
use super::shared::Backend;
use super::users::{REQUESTS_OF_USER_MAX, refused};

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
