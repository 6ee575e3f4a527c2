//! The routes, and the guards in front of them: the last layer is the first that a request meets.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Router, middleware};
use isolet::Runtime;
use isolet::mcp::Mode;

use crate::admission;
use crate::answers;
use crate::authentication::Authenticate;
use crate::authorize;
use crate::consent_page;
use crate::guards;
use crate::log;
use crate::make_session::MakeSession;
use crate::mcp;
use crate::metrics;
use crate::options::Options;
use crate::request_slots::RequestSlots;
use crate::resource;
use crate::resource_metadata;
use crate::run;
use crate::shared::Shared;
use crate::tools;

/// The routes of this crate, for whoever `authenticate` says that a request is from, in the sessions that `sessions` makes, whose runtime is
/// `runtime`. To be nested where an application likes, or served by [`crate::serve`].
pub fn router(runtime: Runtime, authenticate: impl Authenticate, sessions: impl MakeSession, options: Options) -> Router {
    let names = Arc::new(options.names.clone());
    let shared = Arc::new(Shared {
        runtime,
        authenticate: Box::new(authenticate),
        sessions: Box::new(sessions),
        request_slots: RequestSlots::new(options.requests_of_principal_max),
        counters: Arc::default(),
        mcp: mcp::store::Store::new(&options),
        options,
    });
    let counters = Arc::clone(&shared.counters);
    let pages = consent_page::routes(&shared);
    faces(&shared.options)
        .route("/v1/authorizations", post(authorize::open))
        .route("/v1/authorizations/callback", post(authorize::complete))
        .route("/metrics", get(metrics::metrics))
        // What is nowhere is nobody's business either.
        .fallback(async || answers::refused(StatusCode::NOT_FOUND, "not_found", "there is nothing at this path"))
        .layer(middleware::from_fn_with_state(shared.options.body_max, guards::whole))
        .layer(DefaultBodyLimit::max(shared.options.body_bytes_max))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), admission::admit))
        .route("/healthz", get(async || "alive\n"))
        .route("/readyz", get(is_ready))
        .route(resource::METADATA, get(resource_metadata::whole))
        .route(&format!("{}/{{*path}}", resource::METADATA), get(resource_metadata::endpoint))
        .merge(pages)
        .layer(middleware::from_fn_with_state(names, guards::addressed))
        .layer(middleware::from_fn_with_state(counters, log::log))
        .with_state(shared)
}

fn faces(options: &Options) -> Router<Arc<Shared>> {
    let mut router = Router::new();
    if options.faces.run {
        router = router.route("/v1/run", post(run::run));
        router = router.route("/v1/types", get(tools::types)).route("/v1/tools", get(tools::tools));
    }
    for (is_served, path, mode) in [
        (options.faces.code, "/mcp", Mode::Code),
        (options.faces.code, "/mcp/code", Mode::Code),
        (options.faces.classic, "/mcp/classic", Mode::Classic),
        (options.faces.search, "/mcp/search", Mode::Search),
    ] {
        if is_served {
            router = router.route(path, mcp::endpoint::routes(mode));
        }
    }
    router
}

/// Whether requests are taken.
async fn is_ready(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    match (shared.options.ending.has_begun(), shared.sessions.is_ready()) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "ending\n"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready yet\n"),
        (false, true) => (StatusCode::OK, "ready\n"),
    }
}
