//! What is in a model's context before its first call of a tool.

use isolet::mcp::Mode;
use isolet::{Config, Runtime, TokenBudget, ToolHost};
use serde::Serialize;

use crate::client::{Client, Size};
use crate::setting::Setting;

/// Budgets for declarations, tokens.
const BUDGETS: [usize; 3] = [1000, 2000, 4000];

/// What one way puts into the context.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Context {
    /// Which way.
    pub way: String,
    /// Tokens of o200k.
    pub tokens: usize,
    /// Bytes of UTF-8.
    pub bytes: usize,
}

/// The faces, and what each is called here. The first is what all others are set against.
const FACES: [(Mode, &str); 4] = [
    (Mode::Classic, "classic MCP: `tools/list`"),
    (Mode::Code, "code mode: `run_code` and what it leaves to ask for"),
    (Mode::Search, "search: `search_tools` and `call_tool`"),
    (Mode::Both, "both: code mode and classic MCP"),
];

/// Measures the faces, and then declarations alone, for applications that put them into a prompt of their own.
pub(crate) async fn measure<Host: ToolHost>(setting: &Setting<Host>) -> anyhow::Result<Vec<Context>> {
    (setting.progress)("the context");
    let session = Runtime::new(Config::default())?.session(setting.scope.clone(), (setting.hosts)());
    let mut entries = Vec::new();
    for (mode, way) in FACES {
        let client = Client::open(&session, mode).await?;
        entries.push(entry(way, definitions(&client).await?));
        client.close().await?;
    }
    entries.push(entry("declarations alone, in full", Size::of(setting.scope.typescript())));
    for budget in BUDGETS {
        let text = setting.scope.types(TokenBudget::new(budget)).text;
        entries.push(entry(&format!("declarations alone, within {budget} tokens"), Size::of(&text)));
    }
    Ok(entries)
}

/// What a client gives to its model at the start: the definitions as JSON, and the server's instructions.
pub(crate) async fn definitions(client: &Client) -> anyhow::Result<Size> {
    let mut size = Size::of(&serde_json::to_string(&client.list().await?)?);
    size += Size::of(&client.instructions().unwrap_or_default());
    Ok(size)
}

fn entry(way: &str, size: Size) -> Context {
    Context { way: way.to_owned(), tokens: size.tokens, bytes: size.bytes }
}
