//! `isolet tools`: what a program could call.

use std::io::Write as _;
use std::process::ExitCode;

use isolet::{Scope, ScopedTool};
use serde_json::{Value, json};

use crate::command_line::ToolsCommand;
use crate::fault::Fault;
use crate::servers::Servers;
use crate::terminal::visible;

/// The most characters that are set aside for the names of a tool.
const NAMES_WIDTH_MAX: usize = 80;

/// Prints the tools, one a line or as JSON.
pub(crate) async fn tools(command: ToolsCommand) -> Result<ExitCode, Fault> {
    let servers = Servers::open(Some(&command.config), &command.servers).await?;
    let text = if command.json { as_json(&servers.scope) } else { as_lines(&servers.scope) };
    servers.close().await;
    write!(std::io::stdout(), "{text}").map_err(Fault::host)?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(scope: &Scope) -> String {
    let tool = |tool: &ScopedTool| {
        json!({
            "path": tool.path(), "server": tool.server(), "name": tool.name(), "grant": tool.grant_pattern(),
            "definition": tool.definition().raw(),
        })
    };
    format!("{:#}\n", Value::Array(scope.tools().iter().map(tool).collect()))
}

/// A line for each tool: its path, the pattern that grants it where that is another, the first line of its description.
fn as_lines(scope: &Scope) -> String {
    let names = |tool: &ScopedTool| match visible(&tool.grant_pattern()) {
        grant if grant == tool.path() => grant,
        grant => format!("{}  ({grant})", tool.path()),
    };
    let width = scope.tools().iter().map(|tool| names(tool).chars().count()).max().unwrap_or_default().min(NAMES_WIDTH_MAX);
    let line = |tool: &ScopedTool| {
        let description = visible(tool.description().unwrap_or_default().lines().next().unwrap_or_default());
        format!("{:width$}  {description}", names(tool)).trim_end().to_owned() + "\n"
    };
    scope.tools().iter().map(line).collect()
}
