//! How requests end that do not simply end: their client goes, or takes nothing, or waits for long; the service ends.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use axum::http::request::Parts;
use isolet::{Catalog, Config, Grants, Principal, Runtime, ToolCall, ToolError, ToolHost, ToolReply};
use isolet_http::{Ending, NoSession, Options, Refusal, ServerLimits};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::task::JoinHandle;

use super::served::{STREAMS, Visitor, answer_of, modern};
use super::two::Two;

/// What a busy machine may take more than a limit says.
const SLACK: Duration = Duration::from_secs(4);
const HANG: &str = r#"{"code": "await good.hang({})"}"#;
const EVENTS: (&str, &str) = ("Accept", "text/event-stream");

pub(super) async fn a_client_that_goes_away() -> Result<()> {
    let two = Two::start("", &[])?;
    let is_live = async |count: u64| two.watcher.metric_becomes("isolet_runs_live", count).await;
    for headers in [&[][..], &[EVENTS]] {
        let connection = two.ada.send("POST /v1/run", headers, HANG).await?;
        is_live(1).await.with_context(|| format!("{headers:?}"))?;
        drop(connection);
        is_live(0).await.with_context(|| format!("{headers:?}"))?;
    }
    let run = json!({ "name": "run_code", "arguments": { "code": "await good.hang({})" } });
    let (message, headers) = modern("tools/call", run.clone());
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let connection = two.ada.send("POST /mcp", &headers, &message).await?;
    is_live(1).await.context("by MCP")?;
    drop(connection);
    is_live(0).await.context("by MCP")?;
    // A session outlives its connections; what nobody can be told any more does not.
    let session = two.ada.session("/mcp").await?;
    let headers = [STREAMS, ("Mcp-Session-Id", session.as_str())];
    let message = json!({ "jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": run }).to_string();
    let connection = two.ada.send("POST /mcp", &headers, &message).await?;
    is_live(1).await.context("in a session")?;
    drop(connection);
    is_live(0).await.context("in a session")?;
    // One that is taken back by name.
    let connection = two.ada.send("POST /mcp", &headers, &message).await?;
    is_live(1).await.context("cancelled")?;
    let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 5 } }).to_string();
    let answer = two.ada.ask("POST /mcp", &headers, &cancelled).await?;
    ensure!(answer.status == 202, "{answer:?}");
    is_live(0).await.context("cancelled")?;
    drop(connection);
    let answer = two.ada.in_session("/mcp", &session, "tools/list", &json!({})).await?;
    ensure!(answer.status == 200, "the session goes on: {answer:?}");
    Ok(())
}

