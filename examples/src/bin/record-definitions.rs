//! Records the tool definitions of real MCP servers: starts each one that `servers.json` names, asks for `tools/list`,
//! and writes what it answered to `SERVER.json` beside it.
//!
//! rmcp speaks the protocol, but its types drop the fields that they do not know and reject a whole list for one malformed
//! tool. So each line that a server writes is also kept as it came, and the definitions are taken from there.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use clap::Parser;
use rmcp::{
    RoleClient, ServiceExt,
    model::PaginatedRequestParams,
    service::{Peer, RunningService},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader, DuplexStream},
    process::{Child, Command},
    sync::mpsc,
    time::timeout,
};

/// How long a server may take to start, and again for each page. Python servers on a busy machine take a minute.
const PATIENCE: Duration = Duration::from_secs(120);
/// Pages of one list; no server known to us has more than one.
const PAGES_MAX: usize = 100;
const PIPE_BYTES: usize = 1 << 20;

/// Records the tool definitions of real MCP servers.
#[derive(Parser)]
struct Arguments {
    /// The folder in which the servers are installed; the commands in `servers.json` start from it.
    installed_in: PathBuf,
    /// Record this server only; may be given several times.
    #[arg(long)]
    only: Vec<String>,
    /// The folder with `servers.json`, where the recordings go.
    #[arg(long, default_value = "examples/definitions")]
    definitions: PathBuf,
}

/// One server of `servers.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    server: String,
    package: String,
    version: String,
    license: String,
    /// The program, relative to the folder of the installation, and its arguments.
    command: Vec<String>,
    /// What it needs to start; none of it is a real credential.
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// A recording.
#[derive(Serialize)]
struct Recording<'a> {
    server: &'a str,
    package: &'a str,
    version: &'a str,
    license: &'a str,
    tools: &'a [Value],
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let list = arguments.definitions.join("servers.json");
    let text = std::fs::read_to_string(&list).with_context(|| format!("cannot read `{}`", list.display()))?;
    let servers: Vec<Server> = serde_json::from_str(&text).with_context(|| format!("`{}` is malformed", list.display()))?;
    let installed_in = arguments.installed_in.canonicalize().context("no folder of installed servers")?;
    let mut failed = 0;
    for server in servers.iter().filter(|server| arguments.only.is_empty() || arguments.only.contains(&server.server)) {
        let line = match record(server, &installed_in).await {
            Ok(tools) => {
                write(server, &tools, &arguments.definitions)?;
                format!("{}: {} tools\n", server.server, tools.len())
            }
            Err(error) => {
                failed += 1;
                format!("{}: {error:#}\n", server.server)
            }
        };
        tokio::io::stdout().write_all(line.as_bytes()).await?;
    }
    if failed > 0 {
        bail!("{failed} servers could not be recorded");
    }
    Ok(())
}

/// Starts a server, asks for all its tools, and ends it.
async fn record(server: &Server, installed_in: &Path) -> anyhow::Result<Vec<Value>> {
    let mut child = start(server, installed_in)?;
    let answers = child.stdout.take().context("the server has no stdout")?;
    let requests = child.stdin.take().context("the server has no stdin")?;
    let (copy, lines) = tokio::io::duplex(PIPE_BYTES);
    let (keep, mut kept) = mpsc::unbounded_channel();
    let copying = tokio::spawn(copy_lines(answers, copy, keep));
    let client: RunningService<RoleClient, ()> =
        timeout(PATIENCE, ().serve((lines, requests))).await.context("no answer to `initialize`")??;
    let tools = list_tools(client.peer(), &mut kept).await;
    // Some servers ignore the end of their stdin.
    child.kill().await.context("cannot end the server")?;
    client.cancel().await?;
    copying.await??;
    tools
}

fn start(server: &Server, installed_in: &Path) -> anyhow::Result<Child> {
    let (program, program_arguments) = server.command.split_first().context("`command` is empty")?;
    Command::new(installed_in.join(program))
        .args(program_arguments)
        .current_dir(installed_in)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| name == "PATH" || name == "HOME"))
        .envs(&server.env)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))
}

/// Passes on what the server writes, and keeps the results that hold `tools`.
async fn copy_lines(
    from: impl AsyncRead + Unpin,
    mut to: DuplexStream,
    keep: mpsc::UnboundedSender<Value>,
) -> anyhow::Result<()> {
    let mut lines = BufReader::new(from).lines();
    while let Some(line) = lines.next_line().await? {
        if let Ok(mut message) = serde_json::from_str::<Value>(&line)
            && message.pointer("/result/tools").is_some_and(Value::is_array)
            && keep.send(message["result"].take()).is_err()
        {
            break;
        }
        if to.write_all(format!("{line}\n").as_bytes()).await.is_err() {
            break;
        }
    }
    Ok(())
}

async fn list_tools(client: &Peer<RoleClient>, kept: &mut mpsc::UnboundedReceiver<Value>) -> anyhow::Result<Vec<Value>> {
    let mut tools = Vec::new();
    let mut page = PaginatedRequestParams::default();
    for _ in 0..PAGES_MAX {
        let decoded = timeout(PATIENCE, client.list_tools(Some(page))).await.context("no answer to `tools/list`")?;
        // A line is kept before it is passed on, so it is there when the decoded answer is, even if decoding failed.
        let Ok(mut result) = kept.try_recv() else {
            decoded.context("`tools/list` failed")?;
            bail!("the answer to `tools/list` has no `tools`");
        };
        if let Value::Array(items) = result["tools"].take() {
            tools.extend(items);
        }
        match result["nextCursor"].as_str().filter(|cursor| !cursor.is_empty()) {
            Some(cursor) => page = PaginatedRequestParams::default().with_cursor(Some(cursor.to_owned())),
            None => return Ok(tools),
        }
    }
    bail!("more than {PAGES_MAX} pages of tools");
}

/// Writes one recording, one tool a line.
fn write(server: &Server, tools: &[Value], folder: &Path) -> anyhow::Result<()> {
    let Server { server, package, version, license, .. } = server;
    let lines: Vec<String> = tools.iter().map(Value::to_string).collect();
    let head = serde_json::to_string(&Recording { server, package, version, license, tools: &[] })?;
    let head = head.strip_suffix("]}").context("a recording ends with its tools")?;
    let path = folder.join(format!("{server}.json"));
    std::fs::write(&path, format!("{head}\n{}\n]}}\n", lines.join(",\n")))
        .with_context(|| format!("cannot write `{}`", path.display()))
}
