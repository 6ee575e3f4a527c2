//! A resource of one server that is watched: the server is asked to tell of its changes, and told when nobody wants to know any more.
//!
//! Servers with sessions are asked once for an address, however many watch it; those of the era without have a request under way for each watch.

use std::sync::Arc;

use serde_json::json;
use serde_json::value::to_raw_value;

use super::connection::Connection;
use super::error::UpstreamError;
use super::request_params::Members;
use super::watches::Watch;
use crate::host::change_signal::ChangeSignal;

/// Tells `signal` when the server has agreed to tell of changes of `uri`, and of each. Comes to an end when it does so no more; dropped, it is told.
pub(super) async fn watch(connection: &Arc<Connection>, uri: &str, signal: &ChangeSignal) -> Result<(), UpstreamError> {
    let watch = connection.watches().watch(uri, signal);
    if connection.is_modern() {
        let notifications = to_raw_value(&json!({ "resourceSubscriptions": [uri] }));
        let params = notifications.into_iter().fold(Members::default(), |params, raw| params.with("notifications", raw));
        return connection.ask_without_end("subscriptions/listen", params).await.map(drop);
    }
    let subscription = Subscription { connection: Arc::clone(connection), uri: uri.to_owned(), watch: Some(watch) };
    {
        let _turn = connection.subscribing().lock().await;
        connection.ask("resources/subscribe", Members::default().with_text("uri", uri)).await?;
    }
    signal.tell();
    let lost = connection.lost().await;
    drop(subscription);
    Err(lost)
}

/// What a server with sessions has agreed to.
struct Subscription {
    connection: Arc<Connection>,
    uri: String,
    watch: Option<Watch>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.watch = None;
        if self.connection.is_closed() || self.connection.watches().has(&self.uri) {
            return;
        }
        let (connection, uri) = (Arc::clone(&self.connection), std::mem::take(&mut self.uri));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _turn = connection.subscribing().lock().await;
                // Somebody may have come meanwhile.
                if !connection.watches().has(&uri) {
                    let _ = connection.ask("resources/unsubscribe", Members::default().with_text("uri", &uri)).await;
                }
            });
        }
    }
}
