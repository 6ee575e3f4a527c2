//! `isolet mcp` as a desktop client has it: a child that speaks MCP on standard input and output, and nothing else there.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::node_packages::{self, NodePackages};
use crate::process_table::{descendants_of, is_alive, status_number, until};
use crate::program;

/// What a client waits for an answer at the very most.
const PATIENCE: Duration = Duration::from_secs(30);
/// How soon it has to end when its standard input does, with all that it has started. Measured: a tenth.
const END_MAX: Duration = Duration::from_secs(1);

/// What needs the TypeScript SDK.
const WITH_PACKAGES: &[node_packages::Test] =
    &[("desktop::the_client_of_the_typescript_sdk_lists_runs_and_calls", the_client_of_the_typescript_sdk)];

/// One trial for each test.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("desktop::standard_output_is_protocol_only_and_the_end_of_input_ends_all", || {
            on_tokio(the_end_of_input_ends_all())
        }),
        Trial::test("desktop::the_handshake_does_not_wait_for_slow_servers_and_the_list_does", || {
            on_tokio(the_handshake_does_not_wait())
        }),
        Trial::test("desktop::a_configuration_that_changes_is_in_force_and_servers_that_are_gone_end", || {
            on_tokio(a_changed_configuration())
        }),
        Trial::test("desktop::a_client_that_leaves_while_servers_start_is_not_waited_for", || on_tokio(leaving_early())),
        Trial::test("desktop::what_replies_were_like_is_in_the_next_conversation_if_the_switch_says_so", || {
            on_tokio(observed_replies())
        }),
    ];
    if cfg!(target_os = "linux") {
        trials.push(Trial::test("desktop::servers_that_flood_cost_next_to_nothing", || on_tokio(servers_that_flood())));
        trials.push(Trial::test("desktop::a_client_that_reads_nothing_is_not_read_from", || on_tokio(reading_nothing())));
    }
    trials.push(Trial::test("desktop::what_a_server_writes_makes_no_line_of_its_own", || on_tokio(forged_lines())));
    trials.extend(node_packages::trials(WITH_PACKAGES));
    trials
}

fn on_tokio(test: impl Future<Output = Result<()>>) -> Result<(), libtest_mimic::Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(test).map_err(|error| format!("{error:#}").into())
}

/// A configuration with the servers of these modes.
fn config(place: &tempfile::TempDir, modes: &[&str]) -> Result<std::path::PathBuf> {
    let config = place.path().join("servers.json");
    std::fs::write(&config, json!({ "mcpServers": program::servers(modes) }).to_string())?;
    Ok(config)
}

/// The program as a server of both modes, with servers of its own.
fn start(place: &tempfile::TempDir, modes: &[&str], arguments: &[&str]) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    // However busy the machine is, all servers are there when they are listed.
    command
        .args([program::ARGUMENT, "mcp", "--mode", "both", "--list-wait", "20"])
        .args(arguments)
        .arg("--config")
        .arg(config(place, modes)?);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    Ok(command.spawn()?)
}

async fn the_end_of_input_ends_all() -> Result<()> {
    let place = tempfile::tempdir()?;
    // One that serves, and one that fails and says so.
    let mut child = start(&place, &["good", "exits"], &[])?;
    let process = child.id().context("it has ended")?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    for (message, has_answer) in conversation() {
        input.write_all(format!("{message}\n").as_bytes()).await?;
        if has_answer {
            let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
            let answer: Value = serde_json::from_str(&line.context("it has ended")?)?;
            ensure!(answer["id"] == message["id"] && answer["result"].is_object(), "{answer}");
        }
    }
    let started = descendants_of(process);
    ensure!(started.len() >= 2, "a server and a zygote are expected below it: {started:?}");
    let closed = Instant::now();
    drop(input);
    if let Some(line) = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not end")?? {
        bail!("standard output has `{line}`, which nobody asked for");
    }
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.context("it does not end")??;
    let errors = String::from_utf8(ended.stderr)?;
    ensure!(ended.status.success() && errors.contains("server `exits` ended"), "{}: {errors}", ended.status);
    ensure!(closed.elapsed() < END_MAX, "it took {:?} to end", closed.elapsed());
    let are_gone = || started.iter().all(|process| !is_alive(*process));
    ensure!(until(END_MAX, are_gone).await, "something of {started:?} is left");
    Ok(())
}

