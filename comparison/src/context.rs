//! What is in a model's context before its first call of a tool.

use isolet::mcp::Mode;
use isolet::{Config, Runtime, Scope, TokenBudget, ToolHost};
use serde::Serialize;
use serde_json::{Map, json};

use crate::client::{Client, Connection, Size};
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

/// Measures every way; `tools/list` first, `search_tools` last.
pub(crate) async fn measure<Host: ToolHost>(setting: &Setting<Host>) -> anyhow::Result<Vec<Context>> {
    (setting.progress)("the context");
    let session = Runtime::new(Config::default())?.session(setting.scope.clone(), (setting.hosts)());
    let classic = Client::open(&session, Mode::Classic, Connection::Pipe).await?;
    let mut entries = vec![entry("classic MCP: `tools/list`", definitions(&classic).await?)];
    classic.close().await?;
    entries.push(entry("code mode: declarations in full", Size::of(setting.scope.typescript())));
    for budget in BUDGETS {
        let text = setting.scope.types(TokenBudget::new(budget)).text;
        entries.push(entry(&format!("code mode: declarations within {budget} tokens"), Size::of(&text)));
    }
    let code_mode = Client::open(&session, Mode::Code, Connection::Pipe).await?;
    let mut size = definitions(&code_mode).await?;
    entries.push(entry("code mode: its tools", size));
    size += search(&code_mode, &query(&setting.scope)).await?;
    code_mode.close().await?;
    entries.push(entry("code mode: its tools and one search", size));
    Ok(entries)
}

/// What a client gives to its model at the start: the definitions as JSON, and the server's instructions.
pub(crate) async fn definitions(client: &Client) -> anyhow::Result<Size> {
    let mut size = Size::of(&serde_json::to_string(&client.list().await?)?);
    size += Size::of(&client.instructions().unwrap_or_default());
    Ok(size)
}

/// What the model writes and reads to find tools.
pub(crate) async fn search(client: &Client, query: &str) -> anyhow::Result<Size> {
    let answer = client.call("search_tools", Map::from_iter([("query".to_owned(), json!(query))])).await?;
    let mut size = answer.written;
    size += answer.read;
    Ok(size)
}

/// Words that find something: the name of the tool in the middle.
fn query(scope: &Scope) -> String {
    let tools = scope.tools();
    tools.get(tools.len() / 2).map(|tool| tool.name().replace(['_', '-', '.'], " ")).unwrap_or_default()
}

fn entry(way: &str, size: Size) -> Context {
    Context { way: way.to_owned(), tokens: size.tokens, bytes: size.bytes }
}