pub(super) async fn sigterm() -> Result<()> {
    let mut two = Two::start("[capacity]\nshutdown_seconds_max = 6\n", &[])?;
    let soon =
        r#"{"code": "console.log('began'); await new Promise((resolve) => setTimeout(resolve, 4000)); return 'waited'"}"#;
    let soon = two.ada.send("POST /v1/run", &[EVENTS], soon).await?;
    let late = two.ada.send("POST /v1/run", &[EVENTS], HANG).await?;
    let late_json =
        two.ada.send("POST /v1/run", &[], r#"{"code": "await new Promise((resolve) => setTimeout(resolve, 60000))"}"#).await?;
    let (message, headers) = modern("tools/call", json!({ "name": "good__hang" }));
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let late_mcp = two.ada.send("POST /mcp/classic", &headers, &message).await?;
    let idle = two.bob.session("/mcp").await?;
    two.watcher.metric_becomes("isolet_runs_live", 3).await?;
    // Its stream has begun.
    late_mcp.readable().await?;
    two.served.terminate()?;
    let answer = answer_of(soon).await?;
    ensure!(answer.events().last().is_some_and(|(name, data)| name == "outcome" && data["value"] == "waited"), "{answer:?}");
    ensure!(tokio::net::TcpStream::connect(two.served.address).await.is_err(), "it accepts connections");
    let answer = answer_of(late).await?;
    ensure!(
        answer.events().last().is_some_and(|(name, data)| name == "error" && data["error"]["code"] == "ending"),
        "{answer:?}"
    );
    let answer = answer_of(late_json).await?;
    ensure!(answer.status == 503 && answer.json()?["error"]["code"] == "ending", "{answer:?}");
    let answer = answer_of(late_mcp).await?;
    ensure!(answer.status == 200 && answer.body.contains("the server ends") && answer.body.contains("\"id\":7"), "{answer:?}");
    let (status, errors) = two.served.ended_within(Duration::from_secs(6) + SLACK).await?;
    // The program, played here, fails if it leaves a process.
    ensure!(status.success(), "{status}: {errors}");
    drop(idle);
    Ok(())
}

pub(super) async fn streams_that_wait() -> Result<()> {
    let two = Two::start("", &[])?;
    two.bob.run("return 1").await?;
    let mut streams = Vec::new();
    for _ in 0..60 {
        streams.push(two.ada.send("POST /v1/run", &[EVENTS], HANG).await?);
    }
    two.watcher.metric_becomes("isolet_runs_live", 60).await?;
    // And connections that say nothing, as many as there may be of one address.
    let mut silent = Vec::new();
    for number in 0..300 {
        silent.extend(tokio::net::TcpStream::connect(two.served.address).await);
        if number % 100 == 99 {
            let began = Instant::now();
            ensure!(two.bob.run("return 1").await?["value"] == 1, "beside {number}");
            ensure!(began.elapsed() < SLACK, "beside {number} connections a run took {:?}", began.elapsed());
        }
    }
    ensure!(two.watcher.metric("isolet_runs_live").await? == 60, "a stream made room for a connection that says nothing");
    drop((streams, silent));
    two.watcher.metric_becomes("isolet_runs_live", 0).await
}

/// A tool that takes its time.
#[derive(Clone)]
struct Slow;

impl ToolHost for Slow {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let ms = call.arguments.as_map().get("ms").and_then(Value::as_u64).unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(ms)).await;
        Ok(ToolReply::from(json!("done")))
    }
}

/// A router in this process, for anybody.
struct Here {
    visitor: Visitor,
    ending: Ending,
    served: JoinHandle<()>,
}

impl Here {
    fn start(change: impl FnOnce(&mut Options, &mut ServerLimits, &mut Config)) -> Result<Self> {
        let listener = isolet_http::listen("127.0.0.1:0".parse()?)?;
        let address = listener.local_addr()?;
        let (mut options, mut limits, mut config) = (Options::of_address(address), ServerLimits::default(), Config::default());
        change(&mut options, &mut limits, &mut config);
        let ending = options.ending.clone();
        let runtime = Runtime::new(config)?;
        let tool = json!({ "name": "wait", "inputSchema": { "type": "object" } });
        let scope = Catalog::load([("slow", vec![tool])])?.scope(&Grants::new().allow("*"))?;
        let sessions = {
            let runtime = runtime.clone();
            move |_: &Principal| Ok::<_, NoSession>(runtime.session(scope.clone(), Slow))
        };
        let router = isolet_http::router(runtime, |_: &Parts| Ok::<_, Refusal>(Principal::new("ada")), sessions, options);
        let served = tokio::spawn(isolet_http::serve(listener, router, limits, ending.clone()));
        Ok(Self { visitor: Visitor { address, key: None }, ending, served })
    }

    async fn end_within(self, at_most: Duration) -> Result<()> {
        self.ending.begin();
        Ok(tokio::time::timeout(at_most, self.served).await.context("it does not end")??)
    }
}

