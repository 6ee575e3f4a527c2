//! MCP servers over HTTP in trouble: streams that break off, answers that never end, and one that is another server from one day to the next.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Configuration, HttpServer as Configured, UpstreamHost, UpstreamOptions, Upstreams};
use isolet::{ToolCall, ToolError, ToolErrorCode, ToolHost as _, ToolReply};
use serde_json::{Map, Value, json};

use crate::http_server::{Answer, Asked, HttpServer, Part, echo, error, event, result, status, stream, tool, usual};
use crate::patience;
use crate::process_table::until;
use crate::upstream::Test;

/// What a test waits for at the very most.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a call may take, where it is to take longer.
const CALL_MAX: Duration = Duration::from_millis(400);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("http_trouble::what_a_server_says_unasked_is_heard_on_from_where_it_broke_off", || block_on(heard_on())),
    ("http_trouble::an_answer_that_cannot_be_resumed_is_lost_and_its_call_not_repeated", || block_on(not_resumed())),
    ("http_trouble::an_answer_that_never_ends_is_given_up_whatever_comes_meanwhile", || block_on(without_end())),
    ("http_trouble::a_server_that_changes_its_era_is_spoken_to_in_its_new_one", || block_on(another_era())),
];

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    patience::within(PATIENCE * 2, test)
}

fn host(upstreams: &Upstreams, server: &HttpServer) -> Result<UpstreamHost> {
    Ok(upstreams.host(&Configuration::default().with("scripted", Configured::new(server.url()?)), "ada"))
}

async fn call(host: &UpstreamHost, arguments: Value) -> Result<ToolReply, ToolError> {
    let arguments = if let Value::Object(arguments) = arguments { arguments } else { Map::new() };
    host.call(ToolCall::new("scripted", "echo", "scripted.echo", arguments, 1)).await
}

async fn heard_on() -> Result<()> {
    let lists = AtomicUsize::new(0);
    let server = HttpServer::start(move |asked| match (asked.what(), asked.header("last-event-id")) {
        ("GET", None) => vec![stream(), Part::Bytes(b"id: here\nretry: 1\ndata: \n\n".to_vec())],
        ("GET", Some("here")) => {
            let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
            vec![stream(), event(&changed), Part::Hang]
        }
        ("tools/list", _) => {
            let name = if lists.fetch_add(1, Ordering::SeqCst) == 0 { "before" } else { "after" };
            result(asked, &json!({"tools": [tool(name)]}))
        }
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let names = async || -> Result<Vec<String>> {
        Ok(host.discover().await?.catalog.tools().map(|tool| tool.name().to_owned()).collect())
    };
    ensure!(!names().await?.is_empty());
    let again = async {
        while names().await? != ["after"] {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, again).await.context("what was said after it broke off is not heard")??;
    ensure!(server.count("initialize") == 1, "its session goes on");
    Ok(())
}

async fn not_resumed() -> Result<()> {
    for refused in [404, 405, 400] {
        let server = HttpServer::start(move |asked| match asked.what() {
            "tools/call" => vec![stream(), Part::Bytes(b"id: event-1\nretry: 1\ndata: \n\n".to_vec())],
            "GET" => status(if asked.header("last-event-id").is_some() { refused } else { 405 }),
            _ => usual(asked).unwrap_or_default(),
        })
        .await?;
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = host(&upstreams, &server)?;
        let error = call(&host, json!({})).await.err().context("it has no answer")?;
        ensure!(error.code == ToolErrorCode::Unavailable, "{refused}: {error:?}");
        ensure!(error.message.contains("may have been carried out") && !error.retryable, "{refused}: {error:?}");
        ensure!(server.count("tools/call") == 1, "{refused}: {:?}", server.asked());
    }
    Ok(())
}

async fn without_end() -> Result<()> {
    let progress = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}});
    let whole = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n".to_vec();
    for (what, head, drip) in [
        ("a body", Part::Bytes(whole), b" ".to_vec()),
        ("comments", stream(), b": here\n\n".to_vec()),
        ("progress", stream(), format!("data: {progress}\n\n").into_bytes()),
        ("one event", stream(), b"data: \n".to_vec()),
    ] {
        let head = match head {
            Part::Bytes(bytes) => bytes,
            _ => Vec::new(),
        };
        let script = move |asked: &Asked| -> Answer {
            let drips = || vec![Part::Bytes(head.clone()), Part::Drip(drip.clone(), Duration::from_millis(20))];
            usual(asked).unwrap_or_else(drips)
        };
        let server = HttpServer::start(script).await?;
        let mut options = UpstreamOptions::default();
        options.call_max = CALL_MAX;
        let upstreams = Upstreams::new(options);
        let host = host(&upstreams, &server)?;
        let error = call(&host, json!({})).await.err().with_context(|| format!("{what} never ends"))?;
        ensure!(error.code == ToolErrorCode::TimedOut, "{what}: {error:?}");
        tokio::time::timeout(PATIENCE, server.was_left()).await.with_context(|| format!("{what} is read on"))??;
    }
    Ok(())
}

/// A server that is one of the newer era while `is_modern`.
fn of_either_era(is_modern: Arc<AtomicBool>) -> impl Fn(&Asked) -> Answer {
    move |asked| {
        let is_modern = is_modern.load(Ordering::SeqCst);
        let knows_session = asked.header("mcp-session-id").is_some();
        match (asked.what(), is_modern) {
            ("initialize", true) => error(400, asked, -32022, "unsupported", &json!({"supported": ["2026-07-28"]})),
            ("server/discover", true) => {
                result(asked, &json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}))
            }
            ("server/discover", false) => error(404, asked, -32601, "no such method", &Value::Null),
            // What belongs to a session is nothing here, and what belongs to none is nothing there.
            (_, true) if knows_session => status(404),
            ("tools/list" | "tools/call", false) if !knows_session => {
                error(400, asked, -32000, "Bad Request: no session", &Value::Null)
            }
            _ => usual(asked).unwrap_or_else(|| result(asked, &echo(asked))),
        }
    }
}

async fn another_era() -> Result<()> {
    for was_modern in [true, false] {
        for is_left in [true, false] {
            let case = format!("it was modern: {was_modern}; it was left meanwhile: {is_left}");
            let is_modern = Arc::new(AtomicBool::new(was_modern));
            let server = HttpServer::start(of_either_era(Arc::clone(&is_modern))).await?;
            let mut options = UpstreamOptions::default();
            if is_left {
                options.idle_max = Duration::ZERO;
            }
            let upstreams = Upstreams::new(options);
            let host = host(&upstreams, &server)?;
            call(&host, json!({"n": 1})).await.with_context(|| case.clone())?;
            if is_left {
                ensure!(until(PATIENCE, || upstreams.running() == 0).await, "{case}");
            }
            is_modern.store(!was_modern, Ordering::SeqCst);
            let mut said = Vec::new();
            for n in 2..5 {
                match call(&host, json!({"n": n})).await {
                    Ok(reply) => {
                        ensure!(reply.as_json().contains(&n.to_string()), "{case}: {}", reply.as_json());
                        said.push("answered");
                    }
                    Err(error) => {
                        // In its own words where it has some.
                        let is_said = matches!(error.code, ToolErrorCode::Unavailable | ToolErrorCode::ToolFailed);
                        ensure!(is_said, "{case}: {error:?}");
                        said.push("failed");
                    }
                }
            }
            // Where a conversation was open, one call may find out.
            ensure!(said[1..] == ["answered", "answered"] && (said[0] == "answered" || !is_left), "{case}: {said:?}");
        }
    }
    Ok(())
}
