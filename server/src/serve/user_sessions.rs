//! The sessions of a deployment's users: each has their own grants, their own limits and their own servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::future::BoxFuture;
use isolet::mcp::{Discovery, UpstreamHost, Upstreams};
use isolet::{Catalog, Grants, LowerLimits, Principal, Runtime, Scope, ScopeWarning, Session};
use isolet_http::{MakeSession, NoSession};

use crate::deployment::{Deployment, Mistake, User, fault_of};
use crate::fault::Fault;
use crate::servers;

/// How long the tools of a user are what they were: a server that has others, or has come back, is asked again then.
const SCOPE_LIFE: Duration = Duration::from_secs(30);

/// Makes the session of each user.
pub(super) struct UserSessions {
    runtime: Runtime,
    users: BTreeMap<String, Arc<Served>>,
}

/// One user.
struct Served {
    host: UpstreamHost,
    grants: Grants,
    limits: LowerLimits,
    servers: Vec<String>,
    made: Mutex<Made>,
}

/// What a user may call, and since when that is known.
struct Made {
    scope: Scope,
    since: Instant,
}

/// What the servers of a user offer.
pub(crate) struct Discovered {
    pub(crate) catalog: Catalog,
    host: UpstreamHost,
    /// The names of all servers.
    servers: Vec<String>,
}

impl UserSessions {
    /// Asks the servers for each user. Says on standard error what is left out, and which servers failed.
    ///
    /// # Errors
    ///
    /// [`Fault::Usage`] for a pattern that names nothing, with its line; [`Fault::Host`] if no server could be used.
    pub(super) async fn open(deployment: &Deployment, runtime: Runtime, upstreams: &Upstreams) -> Result<Self, Fault> {
        let mut users = BTreeMap::new();
        let mut mistakes: Vec<Mistake> = Vec::new();
        // One after the other: what a server lists is asked for once.
        for (name, user) in &deployment.users {
            let discovered = discovered(deployment, upstreams, name).await?;
            let scope = discovered.catalog.scope(&user.grants()).map_err(Fault::usage)?;
            for mistake in mistakes_of(deployment, user, scope.warnings()) {
                if !mistakes.contains(&mistake) {
                    mistakes.push(mistake);
                }
            }
            let served = Served {
                host: discovered.host.clone(),
                grants: user.grants(),
                limits: user.limits.clone(),
                servers: discovered.servers.clone(),
                made: Mutex::new(Made { scope, since: Instant::now() }),
            };
            users.insert(name.clone(), Arc::new(served));
        }
        if mistakes.is_empty() { Ok(Self { runtime, users }) } else { Err(fault_of(&mistakes)) }
    }
}

/// What the servers of `user` offer.
pub(super) async fn discovered(deployment: &Deployment, upstreams: &Upstreams, user: &str) -> Result<Arc<Discovered>, Fault> {
    let grants = deployment.users.get(user).map(User::grants).unwrap_or_default();
    let configuration = deployment.servers.clone();
    let servers: Vec<String> = configuration.servers().map(|(name, _)| name.to_owned()).collect();
    let configuration = configuration.without(|server| grants.denies_server(server));
    let asked = configuration.servers().count();
    let host = upstreams.host(&configuration, user);
    let discovery: Discovery = host.discover().await.map_err(Fault::usage)?;
    servers::report(&discovery);
    if asked > 0 && discovery.failures.len() == asked {
        return Err(Fault::Host(anyhow!("no server could be used")));
    }
    Ok(Arc::new(Discovered { catalog: discovery.catalog.expecting(&servers), host, servers }))
}

/// What of a user's rules names nothing, with the line of each.
fn mistakes_of(deployment: &Deployment, user: &User, warnings: &[ScopeWarning]) -> Vec<Mistake> {
    let named = |warning: &ScopeWarning| match warning {
        ScopeWarning::NoSuchTool { name, .. } => Some(name.clone()),
        ScopeWarning::NothingLeft { pattern } => Some(pattern.clone()),
        ScopeWarning::MatchesNothing { grant } => Some(grant.clone()),
        _ => None,
    };
    let mistake = |warning: &ScopeWarning| {
        let name = named(warning)?;
        // What no file says is no mistake in it.
        let line = user.rules.iter().find(|rule| rule.pattern() == name)?.line?;
        Some(Mistake::of_line(&deployment.path, line, warning.to_string()))
    };
    warnings.iter().filter_map(mistake).collect()
}

impl Served {
    /// What the user may call; if that is not known of late, it is found out meanwhile.
    fn scope(self: &Arc<Self>) -> Scope {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.since.elapsed() > SCOPE_LIFE {
            made.since = Instant::now();
            let served = Arc::clone(self);
            tokio::spawn(async move { served.make_again().await });
        }
        made.scope.clone()
    }

    async fn make_again(&self) {
        let Ok(discovery) = self.host.discover().await else { return };
        match discovery.catalog.expecting(&self.servers).scope(&self.grants) {
            Ok(scope) => self.made.lock().unwrap_or_else(PoisonError::into_inner).scope = scope,
            Err(error) => tracing::warn!(error = %isolet::with_causes(&error), "the tools of a user stay as they were"),
        }
    }
}

impl MakeSession for UserSessions {
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>> {
        let session = self
            .users
            .get(&principal.user)
            .map(|served| self.runtime.session(served.scope(), served.host.clone()).with_limits(&served.limits));
        Box::pin(std::future::ready(session.ok_or(NoSession::Forbidden)))
    }
}
