//! Servers that come, go and change while they are served.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet_http::Key;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::served::{STREAMS, Served, modern, servers};
use crate::conformance::FIXTURE_ARGUMENT;
use crate::misbehaving_server::ARGUMENT;
use crate::process_table::descendants_of;

/// Less than it takes until servers are asked again of which nothing is heard.
const SOON: Duration = Duration::from_secs(25);

/// A deployment of one user with these servers, and the key.
fn deployment(modes: &[&str]) -> Result<(String, Key)> {
    let key = Key::new()?;
    let user = format!("[users.ada]\nallow = [\"*\"]\nkeys = [\"{}\"]\n", key.hash());
    Ok((format!("{user}{}", servers(modes)?), key))
}

pub(super) async fn announced_tools() -> Result<()> {
    let (deployment, key) = deployment(&["grows", "complete"])?;
    let served = Served::start(&deployment, &[])?;
    let ada = served.visitor(&key);
    let before = ada.ask("GET /v1/types", &[], "").await?;
    ensure!(before.body.contains("change(") && !before.body.contains("later("), "{before:?}");
    let outcome = ada.run("await grows.change({}); return 1").await?;
    ensure!(outcome["value"] == 1, "{outcome}");
    let is_there = async {
        loop {
            let types = ada.ask("GET /v1/types", &[], "").await?;
            // What is said of one server says nothing against the others.
            ensure!(types.body.contains("delete_many("), "{types:?}");
            if types.body.contains("later(") {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(SOON, is_there).await.context("what the server announced is not there")?
}

pub(super) async fn changed_files() -> Result<()> {
    let (deployment, key) = deployment(&["grows", "ignores_end"])?;
    let served = Served::start(&deployment, &[])?;
    let ada = served.visitor(&key);
    let config = served.folder().join("isolet.toml");
    let types = async || anyhow::Ok(ada.ask("GET /v1/types", &[], "").await?.body);
    let has = async |text: &str| {
        while !types().await?.contains(text) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    ensure!(ada.run("await grows.change({}); return 1").await?["value"] == 1, "the server has no state");
    tokio::time::timeout(SOON, has("later(")).await??;
    // Another one in the place of one of them: the first is not started again, or it would have forgotten what it was told.
    let changed = deployment.replace("ignores_end", "complete");
    std::fs::write(&config, &changed)?;
    served.says("the server `complete` is new: it runs ").await?;
    served.says("the server `ignores_end` is gone").await?;
    served.says("the file was read again, and is in force").await?;
    let now = types().await?;
    ensure!(now.contains("later(") && now.contains("delete_many(") && !now.contains("namespace ignores_end"), "{now}");
    // One that is wrong, and one that others can write, are not in force, and that is said once.
    std::fs::write(&config, "[users")?;
    served.says("is not in force: what was served before goes on").await?;
    ensure!(types().await?.contains("delete_many("), "what was served before goes on");
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o666))?;
    std::fs::write(&config, &deployment)?;
    served.says("others can write").await?;
    ensure!(types().await?.contains("delete_many("), "others can change what is run");
    let refusals = served.said().matches("is not in force").count();
    ensure!((2..=3).contains(&refusals), "{}", served.said());
    std::fs::set_permissions(&config, std::fs::Permissions::from_mode(0o600))?;
    served.says("the server `complete` is gone").await?;
    ensure!(types().await?.contains("later("), "the first was started again");
    Ok(())
}

pub(super) async fn two_files() -> Result<()> {
    let key = Key::new()?;
    let executable = Value::from(std::env::current_exe()?.to_string_lossy().into_owned());
    let entries = |modes: &[&str]| {
        let entry = |mode: &&str| ((*mode).to_owned(), json!({ "command": executable, "args": [ARGUMENT, mode] }));
        json!({ "mcpServers": modes.iter().map(entry).collect::<serde_json::Map<_, _>>() }).to_string()
    };
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("servers.json");
    let deployment = |allow: &str, more: &str| {
        let file = Value::from(file.to_string_lossy().into_owned());
        format!("config = {file}\n[users.ada]\nallow = [\"{allow}\"]\nkeys = [\"{}\"]\n{more}", key.hash())
    };
    write_private(&file, &entries(&["complete", "good"]))?;
    let served = Served::start(&deployment("complete.*", ""), &[])?;
    let ada = served.visitor(&key);
    ensure!(ada.run("return await complete.echo({ a: 1 })").await?["value"]["a"] == 1, "before");
    let other = Key::new()?;
    let bob = format!("[users.bob]\nallow = [\"good.*\"]\nkeys = [\"{}\"]\n", other.hash());
    // What one says fits the other only when both have changed, whichever is read first.
    write_private(&file, &entries(&["grows", "good"]))?;
    std::fs::write(served.folder().join("isolet.toml"), deployment("grows.*", &bob))?;
    let both = async {
        loop {
            let types = ada.ask("GET /v1/types", &[], "").await?.body;
            let (before, after) = (types.contains("namespace complete"), types.contains("namespace grows"));
            ensure!(before != after, "a mixture is in force: {types} {}", served.said());
            if after {
                return anyhow::Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, both).await.context("not both are in force")??;
    ensure!(ada.run("await grows.change({}); return 1").await?["value"] == 1, "the new server");
    let outcome = served.visitor(&other).run("return (await good.echo({ b: 2 })).b").await?;
    ensure!(outcome["value"] == 2, "the new user: {outcome}");
    Ok(())
}

/// A file that nobody else can write.
fn write_private(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?)
}

pub(super) async fn watched_resources() -> Result<()> {
    let key = Key::new()?;
    // A text of JSON is one of TOML.
    let executable = Value::from(std::env::current_exe()?.to_string_lossy().into_owned());
    let server = format!("[servers.fixture]\ncommand = {executable}\nargs = [\"{FIXTURE_ARGUMENT}\"]\n");
    let served = Served::start(&format!("[users.ada]\nallow = [\"*\"]\nkeys = [\"{}\"]\n{server}", key.hash()), &[])?;
    let (ada, path, watched) = (served.visitor(&key), "/mcp/classic", json!({ "uri": "test://watched-resource" }));
    let change = json!({ "name": "fixture__test_trigger_resource_change", "arguments": {} });
    let session = ada.session(path).await?;
    for _ in 0..2 {
        let answer = ada.in_session(path, &session, "resources/subscribe", &watched).await?;
        ensure!(answer.json()?["result"].is_object(), "{answer:?}");
    }
    // What is said while nobody hears waits, once.
    let answer = ada.in_session(path, &session, "tools/call", &change).await?;
    ensure!(answer.json()?["result"]["isError"] != true, "{answer:?}");
    let mut heard = ada.send(&format!("GET {path}"), &[STREAMS, ("Mcp-Session-Id", &session)], "").await?;
    let said = said_until(&mut heard, "notifications/resources/updated").await?;
    ensure!(said.contains("test://watched-resource") && said.contains("text/event-stream"), "{said}");
    // Those of the era without sessions ask for a stream.
    let filter = json!({ "notifications": { "resourceSubscriptions": ["test://watched-resource"] } });
    let (message, headers) = modern("subscriptions/listen", filter);
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut listening = ada.send(&format!("POST {path}"), &headers, &message).await?;
    let said = said_until(&mut listening, "notifications/subscriptions/acknowledged").await?;
    ensure!(said.contains(r#""io.modelcontextprotocol/subscriptionId":7"#), "{said}");
    let hears = said_until(&mut listening, "notifications/resources/updated");
    // It is asked for in the background, so the change may come before it.
    let changed = async {
        loop {
            ada.in_session(path, &session, "tools/call", &change).await?;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let said = tokio::select! {
        said = hears => said?,
        never = changed => return never,
    };
    ensure!(said.contains(r#""io.modelcontextprotocol/subscriptionId":7"#), "{said}");
    drop(listening);
    if cfg!(target_os = "linux") {
        let is_fixture = |process: &u32| {
            std::fs::read(format!("/proc/{process}/cmdline"))
                .is_ok_and(|words| String::from_utf8_lossy(&words).contains(FIXTURE_ARGUMENT))
        };
        for process in descendants_of(served.process()).into_iter().filter(is_fixture) {
            let process = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process")?;
            let _ = kill_process(process, Signal::KILL);
        }
        let answer = ada.in_session(path, &session, "resources/unsubscribe", &json!({ "uri": "test://other" })).await?;
        ensure!(answer.json()?["result"].is_object(), "{answer:?}");
        // The client is told that it may have missed something, and hears of the next change.
        said_until(&mut heard, "notifications/resources/updated").await?;
        ada.in_session(path, &session, "tools/call", &change).await?;
        said_until(&mut heard, "notifications/resources/updated").await?;
    }
    let ended = ada.ask(&format!("DELETE {path}"), &[("Mcp-Session-Id", &session)], "").await?;
    ensure!(ended.status == 204, "{ended:?}");
    // The stream ends with its session.
    tokio::time::timeout(SOON, answer_end(&mut heard)).await.context("the stream goes on")?
}

/// Reads what comes until it has said `text`.
async fn said_until(connection: &mut TcpStream, text: &str) -> Result<String> {
    let mut said = String::new();
    let reading = async {
        let mut bytes = [0; 4096];
        while !said.contains(text) {
            let read = connection.read(&mut bytes).await?;
            ensure!(read > 0, "it ended: {said}");
            said += &String::from_utf8_lossy(&bytes[..read]);
        }
        Ok(())
    };
    let read = tokio::time::timeout(SOON, reading).await;
    read.with_context(|| format!("`{text}` is not said"))??;
    Ok(said)
}

/// Reads until the connection is closed.
async fn answer_end(connection: &mut TcpStream) -> Result<()> {
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).await?;
    Ok(())
}

pub(super) async fn failed_servers() -> Result<()> {
    let (deployment, key) = deployment(&["exits", "complete"])?;
    let served = Served::start(&deployment, &[])?;
    let ada = served.visitor(&key);
    let listed = ada.mcp("/mcp", "tools/list", json!({})).await?.json()?;
    let description = listed["result"]["tools"][0]["description"].as_str().unwrap_or_default();
    ensure!(
        description.contains("the server `exits` cannot be used now") && description.contains("no licence file"),
        "{listed}"
    );
    let outcome = ada.run("return await exits.echo({})").await?;
    let said = outcome["message"].as_str().unwrap_or_default();
    ensure!(outcome["end"] == "threw" && said.contains("cannot be used now") && said.contains("no licence file"), "{outcome}");
    // What a program does without it is done.
    let outcome = ada.run("return await complete.echo({ a: 1 })").await?;
    ensure!(outcome["value"]["a"] == 1, "{outcome}");
    Ok(())
}
