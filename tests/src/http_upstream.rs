//! MCP servers over HTTP, good ones and bad ones: each costs its own tools, in its time, with one clear message.

mod failures;
mod scripted;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{UpstreamOptions, Upstreams};
use isolet::{ToolErrorCode, ToolHost as _};
use serde_json::{Value, json};
use tokio::sync::watch;

use self::scripted::{CANARY, PATIENCE, call, host, is, refused, tool_call};
use crate::http_server::{Asked, HttpServer, Part, echo, error, event, result, status, stream, tool, usual, whole};
use crate::upstream::Test;

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    (
        "http_upstream::a_server_is_listed_and_called_in_its_session",
        || block_on(a_server_is_listed_and_called_in_its_session()),
    ),
    ("http_upstream::answers_come_as_events_among_others", || block_on(answers_come_as_events_among_others())),
    ("http_upstream::a_server_of_the_newer_era_is_spoken_to_and_remembered", || {
        block_on(a_server_of_the_newer_era_is_spoken_to_and_remembered())
    }),
    ("http_upstream::a_lost_session_is_made_again_and_the_call_is_sent_once_more", || {
        block_on(a_lost_session_is_made_again_and_the_call_is_sent_once_more())
    }),
    ("http_upstream::a_session_that_is_always_lost_is_given_up", || block_on(a_session_that_is_always_lost_is_given_up())),
    ("http_upstream::a_call_that_breaks_off_is_not_repeated", || block_on(a_call_that_breaks_off_is_not_repeated())),
    ("http_upstream::an_answer_that_breaks_off_is_resumed", || block_on(an_answer_that_breaks_off_is_resumed())),
    ("http_upstream::a_call_that_is_dropped_is_cancelled", || block_on(a_call_that_is_dropped_is_cancelled())),
    ("http_upstream::a_list_that_changes_is_asked_again", || block_on(a_list_that_changes_is_asked_again())),
    ("http_upstream::pages_are_followed_and_end", || block_on(pages_are_followed_and_end())),
    ("http_upstream::a_reply_that_is_too_large_is_an_error", || block_on(failures::a_reply_that_is_too_large_is_an_error())),
    ("http_upstream::what_cannot_be_reached_or_read_is_said", || block_on(failures::what_cannot_be_reached_or_read_is_said())),
    ("http_upstream::private_addresses_are_not_called", || block_on(failures::private_addresses_are_not_called())),
    ("http_upstream::a_server_that_says_nothing_is_given_up", || block_on(failures::a_server_that_says_nothing_is_given_up())),
    ("http_upstream::requests_of_a_server_are_answered_and_a_flood_ends_it", || {
        block_on(requests_of_a_server_are_answered_and_a_flood_ends_it())
    }),
    ("http_upstream::a_stream_that_ends_at_once_is_not_asked_for_without_end", || {
        block_on(a_stream_that_ends_at_once_is_not_asked_for_without_end())
    }),
    ("http_upstream::many_calls_at_once_have_each_its_answer", || block_on(many_calls_at_once_have_each_its_answer())),
    ("http_upstream::a_header_that_a_server_echoes_is_not_shown", || {
        block_on(failures::a_header_that_a_server_echoes_is_not_shown())
    }),
    ("http_upstream::the_program_uses_such_servers_and_shows_no_secret", || {
        block_on(failures::the_program_uses_such_servers_and_shows_no_secret())
    }),
];

async fn a_server_is_listed_and_called_in_its_session() -> Result<()> {
    let server = HttpServer::start(|asked| usual(asked).unwrap_or_else(|| result(asked, &echo(asked)))).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let discovery = host.discover().await?;
    let names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
    ensure!(names == ["echo"], "{names:?} {:?}", discovery.failures);
    let arguments = json!({"text": "\u{1f600}", "n": 18_446_744_073_709_551_615_u64});
    let said = call(&host, arguments.clone()).await?;
    ensure!(is(&said, &arguments)?, "{}", said.as_json());
    upstreams.close().await;
    let asked = server.asked();
    ensure!(asked.iter().all(|asked| asked.header("x-key") == Some(CANARY)), "{asked:?}");
    let first = asked.first().context("it was asked")?;
    ensure!(first.body["params"]["protocolVersion"] == "2025-11-25" && first.header("mcp-session-id").is_none(), "{first:?}");
    let rest: Vec<&Asked> = asked.iter().skip(1).collect();
    ensure!(rest.iter().all(|asked| asked.header("mcp-session-id") == Some("session-1")), "{rest:?}");
    ensure!(rest.iter().all(|asked| asked.header("mcp-protocol-version") == Some("2025-11-25")), "{rest:?}");
    ensure!(server.count("DELETE") == 1, "the session is ended");
    Ok(())
}

