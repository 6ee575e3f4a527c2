//! A host of tools that never answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use isolet::{Catalog, Grants, Session, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::json;

use crate::face_client::{PATIENCE, runtime};

/// Never answers, and counts the calls that are alive.
#[derive(Clone, Default)]
pub(super) struct Endless(Arc<AtomicUsize>, Arc<tokio::sync::Notify>);

impl ToolHost for Endless {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let _alive = Alive(self);
        self.1.notify_one();
        std::future::pending().await
    }
}

struct Alive<'host>(&'host Endless);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
        self.0.1.notify_one();
    }
}

impl Endless {
    /// Waits until so many calls are alive.
    pub(super) async fn until(&self, count: usize) -> Result<()> {
        let reached = async {
            while self.0.load(Ordering::SeqCst) != count {
                self.1.notified().await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.with_context(|| format!("never {count} calls"))
    }

    pub(super) fn session(&self) -> Result<Session> {
        let tools = vec![json!({ "name": "wait", "inputSchema": { "type": "object" } })];
        let scope = Catalog::load([("endless", tools)])?.scope(&Grants::new().allow("*"))?;
        Ok(runtime()?.session(scope, self.clone()))
    }
}
