//! The sessions of a deployment's users: each has their own grants, their own limits and their own servers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::future::BoxFuture;
use isolet::mcp::{Configuration, Discovery, UpstreamError, UpstreamHost, Upstreams};
use isolet::{Catalog, CatalogError, Grants, LowerLimits, Principal, Runtime, Scope, ScopeError, ScopeWarning, Session};
use isolet_http::{MakeSession, NoSession};

use super::visitors::Visitors;
use crate::deployment::{Deployment, Mistake, User, fault_of};
use crate::fault::Fault;
use crate::servers;

/// How long the tools of a user are what they were: a server that has others, or has come back, is asked again then.
const SCOPE_LIFE: Duration = Duration::from_secs(30);

/// How long a request waits for what a user may have authorized since the last one.
const ASKING_MAX: Duration = Duration::from_secs(5);

/// Makes the session of each user.
pub(super) struct UserSessions {
    runtime: Runtime,
    users: BTreeMap<String, Arc<Served>>,
    /// What those who come with a token are served with.
    upstreams: Upstreams,
    configuration: Configuration,
    roles: BTreeMap<String, User>,
    visitors: Visitors<Served>,
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
    /// Whether there are servers that the user has not authorized.
    is_asking: bool,
    since: Instant,
}

/// What the servers of a user offer.
pub(crate) struct Discovered {
    pub(crate) catalog: Catalog,
    /// The servers that the user has not authorized.
    pub(crate) asking: Vec<String>,
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
                made: Mutex::new(Made { scope, is_asking: !discovered.asking.is_empty(), since: Instant::now() }),
            };
            users.insert(name.clone(), Arc::new(served));
        }
        if !mistakes.is_empty() {
            return Err(fault_of(&mistakes));
        }
        let (configuration, roles) = (deployment.servers.clone(), deployment.roles.clone());
        Ok(Self { runtime, users, upstreams: upstreams.clone(), configuration, roles, visitors: Visitors::default() })
    }

    /// Who comes with a token: what its roles allow, of servers of their own.
    async fn visitor(&self, principal: &Principal) -> Result<Arc<Served>, NoSession> {
        let roles = principal.roles.iter().filter_map(|role| self.roles.get(role));
        let user = roles.fold(User::default(), |user, role| user.and(role));
        if !user.may_call() {
            return Err(NoSession::Forbidden);
        }
        let known = self.visitors.of(principal);
        let served = known.get_or_try_init(async || self.meet(principal, &user).await.map(Arc::new)).await;
        served.cloned().map_err(NoSession::failed)
    }

    /// What the servers offer to one who has not been here lately.
    async fn meet(&self, principal: &Principal, user: &User) -> Result<Served, MeetError> {
        let grants = user.grants();
        let configuration = self.configuration.clone();
        let servers: Vec<String> = configuration.servers().map(|(name, _)| name.to_owned()).collect();
        let configuration = configuration.without(|server| grants.denies_server(server));
        let host = self.upstreams.host(&configuration, principal);
        let mut discovery = host.discover().await?;
        let asking = take_asking(&mut discovery);
        let scope = discovery.catalog.expecting(&servers).asking(&asking).scope(&grants)?;
        let made = Mutex::new(Made { scope, is_asking: !asking.is_empty(), since: Instant::now() });
        Ok(Served { host, grants, limits: user.limits.clone(), servers, made })
    }
}

/// Why nobody knows what a user may call.
#[derive(Debug, thiserror::Error)]
enum MeetError {
    #[error("the servers cannot be told apart")]
    Catalog(#[from] CatalogError),
    #[error("the roles of a user cannot be applied")]
    Scope(#[from] ScopeError),
}

/// What the servers of `user` offer.
pub(super) async fn discovered(deployment: &Deployment, upstreams: &Upstreams, user: &str) -> Result<Arc<Discovered>, Fault> {
    let grants = deployment.users.get(user).map(User::grants).unwrap_or_default();
    let configuration = deployment.servers.clone();
    let servers: Vec<String> = configuration.servers().map(|(name, _)| name.to_owned()).collect();
    let configuration = configuration.without(|server| grants.denies_server(server));
    let asked = configuration.servers().count();
    let host = upstreams.host(&configuration, user);
    let mut discovery: Discovery = host.discover().await.map_err(Fault::usage)?;
    let asking = take_asking(&mut discovery);
    servers::report(&discovery);
    if asked > 0 && discovery.failures.len() == asked {
        return Err(Fault::Host(anyhow!("no server could be used")));
    }
    Ok(Arc::new(Discovered { catalog: discovery.catalog.expecting(&servers).asking(&asking), asking, host, servers }))
}

/// The servers that the user has not authorized: no failure of theirs, and nothing to tell an operator.
fn take_asking(discovery: &mut Discovery) -> Vec<String> {
    let failures = std::mem::take(&mut discovery.failures).into_iter().zip(std::mem::take(&mut discovery.failed));
    let is_asking = |failure: &UpstreamError| matches!(failure, UpstreamError::AuthorizationRequired { .. });
    let (asking, failures): (Vec<_>, Vec<_>) = failures.partition(|(failure, _)| is_asking(failure));
    (discovery.failures, discovery.failed) = failures.into_iter().unzip();
    asking.into_iter().map(|(_, server)| server).collect()
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

    /// The same; where the user had servers to authorize, that is looked at first: after the consent the same program works.
    async fn scope_now(self: &Arc<Self>) -> Scope {
        if self.made.lock().unwrap_or_else(PoisonError::into_inner).is_asking {
            let _ = tokio::time::timeout(ASKING_MAX, self.make_again()).await;
        }
        self.scope()
    }

    async fn make_again(&self) {
        let Ok(mut discovery) = self.host.discover().await else { return };
        let asking = take_asking(&mut discovery);
        match discovery.catalog.expecting(&self.servers).asking(&asking).scope(&self.grants) {
            Ok(scope) => {
                let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
                (made.scope, made.is_asking) = (scope, !asking.is_empty());
            }
            Err(error) => tracing::warn!(error = %isolet::with_causes(&error), "the tools of a user stay as they were"),
        }
    }
}

impl MakeSession for UserSessions {
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>> {
        Box::pin(async move {
            let served = match &principal.tenant {
                None => Arc::clone(self.users.get(&principal.user).ok_or(NoSession::Forbidden)?),
                Some(_) => self.visitor(principal).await?,
            };
            Ok(self.runtime.session(served.scope_now().await, served.host.clone()).with_limits(&served.limits))
        })
    }
}
