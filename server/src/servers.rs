//! The servers of one command: read from the configuration, asked for their tools, cut to what is allowed, ended at the end.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

use anyhow::anyhow;
use isolet::mcp::{Configuration, Discovery, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{Grants, Scope};

use crate::command_line::GrantArguments;
use crate::fault::Fault;
use crate::terminal::visible;

/// Who the one user of a command line is; other users' servers would be others.
const USER: &str = "local";

/// Servers that have been asked, and what of them may be called.
pub(crate) struct Servers {
    pub(crate) scope: Scope,
    pub(crate) host: UpstreamHost,
    upstreams: Upstreams,
}

impl Servers {
    /// Asks the servers of `config`. Says on standard error which tools are left out, and why.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration or pattern. [`Fault::Host`] if a server fails: a program that was written for it
    /// would fail half-way; the message says how to do without it.
    pub(crate) async fn open(config: Option<&Path>, arguments: &GrantArguments) -> Result<Self, Fault> {
        let configuration = match config {
            Some(path) => Configuration::read(path).map_err(Fault::usage)?,
            None => Configuration::default(),
        };
        let configuration = configuration.without(|server| arguments.deny.contains(&format!("{server}.*")));
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = upstreams.host(&configuration, USER);
        let opened = Self::ask(&host, &configuration, arguments).await;
        match opened {
            Ok(scope) => Ok(Self { scope, host, upstreams }),
            Err(fault) => {
                upstreams.close().await;
                Err(fault)
            }
        }
    }

    async fn ask(host: &UpstreamHost, configuration: &Configuration, arguments: &GrantArguments) -> Result<Scope, Fault> {
        let progress = Progress::show(configuration);
        let discovery = host.discover().await.map_err(Fault::usage)?;
        drop(progress);
        report_dropped(&discovery);
        if let Some(failure) = failures(&discovery) {
            return Err(Fault::Host(failure));
        }
        let mut grants = Grants::new();
        if arguments.allow.is_empty() {
            grants = grants.allow("*");
        }
        grants = arguments.allow.iter().fold(grants, Grants::allow);
        grants = arguments.deny.iter().fold(grants, Grants::deny);
        discovery.catalog.scope(&grants).map_err(Fault::usage)
    }

    /// Ends the servers, and waits until nothing of them is left.
    pub(crate) async fn close(self) {
        self.upstreams.close().await;
    }
}

fn report_dropped(discovery: &Discovery) {
    for dropped in discovery.catalog.dropped() {
        let _ = writeln!(std::io::stderr(), "isolet: {}", visible(&dropped.to_string()));
    }
}

/// All servers that failed, in one message, with its causes.
fn failures(discovery: &Discovery) -> Option<anyhow::Error> {
    let describe = |failure: &std::sync::Arc<isolet::mcp::UpstreamError>| {
        let cause = std::error::Error::source(&**failure).map(|cause| format!(" ({cause})"));
        format!("{failure}{}", cause.unwrap_or_default())
    };
    let messages: Vec<String> = discovery.failures.iter().map(describe).collect();
    (!messages.is_empty()).then(|| anyhow!("{}\n(to go on without a server: `--deny 'NAME.*'`)", messages.join("\nisolet: ")))
}

/// One line while servers start, for people: only on a terminal, and gone afterwards.
struct Progress(bool);

impl Progress {
    fn show(configuration: &Configuration) -> Self {
        let names: Vec<&str> = configuration.servers().map(|(name, _)| name).collect();
        let mut terminal = std::io::stderr();
        let is_shown = terminal.is_terminal() && !names.is_empty();
        if is_shown {
            let _ = write!(terminal, "starting {} ...", names.join(", "));
        }
        Self(is_shown)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.0 {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
