//! The servers of one command: read from the configuration, asked for their tools, cut to what is allowed, ended at the end.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use isolet::mcp::{Configuration, Discovery, UpstreamHost, UpstreamOptions, Upstreams, Variables};
use isolet::{CatalogError, Grants, Scope, ScopeWarning, with_causes};
use isolet_identity::OAuth;

use crate::changed_servers::changed_servers;
use crate::command_line::ServerArguments;
use crate::credentials;
use crate::fault::Fault;
use crate::said::Said;
use crate::terminal;

/// Who the one user of a command line is; other users' servers would be others.
pub(crate) const USER: &str = "local";

/// How long a change of one server waits for the others.
const CHANGE_WAIT: Duration = Duration::from_millis(200);

/// How long it waits for one whose tools are in use, and which is asked again.
const ASKED_AGAIN_MAX: Duration = Duration::from_secs(30);

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
    oauth: OAuth,
}

/// Reads the configuration `config`, which may use these variables of the environment.
///
/// # Errors
///
/// [`Fault::Usage`] for one that is wrong.
pub(crate) fn read(config: &Path, variables: &[String]) -> Result<Configuration, Fault> {
    Configuration::read_with(config, &Variables::allowing(variables.iter().cloned())).map_err(Fault::usage)
}

impl Choice {
    /// The same, whose calls may take as long as a run that makes them.
    pub(crate) fn with_wall_max(mut self, wall_max: Option<Duration>) -> Self {
        self.options.call_max = wall_max.map_or(self.options.call_max, |wall_max| self.options.call_max.max(wall_max));
        self
    }

    /// Reads `config`. Asks no server.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a wrong configuration.
    pub(crate) fn of(config: Option<&Path>, arguments: &ServerArguments) -> Result<Self, Fault> {
        let configuration = match config {
            Some(path) => read(path, &arguments.env)?,
            None => Configuration::default(),
        };
        if let (None, Some((_, wrong))) = (configuration.servers().next(), configuration.refused().next()) {
            return Err(Fault::usage(Arc::clone(wrong)));
        }
        let mut grants = Grants::new();
        if arguments.allow.is_empty() {
            grants = grants.allow("*");
        }
        grants = arguments.allow.iter().fold(grants, Grants::allow);
        grants = arguments.deny.iter().fold(grants, Grants::deny);
        let mut options = UpstreamOptions::default();
        options.start_max = arguments.start_max.map_or(options.start_max, Duration::from_secs);
        // What a server remembers is there as long as whoever called it.
        options.idle_max = arguments.idle_max.map_or(Duration::MAX, Duration::from_secs);
        options.environment.clone_from(&arguments.env);
        options.policy.allowed.clone_from(&arguments.allow_address);
        let refused = configuration.refused().map(|(name, _)| name);
        let all = configuration.servers().map(|(name, _)| name).chain(refused).map(str::to_owned).collect();
        let configuration = configuration.without(|server| grants.denies_server(server));
        let oauth = credentials::known(arguments.credentials.as_deref(), config, &options.policy)?;
        Ok(Self { configuration, all, grants, options, oauth })
    }
}

/// What became of one server that was asked.
pub(crate) struct ServerReport {
    pub(crate) name: String,
    /// How many tools it has, or why it has none, with the cause.
    pub(crate) tools: Result<usize, String>,
    /// What of it is no tool, and why.
    pub(crate) left_out: Vec<String>,
}