async fn answers_come_as_events_among_others() -> Result<()> {
    let server = HttpServer::start(|asked| {
        if asked.what() == "initialize" {
            let result = json!({"protocolVersion": "2025-03-26", "capabilities": [], "serverInfo": null});
            return vec![stream(), event(&json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result}))];
        }
        usual(asked).unwrap_or_else(|| {
            let answer = json!({"jsonrpc": "2.0", "id": asked.body["id"].to_string(), "result": echo(asked)});
            vec![
                stream(),
                Part::Bytes(b": a comment\n\nevent: ping\ndata: {}\n\ndata: no JSON\n\n".to_vec()),
                event(&json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}})),
                event(&json!({"jsonrpc": "2.0", "id": 999, "result": {"content": "of another"}})),
                Part::Bytes(b"id: 7\r\nevent: message\r\ndata: ".to_vec()),
                Part::Bytes(format!("{answer}\r\n\r\n").into_bytes()),
                Part::Hang,
            ]
        })
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    for n in 0..3 {
        let said = call(&host, json!({"n": n})).await?;
        ensure!(is(&said, &json!({"n": n}))?, "{}", said.as_json());
    }
    ensure!(server.count("tools/call") == 3);
    Ok(())
}

async fn a_server_of_the_newer_era_is_spoken_to_and_remembered() -> Result<()> {
    let server = HttpServer::start(|asked| match asked.what() {
        "initialize" => error(400, asked, -32022, "unsupported", &json!({"supported": ["2026-07-28"]})),
        "server/discover" => result(asked, &json!({"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}})),
        "tools/list" => result(asked, &json!({"tools": [tool("größe")]})),
        "tools/call" => result(asked, &echo(asked)),
        _ => status(404),
    })
    .await?;
    let mut options = UpstreamOptions::default();
    options.idle_max = Duration::ZERO;
    let upstreams = Upstreams::new(options);
    let host = host(&upstreams, &server)?;
    host.call(tool_call("größe", json!({"a": 1}))).await?;
    ensure!(crate::process_table::until(PATIENCE, || upstreams.running() == 0).await, "the idle one is left");
    host.call(tool_call("größe", json!({"a": 2}))).await?;
    ensure!(server.count("initialize") == 1, "what it took is remembered");
    let asked = server.asked();
    let calls: Vec<&Asked> = asked.iter().filter(|asked| asked.what() == "tools/call").collect();
    for asked in &calls {
        let (method, name) = (asked.header("mcp-method"), asked.header("mcp-name"));
        ensure!(method == Some("tools/call") && name == Some("=?base64?Z3LDtsOfZQ==?="), "{asked:?}");
        ensure!(asked.header("mcp-protocol-version") == Some("2026-07-28") && asked.header("mcp-session-id").is_none());
        ensure!(asked.body["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28", "{asked:?}");
    }
    ensure!(calls.len() == 2 && server.count("GET") + server.count("DELETE") == 0);
    Ok(())
}

async fn a_lost_session_is_made_again_and_the_call_is_sent_once_more() -> Result<()> {
    for (lost, body) in
        [(404, ""), (400, r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"No valid session ID"},"id":null}"#)]
    {
        let (calls, sessions) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let server = HttpServer::start(move |asked| match asked.what() {
            "initialize" => {
                let session = format!("session-{}", sessions.fetch_add(1, Ordering::SeqCst));
                let result =
                    json!({"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}});
                let answer = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": result}).to_string();
                whole(200, &[("content-type", "application/json"), ("mcp-session-id", &session)], answer.as_bytes())
            }
            "tools/call" if calls.fetch_add(1, Ordering::SeqCst) == 1 => {
                whole(lost, &[("content-type", "application/json")], body.as_bytes())
            }
            "tools/call" => {
                result(asked, &json!({"content": [], "structuredContent": {"session": asked.header("mcp-session-id")}}))
            }
            _ => usual(asked).unwrap_or_default(),
        })
        .await?;
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = host(&upstreams, &server)?;
        let mut said = Vec::new();
        for _ in 0..3 {
            said.push(call(&host, json!({})).await.with_context(|| format!("{lost}"))?.as_json().to_owned());
        }
        let expected = [r#"{"session":"session-0"}"#, r#"{"session":"session-1"}"#, r#"{"session":"session-1"}"#];
        ensure!(said == expected, "{lost}: {said:?}");
        ensure!(server.count("initialize") == 2 && server.count("tools/call") == 4, "{lost}");
        let offered: Vec<_> = server.asked().iter().map(|asked| asked.body["params"]["protocolVersion"].clone()).collect();
        ensure!(!offered.contains(&json!("2026-07-28")));
    }
    Ok(())
}

async fn a_session_that_is_always_lost_is_given_up() -> Result<()> {
    let server = HttpServer::start(|asked| usual(asked).unwrap_or_else(|| status(404))).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let error = refused(&host).await?;
    ensure!(error.code == ToolErrorCode::Unavailable, "{error:?}");
    ensure!(server.count("tools/call") == 2 && server.count("initialize") == 2, "{:?}", server.asked());
    Ok(())
}

async fn a_call_that_breaks_off_is_not_repeated() -> Result<()> {
    for broken in [
        vec![Part::Bytes(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{".to_vec())],
        vec![stream(), event(&json!({"jsonrpc": "2.0", "method": "notifications/progress"}))],
        vec![],
    ] {
        let broken = Mutex::new(
            broken
                .into_iter()
                .map(|part| match part {
                    Part::Bytes(bytes) => bytes,
                    _ => Vec::new(),
                })
                .collect::<Vec<_>>(),
        );
        let server = HttpServer::start(move |asked| {
            usual(asked).unwrap_or_else(|| {
                broken.lock().map(|parts| parts.iter().cloned().map(Part::Bytes).collect()).unwrap_or_default()
            })
        })
        .await?;
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = host(&upstreams, &server)?;
        let error = refused(&host).await?;
        ensure!(error.code == ToolErrorCode::Unavailable && error.message.contains("may have been carried out"), "{error:?}");
        ensure!(server.count("tools/call") == 1, "it is not repeated");
    }
    Ok(())
}

async fn an_answer_that_breaks_off_is_resumed() -> Result<()> {
    let id = Arc::new(Mutex::new(Value::Null));
    let server = HttpServer::start(move |asked| match asked.what() {
        "tools/call" => {
            if let Ok(mut id) = id.lock() {
                *id = asked.body["id"].clone();
            }
            vec![stream(), Part::Bytes(b"id: event-1\nretry: 1\ndata: \n\n".to_vec())]
        }
        "GET" if asked.header("last-event-id") == Some("event-1") => {
            let id = id.lock().map(|id| id.clone()).unwrap_or_default();
            vec![
                stream(),
                event(&json!({"jsonrpc": "2.0", "id": id, "result": {"content": [{"type": "text", "text": "late"}]}})),
            ]
        }
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    ensure!(call(&host, json!({})).await?.as_json() == "\"late\"");
    ensure!(server.count("tools/call") == 1);
    Ok(())
}

async fn a_call_that_is_dropped_is_cancelled() -> Result<()> {
    let server = HttpServer::start(|asked| usual(asked).unwrap_or_else(|| vec![stream(), Part::Hang])).await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let mut pending = Box::pin(call(&host, json!({})));
    let asked = async {
        while server.count("tools/call") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = &mut pending => anyhow::bail!("it has no answer"),
        () = asked => drop(pending),
    }
    tokio::time::timeout(PATIENCE, server.was_left()).await.context("the stream is closed")??;
    let told = crate::process_table::until(PATIENCE, || server.count("notifications/cancelled") == 1).await;
    let call = server.asked().into_iter().find(|asked| asked.what() == "tools/call").context("it was called")?;
    let cancelled = server.asked().into_iter().find(|asked| asked.what() == "notifications/cancelled");
    ensure!(told && cancelled.is_some_and(|asked| asked.body["params"]["requestId"] == call.body["id"]));
    Ok(())
}

async fn a_list_that_changes_is_asked_again() -> Result<()> {
    let (change, changed) = watch::channel(false);
    let lists = AtomicUsize::new(0);
    let server = HttpServer::start(move |asked| match asked.what() {
        "GET" => {
            let said = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
            let mut parts = vec![stream(), Part::Until(changed.clone())];
            parts.extend((0..50).map(|_| event(&said)));
            parts.push(Part::Hang);
            parts
        }
        "tools/list" => {
            let name = if lists.fetch_add(1, Ordering::SeqCst) == 0 { "before" } else { "after" };
            result(asked, &json!({"tools": [tool(name)]}))
        }
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let names = async || {
        Ok::<_, anyhow::Error>(host.discover().await?.catalog.tools().map(|tool| tool.name().to_owned()).collect::<Vec<_>>())
    };
    ensure!(names().await? == ["before"]);
    change.send(true)?;
    let again = async {
        while names().await? != ["after"] {
            tokio::task::yield_now().await;
        }
        Ok::<_, anyhow::Error>(())
    };
    tokio::time::timeout(PATIENCE, again).await.context("it is asked again")??;
    ensure!(server.count("tools/list") == 2, "a burst is one change");
    Ok(())
}

async fn pages_are_followed_and_end() -> Result<()> {
    let server = HttpServer::start(|asked| match (asked.what(), asked.body["params"]["cursor"].as_str()) {
        ("tools/list", None) => result(asked, &json!({"tools": [tool("a")], "nextCursor": ""})),
        ("tools/list", Some("")) => result(asked, &json!({"tools": [tool("b")], "nextCursor": "0"})),
        ("tools/list", Some(_)) => result(asked, &json!({"tools": [tool("c")], "nextCursor": "0"})),
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let discovery = host(&upstreams, &server)?.discover().await?;
    let names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
    ensure!(names == ["a", "b", "c"], "{names:?} {:?}", discovery.failures);

    let pages = AtomicUsize::new(0);
    let server = HttpServer::start(move |asked| match asked.what() {
        "tools/list" => {
            let page = pages.fetch_add(1, Ordering::SeqCst);
            result(asked, &json!({"tools": [tool(&format!("t{page}"))], "nextCursor": page.to_string()}))
        }
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let discovery = host(&upstreams, &server)?.discover().await?;
    let [failure] = discovery.failures.as_slice() else { anyhow::bail!("{discovery:?}") };
    ensure!(failure.to_string().contains("on more than 1000 pages"), "{failure}");
    Ok(())
}

async fn requests_of_a_server_are_answered_and_a_flood_ends_it() -> Result<()> {
    let server = HttpServer::start(|asked| match asked.what() {
        "tools/call" => {
            let answer = json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": {"content": []}});
            let ask = |id: i32, method: &str| event(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": {}}));
            let mut parts = vec![stream(), ask(41, "ping"), ask(42, "sampling/createMessage")];
            if asked.body["params"]["arguments"]["flood"] == true {
                parts.extend((0..5000).map(|id| ask(id, "ping")));
                parts.push(Part::Hang);
            }
            parts.push(event(&answer));
            parts
        }
        // The answers to its own requests: some are slow to be taken.
        "POST" if asked.body["id"].as_i64().is_some_and(|id| id < 40) => vec![Part::Hang],
        _ => usual(asked).unwrap_or_default(),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    call(&host, json!({})).await?;
    let answer = |id: i64| server.asked().into_iter().find(|asked| asked.what() == "POST" && asked.body["id"] == id);
    ensure!(crate::process_table::until(PATIENCE, || answer(41).is_some() && answer(42).is_some()).await);
    ensure!(answer(41).is_some_and(|asked| asked.body["result"] == json!({}) && asked.header("mcp-session-id").is_some()));
    ensure!(answer(42).is_some_and(|asked| asked.body["error"]["code"] == -32601));
    let error = host.call(tool_call("echo", json!({"flood": true}))).await.err().context("it is ended")?;
    ensure!(error.code == ToolErrorCode::Unavailable, "{error:?}");
    let error = host.call(tool_call("echo", json!({}))).await.err().context("it is left alone")?;
    ensure!(error.code == ToolErrorCode::Unavailable && server.count("initialize") == 1, "{error:?}");
    Ok(())
}

async fn a_stream_that_ends_at_once_is_not_asked_for_without_end() -> Result<()> {
    let server = HttpServer::start(|asked| match asked.what() {
        "GET" => vec![stream(), Part::Bytes(b"id: 1\nretry: 0\ndata: \n\n".to_vec())],
        _ => usual(asked).unwrap_or_else(|| result(asked, &echo(asked))),
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(1) {
        call(&host, json!({})).await?;
    }
    let allowed = 40 + usize::try_from(started.elapsed().as_secs())? * 3;
    ensure!(server.count("GET") <= allowed, "{} streams in {:?}", server.count("GET"), started.elapsed());
    Ok(())
}

async fn many_calls_at_once_have_each_its_answer() -> Result<()> {
    let server = HttpServer::start(|asked| {
        usual(asked).unwrap_or_else(|| match asked.body["id"].as_i64().is_some_and(|id| id % 2 == 0) {
            true => result(asked, &echo(asked)),
            false => vec![stream(), event(&json!({"jsonrpc": "2.0", "id": asked.body["id"], "result": echo(asked)}))],
        })
    })
    .await?;
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = host(&upstreams, &server)?;
    let calls = (0..200).map(async |n| {
        let said = call(&host, json!({"n": n})).await?;
        ensure!(is(&said, &json!({"n": n}))?, "{n}: {}", said.as_json());
        Ok(())
    });
    futures::future::join_all(calls).await.into_iter().collect::<Result<Vec<()>>>()?;
    ensure!(server.count("tools/call") == 200 && server.count("initialize") == 1);
    Ok(())
}

fn block_on<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Runtime::new()?.block_on(test)
}
