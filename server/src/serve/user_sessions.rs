//! The sessions of a deployment's users: each has their own grants, their own limits and their own servers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::future::BoxFuture;
use isolet::mcp::{Configuration, Discovery, UpstreamError, UpstreamHost, Upstreams};
use isolet::{Catalog, CatalogError, Grants, LowerLimits, Principal, Runtime, Scope, ScopeError, ScopeWarning, Session};
use isolet_http::{MakeSession, NoSession};
use isolet_identity::{OAuth, Version};
use tokio_util::task::AbortOnDropHandle;

use super::visitors::Visitors;
use crate::deployment::{Deployment, Mistake, User, fault_of};
use crate::fault::Fault;
use crate::observed::{Observed, Observer, observing};
use crate::servers;

/// How old what is known of the servers may become where none says that anything has changed: servers that do not run say nothing.
const SCOPE_LIFE: Duration = Duration::from_secs(300);

/// The same where a server of the user failed, which may be back, or asks for authorization, which it may not do any more.
const LACKING_SCOPE_LIFE: Duration = Duration::from_secs(30);

/// How long a session waits to begin with what has changed. What takes longer a later one has.
const CHANGE_WAIT: Duration = Duration::from_millis(500);

/// How long a request waits for the servers of a user who has authorized one since the last request.
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
    observed: Option<Observed>,
    /// Who knows what users have authorized; none if nobody is asked.
    oauth: Option<OAuth>,
    /// How often servers have changed.
    changes: Arc<AtomicU64>,
    _counting: AbortOnDropHandle<()>,
}

/// One user.
struct Served {
    host: UpstreamHost,
    grants: Grants,
    limits: LowerLimits,
    servers: Vec<String>,
    /// Keeps what results are like, if anything does.
    observer: Option<Observer>,
    authorized: Authorized,
    changes: Arc<AtomicU64>,
    made: Mutex<Made>,
    /// Held by whoever finds out what has changed.
    finding: tokio::sync::Mutex<()>,
}

/// What a user may call, and since when that is known.
struct Made {
    scope: Scope,
    /// Where there are servers that the user has not authorized: what they had authorized then.
    asking: Option<Option<Version>>,
    since: Instant,
    /// How often servers had changed then.
    changes: u64,
}

impl Made {
    fn new(scope: Scope, asking: &[String], changes: u64, authorized: Option<Version>) -> Self {
        let asking = (!asking.is_empty()).then_some(authorized);
        Self { scope, asking, since: Instant::now(), changes }
    }

    /// Whether the servers are to be asked again although none says that anything has changed.
    fn is_old(&self) -> bool {
        let is_whole = self.scope.lacking().is_empty() && self.asking.is_none();
        let life = if is_whole { SCOPE_LIFE } else { LACKING_SCOPE_LIFE };
        self.since.elapsed() > life
    }
}

/// What a user has authorized, as the store says it: whichever replica they did it at.
struct Authorized {
    oauth: Option<OAuth>,
    principal: Principal,
}

impl Authorized {
    /// None if nobody is asked, or it cannot be found out now.
    async fn version(&self) -> Option<Version> {
        match self.oauth.as_ref()?.version(&self.principal).await {
            Ok(version) => Some(version),
            Err(error) => {
                tracing::warn!(error = %isolet::with_causes(&error), "what a user has authorized cannot be found out");
                None
            }
        }
    }
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
    pub(super) async fn open(
        deployment: &Deployment,
        runtime: Runtime,
        upstreams: &Upstreams,
        oauth: Option<&OAuth>,
        observed: Option<Observed>,
    ) -> Result<Self, Fault> {
        let mut users = BTreeMap::new();
        let mut mistakes: Vec<Mistake> = Vec::new();
        let changes = Arc::new(AtomicU64::new(0));
        let counting = count_changes(upstreams.host(&deployment.servers, ""), Arc::clone(&changes));
        // One after the other: what a server lists is asked for once.
        for (name, user) in &deployment.users {
            let before = changes.load(Ordering::SeqCst);
            let authorized = Authorized { oauth: oauth.cloned(), principal: deployment.principal(name) };
            let version = authorized.version().await;
            let discovered = discovered(deployment, upstreams, name).await?;
            let scope = discovered.catalog.scope(&user.grants()).map_err(Fault::usage)?;
            for mistake in mistakes_of(deployment, user, scope.warnings()) {
                if !mistakes.contains(&mistake) {
                    mistakes.push(mistake);
                }
            }
            let observer = observed.as_ref().map(|observed| observed.of_user(&Principal::new(name).key()));
            let scope = observing(observer.as_ref(), scope);
            let served = Served {
                host: discovered.host.clone(),
                grants: user.grants(),
                limits: user.limits.clone(),
                servers: discovered.servers.clone(),
                observer,
                changes: Arc::clone(&changes),
                made: Mutex::new(Made::new(scope, &discovered.asking, before, version)),
                authorized,
                finding: tokio::sync::Mutex::default(),
            };
            users.insert(name.clone(), Arc::new(served));
        }
        if !mistakes.is_empty() {
            return Err(fault_of(&mistakes));
        }
        let (configuration, roles) = (deployment.servers.clone(), deployment.roles.clone());
        let (upstreams, visitors, oauth) = (upstreams.clone(), Visitors::default(), oauth.cloned());
        Ok(Self { runtime, users, upstreams, configuration, roles, visitors, observed, oauth, changes, _counting: counting })
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
        let before = self.changes.load(Ordering::SeqCst);
        let authorized = Authorized { oauth: self.oauth.clone(), principal: principal.clone() };
        let version = authorized.version().await;
        let (catalog, asking) = offered(&mut host.discover().await?, &servers);
        let observer = self.observed.as_ref().map(|observed| observed.of_user(&principal.key()));
        let scope = observing(observer.as_ref(), catalog.scope(&grants)?);
        let made = Mutex::new(Made::new(scope, &asking, before, version));
        let (changes, finding) = (Arc::clone(&self.changes), tokio::sync::Mutex::default());
        Ok(Served { host, grants, limits: user.limits.clone(), servers, observer, authorized, changes, made, finding })
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

/// Counts how often the tools of servers may be others. Whatever host sees them: they are those of all.
fn count_changes(host: UpstreamHost, count: Arc<AtomicU64>) -> AbortOnDropHandle<()> {
    let mut changes = host.changes();
    AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            changes.changed().await;
            count.fetch_add(1, Ordering::SeqCst);
        }
    }))
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
    let (catalog, asking) = offered(&mut discovery, &servers);
    servers::report(&discovery);
    if asked > 0 && discovery.failures.len() == asked {
        return Err(Fault::Host(anyhow!("no server could be used")));
    }
    Ok(Arc::new(Discovered { catalog, asking, host, servers }))
}

