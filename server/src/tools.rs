//! `isolet tools`: what a program could call.

use std::process::ExitCode;

use isolet::{Scope, ScopedTool};
use serde_json::{Value, json};

use crate::command_line::ToolsCommand;
use crate::fault::Fault;
use crate::servers::Servers;
use crate::terminal;

/// Prints the tools, one a line or as JSON.
pub(crate) async fn tools(command: ToolsCommand) -> Result<ExitCode, Fault> {
    let servers = Servers::open(Some(&command.config), &command.servers).await?;
    let scope = servers.scope.clone();
    servers.close().await;
    let printed = if command.json { terminal::print_json(&as_json(&scope)) } else { terminal::print(&as_lines(&scope)) };
    printed.map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(scope: &Scope) -> String {
    let tool = |tool: &ScopedTool| json!({"path": tool.path(), "server": tool.server(), "definition": tool.definition().raw()});
    format!("{:#}", Value::Array(scope.tools().iter().map(tool).collect()))
}

fn as_lines(scope: &Scope) -> String {
    let width = scope.tools().iter().map(|tool| tool.path().len()).max().unwrap_or_default();
    let line = |tool: &ScopedTool| {
        let description = tool.description().unwrap_or_default().lines().next().unwrap_or_default();
        format!("{:width$}  {description}", tool.path()).trim_end().to_owned() + "\n"
    };
    scope.tools().iter().map(line).collect()
}
