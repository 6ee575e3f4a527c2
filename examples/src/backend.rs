//! The whole idea as a service: two signed-in users of one backend. A token reaches only its user's tools; each request makes a
//! session for that user, runs one program or answers one MCP message, and drops it.
//!
//! ```text
//! Authorization: Bearer TOKEN -> User -> a scope for the role -> a session -> one answer
//! ```
//!
//! `POST /run` takes `{"code": ...}` and gives the outcome; `GET /types` gives what the model reads; `/mcp` is the same tools as a
//! classic MCP server over streamable HTTP, for MCP clients.

mod mcp;
mod outcome;
mod self_test;
mod users;

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get, post};
use axum::{Json, Router, middleware};
use isolet::{Catalog, Config, RunError, Runtime, Session};
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

pub use self::self_test::self_test;
use self::users::{User, Users};
use crate::tracker::Tracker;
use crate::tracker_host::{TrackerHost, grants_of};

/// The most bytes of a request: a program has at most 256 KiB, and JSON may write each of them as two.
const BODY_BYTES_MAX: usize = 512 << 10;

/// What all requests share. No user is in it but those who are signed in.
struct Backend {
    runtime: Runtime,
    catalog: Catalog,
    tracker: Arc<Tracker>,
    users: Users,
}

impl Backend {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            runtime: Runtime::new(Config::default())?,
            catalog: Catalog::load([("tracker", Tracker::definitions())])?,
            tracker: Arc::new(Tracker::new()),
            users: Users::sign_in()?,
        })
    }

    /// The session of one request. What the user may not call is not in it.
    fn session(&self, user: &User) -> anyhow::Result<Session> {
        let scope = self.catalog.scope(&grants_of(user.role))?;
        Ok(self.runtime.session(scope, TrackerHost::new(Arc::clone(&self.tracker), user.name)))
    }

    fn router(self: Arc<Self>, address: SocketAddr) -> Router {
        Router::new()
            .route("/run", post(run))
            .route("/types", get(types))
            .route("/mcp", any_service(mcp::service(Arc::clone(&self), address)))
            .route_layer(middleware::from_fn_with_state(Arc::clone(&self), users::authenticate))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(self)
    }
}

/// Serves on a port of this machine, for this machine only, until SIGTERM or Ctrl-C; requests that are under way are finished.
///
/// # Errors
///
/// When the port is taken, or guest processes cannot be started here.
#[expect(clippy::print_stdout, reason = "an example says how it is used")]
pub async fn serve(port: u16) -> anyhow::Result<()> {
    let backend = Arc::new(Backend::new()?);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.with_context(|| format!("port {port} cannot be used"))?;
    let address = listener.local_addr()?;
    for (user, token) in backend.users.tokens() {
        println!("{} ({:?}): curl -H 'Authorization: Bearer {token}' http://{address}/types", user.name, user.role);
    }
    let mut terminated = signal(SignalKind::terminate())?;
    let ended = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    Ok(axum::serve(listener, backend.router(address)).with_graceful_shutdown(ended).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    code: String,
}

/// One program, one outcome. A program that throws or is stopped is an answer like any other: the model reads why.
async fn run(State(backend): State<Arc<Backend>>, user: User, Json(program): Json<Program>) -> Result<Response, Failure> {
    let outcome = backend.session(&user)?.run(&program.code).await?;
    Ok(Json(outcome::json(&outcome)).into_response())
}

async fn types(State(backend): State<Arc<Backend>>, user: User) -> Result<String, Failure> {
    Ok(backend.session(&user)?.typescript().to_owned())
}

/// A request that could not be answered, for no fault of the program.
struct Failure(anyhow::Error);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0.downcast_ref::<RunError>() {
            Some(RunError::Overloaded { .. }) => {
                (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "1")], self.0.to_string()).into_response()
            }
            // What it was may name what a user should not read.
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered: try again").into_response(),
        }
    }
}
