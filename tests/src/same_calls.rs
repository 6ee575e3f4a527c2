//! A call of a program and one of a classic client, over all recorded tools: what is decided of them, what the tool gets and what is recorded is the
//! same, since one piece makes both.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use isolet::mcp::{Mode, ServeOptions, channel, classic_names};
use isolet::{CallRecord, Catalog, Config, Event, Grants, Runtime, Scope, ToolCall, ToolError, ToolReply, tool_fn};
use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

/// Calls that one program makes.
const CALLS_OF_PROGRAM: usize = 50;

pub(crate) const TESTS: &[crate::upstream::Test] =
    &[("same_calls::programs_and_classic_clients_call_every_recorded_tool_alike", || {
        tokio::runtime::Runtime::new()?.block_on(every_recorded_tool())
    })];

/// What tools were called with, in order: server, tool, arguments.
type Received = Arc<Mutex<Vec<(String, String, String)>>>;

/// A call that is made both ways: which tool of the scope, with what.
type Made<'scope> = (usize, &'scope Map<String, Value>);

async fn every_recorded_tool() -> Result<()> {
    let (mut calls, mut ends) = (0, Vec::new());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/definitions");
    for file in std::fs::read_dir(folder)? {
        let file = file?.path();
        if file.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let recorded: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let (Some(server), Some(tools)) = (recorded["server"].as_str(), recorded["tools"].as_array()) else { continue };
        let grants = Grants::new().allow(format!("{server}.*")).pin("github.create_issue", "owner", json!("acme"));
        let scope = Catalog::load([(server, tools.clone())])?.scope(&grants)?;
        for record in compare(server, &scope).await.with_context(|| format!("the tools of `{server}`"))? {
            calls += 1;
            let end = format!("{:?}", record.end);
            if !ends.contains(&end) {
                ends.push(end);
            }
        }
    }
    ensure!(calls > 3000, "{calls}");
    // What is compared is not one ending alone.
    ensure!(ends.len() >= 3, "{ends:?}");
    Ok(())
}

/// Makes the same calls both ways; what was recorded of one of them.
async fn compare(server: &str, scope: &Scope) -> Result<Vec<CallRecord>> {
    let runtime = Runtime::new(Config::default())?;
    let arguments: Vec<[Map<String, Value>; 4]> = scope.tools().iter().map(|tool| samples(tool.definition().raw())).collect();
    let made = arguments.iter().enumerate().flat_map(|(tool, samples)| samples.iter().map(move |sample| (tool, sample)));
    let made: Vec<Made<'_>> = made.collect();
    let session = |received: &Received, events| {
        let received = Arc::clone(received);
        let host = tool_fn(move |call: ToolCall| std::future::ready(answer(&received, &call)));
        runtime.session(scope.clone(), host).with_events(events)
    };
    let (of_programs, of_classic) = (Received::default(), Received::default());
    let (events, mut seen) = mpsc::channel(made.len() * 2 + 8);
    let programs = session(&of_programs, events);
    for made in made.chunks(CALLS_OF_PROGRAM) {
        let outcome = programs.run(&program(scope, made)).await?;
        ensure!(outcome.end == isolet::End::Returned(json!("done")), "{:?}", outcome.end);
    }
    drop(programs);
    let by_programs = records(&mut seen).await;
    let (events, mut seen) = mpsc::channel(made.len() * 2 + 8);
    let classic = session(&of_classic, events);
    let names =
        classic_names(scope.tools().iter().map(|tool| (tool.server(), tool.name())), ServeOptions::new(Mode::Classic).names);
    let (there, here) = channel();
    tokio::spawn(classic.serve_classic(there));
    let client = ().serve(here).await?;
    for (tool, arguments) in &made {
        let call = CallToolRequestParams::new(names[*tool].clone()).with_arguments((*arguments).clone());
        client.call_tool(call).await?;
    }
    client.cancel().await?;
    drop(classic);
    let by_client = records(&mut seen).await;
    ensure!(by_programs.len() == made.len() && by_client.len() == made.len(), "{} and {}", by_programs.len(), by_client.len());
    for (program, client) in by_programs.iter().zip(&by_client) {
        ensure!(facts(program) == facts(client), "{server}: {program:?}\n{client:?}");
    }
    let [of_programs, of_classic] =
        [of_programs, of_classic].map(|received| std::mem::take(&mut *received.lock().unwrap_or_else(PoisonError::into_inner)));
    ensure!(of_programs == of_classic, "{server}: the tools were called with other things");
    Ok(by_client)
}

/// Some fail, and those that give anything give what few schemas say.
fn answer(received: &Received, call: &ToolCall) -> Result<ToolReply, ToolError> {
    let called = (call.server.clone(), call.tool.clone(), call.arguments.as_json().to_owned());
    received.lock().unwrap_or_else(PoisonError::into_inner).push(called);
    match call.tool.len() % 5 {
        0 => Err(ToolError::failed(format!("`{}` fails, as \"asked\"", call.tool))),
        1 => Ok(ToolReply::text("a text")),
        _ => Ok(json!({ "content": [call.tool], "success": 7 }).into()),
    }
}

/// Makes these calls one after the other. What they are called with is no literal, so that nothing is known of it before.
fn program(scope: &Scope, made: &[Made<'_>]) -> String {
    let calls = made.iter().map(|(tool, arguments)| {
        let text = Value::String(Value::Object((*arguments).clone()).to_string());
        format!("await one({}, {text});\n", scope.tools()[*tool].path())
    });
    let calls: String = calls.collect();
    format!(
        "const one = async (tool, text) => {{ try {{ await tool(JSON.parse(text)); }} catch {{}} }};\n{calls}return 'done';"
    )
}

/// The records in the order in which calls were made, once nobody tells of any more. A reply that is checked aside is told of later than the next.
async fn records(seen: &mut mpsc::Receiver<Event>) -> Vec<CallRecord> {
    let (mut made, mut records) = (Vec::new(), Vec::new());
    while let Some(event) = seen.recv().await {
        match event {
            Event::Called { run, call, .. } => made.push((run, call)),
            Event::Answered(record) => records.push(record),
            _ => {}
        }
    }
    records.sort_by_key(|record| made.iter().position(|made| *made == (record.run, record.call)));
    records
}

/// What is the same of both: all but when, and as which of whose.
fn facts(record: &CallRecord) -> impl PartialEq + std::fmt::Debug + use<> {
    let (argument_bytes, reply_bytes) = (record.argument_bytes, record.reply_bytes);
    let names = (record.path.clone(), record.server.clone(), record.tool.clone());
    (names, argument_bytes, reply_bytes, record.end.clone(), record.warnings.clone())
}

/// What a tool is called with: all that it needs, the same as texts, nothing, and something that nobody has.
fn samples(definition: &Value) -> [Map<String, Value>; 4] {
    let schema = &definition["inputSchema"];
    let needed = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let full: Map<String, Value> = needed.map(|name| (name.to_owned(), sample(&schema["properties"][name]))).collect();
    let as_text = |value: &Value| if value.is_number() { value.to_string().into() } else { value.clone() };
    let texts = full.iter().map(|(name, value)| (name.clone(), as_text(value))).collect();
    let mut unknown = full.clone();
    unknown.insert("nobody_has_this".to_owned(), json!([1, { "a": null }]));
    [full, texts, Map::new(), unknown]
}

/// A value that a schema may allow.
fn sample(schema: &Value) -> Value {
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("integer") => json!(3),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => json!("a"),
    }
}
