//! The servers of one command: read from the configuration, asked for their tools, cut to what is allowed, ended at the end.

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use isolet::mcp::{Configuration, Discovery, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{Grants, Scope, ScopeWarning, with_causes};

use crate::command_line::ServerArguments;
use crate::fault::Fault;
use crate::terminal;

/// Who the one user of a command line is; other users' servers would be others.
const USER: &str = "local";

/// The most lines that are said about one thing.
const LINES_MAX: usize = 20;

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

/// The servers of a configuration that a command uses, and what it may call of them.
pub(crate) struct Choice {
    /// Those that are not denied as a whole.
    configuration: Configuration,
    /// The names of all, those that are denied as a whole included.
    all: Vec<String>,
    grants: Grants,
    options: UpstreamOptions,
}

impl Choice {
    /// Reads `config`. Asks no server.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration.
    pub(crate) fn of(config: Option<&Path>, arguments: &ServerArguments) -> Result<Self, Fault> {
        let configuration = match config {
            Some(path) => Configuration::read(path).map_err(Fault::usage)?,
            None => Configuration::default(),
        };
        let mut grants = Grants::new();
        if arguments.allow.is_empty() {
            grants = grants.allow("*");
        }
        grants = arguments.allow.iter().fold(grants, Grants::allow);
        grants = arguments.deny.iter().fold(grants, Grants::deny);
        let mut options = UpstreamOptions::default();
        options.start_max = arguments.start_max.map_or(options.start_max, Duration::from_secs);
        let all = configuration.servers().map(|(name, _)| name.to_owned()).collect();
        let configuration = configuration.without(|server| grants.denies_server(server));
        Ok(Self { configuration, all, grants, options })
    }
}

impl Servers {
    /// Asks the servers of `config`. Says on standard error which tools are left out, which servers failed, which keywords are not checked and
    /// which patterns match nothing, and why.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration, a wrong pattern, or one that names a tool that is not there or allows none.
    /// [`Fault::Host`] if there are servers and all of them failed.
    pub(crate) async fn open(config: Option<&Path>, arguments: &ServerArguments) -> Result<Self, Fault> {
        Self::ask(Choice::of(config, arguments)?).await
    }

    /// Asks the servers that were chosen, as [`Servers::open`] does.
    pub(crate) async fn ask(choice: Choice) -> Result<Self, Fault> {
        let upstreams = Upstreams::new(choice.options.clone());
        let host = upstreams.host(&choice.configuration, USER);
        match Self::scope(&host, &choice).await {
            Ok(scope) => {
                let Choice { configuration, options, .. } = choice;
                Ok(Self { scope, host, configuration, options, upstreams })
            }
            Err(fault) => {
                upstreams.close().await;
                Err(fault)
            }
        }
    }

    async fn scope(host: &UpstreamHost, choice: &Choice) -> Result<Scope, Fault> {
        let names: Vec<&str> = choice.configuration.servers().map(|(name, _)| name).collect();
        if !names.is_empty() {
            terminal::show_progress(&format!("starting {}", names.join(", ")));
        }
        let discovery = host.discover().await;
        terminal::show_progress("");
        let discovery = discovery.map_err(Fault::usage)?;
        report(&discovery);
        if !discovery.failures.is_empty() && discovery.failures.len() == choice.configuration.servers().count() {
            return Err(Fault::Host(anyhow!("no server could be used")));
        }
        let catalog = discovery.catalog.expecting(&choice.all);
        let scope = catalog.scope(&choice.grants).map_err(Fault::usage)?;
        let is_default = |pattern: &str| pattern == "*";
        let is_mistake = |warning: &&ScopeWarning| match warning {
            ScopeWarning::NoSuchTool { .. } => true,
            // Who allows everything of servers that have nothing made no mistake.
            ScopeWarning::NothingLeft { pattern } => !is_default(pattern),
            _ => false,
        };
        if let Some(mistake) = scope.warnings().iter().find(is_mistake) {
            return Err(Fault::usage(mistake.clone()));
        }
        let warnings = scope.warnings().iter().filter(|warning| !matches!(warning, ScopeWarning::NothingLeft { .. }));
        say("grants", warnings.map(ToString::to_string), scope.warnings().len());
        Ok(scope)
    }

    /// Ends the servers, and waits until nothing of them is left.
    pub(crate) async fn close(self) {
        self.upstreams.close().await;
    }
}

/// Says which servers failed, with the cause, which tools are left out, and what of the others is not checked.
fn report(discovery: &Discovery) {
    let failures = discovery.failures.iter().map(|failure| with_causes(&**failure));
    say("servers that failed", failures, discovery.failures.len());
    let catalog = &discovery.catalog;
    say("tools that are left out", catalog.dropped().iter().map(ToString::to_string), catalog.dropped_count());
    say("keywords that are not checked", catalog.unchecked().iter().map(ToString::to_string), catalog.unchecked_count());
}

/// Says the first of `count` lines about `what`, and how many more there are.
fn say(what: &str, lines: impl Iterator<Item = String>, count: usize) {
    let mut said = 0;
    for line in lines.take(LINES_MAX) {
        said += 1;
        terminal::say(&line);
    }
    if count > said && said > 0 {
        terminal::say(&format!("and {} more {what}", count - said));
    }
}
