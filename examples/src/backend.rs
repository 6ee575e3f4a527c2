//! The whole idea as a service: two signed-in users of one backend. A key reaches only its user's tools; each request makes a session for that user,
//! runs one program or answers one MCP message, and drops it.
//!
//! All that is HTTP is `isolet-http`: its routes, what a request must be, what those who connect can take. This is what an application adds: who its
//! users are, which tools each may call, and whose data they reach.

mod self_test;
mod users;

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use isolet::{Catalog, Config, Principal, Runtime};
use isolet_http::{NoSession, Options};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

pub use self::self_test::self_test;
use self::users::Users;
use crate::tracker::Tracker;
use crate::tracker_host::{TrackerHost, grants_of};
pub use isolet_http::ServerLimits;

/// Serves on a port of this machine, for this machine only, until SIGTERM or Ctrl-C; requests that are under way are finished, within
/// [`ServerLimits::shutdown_max`]. A request's body has `body_max` to arrive.
///
/// # Errors
///
/// When the port is taken, or guest processes cannot be started here.
#[expect(clippy::print_stdout, reason = "an example says how it is used")]
pub async fn serve(port: u16, limits: ServerLimits, body_max: Duration) -> anyhow::Result<()> {
    let users = Users::sign_in()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = isolet_http::listen(address).with_context(|| format!("port {port} cannot be used"))?;
    let address = listener.local_addr()?;
    let options = Options::of_address(address).with(|options| options.body_max = body_max);
    let ending = options.ending.clone();
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::spawn({
        let ending = ending.clone();
        async move {
            tokio::select! {
                _ = terminated.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
            ending.begin();
        }
    });
    for (user, key) in users.keys() {
        println!("{} ({:?}): curl -H 'Authorization: Bearer {key}' http://{address}/v1/types", user.name, user.role);
    }
    isolet_http::serve(listener, router(&users, options)?, limits, ending).await;
    Ok(())
}

/// The routes, for the users who are signed in. No user is in the runtime or the catalog: what a user may not call is not in the session.
fn router(users: &Users, options: Options) -> anyhow::Result<Router> {
    let mut config = Config::default();
    config.live_runs_max = 128;
    // A quarter, so that one user who sends much leaves places to the others.
    config.live_runs_of_user_max = 32;
    let runtime = Runtime::new(config)?;
    let catalog = Catalog::load([("tracker", Tracker::definitions())])?;
    let tracker = Arc::new(Tracker::new());
    let sessions = {
        let runtime = runtime.clone();
        move |principal: &Principal| {
            let role = Users::role_of(principal).ok_or(NoSession::Forbidden)?;
            let scope = catalog.scope(&grants_of(role)).map_err(NoSession::failed)?;
            Ok::<_, NoSession>(runtime.session(scope, TrackerHost::new(Arc::clone(&tracker), &*principal.user)))
        }
    };
    Ok(isolet_http::router(runtime, users.bearer_keys(), sessions, options))
}

/// Writes what is logged to standard error; `RUST_LOG` says what is, the requests if it is not set.
pub fn log_to_standard_error() {
    // Below `warn`, rmcp writes whole requests.
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,rmcp=warn"));
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_terminal).init();
}
