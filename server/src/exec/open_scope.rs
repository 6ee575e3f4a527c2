//! One scope that is open: what may be called, by whom it is answered, and what of it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use isolet::mcp::{Configuration, Destination, Discovery, UpstreamHost, UpstreamOptions, Upstreams, Variables};
use isolet::{Catalog, DefinitionList, Grants, Scope, ScopeWarning, with_causes};
use serde_json::{Value, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::params;

/// Who the one user is; other users' servers would be others.
const USER: &str = "local";

/// The most lines that are told of one thing.
const LINES_MAX: usize = 20;

/// What may be called.
pub(super) struct OpenScope {
    name: String,
    found: Found,
    upstreams: Upstreams,
    /// Cancelled when the scope is closed: its runs end.
    ended: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// A scope that is asked for, and its servers, which nothing has started yet.
pub(super) struct Wanted {
    tools: BTreeMap<String, DefinitionList>,
    configuration: Configuration,
    grants: Grants,
    /// The names of all servers, those that are denied as a whole included.
    all: Vec<String>,
    upstreams: Upstreams,
}

/// A scope, and what is to be said of it.
pub(super) struct Found {
    scope: Scope,
    host: UpstreamHost,
    /// The servers whose tools the caller answers.
    own: BTreeSet<String>,
    /// What may have been meant otherwise, and what is left out.
    warnings: Vec<String>,
    /// Servers that failed.
    failures: Vec<String>,
}

impl Wanted {
    /// Reads what is asked for. Asks no server.
    pub(super) fn of(params: params::OpenScope) -> Result<Self, Failure> {
        let configuration = match &params.configuration {
            Some(text) => {
                let variables = Variables::allowing(params.environment.iter().cloned())
                    .allowed_by(|name| format!("`{name}` in the scope's `environment`"));
                Configuration::parse_with(text.get(), &variables).map_err(|error| Failure::wrong(&error))?
            }
            None => Configuration::default(),
        };
        if let Some((_, wrong)) = configuration.refused().next() {
            return Err(Failure::wrong(&**wrong));
        }
        let mut options = UpstreamOptions::default();
        // What a server remembers is there as long as the scope.
        options.idle_max = Duration::MAX;
        options.environment = params.environment;
        for address in &params.addresses {
            let destination = address.parse::<Destination>().map_err(|error| Failure::wrong(&error))?;
            options.policy.allowed.push(destination);
        }
        let mut grants = Grants::new();
        if params.allow.is_empty() {
            grants = grants.allow("*");
        }
        grants = params.allow.into_iter().fold(grants, Grants::allow);
        grants = params.deny.into_iter().fold(grants, Grants::deny);
        grants = params.rename.into_iter().fold(grants, |grants, (tool, name)| grants.rename(tool, name));
        grants = params.describe.into_iter().fold(grants, |grants, (tool, text)| grants.describe(tool, text));
        for (tool, arguments) in params.pins {
            grants = arguments.into_iter().fold(grants, |grants, (argument, value)| grants.pin(tool.clone(), argument, value));
        }
        let all = configuration.servers().map(|(name, _)| name.to_owned()).chain(params.tools.keys().cloned()).collect();
        let configuration = configuration.without(|server| grants.denies_server(server));
        Ok(Self { tools: params.tools, configuration, grants, all, upstreams: Upstreams::new(options) })
    }

    /// The servers: whoever gives the scope up closes them.
    pub(super) fn upstreams(&self) -> Upstreams {
        self.upstreams.clone()
    }

    /// Asks the servers for their tools, and makes the scope.
    pub(super) async fn find(self) -> Result<Found, Failure> {
        let host = self.upstreams.host(&self.configuration, USER);
        let Discovery { catalog, failures, left_out, .. } = host.discover().await.map_err(|error| Failure::wrong(&error))?;
        let failures: Vec<String> = failures.iter().map(|failure| with_causes(&**failure)).collect();
        if !failures.is_empty() && failures.len() == self.configuration.servers().count() && self.tools.is_empty() {
            return Err(Failure::host(format!("no server could be used: {}", failures.join("; "))));
        }
        let mut warnings: Vec<String> = self.configuration.warnings().map(ToString::to_string).take(LINES_MAX).collect();
        warnings.extend(left_out.iter().map(ToString::to_string).take(LINES_MAX));
        warnings.extend(catalog.dropped().iter().map(ToString::to_string).take(LINES_MAX));
        let own = self.tools.keys().cloned().collect();
        let catalog = with_own(catalog, self.tools, &own)?.expecting(&self.all);
        let unchecked = catalog.unchecked().iter().map(ToString::to_string);
        warnings.extend(unchecked.take(LINES_MAX));
        let scope = catalog.scope(&self.grants).map_err(|error| Failure::wrong(&error))?;
        let is_mistake = |warning: &&ScopeWarning| match warning {
            ScopeWarning::NoSuchTool { .. } => true,
            // Who allows everything of servers that have nothing made no mistake.
            ScopeWarning::NothingLeft { pattern } => pattern != "*",
            _ => false,
        };
        if let Some(mistake) = scope.warnings().iter().find(is_mistake) {
            return Err(Failure::wrong(mistake));
        }
        let of_grants = scope.warnings().iter().filter(|warning| !matches!(warning, ScopeWarning::NothingLeft { .. }));
        warnings.extend(of_grants.map(ToString::to_string).take(LINES_MAX));
        Ok(Found { scope, host, own, warnings, failures })
    }
}

/// The catalog with the caller's own tools beside those of servers. A definition of its own that is none is the caller's mistake.
fn with_own(catalog: Catalog, own: BTreeMap<String, DefinitionList>, names: &BTreeSet<String>) -> Result<Catalog, Failure> {
    if own.is_empty() {
        return Ok(catalog);
    }
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for tool in catalog.tools() {
        lists.entry(tool.server().to_owned()).or_default().push(tool.raw().clone());
    }
    let lists = lists.into_iter().map(|(server, tools)| (server, DefinitionList::from(tools)));
    let catalog = Catalog::load(lists.chain(own)).map_err(|error| Failure::wrong(&error))?;
    let mut wrong = catalog.dropped().iter().filter(|dropped| names.contains(&dropped.server)).map(ToString::to_string);
    match wrong.next() {
        Some(first) => Err(Failure::params(std::iter::once(first).chain(wrong).collect::<Vec<_>>().join("; "))),
        None => Ok(catalog),
    }
}

impl OpenScope {
    /// The scope `name`.
    pub(super) fn new(name: String, found: Found, upstreams: Upstreams, place: OwnedSemaphorePermit) -> Self {
        Self { name, found, upstreams, ended: CancellationToken::new(), _place: place }
    }

    /// What its opening is answered with.
    pub(super) fn as_json(&self) -> Value {
        let Found { scope, warnings, failures, .. } = &self.found;
        json!({ "scope": self.name, "tools": scope.tools().len(), "warnings": warnings, "failures": failures })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn scope(&self) -> &Scope {
        &self.found.scope
    }

    /// What answers the calls of this server, if it is not the caller.
    pub(super) fn host_of(&self, server: &str) -> Option<&UpstreamHost> {
        (!self.found.own.contains(server)).then_some(&self.found.host)
    }

    /// Cancelled when the scope is closed.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Ends its runs and its servers, and waits until nothing of the latter is left.
    pub(super) async fn close(&self) {
        self.ended.cancel();
        self.upstreams.close().await;
    }
}
