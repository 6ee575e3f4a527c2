//! The whole idea as a service: two signed-in users of one backend. A token reaches only its user's tools; each request makes a
//! session for that user, runs one program or answers one MCP message, and drops it.
//!
//! ```text
//! connection -> log -> Host, Origin, JSON -> Authorization: Bearer TOKEN -> User -> the body, in time -> a session -> one answer
//! ```
//!
//! `POST /run` takes `{"code": ...}` and gives the outcome; `GET /types` gives what the model reads; `/mcp` is the same tools as a
//! classic MCP server over streamable HTTP, for MCP clients.
//!
//! What one user, or nobody at all, can take of it is bounded: [`ServerLimits`], [`REQUESTS_OF_USER_MAX`], and the places of a user in
//! the runtime.

mod authentication;
mod connections;
mod guards;
mod limits;
mod log;
mod mcp;
mod self_test;
mod server;
mod shared;
mod users;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get, post};
use axum::{Json, Router, middleware};
use isolet::RunError;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use self::limits::BODY_BYTES_MAX;
pub use self::limits::ServerLimits;
pub use self::self_test::self_test;
use self::shared::Backend;
pub use self::users::REQUESTS_OF_USER_MAX;
use self::users::User;

/// Serves on a port of this machine, for this machine only, until SIGTERM or Ctrl-C; requests that are under way are finished, within
/// [`ServerLimits::shutdown_max`].
///
/// # Errors
///
/// When the port is taken, or guest processes cannot be started here.
#[expect(clippy::print_stdout, reason = "an example says how it is used")]
pub async fn serve(port: u16, limits: ServerLimits) -> anyhow::Result<()> {
    let backend = Arc::new(Backend::new()?);
    let listener = server::listen(port).with_context(|| format!("port {port} cannot be used"))?;
    let address = listener.local_addr()?;
    let mut terminated = signal(SignalKind::terminate())?;
    let ended = async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    for (user, token) in backend.users.tokens() {
        println!("{} ({:?}): curl -H 'Authorization: Bearer {token}' http://{address}/types", user.name, user.role);
    }
    server::serve(listener, router(&backend, address, &limits), limits, ended).await;
    Ok(())
}

/// Every route, behind every guard; the last layer is the first that a request meets.
fn router(backend: &Arc<Backend>, address: SocketAddr, limits: &ServerLimits) -> Router {
    let times = guards::Times { body_max: limits.body_max, answer_max: limits.answer_max };
    let names = guards::Names::of(address);
    Router::new()
        .route("/run", post(run))
        .route("/types", get(types))
        .route("/mcp", any_service(mcp::service(Arc::clone(backend))))
        .layer(middleware::from_fn_with_state(times, guards::in_time))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(backend), authentication::authenticate))
        .layer(middleware::from_fn_with_state(Arc::new(names), guards::addressed))
        .layer(middleware::from_fn(log::log))
        .with_state(Arc::clone(backend))
}

/// Writes what is logged to standard error; `RUST_LOG` says what is, the requests if it is not set.
pub fn log_to_standard_error() {
    // Below `warn`, rmcp writes whole requests.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,rmcp=warn"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal).init();
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    code: String,
}

/// One program, one outcome. A program that throws or is stopped is an answer like any other: the model reads why.
async fn run(State(backend): State<Arc<Backend>>, user: User, Json(program): Json<Program>) -> Result<Response, Failure> {
    let outcome = backend.session(&user)?.run(&program.code).await?;
    Ok(Json(outcome.to_json()).into_response())
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
        if let Some(RunError::Overloaded { .. }) = self.0.downcast_ref() {
            return guards::later(StatusCode::SERVICE_UNAVAILABLE, self.0.to_string());
        }
        // What it was may name what a user should not read.
        tracing::error!(error = format!("{:#}", self.0), "a request could not be answered");
        (StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered: try again").into_response()
    }
}
