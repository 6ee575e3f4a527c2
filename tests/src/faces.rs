//! Both faces of a session: the same tools, for the same user, as code mode and as classic MCP, in both eras of the protocol.

mod endless;
mod lines;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::FutureExt as _;
use isolet::mcp::{Mode, Transport};
use isolet::{
    CallEnd, CallRecord, Catalog, Config, End, Event, Grants, Runtime, ToolCall, ToolError, ToolErrorCode, ToolHost, ToolReply,
};
use isolet_examples::tracker::Tracker;
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolResult, ClientRequest, ProtocolVersion, Request};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, PeerRequestOptions, ServiceError};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use self::endless::Endless;
use self::wire::Wire;
use crate::face_client::{PATIENCE, block_on, call, connect, runtime, text_of, tracker};

/// Every test of this module.
pub(crate) const TESTS: &[crate::upstream::Test] = &[
    ("faces::both_faces_give_the_same_values_and_errors", || block_on(both_faces_give_the_same_values_and_errors())),
    ("faces::both_faces_leave_the_same_records", || block_on(both_faces_leave_the_same_records())),
    ("faces::a_user_is_listed_what_is_granted_as_it_was_defined", || {
        block_on(a_user_is_listed_what_is_granted_as_it_was_defined())
    }),
    ("faces::a_forbidden_tool_fails_as_one_that_does_not_exist", || {
        block_on(a_forbidden_tool_fails_as_one_that_does_not_exist())
    }),
    ("faces::a_result_arrives_whole_whatever_is_in_it", || block_on(a_result_arrives_whole_whatever_is_in_it())),
    ("faces::both_eras_of_the_protocol_are_served", || block_on(both_eras_of_the_protocol_are_served())),
    ("faces::a_model_finds_reads_and_runs", || block_on(a_model_finds_reads_and_runs())),
    ("faces::the_fault_of_a_program_is_a_result_that_says_so", || block_on(the_fault_of_a_program_is_a_result_that_says_so())),
    ("faces::what_was_assumed_of_a_program_is_in_its_result", || block_on(what_was_assumed_of_a_program_is_in_its_result())),
    ("faces::what_a_program_says_is_progress", || block_on(what_a_program_says_is_progress())),
    ("faces::a_cancelled_program_cancels_its_calls", || block_on(a_cancelled_program_cancels_its_calls())),
    ("faces::a_client_that_goes_cancels_its_calls", || block_on(a_client_that_goes_cancels_its_calls())),
    ("faces::a_session_that_is_dropped_ends_its_servers", || block_on(a_session_that_is_dropped_ends_its_servers())),
    ("faces::limits_hold_for_classic_calls", || block_on(limits_hold_for_classic_calls())),
    ("faces::the_instructions_are_short", the_instructions_are_short),
    ("faces::everything_that_has_an_id_is_answered", || block_on(lines::everything_that_has_an_id_is_answered())),
    ("faces::a_careless_client_is_understood", || block_on(lines::a_careless_client_is_understood())),
    ("faces::an_id_is_given_back_as_it_was_written", || block_on(lines::an_id_is_given_back_as_it_was_written())),
    ("faces::an_id_that_is_in_use_is_refused_and_can_be_cancelled", || {
        block_on(lines::an_id_that_is_in_use_is_refused_and_can_be_cancelled())
    }),
    ("faces::half_a_surrogate_pair_costs_nothing_at_either_border", || {
        block_on(lines::half_a_surrogate_pair_costs_nothing_at_either_border())
    }),
    ("faces::more_requests_than_may_be_under_way_are_told_so", || {
        block_on(lines::more_requests_than_may_be_under_way_are_told_so())
    }),
];

