//! The resources whose changes one client hears of. Each is followed as long as the client wants: at the server that has it when that was started again,
//! in the next session when that has other servers, and no longer than the user may read it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use isolet_bindings::{ToolError, ToolErrorCode};
use rmcp::ErrorData;
use rmcp::model::ErrorCode;
use rmcp::service::SubscriptionContext;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;

use super::classic_offers::not_watched;
use crate::host::call::Caller;
use crate::host::change_signal::ChangeSignal;

/// The resources that one client may watch.
const WATCHED_MAX: usize = 64;

/// How long a server may take to agree that it is watched.
const AGREED_MAX: Duration = Duration::from_secs(30);

/// Changes of one resource come no closer together; those between are one.
const GAP: Duration = Duration::from_millis(500);

/// How long is waited before a server is asked again that has ended, at first and at most.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// Tells the client that the resource has changed; whether it is still there.
pub(super) type Tell = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// The sessions that follow each other, and what calls take their way through in each.
pub(super) struct Sessions<T> {
    pub(super) sessions: watch::Receiver<Option<Arc<T>>>,
    pub(super) caller: fn(&T) -> Option<Arc<Caller>>,
}

/// What one client watches.
pub(super) struct Subscriptions {
    places: Arc<Semaphore>,
    followed: Mutex<HashMap<String, AbortHandle>>,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(WATCHED_MAX)), followed: Mutex::default() }
    }
}

impl Subscriptions {
    /// From now on `tell` is called when `uri` has changed. Known as that address; once however often.
    pub(super) async fn subscribe<T: Send + Sync + 'static>(
        &self,
        sessions: Sessions<T>,
        uri: String,
        tell: Tell,
    ) -> Result<(), ErrorData> {
        if self.followed().get(&uri).is_some_and(|task| !task.is_finished()) {
            return Ok(());
        }
        let place = self.place()?;
        let (agreed, agreement) = oneshot::channel();
        let following = follow(sessions, uri.clone(), Some(agreed), tell);
        let task = tokio::spawn(async move {
            following.await;
            drop(place);
        });
        let before = self.followed().insert(uri.clone(), task.abort_handle());
        before.iter().for_each(AbortHandle::abort);
        let agreed = tokio::time::timeout(AGREED_MAX, agreement).await;
        let refused = match agreed {
            Ok(Ok(Ok(()))) => return Ok(()),
            Ok(Ok(Err(error))) => not_watched(&error, &uri),
            _ => not_watched(&silent(), &uri),
        };
        self.unsubscribe(&uri);
        Err(refused)
    }

    /// The client does not want to hear of `uri` any more.
    pub(super) fn unsubscribe(&self, uri: &str) {
        let followed = self.followed().remove(uri);
        followed.iter().for_each(AbortHandle::abort);
    }

    /// Tells whoever listens what it wants to hear, until it does not any more. Resources that cannot be watched are silent.
    pub(super) async fn listen<T: Send + Sync + 'static>(
        &self,
        context: &SubscriptionContext,
        sessions: impl Fn() -> Sessions<T>,
    ) -> Result<(), ErrorData> {
        let (sink, accepted) = (context.sink(), context.accepted());
        let uris = accepted.resource_subscriptions.clone().unwrap_or_default();
        let places = uris.iter().map(|_| self.place()).collect::<Result<Vec<_>, _>>()?;
        let resources = uris.into_iter().map(|uri| {
            let (sink, changed) = (sink.clone(), uri.clone());
            let tell: Tell = Box::new(move || {
                let (sink, uri) = (sink.clone(), changed.clone());
                async move { sink.notify_resource_updated(uri).await.is_ok() }.boxed()
            });
            follow(sessions(), uri, None, tell)
        });
        let mut others = sessions().sessions;
        let tools = async {
            let is_wanted = accepted.tools_list_changed == Some(true);
            while is_wanted && others.changed().await.is_ok() && sink.notify_tool_list_changed().await.is_ok() {}
        };
        tokio::select! {
            _ = futures::future::join3(futures::future::join_all(resources), tools, std::future::pending::<()>()) => {}
            () = context.cancelled() => {}
        }
        drop(places);
        Ok(())
    }

    fn place(&self) -> Result<OwnedSemaphorePermit, ErrorData> {
        Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            let message = format!("{WATCHED_MAX} resources are watched, and no client may watch more: end one of them");
            ErrorData::new(ErrorCode(-32000), message, None)
        })
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<String, AbortHandle>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.followed().values().for_each(AbortHandle::abort);
    }
}

/// Follows one resource. `agreed` is told when the server first agrees, or why it does not.
async fn follow<T: Send + Sync + 'static>(
    Sessions { mut sessions, caller }: Sessions<T>,
    uri: String,
    mut agreed: Option<oneshot::Sender<Result<(), ToolError>>>,
    tell: Tell,
) {
    let (mut is_first, mut pause) = (true, PAUSE);
    loop {
        let Some(caller) = sessions.borrow_and_update().as_deref().and_then(caller) else { return };
        let signal = ChangeSignal::new();
        let watching = caller.watch(&uri, &signal);
        tokio::pin!(watching);
        let ended = loop {
            tokio::select! {
                biased;
                () = signal.told() => {
                    if std::mem::take(&mut is_first) {
                        agreed.take().map(|agreed| agreed.send(Ok(())));
                        continue;
                    }
                    // Also when it is watched again: what happened meanwhile nobody knows.
                    if !tell().await {
                        return;
                    }
                    pause = PAUSE;
                    tokio::time::sleep(GAP).await;
                }
                ended = &mut watching => break Some(ended),
                () = others(&mut sessions) => break None,
            }
        };
        match ended {
            None => {}
            Some(ended) if agreed.is_some() => {
                agreed.take().map(|agreed| agreed.send(Err(ended.err().unwrap_or_else(silent))));
                return;
            }
            // It is not there any more, or not for this user.
            Some(Err(error)) if is_refused(&error) => return,
            Some(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// Waits for the next session; for ever, if there will be none.
async fn others<T>(sessions: &mut watch::Receiver<T>) {
    if sessions.changed().await.is_err() {
        std::future::pending().await
    }
}

fn is_refused(error: &ToolError) -> bool {
    matches!(error.code, ToolErrorCode::UnknownTool | ToolErrorCode::InvalidArguments | ToolErrorCode::ToolFailed)
}

fn silent() -> ToolError {
    ToolError::new(ToolErrorCode::InvalidReply, "the server does not say that it tells of changes: ask again later")
}
