//! `isolet mcp`: the tools of all servers for a desktop client, as code mode or as classic MCP, over standard input and output.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;
use isolet::mcp::{Mode, Offer, Results, ServeOptions, Transport, serve_offers};
use isolet::{Config, Runtime};
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::command_line::{McpCommand, McpMode, McpResults, ServerArguments};
use crate::fault::Fault;
use crate::observed::{Observed, observing};
use crate::servers::{BegunServers, Choice, Chosen, Servers};
use crate::terminal;
use crate::watched_files::WatchedFiles;

/// What a program may ask for with `timeout_ms`, where the command line says nothing.
const ASKED_WALL_MAX: Duration = Duration::from_secs(300);

/// Serves until the client closes standard input, or a signal asks to end.
pub(crate) async fn mcp(command: McpCommand) -> Result<ExitCode, Fault> {
    if command.print_config {
        print_config(&command).map_err(Fault::Usage)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut terminated = signal(SignalKind::terminate()).map_err(Fault::host)?;
    let wall_max = command.wall_max.map_or(ASKED_WALL_MAX, Duration::from_secs);
    let choice = Choice::of(Some(&command.config), &command.servers)?.with_wall_max(Some(wall_max));
    let mut config = Config::default();
    let wall_default = if command.wall_max.is_none() { Some(config.limits.wall_max) } else { None };
    config.limits.wall_max = wall_max;
    let observed = command.observed.open()?;
    let runtime = Runtime::new(config).map_err(Fault::host)?;
    let mut servers = Servers::begin(choice);
    let (offers, offered) = mpsc::channel(1);
    let mut options = options_of(&command);
    options.wall_default = wall_default;
    let ended = tokio::select! {
        served = serve_offers(options, Transport::stdio(), offered) => served.map_err(Fault::host),
        fault = offer(&runtime, &mut servers, &command, wall_max, observed.as_ref(), offers) => Err(fault),
        _ = terminated.recv() => Ok(()),
        _ = tokio::signal::ctrl_c() => Ok(()),
    };
    servers.close().await;
    if let Some(observed) = observed {
        observed.finish();
    }
    ended.map(|()| ExitCode::SUCCESS)
}

/// Offers what can be called: once the servers are there or have taken too long, and again whenever their tools are others or the file is. Ends only
/// where there is nothing to be offered at the beginning.
async fn offer(
    runtime: &Runtime,
    servers: &mut BegunServers,
    command: &McpCommand,
    wall_max: Duration,
    observed: Option<&Observed>,
    offers: mpsc::Sender<Offer>,
) -> Fault {
    let observer = observed.map(Observed::of_local_user);
    let mut files = WatchedFiles::new(vec![command.config.clone()]);
    let mut changes = servers.host().changes();
    let mut known = match servers.choose(Duration::from_secs(command.list_wait)).await {
        Ok(chosen) => chosen,
        Err(fault) => return fault,
    };
    loop {
        let scope = observing(observer.as_ref(), known.scope.clone());
        let session = runtime.session(scope, servers.host().clone());
        let offer = Offer::new(session).without_yet(known.starting.clone());
        if offers.send(offer).await.is_err() {
            std::future::pending::<()>().await;
        }
        known = loop {
            tokio::select! {
                () = changes.changed() => {}
                () = files.changed() => match read_again(servers, command, wall_max, &files, &known).await {
                    Ok(chosen) => break chosen,
                    Err(fault) => {
                        let shown = command.config.display();
                        terminal::say(&format!(
                            "`{shown}` was read again, and is not in force: what was served before goes on: {fault}"
                        ));
                        continue;
                    }
                },
            }
            match servers.choose_again(&known).await {
                Ok(chosen) if chosen.is_like(&known) => {}
                Ok(chosen) => break chosen,
                Err(Fault::Host(error)) if !known.starting.is_empty() => return Fault::Host(error),
                // What was offered is served on.
                Err(fault) => terminal::say(&fault.to_string()),
            }
        };
    }
}

/// What the servers of the file offer as it is now, which are in force from here on unless it is wrong.
async fn read_again(
    servers: &mut BegunServers,
    command: &McpCommand,
    wall_max: Duration,
    files: &WatchedFiles,
    known: &Chosen,
) -> Result<Chosen, Fault> {
    files.check()?;
    let choice = Choice::of(Some(&command.config), &command.servers)?.with_wall_max(Some(wall_max));
    let chosen = servers.become_those_of(choice, known).await?;
    terminal::say(&format!("`{}` was read again, and is in force", command.config.display()));
    Ok(chosen)
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
    arguments.extend(["--list-wait".to_owned(), command.list_wait.to_string()]);
    arguments.extend(command.observed.arguments());
    if command.always_search {
        arguments.push("--always-search".to_owned());
    }
    if let Some(seconds) = command.wall_max {
        arguments.extend(["--wall-max".to_owned(), seconds.to_string()]);
    }
    let ServerArguments { allow, deny, start_max, idle_max, env, allow_address, credentials } = &command.servers;
    let places: Vec<String> = allow_address.iter().map(ToString::to_string).collect();
    for (flag, patterns) in [("--allow", allow), ("--deny", deny), ("--env", env), ("--allow-address", &places)] {
        arguments.extend(patterns.iter().flat_map(|pattern| [flag.to_owned(), pattern.clone()]));
    }
    // The client starts it somewhere else.
    let folder = credentials.iter().map(|folder| std::path::absolute(folder).unwrap_or_else(|_| folder.clone()));
    arguments.extend(folder.flat_map(|folder| ["--credentials".to_owned(), folder.display().to_string()]));
    for (flag, seconds) in [("--start-max", start_max), ("--idle-max", idle_max)] {
        arguments.extend(seconds.iter().flat_map(|seconds| [flag.to_owned(), seconds.to_string()]));
    }
    arguments
}
