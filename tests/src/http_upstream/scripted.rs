//! A scripted server as the user `ada` has it, with a key, and what calls of it give.

use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::{Configuration, HttpServer as Configured, UpstreamHost, Upstreams, Url};
use isolet::{ToolCall, ToolError, ToolHost as _, ToolReply, with_causes};
use serde_json::{Map, Value, json};

use crate::http_server::HttpServer;

/// What a test waits for at the very most.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What goes out in a header field, and appears nowhere else.
pub(super) const CANARY: &str = "canary-7f3a9c";

/// What is called with it.
pub(super) fn host(upstreams: &Upstreams, server: &HttpServer) -> Result<UpstreamHost> {
    Ok(host_of(upstreams, server.url()?))
}

pub(super) fn host_of(upstreams: &Upstreams, url: Url) -> UpstreamHost {
    let configured = Configured::new(url).with_header("X-Key", CANARY);
    upstreams.host(&Configuration::default().with("scripted", configured), "ada")
}

/// Why the server at `url` has no list.
pub(super) async fn failure(upstreams: &Upstreams, url: Url) -> Result<String> {
    let discovery = host_of(upstreams, url).discover().await?;
    Ok(with_causes(&**discovery.failures.first().context("it fails")?))
}

pub(super) async fn call(host: &UpstreamHost, arguments: Value) -> Result<ToolReply> {
    Ok(host.call(tool_call("echo", arguments)).await?)
}

/// Whether the value of `reply` is `expected`.
pub(super) fn is(reply: &ToolReply, expected: &Value) -> Result<bool> {
    Ok(serde_json::from_str::<Value>(reply.as_json())? == *expected)
}

/// The error of a call.
pub(super) async fn refused(host: &UpstreamHost) -> Result<ToolError> {
    host.call(tool_call("echo", json!({}))).await.err().context("it fails")
}

pub(super) fn tool_call(tool: &str, arguments: Value) -> ToolCall {
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    };
    ToolCall::new("scripted", tool, format!("scripted.{tool}"), arguments, 1)
}