pub(super) async fn no_silence_is_long() -> Result<()> {
    let here = Here::start(|options, _, _| options.heartbeat = Duration::from_millis(100))?;
    let code = r#"{"code": "await slow.wait({ ms: 1000 }); return 1"}"#;
    let answer = here.visitor.ask("POST /v1/run", &[EVENTS], code).await?;
    let events = answer.events();
    let comments = events.iter().filter(|(name, data)| name.is_empty() && *data == json!(": alive")).count();
    ensure!(comments >= 2 && events.last().is_some_and(|(name, _)| name == "outcome"), "{events:?}");
    // Of a call that is nothing but slow, each face says that it goes on.
    let run = json!({ "code": "await slow.wait({ ms: 1500 }); return 'done'" });
    for (path, name, arguments) in [
        ("/mcp/classic", "slow__wait", json!({ "ms": 1500 })),
        ("/mcp", "run_code", run),
        ("/mcp/search", "call_tool", json!({ "tool": "slow.wait", "arguments": { "ms": 1500 } })),
    ] {
        let call = json!({ "name": name, "arguments": arguments, "_meta": { "progressToken": "p" } });
        let answer = here.visitor.mcp(path, "tools/call", call.clone()).await?;
        let events: Vec<_> = answer.events().into_iter().filter(|(name, _)| name == "message").map(|(_, data)| data).collect();
        let said: Vec<f64> = events.iter().filter_map(|event| event["params"]["progress"].as_f64()).collect();
        ensure!(said.len() >= 3 && said.is_sorted_by(|one, next| one < next), "{path}: {answer:?}");
        ensure!(events.iter().all(|event| event["method"].is_null() || event["params"]["progressToken"] == "p"), "{events:?}");
        ensure!(events.last().is_some_and(|last| last["id"] == 7 && last["result"].is_object()), "{path}: {answer:?}");
        let mut silent = call.clone();
        silent["_meta"] = json!({});
        let answer = here.visitor.mcp(path, "tools/call", silent).await?;
        ensure!(answer.body.matches(": alive").count() >= 2 && !answer.body.contains("progress"), "{path}: {answer:?}");
        // In a session, and for a client that takes no stream.
        let session = here.visitor.session(path).await?;
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": call }).to_string();
        let answer = here.visitor.ask(&format!("POST {path}"), &[("Mcp-Session-Id", &session)], &message).await?;
        ensure!(
            answer.header("content-type") == Some("application/json") && answer.json()?["result"].is_object(),
            "{answer:?}"
        );
    }
    here.end_within(SLACK).await
}

/// A tenth of what there is otherwise: a client with a time-out of a minute, a heartbeat each ten seconds, and something that takes several minutes.
pub(super) async fn an_impatient_client() -> Result<()> {
    const SILENCE_MAX: Duration = Duration::from_millis(1500);
    const TAKES_MS: u64 = 4500;
    let here = Here::start(|options, _, _| options.heartbeat = SILENCE_MAX / 6)?;
    let code = format!("await slow.wait({{ ms: {TAKES_MS} }}); return 'done'");
    let run = json!({ "code": code }).to_string();
    let session = here.visitor.session("/mcp/classic").await?;
    let mut clients = vec![here.visitor.send("POST /v1/run", &[EVENTS], &run).await?];
    for (path, name, arguments) in
        [("/mcp", "run_code", json!({ "code": code })), ("/mcp/classic", "slow__wait", json!({ "ms": TAKES_MS }))]
    {
        for meta in [json!({}), json!({ "progressToken": "p" })] {
            let call = json!({ "name": name, "arguments": arguments, "_meta": meta });
            let (message, headers) = modern("tools/call", call.clone());
            let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            clients.push(here.visitor.send(&format!("POST {path}"), &headers, &message).await?);
            if path == "/mcp/classic" {
                let id = clients.len();
                let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call }).to_string();
                let headers = [STREAMS, ("Mcp-Session-Id", session.as_str())];
                clients.push(here.visitor.send("POST /mcp/classic", &headers, &message).await?);
            }
        }
    }
    let patient = |mut client: tokio::net::TcpStream| async move {
        let (mut heard, mut bytes) = (String::new(), [0; 4096]);
        loop {
            let read = tokio::time::timeout(SILENCE_MAX, client.read(&mut bytes)).await;
            match read.with_context(|| format!("silent for {SILENCE_MAX:?}: {heard}"))?? {
                0 => return anyhow::Ok(heard),
                count => heard.push_str(&String::from_utf8_lossy(&bytes[..count])),
            }
        }
    };
    for heard in futures::future::try_join_all(clients.into_iter().map(patient)).await? {
        ensure!(heard.contains("done") && !heard.contains("isError\":true"), "{heard}");
    }
    here.end_within(SLACK).await
}

