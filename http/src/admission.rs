//! The guard that asks each request whose it is, and gives it a slot among those of its principal.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::answers;
use crate::connections::Connection;
use crate::events;
use crate::log::Caller;
use crate::shared::Shared;

/// Lets a request pass that is somebody's who has not sent too many at once, and puts the [`isolet::Principal`] into its extensions.
pub(crate) async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let principal = match shared.authenticate.principal(&head).await {
        Ok(principal) => principal,
        Err(refusal) => return refusal.into_response(),
    };
    let under_way = head.extensions.get::<Arc<Connection>>().map(Connection::under_way);
    if let Some(caller) = head.extensions.get::<Caller>() {
        caller.is(&principal.user);
    }
    // Nothing that comes after has a use for it.
    head.headers.remove(header::AUTHORIZATION);
    let Some(slot) = shared.request_slots.take(principal.key()) else {
        let message =
            format!("{} of your requests are not answered yet: wait for them", shared.options.requests_of_principal_max);
        return answers::later(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", &message);
    };
    head.extensions.insert(principal);
    let response = next.run(Request::from_parts(head, body)).await;
    // A stream is under way until it ends.
    events::holding(response, (under_way, slot))
}
