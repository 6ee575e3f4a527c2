//! `isolet exec` as a caller in another language has it, rightly and wrongly used.

use std::collections::BTreeMap;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::exec_caller::{Caller, PATIENCE, exec};
use crate::process_table::{descendants_of, is_alive, status_number, until, waits};
use crate::{exec_page, program};

/// How soon it has to end when its input does, with all that it has started.
const END_MAX: Duration = Duration::from_secs(3);

/// What the program may hold in these tests, in any build: unbounded, it held what was sent.
const RESIDENT_MAX: u64 = 250 << 20;

/// One trial for each test.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial("exec::every_example_of_the_page_is_true", exec_page::every_example_is_true),
        trial("exec::everything_with_an_id_is_answered", everything_with_an_id_is_answered),
        trial("exec::many_scopes_and_runs_go_over_one_pipe", many_scopes_and_runs),
        trial("exec::calls_are_said_in_the_order_in_which_they_are_made", calls_in_order),
        trial("exec::an_answer_is_taken_once_and_by_its_own_call", an_answer_is_taken_once),
        trial("exec::what_is_no_result_of_a_tool_is_an_exception_in_the_program", what_is_no_result),
        trial("exec::a_caller_that_goes_takes_its_runs_with_it", a_caller_that_goes),
        trial("exec::a_cancelled_request_ends_and_the_others_go_on", a_cancelled_request),
        trial("exec::a_closed_scope_takes_its_runs_with_it", a_closed_scope),
        trial("exec::the_code_of_an_error_says_whose_fault_it_is", whose_fault_it_is),
        trial("exec::servers_of_a_configuration_stand_beside_tools_of_the_caller", servers_beside_own_tools),
        trial("exec::a_socket_is_for_its_user_and_gone_at_the_end", a_socket),
    ];
    if cfg!(target_os = "linux") {
        trials.push(trial("exec::a_line_without_end_is_not_kept", a_line_without_end));
        trials.push(trial("exec::a_caller_that_reads_nothing_is_not_read_from", reading_nothing));
        trials.push(trial("exec::a_run_with_a_call_wakes_few_threads", few_threads));
    }
    trials
}

fn trial<Test: Future<Output = Result<()>> + 'static>(name: &str, test: fn() -> Test) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(test()).map_err(|error| format!("{error:#}").into())
    })
}

