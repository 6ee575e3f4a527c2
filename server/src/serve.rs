//! `isolet serve`: the tools of a deployment over HTTP, for its users.

mod access;
mod current;
mod proxied;
mod token_access;
mod user_sessions;
mod visitors;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use isolet::Runtime;
use isolet::mcp::{Configuration, Upstreams, Url};
use isolet_http::{Authorizations, Ending, Options, Renewal, ServerLimits, ServiceNames};
use isolet_identity::{Asking, OAuth, SubjectTokens};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::task::AbortOnDropHandle;

use self::access::Access;
use self::current::{Current, Serving};
use self::user_sessions::{Discovered, UserSessions};
use crate::changed_servers::changed_servers;
use crate::command_line::ServeCommand;
use crate::credentials;
use crate::deployment::{Deployment, fault_of};
use crate::fault::Fault;
use crate::observed::Observed;
use crate::terminal;
use crate::watched_files::WatchedFiles;

/// Serves until a signal asks to end, and what is under way has ended.
pub(crate) async fn serve(command: ServeCommand) -> Result<ExitCode, Fault> {
    let deployment = deployment(&command)?;
    let ending = Ending::default();
    end_at_a_signal(&ending).map_err(Fault::host)?;
    // Until somebody listens for it, it would end this process.
    let hangups = signal(SignalKind::hangup()).map_err(Fault::host)?;
    let listener = isolet_http::listen(deployment.address)
        .with_context(|| format!("cannot listen at {}: is another server there", deployment.address))
        .map_err(Fault::Usage)?;
    let address = listener.local_addr().map_err(Fault::host)?;
    // Before any server is started: who cannot be served here is told at once.
    let subjects = SubjectTokens::default();
    let access = Access::of(&deployment, &command, deployment.base(address).as_ref(), &subjects)?;
    let mut options = options(&deployment, address, ending.clone())?;
    let users = asked(&deployment, address, &subjects).await?;
    let oauth = users.as_ref().map(|(oauth, _)| oauth.clone());
    options.authorizations = users.and_then(|(_, authorizations)| authorizations);
    let limits = server_limits(&deployment);
    let runtime = Runtime::new(deployment.config.clone()).map_err(Fault::host)?;
    let upstreams = match &oauth {
        Some(oauth) => Upstreams::asking(deployment.upstream.clone(), oauth.clone()),
        None => Upstreams::new(deployment.upstream.clone()),
    };
    let observed =
        deployment.observed_shapes.as_ref().map(|place| Observed::open(place.file.as_deref(), &place.shared_servers));
    let observed = observed.transpose()?;
    let opened = tokio::select! {
        opened = UserSessions::open(&deployment, runtime.clone(), &upstreams, oauth.as_ref(), observed.clone()) => opened.map(Some),
        () = ending.begun() => Ok(None),
    };
    let served = match opened {
        Ok(Some(sessions)) => {
            access.say();
            let said = terminal::print(&format!("http://{address}\n")).map_err(Fault::host);
            let current = Current::new(Serving { access, sessions });
            let again = Again {
                command,
                servers: deployment.servers.clone(),
                files: WatchedFiles::new(deployment.files.clone()),
                first: deployment,
                address,
                subjects,
                runtime: runtime.clone(),
                upstreams: upstreams.clone(),
                observed: observed.clone(),
                oauth,
                renewal: options.renewal.clone(),
            };
            let reading = AbortOnDropHandle::new(tokio::spawn(again.read_at(hangups, current.clone())));
            let router = isolet_http::router(runtime, current.clone(), current, options);
            isolet_http::serve(listener, router, limits, ending).await;
            drop(reading);
            said
        }
        Ok(None) => Ok(()),
        Err(fault) => Err(fault),
    };
    upstreams.close().await;
    if let Some(observed) = observed {
        observed.finish();
    }
    served.map(|()| ExitCode::SUCCESS)
}

/// The file, and what the command line says instead of it.
fn deployment(command: &ServeCommand) -> Result<Deployment, Fault> {
    let mut deployment = Deployment::read(&command.config).map_err(|mistakes| fault_of(&mistakes))?;
    deployment.address = command.listen.unwrap_or(deployment.address);
    if let Some(wall_max) = command.wall_max.map(Duration::from_secs) {
        deployment.config.limits.wall_max = wall_max;
        deployment.upstream.call_max = deployment.upstream.call_max.max(wall_max);
    }
    Ok(deployment)
}

/// Reads the file again when it has changed, and at SIGHUP: users, roles, keys and servers are those of the file from then on, or stay as they were if it is wrong. What is made
/// once (the listener, the faces, the runtime with its limits, the way servers are started) is as it was at the start, and a change of it is said.
struct Again {
    command: ServeCommand,
    /// What the file said at the start.
    first: Deployment,
    /// The servers that are in force.
    servers: Configuration,
    files: WatchedFiles,
    address: SocketAddr,
    subjects: SubjectTokens,
    runtime: Runtime,
    upstreams: Upstreams,
    observed: Option<Observed>,
    oauth: Option<OAuth>,
    renewal: Renewal,
}

