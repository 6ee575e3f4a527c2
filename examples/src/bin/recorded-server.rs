//! An MCP server over stdio that lists what another one listed once: `recorded-server examples/definitions/postman.json`. It has the
//! tools' definitions and nothing behind them, so each call fails and says so, or with `--answer TEXT` is answered with that.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Parser as _;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::stdio;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt as _};
use serde::Deserialize;

/// Lists recorded tools.
#[derive(clap::Parser)]
struct Arguments {
    /// A file of `examples/definitions`.
    recording: PathBuf,
    /// Answer each call with this text.
    #[arg(long, value_name = "TEXT")]
    answer: Option<String>,
}

/// What such a file holds, as far as it is needed.
#[derive(Clone, Deserialize)]
struct Recording {
    server: String,
    version: String,
    tools: Arc<[Tool]>,
    #[serde(skip)]
    answer: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { recording: path, answer } = Arguments::parse();
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let recording: Recording = serde_json::from_str(&text).with_context(|| format!("`{}` is no recording", path.display()))?;
    Recording { answer, ..recording }.serve(stdio()).await?.waiting().await?;
    Ok(())
}

impl ServerHandler for Recording {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::new(ServerCapabilities::builder().enable_tools().build());
        config.server_info = Implementation::new(self.server.clone(), self.version.clone());
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(&self, _: CallToolRequestParams, _: RequestContext<RoleServer>) -> Result<CallToolResponse, ErrorData> {
        if let Some(answer) = &self.answer {
            return Ok(CallToolResult::success(vec![ContentBlock::text(answer)]).into());
        }
        let text = "only the definition of this tool was recorded: nothing is behind it";
        Ok(CallToolResult::error(vec![ContentBlock::text(text)]).into())
    }
}