impl Choice {
    /// Asks each server by itself, and ends them all.
    pub(crate) async fn examine(&self) -> Vec<ServerReport> {
        let upstreams = Upstreams::asking(self.options.clone(), self.oauth.clone());
        let one = async |name: &str| {
            let alone = self.configuration.clone().without(|other| other != name);
            let (tools, left_out) = match upstreams.host(&alone, USER).discover().await {
                Ok(discovery) => match discovery.failures.first() {
                    Some(failure) => (Err(with_causes(&**failure)), Vec::new()),
                    None => {
                        let operations = discovery.left_out.iter().map(ToString::to_string);
                        let tools = discovery.catalog.dropped().iter().map(ToString::to_string);
                        (Ok(discovery.catalog.tools().count()), operations.chain(tools).take(LINES_MAX).collect())
                    }
                },
                Err(error) => (Err(with_causes(&error)), Vec::new()),
            };
            ServerReport { name: name.to_owned(), tools, left_out }
        };
        let names =
            self.configuration.servers().map(|(name, _)| name).chain(self.configuration.refused().map(|(name, _)| name));
        let reports = futures::future::join_all(names.map(one)).await;
        upstreams.close().await;
        reports
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

    /// The servers that were chosen; asks none yet.
    pub(crate) fn begin(choice: Choice) -> BegunServers {
        let upstreams = Upstreams::asking(choice.options.clone(), choice.oauth.clone());
        let warnings = choice.configuration.warnings();
        say("warnings", warnings.map(ToString::to_string), choice.configuration.warnings().count());
        BegunServers { host: upstreams.host(&choice.configuration, USER), choice, upstreams, said: Mutex::default() }
    }

    /// Asks the servers that were chosen, as [`Servers::open`] does.
    pub(crate) async fn ask(choice: Choice) -> Result<Self, Fault> {
        let names: Vec<&str> = choice.configuration.servers().map(|(name, _)| name).collect();
        if !names.is_empty() {
            terminal::show_progress(&format!("starting {}", names.join(", ")));
        }
        let begun = Self::begin(choice);
        let discovery = begun.host.discover().await;
        terminal::show_progress("");
        match discovery.map_err(Fault::usage).and_then(|discovery| begun.chosen(&discovery)) {
            Ok(Chosen { scope, .. }) => {
                let BegunServers { host, choice: Choice { configuration, options, .. }, upstreams, .. } = begun;
                Ok(Self { scope, host, configuration, options, upstreams })
            }
            Err(fault) => {
                begun.close().await;
                Err(fault)
            }
        }
    }

    /// Ends the servers, and waits until nothing of them is left.
    pub(crate) async fn close(self) {
        self.upstreams.close().await;
    }
}

/// Servers that start, and come and go.
pub(crate) struct BegunServers {
    host: UpstreamHost,
    choice: Choice,
    upstreams: Upstreams,
    /// What was said is not said again at each change.
    said: Mutex<Said>,
}

/// What may be called of servers at one time.
pub(crate) struct Chosen {
    pub(crate) scope: Scope,
    /// Those that have not answered yet.
    pub(crate) starting: Vec<String>,
    /// Those that cannot be used now.
    failed: Vec<String>,
}

impl Chosen {
    /// Whether a client would see the same.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let tools = |chosen: &Self| -> Vec<_> {
            let tools = chosen.scope.tools().iter();
            tools.map(|tool| (tool.path().to_owned(), tool.definition().hash())).collect()
        };
        self.starting == other.starting && self.failed == other.failed && tools(self) == tools(other)
    }
}

impl BegunServers {
    pub(crate) fn host(&self) -> &UpstreamHost {
        &self.host
    }

    /// What may be called of the servers that answer within `wait`; the others go on starting.
    ///
    /// # Errors
    ///
    /// As [`Servers::open`].
    pub(crate) async fn choose(&self, wait: Duration) -> Result<Chosen, Fault> {
        let discovery = self.host.discover_within(wait).await.map_err(Fault::usage)?;
        self.chosen(&discovery)
    }

    /// The same after a change, where `known` was chosen before.
    ///
    /// # Errors
    ///
    /// As [`Servers::open`].
    pub(crate) async fn choose_again(&self, known: &Chosen) -> Result<Chosen, Fault> {
        let discovery = discover_again(&self.host, &known.scope).await.map_err(Fault::usage)?;
        self.chosen(&discovery)
    }

    /// The same after the configuration has changed: the servers are those of `choice` from here on. Those that have not changed go on, the others of
    /// before end when what was begun with them has.
    ///
    /// # Errors
    ///
    /// As [`Servers::open`]; then nothing has changed.
    pub(crate) async fn become_those_of(&mut self, choice: Choice, known: &Chosen) -> Result<Chosen, Fault> {
        let host = self.upstreams.host(&choice.configuration, USER);
        let before = (std::mem::replace(&mut self.host, host), std::mem::replace(&mut self.choice, choice));
        match self.choose_again(known).await {
            Ok(chosen) => {
                changed_servers(&before.1.configuration, &self.choice.configuration)
                    .iter()
                    .for_each(|line| terminal::say(line));
                let warnings = self.choice.configuration.warnings();
                self.say("warnings", warnings.map(ToString::to_string), self.choice.configuration.warnings().count());
                self.upstreams.retain(&self.choice.configuration);
                Ok(chosen)
            }
            Err(fault) => {
                (self.host, self.choice) = before;
                Err(fault)
            }
        }
    }