async fn observed_replies() -> Result<()> {
    let place = tempfile::tempdir()?;
    let file = place.path().join("shapes.db").to_string_lossy().into_owned();
    let is_shown = |listed: &str| listed.contains("Results as seen so far");
    for switch in [&[][..], &["--observed-shapes", "memory"]] {
        for _ in 0..2 {
            ensure!(!is_shown(&list_and_call(&place, switch).await?), "{switch:?}: something was observed, and kept");
        }
    }
    let switch = ["--observed-shapes", file.as_str()];
    ensure!(!is_shown(&list_and_call(&place, &switch).await?), "it knows a reply that nobody has had");
    let listed = list_and_call(&place, &switch).await?;
    ensure!(is_shown(&listed) && listed.contains("interface echo_result { count: number; title: string }"), "{listed}");
    ensure!(!listed.contains("words"), "a value is shown: {listed}");
    ensure!(!is_shown(&list_and_call(&place, &[]).await?), "it is shown without the switch");
    Ok(())
}

/// What is listed in a conversation in which a program then calls `good.echo`.
async fn list_and_call(place: &tempfile::TempDir, arguments: &[&str]) -> Result<String> {
    let mut child = start(place, &["good"], arguments)?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let [initialize, initialized, list, (mut call, _), _] = conversation();
    call["params"]["arguments"]["code"] = "return (await good.echo({ title: 'words', count: 7 })).count".into();
    let mut listed = String::new();
    for (message, has_answer) in [initialize, initialized, list, (call, true)] {
        input.write_all(format!("{message}\n").as_bytes()).await?;
        if !has_answer {
            continue;
        }
        let answer = loop {
            let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
            let answer: Value = serde_json::from_str(&line.context("it has ended")?)?;
            if answer["id"] == message["id"] {
                break answer;
            }
        };
        match message["id"].as_u64() {
            Some(2) => listed = answer["result"].to_string(),
            Some(3) => ensure!(answer["result"]["structuredContent"]["value"] == 7, "{answer}"),
            _ => {}
        }
    }
    drop(input);
    ensure!(tokio::time::timeout(PATIENCE, child.wait()).await??.success(), "it does not end well");
    Ok(listed)
}

async fn a_changed_configuration() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut child = start(&place, &["good", "grows"], &[])?;
    let process = child.id().context("it has ended")?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let [initialize, initialized, list, ..] = conversation();
    for message in [&initialize.0, &initialized.0, &list.0] {
        input.write_all(format!("{message}\n").as_bytes()).await?;
    }
    let mut next = async || {
        let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it says nothing")??;
        anyhow::Ok(serde_json::from_str::<Value>(&line.context("it has ended")?)?)
    };
    ensure!(next().await?["id"] == 1 && next().await?["result"].to_string().contains("good__echo"), "no list");
    let started = descendants_of(process);
    // A program that is under way keeps what it began with.
    let code = "await new Promise((done) => setTimeout(done, 4000)); return (await good.echo({ a: 1 })).a";
    let call = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": "run_code", "arguments": { "code": code } } });
    input.write_all(format!("{call}\n").as_bytes()).await?;
    config(&place, &["complete", "grows"])?;
    let (mut has_changed, mut ran) = (false, None);
    while !has_changed || ran.is_none() {
        let message = next().await?;
        has_changed |= message["method"] == "notifications/tools/list_changed";
        if message["id"] == 7 {
            ran = Some(message);
        }
    }
    ensure!(ran.as_ref().is_some_and(|ran| ran["result"]["isError"] != true), "{ran:?}");
    input.write_all(format!("{}\n", list.0).as_bytes()).await?;
    let listed = loop {
        let message = next().await?;
        if message["id"] == 2 {
            break message.to_string();
        }
    };
    ensure!(listed.contains("complete__delete") && !listed.contains("good__echo"), "{listed}");
    // The server that is gone ends, with its supervisors; the one that has not changed goes on.
    let ended = || started.iter().filter(|process| !is_alive(**process)).count();
    ensure!(until(PATIENCE, || ended() >= 1).await, "nothing has ended of {started:?}");
    ensure!(ended() < started.len(), "all were ended");
    drop(input);
    ensure!(tokio::time::timeout(PATIENCE, child.wait()).await??.success(), "it does not end well");
    Ok(())
}

