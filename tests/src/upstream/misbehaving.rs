//! The misbehaving server as a user has it, and calls of its tools.

use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::{CommandServer, Configuration, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{ToolCall, ToolHost as _, ToolReply};
use serde_json::{Value, json};

use crate::misbehaving_server;

/// What a test waits for at the very most.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The misbehaving server in this mode.
pub(super) fn server(mode: &str) -> CommandServer {
    let executable = std::env::current_exe().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    CommandServer::new(executable).with_args([misbehaving_server::ARGUMENT, mode])
}

pub(super) fn configuration(server: CommandServer) -> Configuration {
    Configuration::default().with("test", server)
}

/// Why `server` cannot be listed.
pub(super) async fn failure(server: CommandServer, options: UpstreamOptions) -> Result<String> {
    let discovery = Upstreams::new(options).host(&configuration(server), "ada").discover().await?;
    Ok(discovery.failures.first().context("an error is expected")?.to_string())
}

pub(super) fn tool_call(tool: &str, arguments: Value) -> ToolCall {
    let Value::Object(arguments) = arguments else { unreachable!("arguments are an object") };
    ToolCall::new("test", tool, format!("test.{tool}"), arguments, 1)
}

pub(super) async fn call(host: &UpstreamHost, tool: &str, arguments: Value) -> Result<ToolReply> {
    Ok(host.call(tool_call(tool, arguments)).await?)
}

/// Asks `tool` until it answers `expected`.
pub(super) async fn becomes(host: &UpstreamHost, tool: &str, expected: &str) -> Result<()> {
    let ask = async {
        while call(host, tool, json!({})).await?.as_json() != expected {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, ask).await.with_context(|| format!("`{tool}` never was {expected}"))?
}

pub(super) fn block_on<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Runtime::new()?.block_on(test)
}
