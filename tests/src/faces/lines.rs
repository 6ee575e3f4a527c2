//! What is written to a face line by line, well or badly: each line that asks is answered, with its own `id`.

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::Mode;
use isolet::{Catalog, Grants, ToolCall, ToolError, ToolHost, ToolReply};
use serde_json::{Value, json};

use super::endless::Endless;
use super::wire::Wire;
use crate::face_client::{runtime, tracker};

pub(super) async fn everything_that_has_an_id_is_answered() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let mut wire = Wire::open(&session, Mode::Both);
    wire.initialize().await?;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let long = "x".repeat(17 << 20);
    let call = |id: u32, name: &str, arguments: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{arguments}}}}}"#)
    };
    let many = vec!["1"; 1001].join(",");
    // The line; the `id` of the answer, and the code of its error; no code for a result.
    let cases: Vec<(String, Value, Option<i32>)> = vec![
        ("no JSON".to_owned(), Value::Null, Some(-32700)),
        (r#"{"jsonrpc":"2.0","id":1,"method":"ping""#.to_owned(), Value::Null, Some(-32700)),
        (deep.clone(), Value::Null, Some(-32600)),
        ("7".to_owned(), Value::Null, Some(-32600)),
        ("\"ping\"".to_owned(), Value::Null, Some(-32600)),
        ("[]".to_owned(), Value::Null, Some(-32600)),
        ("[1".to_owned(), Value::Null, Some(-32700)),
        (format!("[{many}]"), Value::Null, Some(-32600)),
        ("{}".to_owned(), Value::Null, Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":2}"#.to_owned(), json!(2), Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":3,"method":7}"#.to_owned(), json!(3), Some(-32600)),
        (r#"{"id":4,"method":"ping"}"#.to_owned(), json!(4), Some(-32600)),
        (r#"{"jsonrpc":"1.0","id":4,"method":"ping"}"#.to_owned(), json!(4), Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":5,"id":6,"method":"ping"}"#.to_owned(), Value::Null, Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_owned(), Value::Null, Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.to_owned(), Value::Null, Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":7,"method":"no/such"}"#.to_owned(), json!(7), Some(-32601)),
        (r#"{"jsonrpc":"2.0","id":8,"method":"ping","params":[1]}"#.to_owned(), json!(8), Some(-32600)),
        (format!(r#"{{"jsonrpc":"2.0","id":9,"method":"ping","params":{{"a":{deep}}}}}"#), json!(9), Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":10,"method":"tools/call","params":{}}"#.to_owned(), json!(10), Some(-32602)),
        (call(11, "no_such", "{}"), json!(11), Some(-32602)),
        (call(12, "run_code", &deep), json!(12), None),
        (call(13, "run_code", &format!(r#"{{"code":"return 1","more":{deep}}}"#)), json!(13), None),
        (call(14, "tracker__get_issue", &format!(r#"{{"issue":{deep}}}"#)), json!(14), None),
        (call(15, "tracker__get_issue", "[1]"), json!(15), None),
        (call(16, "run_code", &format!(r#"{{"code":"{long}"}}"#)), json!(16), Some(-32600)),
        (format!(r#"{{"params":{{"a":"{long}"}},"id":17,"jsonrpc":"2.0"}}"#), json!(17), Some(-32600)),
        (format!(r#"{{"params":{{"a":"{long}","id":17}}}}"#), Value::Null, Some(-32600)),
        (r#"{"jsonrpc":"2.0","id":18,"method":"tools/list","params":{"cursor":"7"}}"#.to_owned(), json!(18), Some(-32602)),
        (r#"{"jsonrpc":"2.0","id":18,"method":"tools/list","params":{"cursor":""}}"#.to_owned(), json!(18), None),
        ("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":19,\"method\":\"ping\"}\r".to_owned(), json!(19), None),
    ];
    for (line, id, code) in cases {
        let shown: String = line.chars().take(100).collect();
        wire.write_line(&line).await?;
        let answer = wire.receive().await.with_context(|| format!("`{shown}` is not answered"))?;
        ensure!(answer["id"] == id && answer["error"]["code"].as_i64() == code.map(i64::from), "{shown}: {answer:.200}");
        ensure!(code.is_some() || answer["result"].is_object(), "{shown}: {answer:.200}");
    }
    // What has no `id` is no request, however wrong it is.
    for line in [
        "",
        r#"{"jsonrpc":"2.0","method":"notifications/no/such","params":7}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"error":{}}"#,
    ] {
        wire.write_line(line).await?;
    }
    let ping = |id: u32| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#);
    wire.write_line(&format!("[{},{},7,{}]", ping(20), ping(21), "{\"jsonrpc\":\"2.0\",\"method\":\"x\"}")).await?;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(wire.receive().await?["id"].clone());
    }
    ids.sort_by_key(ToString::to_string);
    ensure!(ids == [json!(20), json!(21), Value::Null], "{ids:?}");
    Ok(())
}

pub(super) async fn a_careless_client_is_understood() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    for (params, version) in [
        ("null", "2025-11-25"),
        ("{}", "2025-11-25"),
        (r#"{"protocolVersion":"2026-07-28","capabilities":{},"clientInfo":{"name":"x","version":"1"}}"#, "2025-11-25"),
        (r#"{"protocolVersion":"2024-11-05","capabilities":null,"clientInfo":null,"_meta":null}"#, "2024-11-05"),
        (
            r#"{"protocolVersion":"2025-06-18","capabilities":{"roots":null,"sampling":[]},"clientInfo":{"name":"x"}}"#,
            "2025-06-18",
        ),
    ] {
        let mut wire = Wire::open(&session, Mode::Both);
        wire.write_line(&format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#)).await?;
        let answer = wire.receive().await?;
        ensure!(answer["result"]["protocolVersion"] == version, "{params}: {answer}");
        wire.write_line(r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":null}"#).await?;
        wire.write_line(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{"cursor":"","_meta":null}}"#).await?;
        let answer = wire.receive().await?;
        ensure!(answer["result"]["tools"].is_array(), "{params}: {answer}");
    }
    Ok(())
}

pub(super) async fn an_id_is_given_back_as_it_was_written() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let mut wire = Wire::open(&session, Mode::Both);
    wire.initialize().await?;
    for id in ["\"\"", "\"a\\u0000\\\"\"", "\"7\"", "-1", "1.5", "1e3", "18446744073709551616", "9007199254740993"] {
        wire.write_line(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping"}}"#)).await?;
        let answer = wire.receive_text().await?;
        ensure!(answer.contains(&format!("\"id\":{id},")), "{answer}");
    }
    Ok(())
}

pub(super) async fn an_id_that_is_in_use_is_refused_and_can_be_cancelled() -> Result<()> {
    let host = Endless::default();
    let session = host.session()?;
    let mut wire = Wire::open(&session, Mode::Both);
    wire.initialize().await?;
    let call = |id: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"endless__wait","arguments":{{}}}}}}"#)
    };
    wire.write_line(&call("\"a\"")).await?;
    host.until(1).await?;
    wire.write_line(&call("\"\\u0061\"")).await?;
    let refused = wire.receive().await?;
    ensure!(refused["error"]["code"] == -32600 && refused["id"] == "a", "{refused}");
    wire.write_line(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"a"}}"#).await?;
    host.until(0).await?;
    wire.write_line(r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#).await?;
    let answer = wire.receive().await?;
    ensure!(
        answer["id"] == "a" && answer["result"] == json!({}),
        "the `id` is free again, and nothing else was answered: {answer}"
    );
    Ok(())
}

/// Answers with what it was sent.
struct Echo;

impl ToolHost for Echo {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        Ok(ToolReply::from(json!(call.arguments)))
    }
}

pub(super) async fn half_a_surrogate_pair_costs_nothing_at_either_border() -> Result<()> {
    let tools = vec![json!({ "name": "echo", "inputSchema": { "type": "object" } })];
    let scope = Catalog::load([("echo", tools)])?.scope(&Grants::new().allow("*"))?;
    let session = runtime()?.session(scope, Echo);
    let mut wire = Wire::open(&session, Mode::Both);
    wire.initialize().await?;
    wire.write_line(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo__echo","arguments":{"\ud83d":"x\udc00"}}}"#,
    )
    .await?;
    let answer = wire.receive().await?;
    let text = answer["result"]["content"][0]["text"].as_str().context("no text")?;
    ensure!(serde_json::from_str::<Value>(text)? == json!({ "\u{fffd}": "x\u{fffd}" }), "{answer}");
    wire.write_line(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"run_code","arguments":{"code":"return '\ud83d'.length"}}}"#).await?;
    let answer = wire.receive().await?;
    ensure!(answer["result"]["structuredContent"]["value"] == 1, "{answer}");
    wire.write_line(r#"{"jsonrpc":"2.0","id":"\ud83d","method":"ping"}"#).await?;
    ensure!(wire.receive().await?["id"] == "\u{fffd}");
    wire.write_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":\"caf\xe9\",\"method\":\"ping\"}\n").await?;
    ensure!(wire.receive().await?["id"] == "caf\u{fffd}");
    Ok(())
}

pub(super) async fn more_requests_than_may_be_under_way_are_told_so() -> Result<()> {
    let host = Endless::default();
    let session = host.session()?;
    let mut wire = Wire::open(&session, Mode::Both);
    wire.initialize().await?;
    // In flight and waiting: what the session takes, and then the connection.
    let (first, last) = (1, 1500);
    for id in first..=last {
        wire.send("tools/call", id, &json!({ "name": "endless__wait", "arguments": {} })).await?;
    }
    wire.send("ping", last + 1, &json!({})).await?;
    // All but those that wait are answered, the ping among them: some of the session's own refusals make room for it.
    let mut refused = 0;
    loop {
        let answer = wire.receive().await?;
        let code = answer["error"]["code"].as_i64();
        if answer["id"] == last + 1 && code.is_none() {
            break;
        }
        let is_busy = code == Some(-32000) || answer["result"]["_meta"]["io.isolet/error"]["code"] == "rate_limited";
        ensure!(is_busy, "{answer}");
        refused += 1;
        if answer["id"] == last + 1 {
            wire.send("ping", last + 1, &json!({})).await?;
        }
    }
    ensure!(refused >= 100, "{refused} were refused");
    Ok(())
}
