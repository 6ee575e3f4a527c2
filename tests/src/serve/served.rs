//! `isolet serve` in a process of its own, and requests to it, byte for byte.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::process_table::until;
use crate::{misbehaving_server, program};

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(60);
/// The newest version, whose messages stand by themselves.
const VERSION: &str = "2026-07-28";

/// The servers of a file: this binary, misbehaving in the ways of `modes`, each under its name.
pub(crate) fn servers(modes: &[&str]) -> Result<String> {
    // A text of JSON is one of TOML.
    let executable = Value::from(std::env::current_exe()?.to_string_lossy().into_owned());
    let argument = misbehaving_server::ARGUMENT;
    let server = |mode: &&str| format!("[servers.{mode}]\ncommand = {executable}\nargs = [\"{argument}\", \"{mode}\"]\n");
    Ok(modes.iter().map(server).collect())
}

/// The program, serving.
pub(crate) struct Served {
    process: Child,
    pub(crate) address: SocketAddr,
    folder: TempDir,
    errors: Arc<Mutex<String>>,
    reading: Option<std::thread::JoinHandle<()>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body, or the last event of a stream: an answer that took its time.
    pub(crate) fn json(&self) -> Result<Value> {
        if self.header("content-type") == Some("text/event-stream") {
            return self.events().pop().map(|(_, data)| data).with_context(|| format!("no event: {self:?}"));
        }
        serde_json::from_str(&self.body).with_context(|| format!("no JSON: {self:?}"))
    }

    /// The header field `name`, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            line.split_once(": ").filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        })
    }

    /// The events of a stream: name and data. Comments are `("", text)`.
    pub(crate) fn events(&self) -> Vec<(String, Value)> {
        let event = |text: &str| {
            let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
            let data = field("data: ").map_or_else(|| text.into(), |data| serde_json::from_str(data).unwrap_or_default());
            (field("event: ").unwrap_or_default().to_owned(), data)
        };
        self.body.split("\n\n").filter(|text| !text.is_empty()).map(event).collect()
    }
}

impl Served {
    /// Serves a deployment, with these arguments more.
    pub(crate) fn start(deployment: &str, arguments: &[&str]) -> Result<Self> {
        Self::start_with(deployment, arguments, &[])
    }

    /// The same, with these variables.
    pub(crate) fn start_with(deployment: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("isolet.toml");
        std::fs::write(&config, deployment)?;
        let mut process = Command::new(std::env::current_exe()?)
            .args([program::ARGUMENT, "serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let written = BufReader::new(process.stderr.take().context("no standard error")?).lines();
        let errors = Arc::<Mutex<String>>::default();
        let reading = std::thread::spawn({
            let errors = Arc::clone(&errors);
            move || written.map_while(Result::ok).for_each(|line| *lock(&errors) += &format!("{line}\n"))
        });
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let Some(address) = line.trim().strip_prefix("http://").and_then(|address| address.parse().ok()) else {
            let _ = process.kill();
            let _ = reading.join();
            anyhow::bail!("it does not serve: `{line}`\n{}", lock(&errors));
        };
        Ok(Self { process, address, folder, errors, reading: Some(reading) })
    }

    /// Its process.
    pub(crate) fn process(&self) -> u32 {
        self.process.id()
    }

    /// Where the file is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The process that serves.
    pub(crate) fn process_id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn terminate(&self) -> Result<()> {
        self.signal(Signal::TERM)
    }

    /// Has it read another file.
    pub(crate) fn read_again(&self, deployment: &str) -> Result<()> {
        std::fs::write(self.folder().join("isolet.toml"), deployment)?;
        self.signal(Signal::HUP)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let process = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("no process")?;
        Ok(rustix::process::kill_process(process, signal)?)
    }

    /// How it ended, and what it said on standard error.
    pub(crate) async fn ended_within(&mut self, at_most: Duration) -> Result<(ExitStatus, String)> {
        let mut status = None;
        let has_ended = || {
            status = self.process.try_wait().ok().flatten();
            status.is_some()
        };
        ensure!(until(at_most, has_ended).await, "it has not ended after {at_most:?}");
        let _ = self.reading.take().map(std::thread::JoinHandle::join);
        Ok((status.context("no status")?, lock(&self.errors).clone()))
    }

    /// Waits until it has said this on standard error.
    pub(crate) async fn says(&self, text: &str) -> Result<()> {
        ensure!(until(PATIENCE, || lock(&self.errors).contains(text)).await, "`{text}` is not said: {}", lock(&self.errors));
        Ok(())
    }

    /// What it has said on standard error so far.
    pub(crate) fn said(&self) -> String {
        lock(&self.errors).clone()
    }

    /// Who asks with `key`.
    pub(crate) fn visitor(&self, key: &Key) -> Visitor {
        Visitor { address: self.address, key: Some(key.as_str().to_owned()) }
    }

    /// Who asks without a key.
    pub(crate) fn nobody(&self) -> Visitor {
        Visitor { address: self.address, key: None }
    }
}

fn lock(errors: &Mutex<String>) -> MutexGuard<'_, String> {
    errors.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Who asks.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) address: SocketAddr,
    pub(crate) key: Option<String>,
}

impl Visitor {
    /// One request, `METHOD /path`; `headers` take the place of those that it would have.
    pub(crate) async fn ask(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let connection = self.send(request, headers, body).await?;
        tokio::time::timeout(PATIENCE, answer_of(connection))
            .await
            .with_context(|| format!("no end of the answer to {request}"))?
    }