/// What the servers that were asked have, where `all` are there, and those of them that the user has not authorized.
fn offered(discovery: &mut Discovery, all: &[String]) -> (Catalog, Vec<String>) {
    let asking = take_asking(discovery);
    let catalog = discovery.catalog.clone().expecting(all).asking(&asking).lacking(servers::reasons(discovery));
    (catalog, asking)
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
    /// What the user may call. Where servers have changed, or the user has authorized one, that is found out first, if it takes no long time: after the
    /// consent the same program works.
    async fn scope(self: &Arc<Self>) -> Scope {
        let asking = self.made().asking;
        if let Some(before) = asking
            && self.has_authorized(before).await
        {
            let _ = tokio::time::timeout(ASKING_MAX, self.follow_authorization()).await;
            return self.made().scope.clone();
        }
        let (is_changed, is_old) = {
            let mut made = self.made();
            let is_old = made.is_old();
            if is_old {
                made.since = Instant::now();
            }
            (made.changes != self.changes.load(Ordering::SeqCst), is_old)
        };
        if is_old {
            let served = Arc::clone(self);
            tokio::spawn(async move { served.ask_all().await });
        }
        if is_changed {
            let served = Arc::clone(self);
            // It goes on when nobody waits for it any more.
            let found = tokio::spawn(async move { served.follow().await });
            let _ = tokio::time::timeout(CHANGE_WAIT, found).await;
        }
        self.made().scope.clone()
    }

    /// Whether the user has authorized something else than at `before`, or nobody knows.
    async fn has_authorized(&self, before: Option<Version>) -> bool {
        let now = self.authorized.version().await;
        now.is_none() || now != before
    }

    /// Asks the servers for what the user has authorized, unless somebody has meanwhile.
    async fn follow_authorization(&self) {
        let _finding = self.finding.lock().await;
        let asking = self.made().asking;
        if let Some(before) = asking
            && self.has_authorized(before).await
        {
            self.ask_all().await;
        }
    }

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every server whose list is too old to be known, those that failed included.
    async fn ask_all(&self) {
        let (changes, version) = (self.changes.load(Ordering::SeqCst), self.authorized.version().await);
        let discovery = self.host.discover().await;
        self.take(discovery, changes, version);
    }

    /// Finds out what has changed, unless somebody has meanwhile.
    async fn follow(&self) {
        let _finding = self.finding.lock().await;
        let changes = self.changes.load(Ordering::SeqCst);
        let scope = {
            let made = self.made();
            if made.changes == changes {
                return;
            }
            made.scope.clone()
        };
        let version = self.authorized.version().await;
        let discovery = servers::discover_again(&self.host, &scope).await;
        self.take(discovery, changes, version);
    }

    /// From now on the user may call what was found, when there had been so many changes.
    fn take(&self, discovery: Result<Discovery, CatalogError>, changes: u64, version: Option<Version>) {
        let found = discovery.map_err(|error| isolet::with_causes(&error)).and_then(|mut discovery| {
            let (catalog, asking) = offered(&mut discovery, &self.servers);
            let scope = catalog.scope(&self.grants).map_err(|error| isolet::with_causes(&error))?;
            Ok(Made::new(observing(self.observer.as_ref(), scope), &asking, changes, version))
        });
        let mut made = self.made();
        match found {
            Ok(found) => *made = found,
            Err(error) => {
                made.changes = changes;
                tracing::warn!(%error, "the tools of a user stay as they were");
            }
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
            Ok(self.runtime.session(served.scope().await, served.host.clone()).with_limits(&served.limits))
        })
    }
}
