//! A router in this process, and the same without it.

use std::time::Duration;

use anyhow::{Result, ensure};
use axum::http::request::Parts;
use isolet::{Catalog, Config, Grants, Principal, Runtime, Scope, Session, ToolCall, ToolError, ToolHost, ToolReply};
use isolet_http::{NoSession, Options, Refusal, ServerLimits};
use serde_json::{Value, json};

use crate::process_table::until;
use crate::serve::Visitor;

/// How long a run that is forked ahead is waited for.
const READY_MAX: Duration = Duration::from_secs(20);

/// What is served, and what the same in this process is asked.
#[derive(Clone)]
pub(super) struct Deployment {
    runtime: Runtime,
    scope: Scope,
    pub(super) visitor: Visitor,
}

/// A tool that says what it is told.
#[derive(Clone)]
struct Echo;

impl ToolHost for Echo {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        Ok(ToolReply::from(Value::Object(call.arguments.as_map().clone())))
    }
}

impl Deployment {
    pub(super) async fn start() -> Result<Self> {
        let listener = isolet_http::listen("127.0.0.1:0".parse()?)?;
        let address = listener.local_addr()?;
        let options = Options::of_address(address);
        let mut config = Config::default();
        config.ready_runs_max = 8;
        let runtime = Runtime::new(config)?;
        let schema = json!({ "type": "object", "properties": { "value": {}, "limit": { "type": "integer", "minimum": 1 } } });
        let tools: Vec<_> = (0..30).map(|id| json!({ "name": format!("tool_{id}"), "inputSchema": schema })).collect();
        let scope = Catalog::load([("test", tools)])?.scope(&Grants::new().allow("*"))?;
        runtime.prepare(&scope).await?;
        let ending = options.ending.clone();
        let sessions = {
            let (runtime, scope) = (runtime.clone(), scope.clone());
            move |_: &Principal| Ok::<_, NoSession>(runtime.session(scope.clone(), Echo))
        };
        let anybody = |_: &Parts| Ok::<_, Refusal>(Principal::new("ada"));
        let router = isolet_http::router(runtime.clone(), anybody, sessions, options);
        tokio::spawn(isolet_http::serve(listener, router, ServerLimits::default(), ending));
        Ok(Self { runtime, scope, visitor: Visitor { address, key: None } })
    }

    /// A session as a request over HTTP has it.
    pub(super) fn session(&self) -> Session {
        self.runtime.session(self.scope.clone(), Echo).of_user("user ada")
    }

    /// Waits until the processes of what was asked before are gone and the next one waits.
    pub(super) async fn rests(&self) -> Result<()> {
        ensure!(until(READY_MAX, || self.runtime.metrics().ready > 0).await, "no run is forked ahead");
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}