    /// The same, and the connection on which the answer comes.
    pub(crate) async fn send(&self, request: &str, headers: &[(&str, &str)], body: &str) -> Result<TcpStream> {
        let headers = [&[("Connection", "close")][..], headers].concat();
        let mut connection = TcpStream::connect(self.address).await?;
        // A server that refuses a body may close before it has read all of it.
        let _ = connection.write_all(self.text_of(request, &headers, body).as_bytes()).await;
        Ok(connection)
    }

    /// The same request as it is written on a connection that stays open.
    pub(crate) fn text_of(&self, request: &str, headers: &[(&str, &str)], body: &str) -> String {
        let (host, length) = (self.address.to_string(), body.len().to_string());
        let authorization = self.key.as_ref().map(|key| format!("Bearer {key}"));
        let mut all = vec![("Host", host.as_str()), ("Content-Length", length.as_str())];
        if !request.starts_with("GET ") {
            all.push(("Content-Type", "application/json"));
        }
        all.extend(authorization.as_deref().map(|value| ("Authorization", value)));
        all.retain(|(name, _)| headers.iter().all(|(other, _)| !other.eq_ignore_ascii_case(name)));
        all.extend(headers);
        let head: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("{request} HTTP/1.1\r\n{head}\r\n{body}")
    }

    /// The outcome of a program.
    pub(crate) async fn run(&self, code: &str) -> Result<Value> {
        let answer = self.ask("POST /v1/run", &[], &json!({ "code": code }).to_string()).await?;
        ensure!(answer.status == 200, "{answer:?}");
        answer.json()
    }

    /// A message by itself, as of 2026-07-28.
    pub(crate) async fn mcp(&self, path: &str, method: &str, params: Value) -> Result<Answer> {
        let (message, headers) = modern(method, params);
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.ask(&format!("POST {path}"), &headers, &message).await
    }

    /// A session of the older protocol, whose id this is.
    pub(crate) async fn session(&self, path: &str) -> Result<String> {
        self.session_of(path, &json!({})).await
    }

    /// The same, of a client that declares this.
    pub(crate) async fn session_of(&self, path: &str, capabilities: &Value) -> Result<String> {
        let about = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": about });
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }).to_string();
        let answer = self.ask(&format!("POST {path}"), &[STREAMS], &message).await?;
        ensure!(answer.status == 200 && answer.json()?["result"]["serverInfo"].is_object(), "{answer:?}");
        answer.header("mcp-session-id").map(str::to_owned).with_context(|| format!("no session: {answer:?}"))
    }

    /// A request of that session.
    pub(crate) async fn in_session(&self, path: &str, session: &str, method: &str, params: &Value) -> Result<Answer> {
        let message = json!({ "jsonrpc": "2.0", "id": "a", "method": method, "params": params }).to_string();
        let headers = [STREAMS, ("Mcp-Session-Id", session), ("Mcp-Protocol-Version", "2025-11-25")];
        self.ask(&format!("POST {path}"), &headers, &message).await
    }

    /// What `/metrics` says of `name`.
    pub(crate) async fn metric(&self, name: &str) -> Result<u64> {
        let answer = self.ask("GET /metrics", &[], "").await?;
        let line = answer.body.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.and_then(|value| value.parse().ok()).with_context(|| format!("no {name}: {answer:?}"))
    }

    /// Waits until `/metrics` says that `name` is `value`.
    pub(crate) async fn metric_becomes(&self, name: &str, value: u64) -> Result<()> {
        let becomes = async {
            while self.metric(name).await? != value {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            anyhow::Ok(())
        };
        tokio::time::timeout(PATIENCE, becomes).await.with_context(|| format!("{name} does not become {value}"))?
    }
}

/// A client of MCP takes both.
pub(crate) const STREAMS: (&str, &str) = ("Accept", "application/json, text/event-stream");

/// A message as of 2026-07-28, of a client that declares nothing unless the parameters say so, and its header fields.
pub(crate) fn modern(method: &str, mut params: Value) -> (String, Vec<(&'static str, String)>) {
    let name = params["name"].as_str().unwrap_or_default().to_owned();
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = VERSION.into();
    let capabilities = &mut params["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    if capabilities.is_null() {
        *capabilities = json!({});
    }
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }).to_string();
    let mut headers = vec![
        (STREAMS.0, STREAMS.1.to_owned()),
        ("Mcp-Protocol-Version", VERSION.to_owned()),
        ("Mcp-Method", method.to_owned()),
    ];
    if method == "tools/call" {
        headers.push(("Mcp-Name", name));
    }
    (message, headers)
}

/// All that is answered until the connection is closed.
pub(crate) async fn answer_of(mut connection: TcpStream) -> Result<Answer> {
    let mut bytes = Vec::new();
    // A connection that is reset has been closed too.
    let read = connection.read_to_end(&mut bytes).await;
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").with_context(|| format!("no answer: {read:?} `{text}`"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunked(body) } else { body.to_owned() };
    Ok(Answer { status, head: head.to_owned(), body })
}

/// The text of chunks, as far as they are there.
fn unchunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = text.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).unwrap_or_default();
        if length == 0 {
            break;
        }
        let chunk = rest.get(..length).unwrap_or(rest);
        whole.push_str(chunk);
        text = rest.get(length + 2..).unwrap_or_default();
    }
    whole
}