/// How long a server may take to start in these tests, and one of them never does.
const START_MAX: Duration = Duration::from_secs(5);

async fn the_handshake_does_not_wait() -> Result<()> {
    let place = tempfile::tempdir()?;
    let started = Instant::now();
    let mut child = start(&place, &["good", "silent"], &["--start-max", &START_MAX.as_secs().to_string()])?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let [initialize, initialized, list, ..] = conversation();
    for (message, _) in [initialize, initialized, list] {
        input.write_all(format!("{message}\n").as_bytes()).await?;
    }
    let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
    ensure!(line.is_some_and(|line| line.contains("serverInfo")), "the first answer is not that to `initialize`");
    ensure!(started.elapsed() < START_MAX, "the answer to `initialize` took {:?}", started.elapsed());
    let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
    ensure!(started.elapsed() >= START_MAX, "the silent server was not waited for");
    ensure!(line.is_some_and(|line| line.contains("good__echo")), "the tools of the other server are not there");
    drop(input);
    ensure!(child.wait().await?.success(), "it failed");
    Ok(())
}

async fn leaving_early() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut child = start(&place, &["silent"], &["--start-max", "60"])?;
    let process = child.id().context("it has ended")?;
    ensure!(until(PATIENCE, || descendants_of(process).len() >= 2).await, "the server is not started");
    let started = descendants_of(process);
    let left = Instant::now();
    drop(child.stdin.take());
    let ended = tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end")??;
    ensure!(ended.success() && left.elapsed() < START_MAX, "{ended} after {:?}", left.elapsed());
    ensure!(until(START_MAX, || started.iter().all(|process| !is_alive(*process))).await, "something of {started:?} is left");
    Ok(())
}

/// What the program may hold in these tests, in any build: it holds a sixth of it. Unbounded, it held gigabytes.
const RESIDENT_MAX: u64 = 200 << 20;

/// How much memory a process holds, bytes.
fn resident_bytes(process: u32) -> Result<u64> {
    Ok(status_number(process, "VmRSS").context("it has ended")? * 1024)
}

async fn servers_that_flood() -> Result<()> {
    let place = tempfile::tempdir()?;
    let modes = ["good", "floods_requests", "floods_changes", "floods_answers", "floods_noise"];
    let mut child = start(&place, &modes, &["--start-max", "20"])?;
    let process = child.id().context("it has ended")?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let mut highest = 0;
    let began = Instant::now();
    for (message, has_answer) in conversation() {
        input.write_all(format!("{message}\n").as_bytes()).await?;
        if has_answer {
            let line = tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
            ensure!(line.is_some_and(|line| line.contains("\"result\"")), "a good server suffers");
        }
    }
    while began.elapsed() < Duration::from_secs(3) {
        highest = highest.max(resident_bytes(process)?);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ensure!(highest < RESIDENT_MAX, "it held {highest} bytes");
    let started = descendants_of(process);
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.context("it does not end")??;
    let errors = String::from_utf8(ended.stderr)?;
    ensure!(ended.status.success() && errors.len() < 10_000, "{}: {errors:.1000}", ended.status);
    ensure!(errors.matches("floods its line with requests").count() == 1, "{errors}");
    ensure!(until(PATIENCE, || started.iter().all(|process| !is_alive(*process))).await, "something of {started:?} is left");
    Ok(())
}

async fn reading_nothing() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut child = start(&place, &["good"], &[])?;
    let process = child.id().context("it has ended")?;
    let mut input = child.stdin.take().context("no standard input")?;
    let [initialize, initialized, ..] = conversation();
    for (message, _) in [initialize, initialized] {
        input.write_all(format!("{message}\n").as_bytes()).await?;
    }
    let mut written = 0;
    let mut highest = 0;
    let text = "x".repeat(10_000);
    // Until it takes nothing for a while: by then it holds all that it ever will. It would be 2 GB.
    for id in 2..200_002_u32 {
        let call = json!({ "name": "good__echo", "arguments": { "text": text } });
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": call });
        let write = async { input.write_all(format!("{message}\n").as_bytes()).await };
        match tokio::time::timeout(Duration::from_secs(3), write).await {
            Ok(write) => write?,
            Err(_) => break,
        }
        written = id;
        if id % 100 == 0 {
            highest = highest.max(resident_bytes(process)?);
        }
    }
    ensure!(written < 100_000, "it reads on and on");
    highest = highest.max(resident_bytes(process)?);
    ensure!(highest < RESIDENT_MAX, "it held {highest} bytes after {written} calls");
    drop(child.stdout.take());
    drop(input);
    tokio::time::timeout(PATIENCE, child.wait()).await.context("it does not end")??;
    Ok(())
}

