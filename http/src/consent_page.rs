//! The pages on which a user authorizes a server, where the application has none: who they are, then the authorization server's own, then how it went.
//!
//! A browser has no key to send by itself, so the first page asks for it, and knows the browser by a cookie until the callback. A form that a page of
//! another origin sends is refused before ([`crate::guards`]): it could make somebody's browser that of somebody else.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Router, middleware};
use isolet::{Principal, visible};
use url::form_urlencoded;

use crate::authorizations::Authorizations;
use crate::authorize::{status_of, words_of};
use crate::browsers::Browsers;
use crate::guards;
use crate::log::Caller;
use crate::shared::Shared;

/// The most bytes of a form: a key, or a token.
const FORM_BYTES_MAX: usize = 16 << 10;

const KEY_PAGE: &str = "<!doctype html>
<html lang=\"en\">
<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Authorize a server</title></head>
<body>
<h1>Authorize a server</h1>
<p>A program of yours needs a server that you have not authorized. Only go on if you have just been asked to.</p>
<form method=\"post\">
<p><label>Your key for Isolet, if you have one: <input type=\"password\" name=\"key\" autocomplete=\"off\" autofocus></label></p>
<p><button>Go on</button></p>
</form>
</body>
</html>
";

/// The routes.
pub(crate) fn routes(shared: &Shared) -> Router<Arc<Shared>> {
    if shared.options.authorizations.as_ref().is_none_or(|authorizations| authorizations.browsers.is_none()) {
        return Router::new();
    }
    Router::new()
        .route("/authorize/{id}", get(ask).post(open))
        .route("/authorize/callback", get(come_back))
        .layer(middleware::from_fn_with_state(shared.options.body_max, guards::whole))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
}

/// The page that asks who the user is. It tells nobody whether there is such a link.
async fn ask() -> Response {
    let mut page = with_headers((StatusCode::OK, KEY_PAGE).into_response());
    page.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    page
}

/// Sends the user to the authorization server, if the link is theirs.
async fn open(State(shared): State<Arc<Shared>>, Path(id): Path<String>, mut head: Parts, body: Bytes) -> Response {
    let Some((authorizations, browsers)) = pages(&shared) else { return none() };
    head.headers.remove(header::AUTHORIZATION);
    let key = form_urlencoded::parse(&body).find(|(name, _)| name == "key").map(|(_, key)| key.trim().to_owned());
    if let Some(mut key) = key.and_then(|key| bearer(&key)) {
        key.set_sensitive(true);
        head.headers.insert(header::AUTHORIZATION, key);
    }
    let Ok(principal) = shared.authenticate.principal(&head).await else {
        return text(StatusCode::UNAUTHORIZED, "This key is not known here. Go back, and try again.");
    };
    note_caller(&head, &principal);
    let consent = match authorizations.oauth.open(&principal, &id, &authorizations.callback).await {
        Ok(consent) => consent,
        Err(error) => return text(status_of(&error).0, &format!("It was not begun: {}.", words_of(&error))),
    };
    let is_https = authorizations.callback.scheme() == "https";
    let callback = authorizations.callback.path();
    let cookie = browsers.know(&principal, callback.strip_suffix("/callback").unwrap_or(callback), is_https);
    let (Some(cookie), Ok(link)) = (cookie, HeaderValue::from_str(consent.link.as_str())) else {
        return text(StatusCode::SERVICE_UNAVAILABLE, "Too many authorizations are under way. Try again later.");
    };
    let mut response = with_headers(StatusCode::SEE_OTHER.into_response());
    response.headers_mut().insert(header::LOCATION, link);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// Takes what the authorization server sent the browser back with.
async fn come_back(State(shared): State<Arc<Shared>>, head: Parts) -> Response {
    let Some((authorizations, browsers)) = pages(&shared) else { return none() };
    let Some(principal) = browsers.whose(&head.headers) else {
        return text(
            StatusCode::BAD_REQUEST,
            "This browser has begun no authorization, or it took too long. Open the link again.",
        );
    };
    note_caller(&head, &principal);
    let mut url = authorizations.callback.clone();
    url.set_query(head.uri.query());
    match authorizations.oauth.complete(&principal, &url).await {
        Ok(server) => {
            shared.has_authorized(&principal);
            let server = visible::line(&server);
            text(StatusCode::OK, &format!("{server} is authorized. Close this page, and have the program run again."))
        }
        Err(error) => text(status_of(&error).0, &format!("It was not authorized: {}.", words_of(&error))),
    }
}

fn pages(shared: &Shared) -> Option<(&Authorizations, &Browsers)> {
    let authorizations = shared.options.authorizations.as_ref()?;
    Some((authorizations, authorizations.browsers.as_deref()?))
}

fn bearer(key: &str) -> Option<HeaderValue> {
    if key.is_empty() { None } else { HeaderValue::from_str(&format!("Bearer {key}")).ok() }
}

fn note_caller(head: &Parts, principal: &Principal) {
    if let Some(caller) = head.extensions.get::<Caller>() {
        caller.is(&principal.user);
    }
}

fn none() -> Response {
    text(StatusCode::NOT_FOUND, "There is nothing here.")
}

fn text(status: StatusCode, words: &str) -> Response {
    with_headers((status, words.to_owned()).into_response())
}

/// Nothing is loaded, framed, kept, or told to the next page.
fn with_headers(mut page: Response) -> Response {
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` a browser would not say of its form which page it is from.
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        page.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    page
}