    fn chosen(&self, discovery: &Discovery) -> Result<Chosen, Fault> {
        let choice = &self.choice;
        for (what, lines, count) in findings(discovery) {
            self.say(what, lines.into_iter(), count);
        }
        let entries = choice.configuration.servers().count() + choice.configuration.refused().count();
        if !discovery.failures.is_empty() && discovery.failures.len() == entries {
            return Err(Fault::Host(anyhow!("no server could be used")));
        }
        let catalog = discovery.catalog.clone().expecting(&choice.all).lacking(reasons(discovery));
        let scope = catalog.scope(&choice.grants).map_err(Fault::usage)?;
        let is_default = |pattern: &str| pattern == "*";
        let is_mistake = |warning: &&ScopeWarning| match warning {
            ScopeWarning::NoSuchTool { .. } => true,
            // Who allows everything of servers that have nothing made no mistake, and what still starts may have it.
            ScopeWarning::NothingLeft { pattern } => !is_default(pattern) && discovery.starting.is_empty(),
            _ => false,
        };
        if let Some(mistake) = scope.warnings().iter().find(is_mistake) {
            return Err(Fault::usage(mistake.clone()));
        }
        let warnings = scope.warnings().iter().filter(|warning| !matches!(warning, ScopeWarning::NothingLeft { .. }));
        let count = warnings.clone().count();
        self.say("grants", warnings.map(ToString::to_string), count);
        Ok(Chosen { scope, starting: discovery.starting.clone(), failed: discovery.failed.clone() })
    }

    /// Says lines that were not said before.
    fn say(&self, what: &str, lines: impl Iterator<Item = String>, count: usize) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.say(what, lines.take(LINES_MAX).collect(), count, &mut terminal::say);
    }

    /// Ends the servers, and waits until nothing of them is left.
    pub(crate) async fn close(self) {
        self.upstreams.close().await;
    }
}

/// What the servers of `host` offer after a change. One that takes its time delays nothing, unless `scope` has tools of it: those stay until it is known
/// whether it still has them.
pub(crate) async fn discover_again(host: &UpstreamHost, scope: &Scope) -> Result<Discovery, CatalogError> {
    let discovery = host.discover_within(CHANGE_WAIT).await?;
    let is_known = |server: &String| scope.tools().iter().any(|tool| tool.server() == server);
    if !discovery.starting.iter().any(is_known) {
        return Ok(discovery);
    }
    host.discover_within(ASKED_AGAIN_MAX).await
}

/// The servers that failed, each with why: for models.
pub(crate) fn reasons(discovery: &Discovery) -> impl Iterator<Item = (&str, String)> {
    let reasons = discovery.failures.iter().map(|failure| with_causes(&**failure));
    discovery.failed.iter().map(String::as_str).zip(reasons)
}

/// Says which servers failed, with the cause, which tools are left out, and what of the others is not checked.
pub(crate) fn report(discovery: &Discovery) {
    for (what, lines, count) in findings(discovery) {
        say(what, lines.into_iter(), count);
    }
}

/// What there is to say of servers that were asked: about what, the first lines, and how many there are.
fn findings(discovery: &Discovery) -> [(&'static str, Vec<String>, usize); 4] {
    let first = |lines: &mut dyn Iterator<Item = String>| lines.take(LINES_MAX).collect();
    let catalog = &discovery.catalog;
    [
        (
            "servers that failed",
            first(&mut discovery.failures.iter().map(|failure| with_causes(&**failure))),
            discovery.failures.len(),
        ),
        (
            "operations that are left out",
            first(&mut discovery.left_out.iter().map(ToString::to_string)),
            discovery.left_out.len(),
        ),
        ("tools that are left out", first(&mut catalog.dropped().iter().map(ToString::to_string)), catalog.dropped_count()),
        (
            "keywords that are not checked",
            first(&mut catalog.unchecked().iter().map(ToString::to_string)),
            catalog.unchecked_count(),
        ),
    ]
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