async fn everything_with_an_id_is_answered() -> Result<()> {
    let mut caller = Caller::silent()?;
    let long_id = "x".repeat(300);
    let [invalid, parse, unknown, params] = [-32600, -32700, -32601, -32602];
    for (line, id, code) in [
        ("rubbish", json!(null), parse),
        ("{\"id\":1", json!(null), parse),
        ("[]", json!(null), invalid),
        ("7", json!(null), invalid),
        (r#"{"id":1,"id":2,"method":"types"}"#, json!(null), invalid),
        (r#"{"jsonrpc":"2.0","id":2}"#, json!(2), invalid),
        (r#"{"jsonrpc":"2.0","id":3,"method":7}"#, json!(3), invalid),
        (r#"{"jsonrpc":"1.0","id":4,"method":"types"}"#, json!(4), invalid),
        (r#"{"jsonrpc":"2.0","id":{},"method":"types"}"#, json!(null), invalid),
        (&format!(r#"{{"jsonrpc":"2.0","id":"{long_id}","method":"types"}}"#), json!(null), invalid),
        // No time for it yet.
        (r#"{"jsonrpc":"2.0","id":5,"method":"scope/open"}"#, json!(5), invalid),
        (r#"{"jsonrpc":"2.0","id":6,"method":"initialize","params":{"protocol":2}}"#, json!(6), params),
        (r#"{"jsonrpc":"2.0","id":7,"method":"initialize","params":{"protocol":1,"limits":{"wall":1}}}"#, json!(7), params),
        (
            r#"{"jsonrpc":"2.0","id":8,"method":"initialize","params":{"protocol":1,"limits":{"heap_bytes_max":1}}}"#,
            json!(8),
            params,
        ),
        (r#"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{"protocol":1}}"#, json!(9), 0),
        (r#"{"jsonrpc":"2.0","id":10,"method":"initialize","params":{"protocol":1}}"#, json!(10), invalid),
        (r#"{"jsonrpc":"2.0","id":11,"method":"tools/list"}"#, json!(11), unknown),
        (r#"{"jsonrpc":"2.0","id":12,"method":"run","params":{"scope":"s1"}}"#, json!(12), params),
        (r#"{"jsonrpc":"2.0","id":13,"method":"run","params":{"scope":"s1","program":"1"}}"#, json!(13), params),
        (r#"{"jsonrpc":"2.0","id":14,"method":"types","params":["s1"]}"#, json!(14), params),
        (r#"{"jsonrpc":"2.0","id":15,"method":"cancel","params":{"request":"none"}}"#, json!(15), 0),
        (r#"[{"jsonrpc":"2.0","id":16,"method":"cancel","params":{"request":1}}]"#, json!(16), 0),
        ("\u{feff}{\"jsonrpc\":\"2.0\",\"id\":1.50,\"method\":\"cancel\",\"params\":{\"request\":1}}\r", json!(1.5), 0),
    ] {
        caller.write(format!("{line}\n").as_bytes()).await?;
        let answer = caller.next().await?.context("it has ended")?;
        ensure!(answer["id"] == id, "{line:.200}: {answer}");
        ensure!(answer["error"]["code"].as_i64().unwrap_or(0) == code, "{line:.200}: {answer}");
    }
    let version = caller.ask(json!(20), "initialize", json!({ "protocol": 99 })).await?;
    ensure!(version["error"]["message"].as_str().is_some_and(|words| words.contains("of the same release")), "{version}");
    // What nobody waits for is told.
    for message in [json!({ "jsonrpc": "2.0", "method": "hello" }), json!({ "jsonrpc": "2.0", "id": "isolet-9", "result": {} })]
    {
        caller.send(&message).await?;
        caller.find(|message| message["method"] == "warning").await?;
    }
    // Half a line, and then the end.
    caller.write(b"{\"jsonrpc\":\"2.0\",\"id\":30,").await?;
    drop(caller.input.take());
    let answer = caller.next().await?.context("it has ended")?;
    ensure!(answer["error"]["code"] == parse, "{answer}");
    let (status, errors) = caller.end().await?;
    ensure!(status.success() && errors.is_empty(), "{status}: {errors}");
    Ok(())
}

async fn many_scopes_and_runs() -> Result<()> {
    const SCOPES: usize = 4;
    const RUNS: usize = 100;
    let mut caller = Caller::start().await?;
    let mut scopes = Vec::new();
    for _ in 0..SCOPES {
        scopes.push(caller.open(&["double"]).await?);
    }
    for run in 0..RUNS {
        let program =
            format!("const [a, b] = await Promise.all([app.double({{ n: {run} }}), app.double({{ n: {run} }})]); return a + b");
        caller.run(json!(run + 1000), &scopes[run % SCOPES], &program).await?;
    }
    let mut open = Vec::new();
    let mut answered = 0;
    let mut values = BTreeMap::new();
    while values.len() < RUNS {
        let message = caller.next().await?.context("it has ended")?;
        if message["method"] == "tool/call" {
            let run = message["params"]["run"].as_u64().context("a run is named by its request")?;
            ensure!(message["params"]["scope"] == scopes[(usize::try_from(run)? - 1000) % SCOPES].as_str(), "{message}");
            open.push(message);
            // In another order than they came.
            if open.len() >= 20 || answered + open.len() == 2 * RUNS {
                answered += open.len();
                for call in std::mem::take(&mut open).iter().rev() {
                    let number = call["params"]["arguments"]["n"].as_u64().context("an argument")?;
                    caller.reply(call, json!(number * 2)).await?;
                }
            }
        } else {
            values.insert(message["id"].as_u64().context("an id")?, message["result"]["value"].clone());
        }
    }
    for (id, value) in values {
        ensure!(value == json!((id - 1000) * 4), "run {id}: {value}");
    }
    caller.end().await.map(drop)
}

async fn calls_in_order() -> Result<()> {
    const CALLS: u64 = 10;
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["double"]).await?;
    let program =
        format!("return (await Promise.all(Array.from({{ length: {CALLS} }}, (_, n) => app.double({{ n }})))).length");
    for run in 0..20 {
        caller.run(json!(run), &scope, &program).await?;
        let mut said = Vec::new();
        for _ in 0..CALLS {
            said.push(caller.call().await?);
        }
        for (call, n) in said.iter().zip(0..) {
            ensure!(
                call["params"]["call"] == n + 1 && call["params"]["arguments"]["n"] == n,
                "the call after {n} others: {call}"
            );
            caller.reply(call, json!(n)).await?;
        }
        let answer = caller.answer(&json!(run)).await?;
        ensure!(answer["result"]["value"] == CALLS, "{answer}");
    }
    caller.end().await.map(drop)
}

async fn an_answer_is_taken_once() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    caller.run(json!("first"), &scope, "return await app.ask({ n: 1 })").await?;
    let first = caller.call().await?;
    caller.run(json!("second"), &scope, "return await app.ask({ n: 2 })").await?;
    let second = caller.call().await?;
    caller.reply(&first, json!("for the first")).await?;
    let outcome = caller.answer(&json!("first")).await?;
    ensure!(outcome["result"]["value"] == "for the first", "{outcome}");
    // Twice, to a run that has ended; and to what was never asked. The other run is not touched.
    for id in [first["id"].clone(), json!("isolet-77"), json!("second"), json!(3)] {
        caller.send(&json!({ "jsonrpc": "2.0", "id": id, "result": { "value": "for nobody" } })).await?;
        let warning = caller.find(|message| message["method"] == "warning").await?;
        ensure!(warning["params"]["message"].as_str().is_some_and(|words| words.contains("nobody waits")), "{warning}");
    }
    caller.reply(&second, json!("for the second")).await?;
    let outcome = caller.answer(&json!("second")).await?;
    ensure!(outcome["result"]["value"] == "for the second", "{outcome}");
    caller.end().await.map(drop)
}

async fn what_is_no_result() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    let program = "return await app.ask({}).then((value) => ({ value }), (error) => [error.code, error.message])";
    let mut run = 0;
    for (answer, code, words) in [
        (json!({ "result": null }), "invalid_reply", "neither"),
        (json!({ "result": { "content": [] } }), "invalid_reply", "neither"),
        (json!({ "result": {} }), "invalid_reply", "neither `value` nor `mcp`"),
        (json!({ "result": { "mcp": { "content": 7 } } }), "invalid_reply", ""),
        (json!({ "error": { "message": "sold out", "data": { "code": "rate_limited" } } }), "rate_limited", "sold out"),
        (json!({ "error": "no" }), "tool_failed", "the tool failed"),
        (json!({ "error": { "message": "x", "data": { "code": "unknown_tool" } } }), "tool_failed", "x"),
    ] {
        run += 1;
        caller.run(json!(run), &scope, program).await?;
        let call = caller.call().await?;
        let mut message = json!({ "jsonrpc": "2.0", "id": call["id"] });
        message.as_object_mut().context("an object")?.extend(answer.as_object().context("an object")?.clone());
        caller.send(&message).await?;
        let outcome = caller.answer(&json!(run)).await?;
        let value = &outcome["result"]["value"];
        ensure!(value[0] == code && value[1].as_str().is_some_and(|said| said.contains(words)), "{answer}: {outcome}");
    }
    // And what is one: a value as it was written, a result of MCP.
    for (answer, value) in [
        (r#"{"value":{"a":[1,null,"é"]}}"#, json!({ "a": [1, null, "é"] })),
        (r#"{"mcp":{"content":[{"type":"text","text":"hello"}]}}"#, json!("hello")),
        (r#"{"mcp":{"content":[],"structuredContent":{"a":1}}}"#, json!({ "a": 1 })),
    ] {
        run += 1;
        caller.run(json!(run), &scope, program).await?;
        let call = caller.call().await?;
        caller.write(format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{answer}}}\n", call["id"]).as_bytes()).await?;
        let outcome = caller.answer(&json!(run)).await?;
        ensure!(outcome["result"]["value"]["value"] == value, "{answer}: {outcome}");
    }
    caller.end().await.map(drop)
}

async fn a_caller_that_goes() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    for run in 0..5 {
        caller.run(json!(run + 10), &scope, "return await app.ask({})").await?;
        caller.call().await?;
    }
    caller.run(json!(20), &scope, "for (;;) {}").await?;
    let process = caller.child.id().context("it has ended")?;
    ensure!(until(PATIENCE, || descendants_of(process).len() >= 6).await, "{:?}", descendants_of(process));
    let started = descendants_of(process);
    let gone = Instant::now();
    // Both ends at once, as those of a caller that dies.
    let Caller { mut child, input, output, .. } = caller;
    drop((input, output));
    let status = tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end")??;
    ensure!(status.success() && gone.elapsed() < END_MAX, "{status} after {:?}", gone.elapsed());
    ensure!(until(END_MAX, || started.iter().all(|process| !is_alive(*process))).await, "something of {started:?} is left");
    Ok(())
}

async fn a_cancelled_request() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    caller.run(json!("stays"), &scope, "return await app.ask({})").await?;
    let stays = caller.call().await?;
    // At once, when its calls wait, and when it computes.
    for (run, program) in [("at once", "return 1"), ("waits", "return await app.ask({})"), ("computes", "for (;;) {}")] {
        caller.run(json!(run), &scope, program).await?;
        if run == "waits" {
            caller.call().await?;
        }
        let cancelled = caller.ask(json!(1), "cancel", json!({ "request": run })).await?;
        ensure!(cancelled["result"]["cancelled"].is_boolean(), "{cancelled}");
        let outcome = caller.answer(&json!(run)).await?;
        ensure!(run == "at once" || outcome["result"]["stop"]["kind"] == "cancelled", "{outcome}");
    }
    // A scope whose server never answers.
    let silent = json!({ "configuration": { "mcpServers": program::servers(&["silent"]) } });
    caller.request(json!("opening"), "scope/open", silent).await?;
    caller.send(&json!({ "jsonrpc": "2.0", "method": "cancel", "params": { "request": "opening" } })).await?;
    let answer = caller.answer(&json!("opening")).await?;
    ensure!(answer["error"]["code"] == -32800, "{answer}");
    caller.reply(&stays, json!("here")).await?;
    let outcome = caller.answer(&json!("stays")).await?;
    ensure!(outcome["result"]["value"] == "here", "{outcome}");
    let (status, _) = caller.end().await?;
    ensure!(status.success(), "{status}");
    Ok(())
}

async fn a_closed_scope() -> Result<()> {
    let mut caller = Caller::start().await?;
    let (closed, other) = (caller.open(&["ask"]).await?, caller.open(&["ask"]).await?);
    caller.run(json!(1), &closed, "return await app.ask({})").await?;
    caller.call().await?;
    caller.run(json!(2), &other, "return await app.ask({})").await?;
    let call = caller.call().await?;
    caller.ask(json!(3), "scope/close", json!({ "scope": closed })).await?;
    let outcome = caller.answer(&json!(1)).await?;
    ensure!(outcome["result"]["stop"]["kind"] == "cancelled", "{outcome}");
    let again = caller.ask(json!(4), "run", json!({ "scope": closed, "program": "return 1" })).await?;
    ensure!(again["error"]["code"] == -32602, "{again}");
    caller.reply(&call, json!(7)).await?;
    let outcome = caller.answer(&json!(2)).await?;
    ensure!(outcome["result"]["value"] == 7, "{outcome}");
    caller.end().await.map(drop)
}

async fn whose_fault_it_is() -> Result<()> {
    let mut caller = Caller::start().await?;
    let tool = json!({ "name": "a", "inputSchema": { "type": "object" } });
    for (scope, code, words) in [
        (json!({ "tools": { "app": [{ "inputSchema": {} }] } }), -32602, "is left out"),
        (json!({ "tools": { "app": [tool, tool] } }), -32602, "is left out"),
        (json!({ "tools": { "app": [tool] }, "allow": ["app.b"] }), -32602, "there is no tool `app.b`"),
        (json!({ "tools": { "app": [tool] }, "deny": ["["] }), -32602, "is no glob"),
        (json!({ "tools": { "app": [tool] }, "rename": { "app.a": "if" } }), -32602, "cannot be renamed"),
        (json!({ "tools": { "app": tool } }), -32602, "an array of tools"),
        (json!({ "configuration": { "servers": 7 } }), -32602, "configuration"),
        (json!({ "configuration": { "mcpServers": { "x": { "command": 7 } } } }), -32602, "mcpServers.x.command"),
        (json!({ "configuration": { "mcpServers": { "x": { "command": "${HIDDEN}" } } } }), -32602, "HIDDEN"),
        (json!({ "addresses": ["not a place!"] }), -32602, ""),
        (
            json!({ "configuration": { "mcpServers": { "x": { "command": "/nowhere/server" } } } }),
            -32001,
            "no server could be used",
        ),
    ] {
        let answer = caller.ask(json!(1), "scope/open", scope.clone()).await?;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        ensure!(answer["error"]["code"] == code && message.contains(words), "{scope}: {answer}");
        ensure!(answer["error"]["data"].is_object() == (code == -32001), "{answer}");
    }
    // A program's own fault is an outcome.
    let scope = caller.open(&["a"]).await?;
    let outcome = caller.ask(json!(2), "run", json!({ "scope": scope, "program": "retrun 1" })).await?;
    ensure!(outcome["result"]["end"] == "threw" && outcome["result"]["error"]["name"] == "SyntaxError", "{outcome}");
    caller.end().await.map(drop)
}

async fn servers_beside_own_tools() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = json!({
        "tools": { "app": [{ "name": "prefix", "inputSchema": { "type": "object" } }] },
        "configuration": { "mcpServers": program::servers(&["good", "exits"]) },
        "deny": ["good.die"],
    });
    let opened = caller.ask(json!(1), "scope/open", scope).await?;
    let failures = opened["result"]["failures"].as_array().context("no failures")?;
    ensure!(failures.len() == 1 && failures[0].as_str().is_some_and(|words| words.contains("exits")), "{opened}");
    let scope = opened["result"]["scope"].as_str().context("no scope")?.to_owned();
    let types = caller.ask(json!(2), "types", json!({ "scope": scope })).await?;
    let types = types["result"]["types"].as_str().context("no types")?.to_owned();
    ensure!(types.contains("prefix") && types.contains("echo") && !types.contains("die"), "{types}");
    let short = caller.ask(json!(3), "types", json!({ "scope": scope, "budget": 50 })).await?;
    ensure!(short["result"]["types"].as_str().is_some_and(|short| short.len() < types.len()), "{short}");
    caller.run(json!(4), &scope, "return [await app.prefix({}), typeof await good.echo({ a: 1 })]").await?;
    let call = caller.call().await?;
    caller.reply(&call, json!("own")).await?;
    let outcome = caller.answer(&json!(4)).await?;
    ensure!(outcome["result"]["value"] == json!(["own", "object"]), "{outcome}");
    let process = caller.child.id().context("it has ended")?;
    let started = descendants_of(process);
    let (status, _) = caller.end().await?;
    ensure!(status.success(), "{status}");
    ensure!(until(END_MAX, || started.iter().all(|process| !is_alive(*process))).await, "something of {started:?} is left");
    Ok(())
}

async fn a_socket() -> Result<()> {
    let place = tempfile::tempdir()?;
    let path = place.path().join("isolet.sock");
    let text = path.to_string_lossy().into_owned();
    let child = exec(&["--socket", &text])?;
    ensure!(until(PATIENCE, || path.exists()).await, "there is no socket");
    let metadata = std::fs::metadata(&path)?;
    ensure!(metadata.file_type().is_socket() && metadata.permissions().mode() & 0o777 == 0o600, "{metadata:?}");
    let is_alone = || std::fs::read_dir(place.path()).is_ok_and(|entries| entries.count() == 1);
    ensure!(until(PATIENCE, is_alone).await, "something else is left beside it");
    // Two callers, each with scopes of its own.
    let mut callers = Vec::new();
    for _ in 0..2 {
        let (input, mut output) = tokio::net::UnixStream::connect(&path).await?.into_split();
        let mut lines = BufReader::new(input).lines();
        for message in [
            json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "protocol": 1 } }),
            json!({ "jsonrpc": "2.0", "id": 2, "method": "scope/open" }),
            json!({ "jsonrpc": "2.0", "id": 3, "method": "run", "params": { "scope": "s1", "program": "return 6 * 7" } }),
        ] {
            output.write_all(format!("{message}\n").as_bytes()).await?;
            let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.context("it does not answer")??;
            let answer: Value = serde_json::from_str(&line.context("it has ended")?)?;
            ensure!(answer["id"] == message["id"] && answer["result"].is_object(), "{answer}");
            ensure!(message["id"] != 3 || answer["result"]["value"] == 42, "{answer}");
        }
        callers.push((lines, output));
    }
    let second = exec(&["--socket", &text])?;
    let refused = tokio::time::timeout(PATIENCE, second.wait_with_output()).await.context("it does not end")??;
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(refused.status.code() == Some(2) && errors.contains("is there already"), "{}: {errors}", refused.status);
    let process = rustix::process::Pid::from_raw(child.id().context("it has ended")? as i32).context("a number")?;
    rustix::process::kill_process(process, rustix::process::Signal::TERM)?;
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.context("it does not end")??;
    ensure!(ended.status.success(), "{}: {}", ended.status, String::from_utf8_lossy(&ended.stderr));
    ensure!(!path.exists(), "the socket is left");
    for (lines, _) in &mut callers {
        ensure!(lines.next_line().await?.is_none(), "a caller is not told");
    }
    Ok(())
}

/// How much memory a process holds, bytes.
fn resident_bytes(process: u32) -> Result<u64> {
    Ok(status_number(process, "VmRSS").context("it has ended")? * 1024)
}

async fn a_line_without_end() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    let process = caller.child.id().context("it has ended")?;
    caller.run(json!("run"), &scope, "return await app.ask({}).catch((error) => error.code)").await?;
    let call = caller.call().await?;
    let part = vec![b'x'; 1 << 20];
    let mut highest = 0;
    for (beginning, end) in [
        (r#"{"jsonrpc":"2.0","id":50,"method":"run","params":{"program":""#.to_owned(), "\"}}"),
        (format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{"value":""#, call["id"]), "\"}}"),
        ("xx".to_owned(), ""),
    ] {
        caller.write(beginning.as_bytes()).await?;
        for _ in 0..200 {
            caller.write(&part).await?;
            highest = highest.max(resident_bytes(process)?);
        }
        caller.write(format!("{end}\n").as_bytes()).await?;
    }
    let answer = caller.answer(&json!(50)).await?;
    ensure!(answer["error"]["code"] == -32600, "{answer}");
    let outcome = caller.answer(&json!("run")).await?;
    ensure!(outcome["result"]["value"] == "too_large", "{outcome}");
    let answer = caller.answer(&Value::Null).await?;
    ensure!(answer["error"]["code"] == -32600, "{answer}");
    ensure!(highest < RESIDENT_MAX, "it held {highest} bytes");
    caller.end().await.map(drop)
}

/// Threads that are woken are most of what a run takes longer than for a caller in Rust.
async fn few_threads() -> Result<()> {
    const RUNS: u32 = 100;
    // 7 on an idle machine and on a busy one. 27 where standard input and output were given to threads.
    const WAITS_MAX: u64 = 14;
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["double"]).await?;
    let process = caller.child.id().context("it has ended")?;
    let mut before = 0;
    for run in 0..=RUNS {
        // The first one starts what the others find.
        if run == 1 {
            before = waits(process);
        }
        caller.run(json!(run), &scope, "return await app.double({ n: 1 })").await?;
        let call = caller.call().await?;
        caller.reply(&call, json!(2)).await?;
        caller.answer(&json!(run)).await?;
    }
    let each = waits(process).saturating_sub(before) / u64::from(RUNS);
    ensure!((1..=WAITS_MAX).contains(&each), "its threads waited {each} times for each run");
    caller.end().await.map(drop)
}

async fn reading_nothing() -> Result<()> {
    let mut caller = Caller::start().await?;
    let scope = caller.open(&["ask"]).await?;
    let process = caller.child.id().context("it has ended")?;
    let program = "return 'x'.repeat(100_000)";
    let (mut written, mut highest) = (0, 0);
    // Until it takes nothing for a while. It would be gigabytes.
    for id in 100..200_000_u32 {
        let write = caller.run(json!(id), &scope, program);
        match tokio::time::timeout(Duration::from_secs(3), write).await {
            Ok(write) => write?,
            Err(_) => break,
        }
        written = id;
        if id % 100 == 0 {
            highest = highest.max(resident_bytes(process)?);
        }
    }
    ensure!(written < 150_000, "it reads on and on");
    highest = highest.max(resident_bytes(process)?);
    ensure!(highest < 2 * RESIDENT_MAX, "it held {highest} bytes after {written} runs");
    let Caller { mut child, input, output, .. } = caller;
    drop((input, output));
    tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end")??;
    Ok(())
}
