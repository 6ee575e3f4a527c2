//! Users authorize servers. The link that an outcome has leads to a page, of the application's or to the one here; both the page and the callback after
//! it act for whoever is known in that very browser, so somebody else's link gives nobody an account.
//!
//! | route | for |
//! |---|---|
//! | `POST /v1/authorizations` | an application with a page of its own: `{"id"}`, the last segment of the link, to `{"link", "expires_in_s"}` |
//! | `POST /v1/authorizations/callback` | the same: `{"url"}`, with which its callback was called, to `{"server"}` |
//! | `GET`, `POST /authorize/{id}`, `GET /authorize/callback` | browsers, where the application has no page: `consent_page.rs` |

use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use isolet::Principal;
use isolet_identity::IdentityError;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::answers;
use crate::shared::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CameBack {
    url: Url,
}

/// The address of the authorization server, for the browser of the user whose question it is.
pub(crate) async fn open(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    body: Bytes,
) -> Response {
    let Some(authorizations) = &shared.options.authorizations else { return nobody_is_asked() };
    let Ok(Opened { id }) = serde_json::from_slice(&body) else { return not_understood("{\"id\": \"...\"}") };
    match authorizations.oauth.open(&principal, &id, &authorizations.callback).await {
        Ok(consent) => {
            let expires_in_s = consent.expires.duration_since(SystemTime::now()).unwrap_or_default().as_secs();
            Json(json!({ "link": consent.link.as_str(), "expires_in_s": expires_in_s })).into_response()
        }
        Err(error) => refused(&error),
    }
}

/// The end of an authorization: what the user's browser came back with.
pub(crate) async fn complete(
    State(shared): State<Arc<Shared>>,
    Extension(principal): Extension<Principal>,
    body: Bytes,
) -> Response {
    let Some(authorizations) = &shared.options.authorizations else { return nobody_is_asked() };
    let Ok(CameBack { url }) = serde_json::from_slice(&body) else { return not_understood("{\"url\": \"https://...\"}") };
    match authorizations.oauth.complete(&principal, &url).await {
        Ok(server) => {
            shared.has_authorized(&principal);
            Json(json!({ "server": server })).into_response()
        }
        Err(error) => refused(&error),
    }
}

fn nobody_is_asked() -> Response {
    answers::refused(StatusCode::NOT_FOUND, "not_found", "no server here is authorized by its users")
}

fn not_understood(form: &str) -> Response {
    answers::refused(StatusCode::BAD_REQUEST, "invalid_request", &format!("the body is not `{form}`"))
}

fn refused(error: &IdentityError) -> Response {
    let (status, code) = status_of(error);
    answers::refused(status, code, &words_of(error))
}

/// The status and the code for an authorization that came to nothing.
pub(crate) fn status_of(error: &IdentityError) -> (StatusCode, &'static str) {
    match error {
        IdentityError::NotValid => (StatusCode::NOT_FOUND, "not_valid"),
        IdentityError::Denied { .. } => (StatusCode::FORBIDDEN, "denied"),
        IdentityError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        IdentityError::Store(_) | IdentityError::Kept { .. } => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        _ => (StatusCode::BAD_GATEWAY, "authorization_server"),
    }
}

/// What the user is told of it. What concerns this service alone is in its log.
pub(crate) fn words_of(error: &IdentityError) -> String {
    if status_of(error).0 == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(error = %isolet::with_causes(error), "an authorization could not be kept");
        return "the authorization could not be kept: try again".to_owned();
    }
    error.to_string()
}
