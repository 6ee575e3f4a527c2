//! The servers of one command: read from the configuration, asked for their tools, cut to what is allowed, ended at the end.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use isolet::mcp::{Configuration, Discovery, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{Grants, Scope};

use crate::command_line::ServerArguments;
use crate::fault::{Fault, with_causes};
use crate::terminal::visible;

/// Who the one user of a command line is; other users' servers would be others.
const USER: &str = "local";

/// Servers that have been asked, and what of them may be called.
pub(crate) struct Servers {
    pub(crate) scope: Scope,
    pub(crate) host: UpstreamHost,
    /// Those that are not denied as a whole.
    pub(crate) configuration: Configuration,
    /// How they are started.
    pub(crate) options: UpstreamOptions,
    upstreams: Upstreams,
}

impl Servers {
    /// Asks the servers of `config`. Says on standard error which tools are left out and which servers failed, and why.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration or pattern. [`Fault::Host`] if there are servers and all of them failed.
    pub(crate) async fn open(config: Option<&Path>, arguments: &ServerArguments) -> Result<Self, Fault> {
        Self::of(Self::configuration(config, arguments)?, arguments).await
    }

    /// The servers of `config` that are not denied as a whole. Asks none.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration.
    pub(crate) fn configuration(config: Option<&Path>, arguments: &ServerArguments) -> Result<Configuration, Fault> {
        let configuration = match config {
            Some(path) => Configuration::read(path).map_err(Fault::usage)?,
            None => Configuration::default(),
        };
        Ok(configuration.without(|server| arguments.deny.contains(&format!("{server}.*"))))
    }

    /// Asks the servers of a configuration, as [`Servers::open`] does.
    pub(crate) async fn of(configuration: Configuration, arguments: &ServerArguments) -> Result<Self, Fault> {
        let mut options = UpstreamOptions::default();
        options.start_max = arguments.start_max.map_or(options.start_max, Duration::from_secs);
        let upstreams = Upstreams::new(options.clone());
        let host = upstreams.host(&configuration, USER);
        let opened = Self::ask(&host, &configuration, arguments).await;
        match opened {
            Ok(scope) => Ok(Self { scope, host, configuration, options, upstreams }),
            Err(fault) => {
                upstreams.close().await;
                Err(fault)
            }
        }
    }

    async fn ask(host: &UpstreamHost, configuration: &Configuration, arguments: &ServerArguments) -> Result<Scope, Fault> {
        let progress = Progress::show(configuration);
        let discovery = host.discover().await.map_err(Fault::usage)?;
        drop(progress);
        report(&discovery);
        if !discovery.failures.is_empty() && discovery.failures.len() == configuration.servers().count() {
            return Err(Fault::Host(anyhow!("no server could be used")));
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

/// Says which servers failed, with the cause, and which tools are left out.
fn report(discovery: &Discovery) {
    let mut terminal = std::io::stderr();
    for failure in &discovery.failures {
        let _ = writeln!(terminal, "isolet: {}", visible(&with_causes(&**failure)));
    }
    for dropped in discovery.catalog.dropped() {
        let _ = writeln!(terminal, "isolet: {}", visible(&dropped.to_string()));
    }
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