async fn both_faces_give_the_same_values_and_errors() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let client = connect(&session, Mode::Classic).await?;
    for (tool, arguments) in [
        ("get_current_user", json!({})),
        ("list_projects", json!({})),
        ("list_issues", json!({ "project": "APP", "limit": 3 })),
        ("search_issues", json!({ "query": "crash" })),
        ("get_issue", json!({ "issue": "APP-1" })),
        ("export_issue_markdown", json!({ "issue": "APP-1" })),
        ("get_issue", json!({ "issue": "NONE-1" })),
        ("get_issue", json!({ "issue": 1 })),
        ("get_issue", json!({ "unexpected": true })),
    ] {
        let program = format!("return await tracker.{tool}({arguments})");
        let expected = match session.run(&program).await?.end {
            End::Returned(value) => Ok(as_javascript_has_it(value)),
            End::Threw(error) => Err(error.message),
            End::Stopped(stop) => anyhow::bail!("{program}: {stop}"),
        };
        let result = client.call_tool(call(&format!("tracker__{tool}"), &arguments)).await?;
        ensure!(value_of(&result).map(as_javascript_has_it) == expected, "{program}\n{result:?}\n{expected:?}");
    }
    Ok(())
}

async fn both_faces_leave_the_same_records() -> Result<()> {
    let (events, mut seen) = mpsc::channel(64);
    let session = tracker("ada", Grants::new().allow("*"))?.with_events(events);
    session.run("await tracker.list_projects({}); await tracker.get_issue({ issue: 'NONE-1' }).catch(() => 0)").await?;
    let client = connect(&session, Mode::Classic).await?;
    client.call_tool(call("tracker__list_projects", &json!({}))).await?;
    client.call_tool(call("tracker__get_issue", &json!({ "issue": "NONE-1" }))).await?;
    client.cancel().await?;
    drop(session);
    let mut records = Vec::new();
    while let Some(event) = seen.recv().await {
        if let Event::Answered(record) = event {
            records.push(record);
        }
    }
    let facts = |record: &CallRecord| {
        (record.path.clone(), record.server.clone(), record.tool.clone(), record.argument_bytes, record.end.clone())
    };
    let facts: Vec<_> = records.iter().map(facts).collect();
    ensure!(facts.len() == 4 && facts[..2] == facts[2..], "{facts:?}");
    ensure!(facts[1].4 == CallEnd::Failed(ToolErrorCode::ToolFailed), "{facts:?}");
    ensure!(records[0].reply_bytes == records[2].reply_bytes, "{records:?}");
    Ok(())
}

async fn a_user_is_listed_what_is_granted_as_it_was_defined() -> Result<()> {
    let grants = || Grants::new().allow("tracker.list_*").deny("tracker.list_users");
    let mut defined = Tracker::definitions();
    defined.retain(|tool| {
        let name = tool["name"].as_str().unwrap_or_default();
        name.starts_with("list_") && name != "list_users"
    });
    ensure!(!defined.is_empty());
    let session = tracker("bob", grants())?;
    let listed = connect(&session, Mode::Classic).await?.list_all_tools().await?;
    ensure!(listed.len() == defined.len(), "{listed:?}");
    for (listed, defined) in listed.iter().zip(&defined) {
        let mut listed = serde_json::to_value(listed)?;
        let name = listed["name"].as_str().and_then(|name| name.strip_prefix("tracker__")).context("no prefix")?.to_owned();
        listed["name"] = name.into();
        ensure!(listed == *defined, "{listed}\n{defined}");
    }
    Ok(())
}

async fn a_forbidden_tool_fails_as_one_that_does_not_exist() -> Result<()> {
    let session = tracker("bob", Grants::new().allow("*").deny("tracker.delete_issue"))?;
    let client = connect(&session, Mode::Classic).await?;
    let said = async |name: &str| match client.call_tool(call(name, &json!({ "issue": "APP-1" }))).await {
        Err(ServiceError::McpError(error)) => Ok(serde_json::to_string(&error)?.replace(name, "NAME")),
        other => anyhow::bail!("{other:?}"),
    };
    let forbidden = said("tracker__delete_issue").await?;
    ensure!(forbidden == said("tracker__delete_nothing").await?, "{forbidden}");
    ensure!(forbidden.contains("-32602"), "{forbidden}");
    Ok(())
}

/// Answers with a result that no revision of the protocol knows whole.
struct Vendor;

