//! A client of a server that asks, message by message: with a session or of the era without; through `isolet mcp`, or in this process.

use std::any::Any;
use std::collections::BTreeSet;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result};
use isolet::mcp::{CommandServer, Configuration, Mode, UpstreamOptions, Upstreams, channel};
use isolet::{AskKind, Config, Grants, Runtime};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::Command;

use crate::{asking_server, program};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client, to which one server belongs.
pub(crate) struct Client {
    input: Box<dyn AsyncWrite + Send + Unpin>,
    output: Lines<BufReader<Box<dyn AsyncRead + Send + Unpin>>>,
    /// What each of its messages says of it, if it has no session.
    meta: Value,
    requests: u64,
    /// What ends with it.
    _server: Box<dyn Any + Send>,
}

impl Client {
    /// Starts `isolet mcp` with a server that may ask for this.
    fn start(asks: &[&str]) -> Result<Self> {
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
        let output = process.stdout.take().context("no output")?;
        Ok(Self::over(output, input, (process, folder)))
    }

    /// Serves a session over a channel, with a server that may ask for this.
    async fn start_here(asks: BTreeSet<AskKind>) -> Result<Self> {
        let mut server = CommandServer::new(std::env::current_exe()?.to_string_lossy()).with_args([asking_server::ARGUMENT]);
        server.asks = asks;
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = upstreams.host(&Configuration::default().with("asks", server), "ada");
        let scope = host.discover().await?.catalog.scope(&Grants::new().allow("*"))?;
        let session = Runtime::new(Config::default())?.session(scope, host);
        let (there, here) = channel();
        tokio::spawn(session.serve(Mode::Both, there));
        let (output, input) = tokio::io::split(here);
        Ok(Self::over(output, input, (session, upstreams)))
    }

    fn over(
        output: impl AsyncRead + Send + Unpin + 'static,
        input: impl AsyncWrite + Send + Unpin + 'static,
        server: impl Send + 'static,
    ) -> Self {
        let output: Box<dyn AsyncRead + Send + Unpin> = Box::new(output);
        let output = BufReader::new(output).lines();
        Self { input: Box::new(input), output, meta: Value::Null, requests: 0, _server: Box::new(server) }
    }

    /// In a session, of a client that declares this, with `isolet mcp`.
    pub(crate) async fn with_session(asks: &[&str], capabilities: Value) -> Result<Self> {
        Self::start(asks)?.in_session(capabilities).await
    }

    /// The same, in this process.
    pub(crate) async fn with_session_here(asks: BTreeSet<AskKind>, capabilities: Value) -> Result<Self> {
        Self::start_here(asks).await?.in_session(capabilities).await
    }

    /// Of the era without sessions, with `isolet mcp`.
    pub(crate) async fn without_session(asks: &[&str], capabilities: Value) -> Result<Self> {
        Self::start(asks)?.alone(capabilities).await
    }

    /// The same, in this process.
    pub(crate) async fn without_session_here(asks: BTreeSet<AskKind>, capabilities: Value) -> Result<Self> {
        Self::start_here(asks).await?.alone(capabilities).await
    }

    async fn in_session(mut self, capabilities: Value) -> Result<Self> {
        let about = json!({ "name": "test", "version": "1" });
        let begin = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": about });
        self.answer("initialize", begin).await?;
        self.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })).await?;
        Ok(self)
    }

    async fn alone(mut self, capabilities: Value) -> Result<Self> {
        self.meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": capabilities,
            "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
        });
        self.answer("server/discover", json!({})).await?;
        Ok(self)
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
