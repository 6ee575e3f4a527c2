//! The metadata of what is protected here, for anybody who asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};

use crate::answers;
use crate::shared::Shared;

/// The metadata of the service as a whole.
pub(crate) async fn whole(State(shared): State<Arc<Shared>>) -> Response {
    answer(&shared, "")
}

/// The metadata of one endpoint.
pub(crate) async fn endpoint(State(shared): State<Arc<Shared>>, Path(path): Path<String>) -> Response {
    answer(&shared, &format!("/{path}"))
}

fn answer(shared: &Shared, path: &str) -> Response {
    match shared.authenticate.resource().and_then(|resource| resource.metadata(path)) {
        Some(metadata) => Json(metadata).into_response(),
        None => answers::refused(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path"),
    }
}