async fn forged_lines() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut child = start(&place, &["forges"], &[])?;
    let mut input = child.stdin.take().context("no standard input")?;
    let mut output = BufReader::new(child.stdout.take().context("no standard output")?).lines();
    let [initialize, initialized, list, ..] = conversation();
    let code = "for (let i = 0; i < 100; i++) await forges.echo({}).catch(() => 0); return 1";
    let run = json!({ "jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": { "name": "run_code", "arguments": { "code": code } } });
    for (message, has_answer) in [initialize, initialized, list, (run, true)] {
        input.write_all(format!("{message}\n").as_bytes()).await?;
        if has_answer {
            tokio::time::timeout(PATIENCE, output.next_line()).await.context("it does not answer")??;
        }
    }
    drop(input);
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.context("it does not end")??;
    let errors = String::from_utf8(ended.stderr)?;
    let seen = |line: &str| line.chars().all(isolet::visible::is_visible);
    ensure!(
        errors.lines().all(|line| seen(line) && (line.starts_with("isolet: ") || line.contains("WARN isolet::mcp"))),
        "{errors}"
    );
    let failed = errors.matches("a tool call failed at its server").count();
    ensure!(errors.contains(r"\u{202e}\n2026-01-01T00:00:00Z") && failed == 10, "one line a call, ten a minute: {errors}");
    Ok(())
}

/// What a client says, and whether it waits for an answer.
fn conversation() -> [(Value, bool); 5] {
    let about =
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } });
    let program = json!({ "name": "run_code", "arguments": { "code": "console.log('said'); return await good.wrapped({})" } });
    [
        (json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": about }), true),
        (json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }), false),
        (json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} }), true),
        (json!({ "jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": program }), true),
        (json!({ "jsonrpc": "2.0", "id": 4, "method": "ping" }), true),
    ]
}

fn the_client_of_the_typescript_sdk(packages: &NodePackages) -> Result<()> {
    let place = tempfile::tempdir()?;
    let script = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("node/client.mjs");
    let output = std::process::Command::new("node")
        .arg(script)
        .arg(std::env::current_exe()?)
        .args([program::ARGUMENT, "mcp", "--mode", "both", "--list-wait", "20", "--config"])
        .arg(config(&place, &["good", "exits"])?)
        .env("NODE_PACKAGES", packages.folder())
        .output()
        .context("`node` cannot be started")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {errors}", output.status);
    let said: Value = serde_json::from_slice(&output.stdout)?;
    ensure!(said["server"] == "isolet", "{said}");
    let tools = said["tools"].as_array().context("no tools")?;
    for tool in ["run_code", "good__echo", "good__wrapped"] {
        ensure!(tools.contains(&json!(tool)), "no `{tool}`: {said}");
    }
    ensure!(said["ran"] == json!({ "end": "returned", "value": 2, "console": [{ "text": "asked" }] }), "{said}");
    ensure!(said["called"] == json!({ "result": [1, 2] }), "{said}");
    ensure!(said["refused"]["isError"] == true, "{said}");
    ensure!(said["refused"]["error"].to_string().contains("there is no tool `good.no_such_tool`"), "{said}");
    ensure!(said["closed_in_ms"].as_f64().is_some_and(|time| time < END_MAX.as_secs_f64() * 1000.0), "{said}");
    Ok(())
}
