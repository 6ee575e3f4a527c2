//! The backend tried out: both users' requests, and those that must be refused, over a socket of this machine.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use isolet_http::{Options, ServerLimits};

use super::router;
use super::users::Users;

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
    let users = Users::sign_in()?;
    let listener = isolet_http::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    let address = listener.local_addr()?;
    let options = Options::of_address(address);
    let (ending, body_bytes_max) = (options.ending.clone(), options.body_bytes_max);
    let served = tokio::spawn(isolet_http::serve(listener, router(&users, options)?, ServerLimits::default(), ending.clone()));
    let mut visitor = Visitor { address, report: String::new() };
    programs(&mut visitor, &users).await?;
    mcp(&mut visitor, &users).await?;
    refusals(&mut visitor, &users, body_bytes_max).await?;
    ending.begin();
    served.await?;
    Ok(visitor.report)
}

fn key_of(users: &Users, name: &str) -> Result<String> {
    let key = users.keys().find(|(user, _)| user.name == name).map(|(_, key)| key.to_owned());
    key.with_context(|| format!("`{name}` is not signed in"))
}

/// Each user gets their own types and outcomes.
async fn programs(visitor: &mut Visitor, users: &Users) -> Result<()> {
    let mut types = Vec::new();
    for user in [Users::ADA.name, Users::BOB.name] {
        let key = key_of(users, user)?;
        let answer = visitor.ask(user, "GET /v1/types", &key, "", &[]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        types.push(answer.body);
        let answer = visitor.run(user, &key, COUNT).await?;
        ensure!(answer["end"] == "returned" && answer["value"].as_u64().is_some_and(|count| count > 0), "{answer}");
        let answer = visitor.run(user, &key, DELETE).await?;
        match user {
            "ada" => ensure!(answer["value"] == json!({ "deleted": "APP-1" }), "{answer}"),
            _ => ensure!(answer["message"].as_str().is_some_and(|message| message.contains("there is no tool")), "{answer}"),
        }
    }
    ensure!(types[0].contains("delete_issue(") && !types[1].contains("delete_issue("), "the types are not the users' own");
    Ok(())
}

/// The same as classic MCP.
async fn mcp(visitor: &mut Visitor, users: &Users) -> Result<()> {
    let mut counts = Vec::new();
    for user in [Users::ADA.name, Users::BOB.name] {
        let key = key_of(users, user)?;
        let answer = visitor.mcp(user, &key, "tools/list", json!({})).await?;
        counts.push(answer["result"]["tools"].as_array().with_context(|| answer.to_string())?.len());
        let call = json!({ "name": "tracker__get_current_user", "arguments": {} });
        let answer = visitor.mcp(user, &key, "tools/call", call).await?;
        ensure!(answer["result"]["structuredContent"].to_string().contains(user), "{answer}");
    }
    ensure!(counts[0] > counts[1], "{counts:?}");
    let call = json!({ "name": "tracker__delete_issue", "arguments": { "issue": "APP-2" } });
    let answer = visitor.mcp("bob", &key_of(users, "bob")?, "tools/call", call).await?;
    ensure!(answer["error"]["message"].as_str().is_some_and(|message| message.contains("there is no tool")), "{answer}");
    Ok(())
}

/// What must not be answered.
async fn refusals(visitor: &mut Visitor, users: &Users, body_bytes_max: usize) -> Result<()> {
    let key = key_of(users, "bob")?;
    let program = json!({ "code": COUNT }).to_string();
    for (who, key) in [("nobody", String::new()), ("a stranger", "0".repeat(key.len()))] {
        for request in ["POST /v1/run", "GET /v1/types", "POST /mcp/classic"] {
            let answer = visitor.ask(who, request, &key, &program, &[]).await?;
            ensure!(answer.status == 401, "{answer:?}");
        }
    }
    let answer = visitor.ask("bob", "POST /v1/run", &key, &" ".repeat(body_bytes_max + 1), &[]).await?;
    ensure!(answer.status == 413, "{answer:?}");
    for request in ["POST /v1/run", "GET /v1/types", "POST /mcp/classic", "GET /nowhere"] {
        for header in [("Host", "isolet.example"), ("Origin", "https://isolet.example")] {
            let answer = visitor.ask("bob", request, &key, &program, &[header]).await?;
            ensure!(answer.status == 403, "{answer:?}");
        }
    }
    for request in ["POST /v1/run", "POST /mcp/classic"] {
        let answer = visitor.ask("bob", request, &key, &program, &[("Content-Type", "text/plain")]).await?;
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
    async fn run(&mut self, user: &str, key: &str, code: &str) -> Result<Value> {
        let answer = self.ask(user, "POST /v1/run", key, &json!({ "code": code }).to_string(), &[]).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// One message by itself, as of 2026-07-28.
    async fn mcp(&mut self, user: &str, key: &str, method: &str, mut params: Value) -> Result<Value> {
        const VERSION: &str = "2026-07-28";
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {},
        });
        let name = params["name"].as_str().unwrap_or_default().to_owned();
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
        let mut headers = vec![("Mcp-Protocol-Version", VERSION), ("Mcp-Method", method)];
        if method == "tools/call" {
            headers.push(("Mcp-Name", &name));
        }
        let answer = self.ask(user, "POST /mcp/classic", key, &message, &headers).await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    }

    /// One request, `METHOD /path`, on a connection of its own; `headers` take the place of those that it would have.
    async fn ask(&mut self, who: &str, request: &str, key: &str, body: &str, headers: &[(&str, &str)]) -> Result<Answer> {
        let (host, authorization, length) = (self.address.to_string(), format!("Bearer {key}"), body.len().to_string());
        let mut all = vec![
            ("Host", host.as_str()),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("Content-Length", &length),
            ("Connection", "close"),
        ];
        if !key.is_empty() {
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