impl Again {
    async fn read_at(mut self, mut hangups: Signal, current: Current) {
        loop {
            tokio::select! {
                hangup = hangups.recv() => match hangup {
                    Some(()) => self.files.look(),
                    None => return,
                },
                () = self.files.changed() => {}
            }
            match self.read().await {
                Ok((serving, deployment)) => {
                    current.replace(serving);
                    self.renewal.renew();
                    changed_servers(&self.servers, &deployment.servers).iter().for_each(|line| terminal::say(line));
                    self.upstreams.retain(&deployment.servers);
                    for table in self.first.fixed_otherwise(&deployment) {
                        terminal::say(&format!(
                            "what the file says in `[{table}]` now takes effect at the next start: restart for it"
                        ));
                    }
                    if self.oauth.is_none() && deployment.asks_users() {
                        terminal::say(
                            "a server asks its users for authorization now, and none did at the start: restart for it",
                        );
                    }
                    self.servers = deployment.servers;
                    self.files.follow(deployment.files);
                    terminal::say("the file was read again, and is in force");
                }
                Err(fault) => {
                    terminal::say(&format!(
                        "the file was read again, and is not in force: what was served before goes on: {fault}"
                    ));
                }
            }
        }
    }

    /// What is served from then on, and what the file says.
    async fn read(&self) -> Result<(Serving, Deployment), Fault> {
        self.files.check()?;
        let deployment = deployment(&self.command)?;
        let base = deployment.base(self.address);
        let access = Access::of(&deployment, &self.command, base.as_ref(), &self.subjects)?;
        let (upstreams, observed) = (&self.upstreams, self.observed.clone());
        let sessions = UserSessions::open(&deployment, self.runtime.clone(), upstreams, self.oauth.as_ref(), observed).await?;
        Ok((Serving { access, sessions }, deployment))
    }
}

/// SIGTERM and Ctrl-C begin the end.
fn end_at_a_signal(ending: &Ending) -> std::io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    let mut interrupted = signal(SignalKind::interrupt())?;
    let ending = ending.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminated.recv() => {}
            _ = interrupted.recv() => {}
        }
        ending.begin();
    });
    Ok(())
}

fn options(deployment: &Deployment, address: SocketAddr, ending: Ending) -> Result<Options, Fault> {
    let names = deployment.hosts.iter().fold(ServiceNames::of(address), ServiceNames::with_host);
    let names = deployment.origins.iter().fold(names, ServiceNames::with_origin);
    let names = match &deployment.public_url {
        Some(url) => names.with_host(host_of(url)).with_origin(url.origin().ascii_serialization()),
        None => names,
    };
    if names.is_empty() {
        let message = format!(
            "nobody could call this service: it listens at {address}, which is no name: write the names that clients use into `hosts` of `[listener]`, or `public_url`"
        );
        return Err(Fault::usage(anyhow!(message)));
    }
    let capacity = &deployment.capacity;
    Ok(Options::new(names).with(|options| {
        options.faces = deployment.faces;
        options.serve = deployment.serve.clone();
        options.body_bytes_max = capacity.body_bytes_max.unwrap_or(options.body_bytes_max);
        options.requests_of_principal_max = capacity.requests_of_user_max.unwrap_or(options.requests_of_principal_max);
        options.ending = ending;
    }))
}

/// The host of an address, with the port unless that is the scheme's own.
fn host_of(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn server_limits(deployment: &Deployment) -> ServerLimits {
    let (mut limits, capacity) = (ServerLimits::default(), &deployment.capacity);
    limits.connections_max = capacity.connections_max.unwrap_or(limits.connections_max);
    limits.connections_of_address_max = capacity.connections_of_address_max.unwrap_or(limits.connections_of_address_max);
    limits.shutdown_max = capacity.shutdown_seconds_max.map_or(limits.shutdown_max, Duration::from_secs);
    limits
}

/// What the servers of one user offer.
pub(crate) async fn discovered(deployment: &Deployment, upstreams: &Upstreams, user: &str) -> Result<Arc<Discovered>, Fault> {
    user_sessions::discovered(deployment, upstreams, user).await
}

/// What has the credentials of the deployment's users, and where they authorize servers: none if no server asks for any; nowhere if nobody knows what
/// browsers call this service.
async fn asked(
    deployment: &Deployment,
    address: SocketAddr,
    subjects: &SubjectTokens,
) -> Result<Option<(OAuth, Option<Authorizations>)>, Fault> {
    if !deployment.asks_users() {
        return Ok(None);
    }
    let authorization = &deployment.authorization;
    let base = deployment.base(address);
    let asking = match (&authorization.page, &base) {
        (Some((page, _)), _) => Asking::Page(page.clone()),
        (None, Some(base)) => Asking::Page(Authorizations::page_of(base).map_err(Fault::host)?),
        (None, None) => {
            terminal::say(
                "no user can authorize a server: write `public_url`, which browsers call this service, into `[listener]`",
            );
            Asking::Command("isolet serve (its operator has to write `public_url`)".to_owned())
        }
    };
    let oauth = credentials::of_deployment(deployment, asking, subjects).await?;
    let authorizations = match (&authorization.page, &base) {
        (Some((_, callback)), _) => Some(Authorizations::of_application(oauth.clone(), callback.clone())),
        (None, Some(base)) => Some(Authorizations::with_pages(oauth.clone(), base).map_err(Fault::host)?),
        (None, None) => None,
    };
    Ok(Some((oauth, authorizations)))
}
