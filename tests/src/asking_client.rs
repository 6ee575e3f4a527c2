//! A client of `isolet mcp` with a server that asks, message by message: with a session or of the era without.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::{asking_server, program};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of `isolet mcp`.
pub(crate) struct Client {
    _process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// What each of its messages says of it, if it has no session.
    meta: Value,
    requests: u64,
    _folder: TempDir,
}

impl Client {
    /// Starts the program with a server that may ask for this.
    async fn start(asks: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("servers.json");
        let server = json!({ "command": std::env::current_exe()?, "args": [asking_server::ARGUMENT], "ask": asks });
        std::fs::write(&config, json!({ "mcpServers": { "asks": server } }).to_string())?;
        let mut process = Command::new(std::env::current_exe()?)
            .args([program::ARGUMENT, "mcp", "--mode", "both", "--list-wait", "20", "--config"])
            .arg(config)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let input = process.stdin.take().context("no input")?;
        let output = BufReader::new(process.stdout.take().context("no output")?).lines();
        Ok(Self { _process: process, input, output, meta: Value::Null, requests: 0, _folder: folder })
    }

    /// The same, in a session of a client that declares this.
    pub(crate) async fn with_session(asks: &[&str], capabilities: Value) -> Result<Self> {
        let mut client = Self::start(asks).await?;
        let about = json!({ "name": "test", "version": "1" });
        let begin = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": about });
        client.answer("initialize", begin).await?;
        client.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(client)
    }

    /// The same, of the era without sessions.
    pub(crate) async fn without_session(asks: &[&str], capabilities: Value) -> Result<Self> {
        let mut client = Self::start(asks).await?;
        client.meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        });
        client.answer("server/discover", json!({})).await?;
        Ok(client)
    }

    pub(crate) async fn say(&mut self, message: &Value) -> Result<()> {
        Ok(self.input.write_all(format!("{message}\n").as_bytes()).await?)
    }

    /// Sends a request; its id.
    pub(crate) async fn request(&mut self, method: &str, mut params: Value) -> Result<u64> {
        self.requests += 1;
        if !self.meta.is_null() {
            params["_meta"] = self.meta.clone();
        }
        self.say(&json!({ "jsonrpc": "2.0", "id": self.requests, "method": method, "params": params })).await?;
        Ok(self.requests)
    }

    /// The next message that fits.
    async fn hear(&mut self, fits: impl Fn(&Value) -> bool) -> Result<Value> {
        let hear = async {
            loop {
                let line = self.output.next_line().await?.context("it ended")?;
                let message: Value = serde_json::from_str(&line)?;
                if fits(&message) {
                    return Ok(message);
                }
            }
        };
        tokio::time::timeout(PATIENCE, hear).await.context("it is not said")?
    }

    pub(crate) async fn answer_to(&mut self, id: u64) -> Result<Value> {
        let answer = self.hear(|message| message["id"] == id && message.get("method").is_none()).await?;
        answer.get("result").cloned().with_context(|| format!("no result: {answer}"))
    }

    /// The result of a request.
    pub(crate) async fn answer(&mut self, method: &str, params: Value) -> Result<Value> {
        let id = self.request(method, params).await?;
        self.answer_to(id).await
    }

    /// What it is asked, the question with its id.
    pub(crate) async fn question(&mut self) -> Result<Value> {
        self.hear(|message| message.get("method").is_some() && message.get("id").is_some()).await
    }
}
