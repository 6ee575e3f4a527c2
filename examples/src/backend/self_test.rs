//! The backend tried out: both users' requests, and those that must be refused, over a socket of this machine.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::limits::{BODY_BYTES_MAX, ServerLimits};
use super::shared::Backend;
use super::users::Users;
use super::{router, server};

/// Characters of an answer that are shown.
const SHOWN_MAX: usize = 200;
const COUNT: &str = "return (await tracker.list_projects({ limit: 100 })).items.length";
const DELETE: &str = "return await tracker.delete_issue({ issue: 'APP-1' })";

/// Makes the requests on a free port, and gives a report of the answers.
///
/// # Errors
///
/// When an answer is not as it should be, or the backend does not end.
pub async fn self_test() -> Result<String> {
    let backend = Arc::new(Backend::new()?);
    let listener = server::listen(0)?;
    let address = listener.local_addr()?;
    let (end, ended) = oneshot::channel::<()>();
    let limits = ServerLimits::default();
    let router = router(&backend, address, &limits);
    let served = tokio::spawn(server::serve(listener, router, limits, async move { drop(ended.await) }));
    let mut visitor = Visitor { address, report: String::new() };
    programs(&mut visitor, &backend).await?;
    mcp(&mut visitor, &backend).await?;
    refusals(&mut visitor, &backend).await?;
    drop(end);
    served.await?;
    Ok(visitor.report)
}

fn token_of(backend: &Backend, name: &str) -> Result<String> {
    let token = backend.users.tokens().find(|(user, _)| user.name == name).map(|(_, token)| token.to_owned());
    token.with_context(|| format!("`{name}` is not signed in"))
}

/// Each user gets their own types and outcomes.
async fn programs(visitor: &mut Visitor, backend: &Backend) -> Result<()> {
    let mut types = Vec::new();
    for user in [Users::ADA.name, Users::BOB.name] {
        let token = token_of(backend, user)?;
        let answer = visitor.ask(user, "GET /types", &token, "", &[]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        types.push(answer.body);
        let answer = visitor.run(user, &token, COUNT).await?;
        ensure!(answer["end"] == "returned" && answer["value"].as_u64().is_some_and(|count| count > 0), "{answer}");
        let answer = visitor.run(user, &token, DELETE).await?;
        match user {
            "ada" => ensure!(answer["value"] == json!({ "deleted": "APP-1" }), "{answer}"),
            _ => ensure!(answer["message"].as_str().is_some_and(|message| message.contains("there is no tool")), "{answer}"),
        }
    }
    ensure!(types[0].contains("delete_issue(") && !types[1].contains("delete_issue("), "the types are not the users' own");
    Ok(())
}

/// The same as classic MCP.
async fn mcp(visitor: &mut Visitor, backend: &Backend) -> Result<()> {
    let mut counts = Vec::new();
    for user in [Users::ADA.name, Users::BOB.name] {
        let token = token_of(backend, user)?;
        let answer = visitor.mcp(user, &token, "tools/list", json!({})).await?;
        counts.push(answer["result"]["tools"].as_array().with_context(|| answer.to_string())?.len());
        let call = json!({ "name": "tracker__get_current_user", "arguments": {} });
        let answer = visitor.mcp(user, &token, "tools/call", call).await?;
        ensure!(answer["result"]["structuredContent"].to_string().contains(user), "{answer}");
    }
    ensure!(counts[0] > counts[1], "{counts:?}");
    let call = json!({ "name": "tracker__delete_issue", "arguments": { "issue": "APP-2" } });
    let answer = visitor.mcp("bob", &token_of(backend, "bob")?, "tools/call", call).await?;
    ensure!(answer["error"]["message"].as_str().is_some_and(|message| message.contains("there is no tool")), "{answer}");
    Ok(())
}

/// What must not be answered.
async fn refusals(visitor: &mut Visitor, backend: &Backend) -> Result<()> {
    let token = token_of(backend, "bob")?;
    let program = json!({ "code": COUNT }).to_string();
    for (who, token) in [("nobody", String::new()), ("a stranger", "0".repeat(token.len()))] {
        for request in ["POST /run", "GET /types", "POST /mcp"] {
            let answer = visitor.ask(who, request, &token, &program, &[]).await?;
            ensure!(answer.status == 401, "{answer:?}");
        }
    }
    let answer = visitor.ask("bob", "POST /run", &token, &" ".repeat(BODY_BYTES_MAX + 1), &[]).await?;
    ensure!(answer.status == 413, "{answer:?}");
    for request in ["POST /run", "GET /types", "POST /mcp", "GET /nowhere"] {
        for header in [("Host", "isolet.example"), ("Origin", "https://isolet.example")] {
            let answer = visitor.ask("bob", request, &token, &program, &[header]).await?;
            ensure!(answer.status == 403, "{answer:?}");
        }
    }
    for request in ["POST /run", "POST /mcp"] {
        let answer = visitor.ask("bob", request, &token, &program, &[("Content-Type", "text/plain")]).await?;
        ensure!(answer.status == 415, "{answer:?}");
    }
    Ok(())
}

/// Sends requests, and writes down what is answered.
struct Visitor {
    address: SocketAddr,
    report: String,
}

#[derive(Debug)]
struct Answer {
    status: u16,
    body: String,
}

impl Visitor {
    async fn run(&mut self, user: &str, token: &str, code: &str) -> Result<Value> {
        let answer = self.ask(user, "POST /run", token, &json!({ "code": code }).to_string(), &[]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    }

    async fn mcp(&mut self, user: &str, token: &str, method: &str, params: Value) -> Result<Value> {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let answer = self.ask(user, "POST /mcp", token, &message, &[]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// One request, `METHOD /path`, on a connection of its own; `headers` take the place of those that it would have.
    async fn ask(&mut self, who: &str, request: &str, token: &str, body: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let (host, authorization, length) = (self.address.to_string(), format!("Bearer {token}"), body.len().to_string());
        let mut all = vec![
            ("Host", host.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("Content-Length", &length),
            ("Connection", "close"),
        ];
        if !token.is_empty() {
            all.push(("Authorization", &authorization));
        }
        all.retain(|(name, _)| headers.iter().all(|(other, _)| other != name));
        all.extend(headers);
        let head: String = all.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let mut connection = TcpStream::connect(self.address).await?;
        // A server that refuses a body may close before it has read all of it.
        let _ = connection.write_all(format!("{request} HTTP/1.1\r\n{head}\r\n{body}").as_bytes()).await;
        let mut bytes = Vec::new();
        let read = connection.read_to_end(&mut bytes).await;
        let text = String::from_utf8_lossy(&bytes);
        let (head, answer) = text.split_once("\r\n\r\n").with_context(|| format!("no answer to {request}: {read:?}"))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("an answer without a status")?;
        let _ = writeln!(self.report, "{who}: {request} {}\n  {status} {}", shown(body), shown(answer));
        Ok(Answer { status, body: answer.to_owned() })
    }
}

/// The beginning of a text, in one line.
fn shown(text: &str) -> String {
    text.trim().chars().take(SHOWN_MAX).collect::<String>().replace('\n', " ")
}