const VENDOR_RESULT: &str = r#"{"content":[{"type":"hologram","depth":3},{"type":"text","text":"a","x-tone":"dry"}],"structuredContent":{"big":18446744073709551615},"x-vendor":{"kept":true},"_meta":{"a/b":1}}"#;

impl ToolHost for Vendor {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "fail" => {
                let result = VENDOR_RESULT.replacen('{', r#"{"isError":true,"#, 1);
                Err(ToolError::failed("no").with_result(result))
            }
            _ => Ok(ToolReply::from(json!({ "big": u64::MAX })).with_result(VENDOR_RESULT)),
        }
    }
}

async fn a_result_arrives_whole_whatever_is_in_it() -> Result<()> {
    let tool = json!({ "name": "show", "description": "shows", "inputSchema": { "type": "object" }, "execution": { "x": 1 }, "annotations": { "x-cost": 2 } });
    let fail = json!({ "name": "fail", "inputSchema": { "type": "object" } });
    let catalog = Catalog::load([("vendor", vec![tool.clone(), fail])])?;
    let session = runtime()?.session(catalog.scope(&Grants::new().allow("*"))?, Vendor);
    let mut wire = Wire::open(&session, Mode::Classic);
    wire.initialize().await?;
    let list = wire.ask("tools/list", json!({})).await?;
    let mut listed = list["result"]["tools"][0].clone();
    listed["name"] = "show".into();
    ensure!(listed == tool, "{list}");
    let whole: Value = serde_json::from_str(VENDOR_RESULT)?;
    let shown = wire.ask("tools/call", json!({ "name": "vendor__show", "arguments": {} })).await?;
    ensure!(shown["result"] == whole, "{shown}");
    let failed = wire.ask("tools/call", json!({ "name": "vendor__fail", "arguments": {} })).await?;
    ensure!(failed["result"]["isError"] == true && failed["result"]["content"] == whole["content"], "{failed}");
    Ok(())
}

async fn both_eras_of_the_protocol_are_served() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    for mode in [
        ClientLifecycleMode::Initialize,
        ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] },
        ClientLifecycleMode::Auto { preferred_versions: vec![ProtocolVersion::V_2026_07_28], legacy_version: None },
    ] {
        let (here, there) = tokio::io::duplex(64 << 10);
        tokio::spawn(session.serve(Mode::Both, Transport::pipe(there)));
        let client = ().serve_with_lifecycle(here, mode).await?;
        let names: Vec<_> = client.list_all_tools().await?.into_iter().map(|tool| tool.name.to_string()).collect();
        ensure!(names.first().is_some_and(|name| name == "run_code"), "{names:?}");
        ensure!(names.len() == 3 + Tracker::definitions().len(), "{names:?}");
        let result = client.call_tool(call("run_code", &json!({ "code": "return 1 + 1" }))).await?;
        ensure!(result.structured_content == Some(json!({ "end": "returned", "value": 2 })), "{result:?}");
    }
    Ok(())
}

async fn a_model_finds_reads_and_runs() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let client = connect(&session, Mode::Code).await?;
    let tools = client.list_all_tools().await?;
    let description = tools.iter().find(|tool| tool.name == "run_code").and_then(|tool| tool.description.as_deref());
    ensure!(description.is_some_and(|text| text.contains("// all 34 tools")), "{description:?}");
    let found = text_of(&client.call_tool(call("search_tools", &json!({ "query": "list projects", "limit": 2 }))).await?);
    ensure!(found.contains("list_projects("), "{found}");
    let types = text_of(&client.call_tool(call("get_types", &json!({ "tools": ["tracker.list_projects"] }))).await?);
    ensure!(types.contains("list_projects("), "{types}");
    let some = text_of(&client.call_tool(call("get_types", &json!({ "max_tokens": 500 }))).await?);
    ensure!(some.contains("PARTIAL"), "{some}");
    let code = "const projects = await tracker.list_projects({}); console.log('asked'); return typeof projects";
    let result = client.call_tool(call("run_code", &json!({ "code": code }))).await?;
    let expected = json!({ "end": "returned", "value": "object", "console": [{ "text": "asked" }] });
    ensure!(result.structured_content.as_ref() == Some(&expected), "{result:?}");
    ensure!(serde_json::from_str::<Value>(&text_of(&result))? == expected, "{result:?}");
    Ok(())
}

