//! The scopes that are open on one connection: so many, each under a name of ours.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::failure::Failure;
use super::open_scope::{OpenScope, Wanted};
use super::params;

/// Scopes of one connection that are open at a time.
pub(super) const SCOPES_MAX: usize = 256;

/// The scopes.
pub(super) struct Scopes {
    table: Mutex<Table>,
    places: Arc<Semaphore>,
}

#[derive(Default)]
struct Table {
    last: u64,
    open: HashMap<String, Arc<OpenScope>>,
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self { table: Mutex::default(), places: Arc::new(Semaphore::new(SCOPES_MAX)) }
    }

    /// Opens a scope, which may take as long as its servers take to start. One whose opening fails or is cancelled leaves nothing.
    pub(super) async fn open(&self, params: params::OpenScope, cancel: &CancellationToken) -> Result<Arc<OpenScope>, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Failure::busy(format!("busy: {SCOPES_MAX} scopes are open: close one of them")))?;
        let wanted = Wanted::of(params)?;
        let upstreams = wanted.upstreams();
        let found = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Failure::cancelled()),
            found = wanted.find() => found,
        };
        let found = match found {
            Ok(found) => found,
            Err(failure) => {
                upstreams.close().await;
                return Err(failure);
            }
        };
        let mut table = self.table();
        table.last += 1;
        let name = format!("s{}", table.last);
        let scope = Arc::new(OpenScope::new(name.clone(), found, upstreams, place));
        table.open.insert(name, Arc::clone(&scope));
        Ok(scope)
    }

    /// The scope of this name.
    pub(super) fn find(&self, name: &str) -> Result<Arc<OpenScope>, Failure> {
        self.table().open.get(name).cloned().ok_or_else(|| unknown(name))
    }

    /// Closes a scope: its runs end as cancelled, and so do its servers.
    pub(super) async fn close(&self, name: &str) -> Result<(), Failure> {
        let scope = self.table().open.remove(name).ok_or_else(|| unknown(name))?;
        scope.close().await;
        Ok(())
    }

    /// Closes all of them.
    pub(super) async fn close_all(&self) {
        let scopes = std::mem::take(&mut self.table().open);
        futures::future::join_all(scopes.values().map(|scope| scope.close())).await;
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unknown(name: &str) -> Failure {
    Failure::params(format!("there is no scope `{name}`: it was closed, or never opened on this connection"))
}
