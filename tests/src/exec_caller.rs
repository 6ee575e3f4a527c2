//! A caller of `isolet exec`: the program as its child, and what it says, message by message.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::program;

/// What a caller waits for an answer at the very most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A caller, and the program.
pub(crate) struct Caller {
    pub(crate) child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) output: Lines<BufReader<ChildStdout>>,
    /// What was read while something else was waited for.
    unread: Vec<Value>,
}

/// The program with these arguments, its ends in hand.
pub(crate) fn exec(arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([program::ARGUMENT, "exec"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command.spawn()?)
}

impl Caller {
    /// Starts the program, and says nothing.
    pub(crate) fn silent() -> Result<Self> {
        let mut child = exec(&[])?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
        Ok(Self { child, input, output, unread: Vec::new() })
    }

    /// Starts the program and makes the handshake.
    pub(crate) async fn start() -> Result<Self> {
        let mut caller = Self::silent()?;
        let answer = caller.ask(json!(0), "initialize", json!({ "protocol": 1 })).await?;
        ensure!(answer["result"]["protocol"] == 1, "{answer}");
        Ok(caller)
    }

    /// Opens a scope with tools of this caller, which take and give anything.
    pub(crate) async fn open(&mut self, tools: &[&str]) -> Result<String> {
        let tools: Vec<Value> = tools.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } })).collect();
        let answer = self.ask(json!("open"), "scope/open", json!({ "tools": { "app": tools } })).await?;
        Ok(answer["result"]["scope"].as_str().with_context(|| answer.to_string())?.to_owned())
    }

    pub(crate) async fn write(&mut self, text: &[u8]) -> Result<()> {
        self.input.as_mut().context("the input is closed")?.write_all(text).await.context("it takes nothing")
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, message: &Value) -> Result<()> {
        self.write(format!("{message}\n").as_bytes()).await
    }

    /// Sends a request.
    pub(crate) async fn request(&mut self, id: Value, method: &str, params: Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await
    }

    /// Runs a program; the answer is for whoever waits for `id`.
    pub(crate) async fn run(&mut self, id: Value, scope: &str, program: &str) -> Result<()> {
        self.request(id, "run", json!({ "scope": scope, "program": program })).await
    }

    /// Sends a request and waits for its answer.
    pub(crate) async fn ask(&mut self, id: Value, method: &str, params: Value) -> Result<Value> {
        self.request(id.clone(), method, params).await?;
        self.answer(&id).await
    }

    /// The answer to the request `id`.
    pub(crate) async fn answer(&mut self, id: &Value) -> Result<Value> {
        self.find(|message| message["id"] == *id && message["method"].is_null()).await
    }

    /// The next call of a tool.
    pub(crate) async fn call(&mut self) -> Result<Value> {
        self.find(|message| message["method"] == "tool/call").await
    }

    /// Answers a call with a value.
    pub(crate) async fn reply(&mut self, call: &Value, value: Value) -> Result<()> {
        self.send(&json!({ "jsonrpc": "2.0", "id": call["id"], "result": { "value": value } })).await
    }

    /// The first message that is wanted; others stay for whoever wants them.
    pub(crate) async fn find(&mut self, is_wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        if let Some(place) = self.unread.iter().position(&is_wanted) {
            return Ok(self.unread.remove(place));
        }
        loop {
            let Some(message) = self.next().await? else { bail!("it has ended; unread: {:?}", self.unread) };
            if is_wanted(&message) {
                return Ok(message);
            }
            self.unread.push(message);
        }
    }

    /// The next message; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>> {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await;
        let line = line.with_context(|| format!("nothing is said; unread: {:?}", self.unread))??;
        line.map(|line| serde_json::from_str(&line).with_context(|| format!("`{line}` is no message"))).transpose()
    }

    /// Closes the input, and waits for the end of the program: how it ended, and what it said on standard error.
    pub(crate) async fn end(mut self) -> Result<(ExitStatus, String)> {
        drop(self.input.take());
        while tokio::time::timeout(PATIENCE, self.output.next_line()).await.context("it does not end")??.is_some() {}
        let ended = tokio::time::timeout(PATIENCE, self.child.wait_with_output()).await.context("it does not end")??;
        Ok((ended.status, String::from_utf8_lossy(&ended.stderr).into_owned()))
    }
}