async fn the_fault_of_a_program_is_a_result_that_says_so() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let client = connect(&session, Mode::Code).await?;
    for (arguments, end, word) in [
        (json!({ "code": "return 1 +" }), "threw", "SyntaxError"),
        (json!({ "code": "return await tracker.get_isue({})" }), "threw", "tracker.get_issue"),
        (json!({ "code": "for (;;) {}", "timeout_ms": 100 }), "stopped", "out of time"),
        (json!({ "code": "return 'x'.repeat(2000000)" }), "stopped", "too much output"),
    ] {
        let result = client.call_tool(call("run_code", &arguments)).await?;
        let facts = result.structured_content.clone().unwrap_or_default();
        ensure!(result.is_error == Some(true) && facts["end"] == end, "{arguments}: {result:?}");
        ensure!(facts["message"].as_str().is_some_and(|message| message.contains(word)), "{arguments}: {facts}");
    }
    let caught = "await tracker.get_issue({ issue: 'NONE-1' }).catch(() => 0); return 1";
    let result = client.call_tool(call("run_code", &json!({ "code": caught }))).await?;
    let facts = result.structured_content.unwrap_or_default();
    ensure!(facts["calls"] == json!([{ "path": "tracker.get_issue", "line": 1, "end": "tool_failed" }]), "{facts}");
    let wrong = client.call_tool(call("run_code", &json!({ "source": "return 1" }))).await?;
    ensure!(
        wrong.is_error == Some(true)
            && text_of(&wrong).contains("`run_code` wants `code`, a text: `source` is no argument of `run_code`"),
        "{wrong:?}"
    );
    Ok(())
}

async fn what_was_assumed_of_a_program_is_in_its_result() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let client = connect(&session, Mode::Code).await?;
    let notes_of = async |code: &str| {
        let result = client.call_tool(call("run_code", &json!({ "code": code }))).await?;
        let facts = result.structured_content.unwrap_or_default();
        ensure!(facts["value"] == 3, "{facts}");
        Ok(facts["notes"].clone())
    };
    let notes = notes_of("```ts\nconst a = 1;\na + 2\n```").await?;
    let said = |place: usize, word: &str| notes[place].as_str().is_some_and(|note| note.contains(word));
    ensure!(said(0, "code fence") && said(1, "last expression") && notes[2].is_null(), "{notes}");
    ensure!(notes_of("return 3").await?.is_null(), "a program that returns was run with notes");
    Ok(())
}

async fn what_a_program_says_is_progress() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let mut wire = Wire::open(&session, Mode::Code);
    wire.initialize().await?;
    let code = "console.log('one'); await tracker.list_projects({}); return 2";
    let request = json!({ "name": "run_code", "arguments": { "code": code }, "_meta": { "progressToken": "p" } });
    wire.send("tools/call", 7, &request).await?;
    let mut messages = Vec::new();
    loop {
        let message = wire.receive().await?;
        if message["id"] == 7 {
            ensure!(message["result"]["structuredContent"]["value"] == 2, "{message}");
            break;
        }
        ensure!(message["method"] == "notifications/progress" && message["params"]["progressToken"] == "p", "{message}");
        ensure!(message["params"]["progress"].as_f64() == Some((messages.len() + 1) as f64), "{message}");
        messages.push(message["params"]["message"].as_str().unwrap_or_default().to_owned());
    }
    ensure!(messages.len() == 3 && messages[0] == "one" && messages[1] == "calls tracker.list_projects", "{messages:?}");
    ensure!(messages[2].starts_with("tracker.list_projects has answered after "), "{messages:?}");
    Ok(())
}

