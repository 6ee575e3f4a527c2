//! `isolet mcp`: the tools of all servers for a desktop client, as code mode or as classic MCP, over standard input and output.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::ValueEnum as _;
use isolet::mcp::{Mode, Results, ServeOptions, ServeSoonError, Transport, serve_soon};
use isolet::{Config, Runtime};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::OnceCell;

use crate::command_line::{McpCommand, McpMode, McpResults, ServerArguments};
use crate::fault::Fault;
use crate::servers::{Choice, Servers};
use crate::terminal;

/// Serves until the client closes standard input, or a signal asks to end.
pub(crate) async fn mcp(command: McpCommand) -> Result<ExitCode, Fault> {
    if command.print_config {
        print_config(&command).map_err(Fault::Usage)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut terminated = signal(SignalKind::terminate()).map_err(Fault::host)?;
    let choice = Choice::of(Some(&command.config), &command.servers)?;
    let runtime = Runtime::new(Config::default()).map_err(Fault::host)?;
    let opened = OnceCell::new();
    // A client gives up on a server that says nothing while packages are downloaded.
    let session = async {
        let servers = opened.get_or_try_init(|| Servers::ask(choice)).await?;
        Ok(runtime.session(servers.scope.clone(), servers.host.clone()))
    };
    let served = tokio::select! {
        served = serve_soon(options_of(&command), Transport::stdio(), session) => served,
        _ = terminated.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    if let Some(servers) = opened.into_inner() {
        servers.close().await;
    }
    match served {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(ServeSoonError::Session(fault)) => Err(fault),
        Err(ServeSoonError::Serve(error)) => Err(Fault::host(error)),
    }
}

fn options_of(command: &McpCommand) -> ServeOptions {
    let mut options = ServeOptions::new(match command.mode {
        McpMode::Code => Mode::Code,
        McpMode::Classic => Mode::Classic,
        McpMode::Search => Mode::Search,
        McpMode::Both => Mode::Both,
    });
    options.index_tokens_max = command.index_tokens;
    options.always_offers_search = command.always_search;
    options.result_tokens_max = command.result_tokens;
    options.results = match command.results {
        McpResults::Both => Results::Both,
        McpResults::Text => Results::Text,
        McpResults::Structured => Results::Structured,
    };
    options
}

/// What to paste into the settings of desktop clients, with the same configuration and patterns.
fn print_config(command: &McpCommand) -> anyhow::Result<()> {
    let executable = std::env::current_exe().context("cannot find the path of this program")?;
    let config = std::path::absolute(&command.config)
        .with_context(|| format!("cannot find the configuration `{}`", command.config.display()))?;
    let server = json!({ "command": executable, "args": arguments(command, &config) });
    let mut typed = json!({ "type": "stdio" });
    if let (Value::Object(typed), Value::Object(server)) = (&mut typed, server.clone()) {
        typed.extend(server);
    }
    let clients = [
        ("Claude Desktop, claude_desktop_config.json", json!({ "mcpServers": { "isolet": server } })),
        ("VS Code, .vscode/mcp.json", json!({ "servers": { "isolet": typed } })),
        ("Cursor, ~/.cursor/mcp.json", json!({ "mcpServers": { "isolet": server } })),
    ];
    for (client, snippet) in clients {
        terminal::print(&format!("// {client}\n"))?;
        terminal::print_json(&format!("{snippet:#}\n"))?;
    }
    Ok(())
}

fn arguments(command: &McpCommand, config: &Path) -> Vec<String> {
    let mut arguments = vec!["mcp".to_owned(), "--config".to_owned(), config.display().to_string()];
    let said = [("--mode", command.mode.to_possible_value()), ("--results", command.results.to_possible_value())];
    for (flag, value) in said {
        arguments.extend(value.into_iter().flat_map(|value| [flag.to_owned(), value.get_name().to_owned()]));
    }
    arguments.extend(["--index-tokens".to_owned(), command.index_tokens.to_string()]);
    arguments.extend(["--result-tokens".to_owned(), command.result_tokens.to_string()]);
    if command.always_search {
        arguments.push("--always-search".to_owned());
    }
    let ServerArguments { allow, deny, start_max, idle_max, env, allow_address } = &command.servers;
    let places: Vec<String> = allow_address.iter().map(ToString::to_string).collect();
    for (flag, patterns) in [("--allow", allow), ("--deny", deny), ("--env", env), ("--allow-address", &places)] {
        arguments.extend(patterns.iter().flat_map(|pattern| [flag.to_owned(), pattern.clone()]));
    }
    for (flag, seconds) in [("--start-max", start_max), ("--idle-max", idle_max)] {
        arguments.extend(seconds.iter().flat_map(|seconds| [flag.to_owned(), seconds.to_string()]));
    }
    arguments
}
