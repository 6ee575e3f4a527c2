//! Sessions for tests of their faces, and clients of those.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::{self, Mode, ServeOptions};
use isolet::{Catalog, Config, Grants, Limits, Runtime, Session};
use isolet_examples::tracker::Tracker;
use isolet_examples::tracker_host::TrackerHost;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::Value;

/// What a test waits for at the very most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) type Client = RunningService<RoleClient, ()>;

pub(crate) fn block_on<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(PATIENCE * 2, test).await.context("it hangs")? })
}

pub(crate) fn runtime() -> Result<Runtime> {
    let mut config = Config::default();
    config.ready_runs_max = 1;
    config.limits = Limits::default();
    Ok(Runtime::new(config)?)
}

pub(crate) fn tracker(user: &str, grants: Grants) -> Result<Session> {
    let catalog = Catalog::load([("tracker", Tracker::definitions())])?;
    let host = TrackerHost::new(Arc::new(Tracker::new()), user);
    Ok(runtime()?.session(catalog.scope(&grants)?, host))
}

pub(crate) async fn connect(session: &Session, mode: Mode) -> Result<Client> {
    let (there, here) = mcp::channel();
    tokio::spawn(session.serve(mode, there));
    Ok(().serve(here).await?)
}

pub(crate) async fn connect_with(session: &Session, options: ServeOptions) -> Result<Client> {
    let (there, here) = mcp::channel();
    tokio::spawn(session.serve_with(options, there));
    Ok(().serve(here).await?)
}

pub(crate) fn call(tool: &str, arguments: &Value) -> CallToolRequestParams {
    let call = CallToolRequestParams::new(tool.to_owned());
    call.with_arguments(arguments.as_object().cloned().unwrap_or_default())
}

pub(crate) fn text_of(result: &CallToolResult) -> String {
    result.content.iter().filter_map(|block| block.as_text()).map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
}