async fn a_cancelled_program_cancels_its_calls() -> Result<()> {
    let host = Endless::default();
    let session = host.session()?;
    let client = connect(&session, Mode::Both).await?;
    for (tool, arguments) in [("run_code", json!({ "code": "await endless.wait({})" })), ("endless__wait", json!({}))] {
        let request = ClientRequest::CallToolRequest(Request::new(call(tool, &arguments)));
        let request = client.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
        host.until(1).await?;
        request.cancel(Some("enough".to_owned())).await?;
        host.until(0).await?;
    }
    Ok(())
}

async fn a_client_that_goes_cancels_its_calls() -> Result<()> {
    let host = Endless::default();
    let session = host.session()?;
    for (tool, arguments) in [("run_code", json!({ "code": "await endless.wait({})" })), ("endless__wait", json!({}))] {
        let mut wire = Wire::open(&session, Mode::Both);
        wire.initialize().await?;
        wire.send("tools/call", 2, &json!({ "name": tool, "arguments": arguments })).await?;
        host.until(1).await?;
        drop(wire);
        host.until(0).await?;
    }
    Ok(())
}

async fn a_session_that_is_dropped_ends_its_servers() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let (here, there) = tokio::io::duplex(64 << 10);
    let ended = Arc::new(AtomicBool::new(false));
    let serve = session.serve_classic(Transport::pipe(there));
    let served = tokio::spawn({
        let ended = Arc::clone(&ended);
        serve.map(move |served| {
            ended.store(true, Ordering::SeqCst);
            served
        })
    });
    let client = ().serve(here).await?;
    client.list_all_tools().await?;
    ensure!(!ended.load(Ordering::SeqCst));
    drop(session);
    tokio::time::timeout(PATIENCE, served).await???;
    ensure!(client.call_tool(call("tracker__list_projects", &json!({}))).await.is_err());
    Ok(())
}

async fn limits_hold_for_classic_calls() -> Result<()> {
    let mut config = Config::default();
    config.limits.wall_max = Duration::from_millis(50);
    config.limits.argument_bytes_max = 100;
    let tools = vec![json!({ "name": "wait", "inputSchema": { "type": "object" } })];
    let scope = Catalog::load([("endless", tools)])?.scope(&Grants::new().allow("*"))?;
    let session = Runtime::new(config)?.session(scope, Endless::default());
    let client = connect(&session, Mode::Classic).await?;
    let late = client.call_tool(call("endless__wait", &json!({}))).await?;
    ensure!(late.is_error == Some(true) && text_of(&late).contains("did not answer within 50ms"), "{late:?}");
    ensure!(late.meta.as_ref().is_some_and(|meta| meta.0["io.isolet/error"]["code"] == "timed_out"), "{late:?}");
    // `{"text":"…"}` has eleven bytes around its text.
    for (bytes, is_too_large) in [(89, false), (90, true)] {
        let result = client.call_tool(call("endless__wait", &json!({ "text": "x".repeat(bytes) }))).await?;
        ensure!(text_of(&result).contains("the limit is 100") == is_too_large, "{bytes}: {result:?}");
    }
    Ok(())
}

fn the_instructions_are_short() -> Result<()> {
    let session = tracker("ada", Grants::new().allow("*"))?;
    let info = block_on(async {
        let mut wire = Wire::open(&session, Mode::Code);
        wire.initialize().await
    })?;
    let instructions = info["result"]["instructions"].as_str().context("no instructions")?;
    let count = isolet_bindings::count_tokens(instructions);
    ensure!(count.tokens < 160, "{count:?}");
    Ok(())
}

/// What a model learns from a result: a value, or why there is none.
fn value_of(result: &CallToolResult) -> Result<Value, String> {
    if result.is_error == Some(true) {
        return Err(text_of(result));
    }
    let text = || serde_json::from_str(&text_of(result)).unwrap_or_else(|_| text_of(result).into());
    Ok(result.structured_content.clone().unwrap_or_else(text))
}

/// The value with each number as a program sees it: 2.0 is 2.
fn as_javascript_has_it(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(as_javascript_has_it).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, as_javascript_has_it(value))).collect(),
        other => other,
    }
}
