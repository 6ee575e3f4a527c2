//! The sessions of a deployment's users: each has their own grants, their own limits and their own servers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use futures::future::BoxFuture;
use isolet::mcp::{Discovery, UpstreamHost, Upstreams};
use isolet::{Catalog, CatalogError, Grants, LowerLimits, Principal, Runtime, Scope, ScopeWarning, Session};
use isolet_http::{MakeSession, NoSession};
use tokio_util::task::AbortOnDropHandle;

use crate::deployment::{Deployment, Mistake, User, fault_of};
use crate::fault::Fault;
use crate::servers;

/// How old what is known of the servers may become where none says that anything has changed: servers that do not run say nothing.
const SCOPE_LIFE: Duration = Duration::from_secs(300);

/// The same where a server of the user failed: it may be back.
const LACKING_SCOPE_LIFE: Duration = Duration::from_secs(30);

/// How long a session waits to begin with what has changed. What takes longer a later one has.
const CHANGE_WAIT: Duration = Duration::from_millis(500);

/// Makes the session of each user.
pub(super) struct UserSessions {
    runtime: Runtime,
    users: BTreeMap<String, Arc<Served>>,
    _counting: AbortOnDropHandle<()>,
}

/// One user.
struct Served {
    host: UpstreamHost,
    grants: Grants,
    limits: LowerLimits,
    servers: Vec<String>,
    changes: Arc<AtomicU64>,
    made: Mutex<Made>,
    /// Held by whoever finds out what has changed.
    finding: tokio::sync::Mutex<()>,
}

/// What a user may call, and since when that is known.
struct Made {
    scope: Scope,
    since: Instant,
    /// How often servers had changed then.
    changes: u64,
}

impl Made {
    fn new(scope: Scope, changes: u64) -> Self {
        Self { scope, since: Instant::now(), changes }
    }

    /// Whether the servers are to be asked again although none says that anything has changed.
    fn is_old(&self) -> bool {
        let life = if self.scope.lacking().is_empty() { SCOPE_LIFE } else { LACKING_SCOPE_LIFE };
        self.since.elapsed() > life
    }
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
        let changes = Arc::new(AtomicU64::new(0));
        let counting = count_changes(upstreams.host(&deployment.servers, ""), Arc::clone(&changes));
        // One after the other: what a server lists is asked for once.
        for (name, user) in &deployment.users {
            let before = changes.load(Ordering::SeqCst);
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
                changes: Arc::clone(&changes),
                made: Mutex::new(Made::new(scope, before)),
                finding: tokio::sync::Mutex::default(),
            };
            users.insert(name.clone(), Arc::new(served));
        }
        if mistakes.is_empty() { Ok(Self { runtime, users, _counting: counting }) } else { Err(fault_of(&mistakes)) }
    }
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
    let discovery: Discovery = host.discover().await.map_err(Fault::usage)?;
    servers::report(&discovery);
    if asked > 0 && discovery.failures.len() == asked {
        return Err(Fault::Host(anyhow!("no server could be used")));
    }
    let catalog = discovery.catalog.clone().expecting(&servers).lacking(servers::reasons(&discovery));
    Ok(Arc::new(Discovered { catalog, host, servers }))
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
    /// What the user may call. Where servers have changed that is found out first, if it takes no long time.
    async fn scope(self: &Arc<Self>) -> Scope {
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

    fn made(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks every server whose list is too old to be known, those that failed included.
    async fn ask_all(&self) {
        let changes = self.changes.load(Ordering::SeqCst);
        let discovery = self.host.discover().await;
        self.take(discovery, changes);
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
        let discovery = servers::discover_again(&self.host, &scope).await;
        self.take(discovery, changes);
    }

    /// From now on the user may call what was found, when there had been so many changes.
    fn take(&self, discovery: Result<Discovery, CatalogError>, changes: u64) {
        let scope = discovery.map_err(|error| isolet::with_causes(&error)).and_then(|discovery| {
            let catalog = discovery.catalog.clone().expecting(&self.servers).lacking(servers::reasons(&discovery));
            catalog.scope(&self.grants).map_err(|error| isolet::with_causes(&error))
        });
        let mut made = self.made();
        match scope {
            Ok(scope) => *made = Made::new(scope, changes),
            Err(error) => {
                made.changes = changes;
                tracing::warn!(%error, "the tools of a user stay as they were");
            }
        }
    }
}

impl MakeSession for UserSessions {
    fn session<'a>(&'a self, principal: &'a Principal) -> BoxFuture<'a, Result<Session, NoSession>> {
        let served = self.users.get(&principal.user);
        Box::pin(async move {
            let served = served.ok_or(NoSession::Forbidden)?;
            Ok(self.runtime.session(served.scope().await, served.host.clone()).with_limits(&served.limits))
        })
    }
}
