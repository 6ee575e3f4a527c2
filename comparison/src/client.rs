//! A client of a session's faces, as an agent has it: what it lists, what it calls, and the text that a model would read.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use isolet::Session;
use isolet::mcp::{Mode, channel};
use isolet_bindings::count_tokens;
use rmcp::model::{CallToolRequestParams, ClientRequest, Request, Tool};
use rmcp::service::RunningService;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Map, Value};

/// A connection with a face of a session, after `initialize`.
pub(crate) struct Client(RunningService<RoleClient, ()>);

/// A text in a model's context.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) tokens: usize,
    pub(crate) bytes: usize,
}

impl Size {
    pub(crate) fn of(text: &str) -> Self {
        Self { tokens: count_tokens(text).tokens, bytes: text.len() }
    }
}

impl std::ops::AddAssign for Size {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.bytes += other.bytes;
    }
}

/// What a tool answered to an agent.
pub(crate) struct Answer {
    pub(crate) is_error: bool,
    /// What the model wrote for it.
    pub(crate) written: Size,
    /// What the model reads of it.
    pub(crate) read: Size,
    pub(crate) text: String,
    pub(crate) duration: Duration,
}

impl Client {
    /// Serves the session to a new client. The server ends with the client.
    pub(crate) async fn open(session: &Session, mode: Mode) -> anyhow::Result<Self> {
        let (there, here) = channel();
        tokio::spawn(session.serve(mode, there));
        Ok(Self(().serve(here).await.context("the session does not answer `initialize`")?))
    }

    /// The definitions of all tools.
    pub(crate) async fn list(&self) -> anyhow::Result<Vec<Tool>> {
        self.0.list_all_tools().await.context("the session does not answer `tools/list`")
    }

    /// What the server says about itself to the model.
    pub(crate) fn instructions(&self) -> Option<String> {
        self.0.peer_info().and_then(|info| info.instructions.clone())
    }

    /// Calls a tool.
    pub(crate) async fn call(&self, name: &str, arguments: Map<String, Value>) -> anyhow::Result<Answer> {
        let written = Size::of(&format!("{name}{}", Value::Object(arguments.clone())));
        let request = Request::new(CallToolRequestParams::new(name.to_owned()).with_arguments(arguments));
        let started = Instant::now();
        let result = self.0.send_request(ClientRequest::CallToolRequest(request)).await;
        let duration = started.elapsed();
        // As JSON: a result goes through a face as its server gave it, and rmcp's type for one knows the kinds of content of the protocol alone.
        let result = result.with_context(|| format!("`{name}` could not be called"))?;
        let result = serde_json::to_value(result).context("a result is no JSON")?;
        let text = text_of(&result);
        Ok(Answer { is_error: result["isError"] == true, written, read: Size::of(&text), text, duration })
    }

    /// Ends the connection, and waits until it has ended.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.0.cancel().await.map(drop).context("the client was lost")
    }
}

/// What a model reads of a result: its text, and other content as it is; the structured content only if there is nothing else, because
/// the text says the same.
fn text_of(result: &Value) -> String {
    let block = |block: &Value| match block["text"].as_str() {
        Some(text) if block["type"] == "text" => text.to_owned(),
        _ => block.to_string(),
    };
    let content = result["content"].as_array().map_or(&[][..], Vec::as_slice);
    match result.get("structuredContent") {
        Some(value) if content.is_empty() => value.to_string(),
        _ => content.iter().map(block).collect::<Vec<_>>().join("\n"),
    }
}
