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

mod connections;
mod guards;
mod log;
mod mcp;
mod outcome;
mod self_test;
mod server;
mod users;

use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any_service, get, post};
use axum::{Json, Router, middleware};
use isolet::{Catalog, Config, RunError, Runtime, Session};
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

pub use self::self_test::self_test;
pub use self::users::REQUESTS_OF_USER_MAX;
use self::users::{User, Users};
use crate::tracker::Tracker;
use crate::tracker_host::{TrackerHost, grants_of};

/// The most bytes of a request: a program has at most 256 KiB, and JSON may write each of them as two.
const BODY_BYTES_MAX: usize = 512 << 10;

/// What those who connect can take. Past each of them it is their own connection or request that ends.
///
/// With the runtime's live runs, three descriptors each, the defaults stay below 1,024 descriptors.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Connections at a time. Default 384. One more takes the place of the one that has waited longest for a user's request; it is
    /// closed where none waits.
    pub connections_max: usize,
    /// Connections of one address at a time, in the same way. Default 192. Behind a proxy all have one address.
    pub connections_of_address_max: usize,
    /// From the opening of a connection, or its last answer, to the end of a request's head. Default 10 s. Past it the connection is closed.
    pub head_max: Duration,
    /// From a request's head to the end of its body. Default 10 s. Past it: 408.
    pub body_max: Duration,
    /// From a request's body to its answer. Default 60 s, twice what a run may take. Past it: 503.
    pub answer_max: Duration,
    /// The life of a connection. Default 10 minutes. Past it the connection is closed with the answer that is under way.
    pub connection_age_max: Duration,
    /// From SIGTERM to the end of the requests that are under way. Default 10 s. Past it they are dropped.
    pub shutdown_max: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections_max: 384,
            connections_of_address_max: 192,
            head_max: Duration::from_secs(10),
            body_max: Duration::from_secs(10),
            answer_max: Duration::from_secs(60),
            connection_age_max: Duration::from_secs(600),
            shutdown_max: Duration::from_secs(10),
        }
    }
}

/// What all requests share. No user is in it but those who are signed in.
struct Backend {
    runtime: Runtime,
    catalog: Catalog,
    tracker: Arc<Tracker>,
    users: Users,
}

impl Backend {
    fn new() -> anyhow::Result<Self> {
        let mut config = Config::default();
        config.live_runs_max = 128;
        // A quarter, so that one user who sends much leaves places to the others.
        config.live_runs_of_user_max = 32;
        Ok(Self {
            runtime: Runtime::new(config)?,
            catalog: Catalog::load([("tracker", Tracker::definitions())])?,
            tracker: Arc::new(Tracker::new()),
            users: Users::sign_in()?,
        })
    }

    /// The session of one request. What the user may not call is not in it, and its runs take the user's turns.
    fn session(&self, user: &User) -> anyhow::Result<Session> {
        let scope = self.catalog.scope(&grants_of(user.role))?;
        Ok(self.runtime.session(scope, TrackerHost::new(Arc::clone(&self.tracker), user.name)).of_user(user.name))
    }

    /// Every route, behind every guard; the last layer is the first that a request meets.
    fn router(self: &Arc<Self>, address: SocketAddr, limits: &ServerLimits) -> Router {
        let times = guards::Times { body_max: limits.body_max, answer_max: limits.answer_max };
        let names = guards::Names::of(address);
        Router::new()
            .route("/run", post(run))
            .route("/types", get(types))
            .route("/mcp", any_service(mcp::service(Arc::clone(self))))
            .layer(middleware::from_fn_with_state(times, guards::in_time))
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(middleware::from_fn_with_state(Arc::clone(self), users::authenticate))
            .layer(middleware::from_fn_with_state(Arc::new(names), guards::addressed))
            .layer(middleware::from_fn(log::log))
            .with_state(Arc::clone(self))
    }
}

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
    server::serve(listener, backend.router(address, &limits), limits, ended).await;
    Ok(())
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
        if let Some(RunError::Overloaded { .. }) = self.0.downcast_ref() {
            return guards::later(StatusCode::SERVICE_UNAVAILABLE, self.0.to_string());
        }
        // What it was may name what a user should not read.
        tracing::error!(error = format!("{:#}", self.0), "a request could not be answered");
        (StatusCode::INTERNAL_SERVER_ERROR, "the request could not be answered: try again").into_response()
    }
}