pub(super) async fn a_thousand_idle_streams() -> Result<()> {
    const COUNT: usize = 1000;
    let here = Here::start(|options, limits, _| {
        options.heartbeat = Duration::from_secs(2);
        options.requests_of_principal_max = COUNT + 8;
        (limits.connections_max, limits.connections_of_address_max) = (COUNT + 8, COUNT + 8);
    })?;
    let (message, headers) = modern("tools/call", json!({ "name": "slow__wait", "arguments": { "ms": 600_000 } }));
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut streams = Vec::new();
    for _ in 0..COUNT {
        streams.push(here.visitor.send("POST /mcp/classic", &headers, &message).await?);
    }
    // Nothing comes on any of them but that it goes on.
    for stream in &mut streams {
        let (mut heard, mut bytes) = (String::new(), [0; 1024]);
        while !heard.contains(": alive") {
            let count = stream.read(&mut bytes).await?;
            ensure!(count > 0, "a stream has ended: {heard}");
            heard.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    }
    let began = Instant::now();
    ensure!(here.visitor.run("return 1").await?["value"] == 1, "beside {COUNT} streams");
    ensure!(began.elapsed() < SLACK, "beside {COUNT} streams a run took {:?}", began.elapsed());
    drop(streams);
    here.end_within(SLACK * 2).await
}

pub(super) async fn a_client_that_takes_nothing() -> Result<()> {
    let here = Here::start(|_, limits, config| {
        limits.taking_max = Duration::from_secs(1);
        limits.shutdown_max = Duration::from_secs(60);
        config.limits.result_bytes_max = 32 << 20;
        config.limits.heap_bytes_max = 256 << 20;
    })?;
    // More than the system keeps for a client.
    let code = r#"{"code": "return 'x'.repeat(16 << 20)"}"#;
    let connection = here.visitor.send("POST /v1/run", &[], code).await?;
    connection.readable().await?;
    here.end_within(Duration::from_secs(20)).await?;
    drop(connection);
    Ok(())
}

pub(super) async fn sessions_are_kept() -> Result<()> {
    const ROUTE: &str = "/mcp/classic";
    let here = Here::start(|options, _, _| options.mcp_sessions_of_principal_max = 2)?;
    let status = async |here: &Here, session: &str| -> Result<u16> {
        Ok(here.visitor.in_session(ROUTE, session, "tools/list", &json!({})).await?.status)
    };
    let first = here.visitor.session(ROUTE).await?;
    let second = here.visitor.session(ROUTE).await?;
    ensure!(status(&here, &first).await? == 200, "it was used last");
    let third = here.visitor.session(ROUTE).await?;
    let statuses = [status(&here, &first).await?, status(&here, &second).await?, status(&here, &third).await?];
    ensure!(statuses == [200, 404, 200], "the one that was used longest ago makes room: {statuses:?}");
    // Those that wait for an answer make no room.
    let message = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": "slow__wait", "arguments": { "ms": 60_000 } } });
    let mut waiting = Vec::new();
    for session in [&first, &third] {
        let headers = [STREAMS, ("Mcp-Session-Id", session.as_str())];
        let connection = here.visitor.send(&format!("POST {ROUTE}"), &headers, &message.to_string()).await?;
        // The stream of an answer that takes its time has begun.
        connection.readable().await?;
        waiting.push(connection);
    }
    let begin = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } }).to_string();
    let answer = here.visitor.ask(&format!("POST {ROUTE}"), &[], &begin).await?;
    ensure!(answer.status == 429, "{answer:?}");
    drop(waiting);
    here.end_within(SLACK).await?;
    let here = Here::start(|options, _, _| options.mcp_sessions_max = 1)?;
    here.visitor.session(ROUTE).await?;
    let answer = here.visitor.ask(&format!("POST {ROUTE}"), &[], &begin).await?;
    ensure!(answer.status == 503, "{answer:?}");
    here.end_within(SLACK).await?;
    let here = Here::start(|options, _, _| options.mcp_session_idle_max = Duration::ZERO)?;
    let session = here.visitor.session(ROUTE).await?;
    ensure!(status(&here, &session).await? == 404, "it was idle for too long");
    here.end_within(SLACK).await
}
