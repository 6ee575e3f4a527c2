//! MCP servers that misbehave: each costs its own tools, in its time, with a message; none is left running.

mod misbehaving;
mod stubborn;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use isolet::mcp::{CommandServer, Configuration, Stage, UpstreamError, UpstreamOptions, Upstreams};
use isolet::{ToolErrorCode, ToolHost as _};
use serde_json::{Map, Value, json};

use self::misbehaving::{PATIENCE, becomes, block_on, call, configuration, failure, server, tool_call};
use crate::process_table::until;

/// The argument by which this executable becomes a host whose memory is looked at, with nothing else in it.
const CANCELLING_ARGUMENT: &str = "host-that-cancels";

/// A test: its name and what it does.
pub(crate) type Test = (&'static str, fn() -> Result<()>);

/// Every test of this module.
pub(crate) const TESTS: &[Test] = &[
    ("upstream::a_server_is_listed_and_called", || block_on(a_server_is_listed_and_called())),
    ("upstream::one_malformed_tool_costs_only_itself", || block_on(one_malformed_tool_costs_only_itself())),
    ("upstream::a_list_whose_cursor_never_ends_is_ended", || block_on(a_list_whose_cursor_never_ends_is_ended())),
    ("upstream::a_server_of_the_newer_era_is_spoken_to", || block_on(a_server_of_the_newer_era_is_spoken_to())),
    ("upstream::a_command_that_does_not_exist_is_named", || block_on(a_command_that_does_not_exist_is_named())),
    ("upstream::a_server_that_exits_at_once_is_quoted_without_secrets", || {
        block_on(a_server_that_exits_at_once_is_quoted_without_secrets())
    }),
    ("upstream::a_server_that_hangs_in_the_handshake_is_given_up", || {
        block_on(a_server_that_hangs_in_the_handshake_is_given_up())
    }),
    ("upstream::rubbish_on_standard_output_is_skipped", || block_on(rubbish_on_standard_output_is_skipped())),
    ("upstream::a_flood_on_standard_error_blocks_nothing", || block_on(a_flood_on_standard_error_blocks_nothing())),
    ("upstream::a_server_that_dies_in_a_call_is_started_again_and_the_call_is_not_repeated", || {
        block_on(a_server_that_dies_in_a_call_is_started_again_and_the_call_is_not_repeated())
    }),
    ("upstream::a_call_beyond_its_deadline_is_cancelled", || block_on(a_call_beyond_its_deadline_is_cancelled())),
    ("upstream::a_call_that_is_dropped_is_cancelled", || block_on(a_call_that_is_dropped_is_cancelled())),
    ("upstream::a_reply_that_is_too_large_is_an_error", || block_on(a_reply_that_is_too_large_is_an_error())),
    ("upstream::failures_and_refusals_keep_their_words", || block_on(failures_and_refusals_keep_their_words())),
    ("upstream::a_server_sees_only_what_it_was_given", || block_on(a_server_sees_only_what_it_was_given())),
    ("upstream::sessions_of_one_user_share_a_server_and_two_users_never_do", || {
        block_on(sessions_of_one_user_share_a_server_and_two_users_never_do())
    }),
    ("upstream::nothing_is_started_while_the_list_is_known", || block_on(nothing_is_started_while_the_list_is_known())),
    ("upstream::a_server_that_fails_to_start_is_left_alone_for_a_while", || {
        block_on(a_server_that_fails_to_start_is_left_alone_for_a_while())
    }),
    ("upstream::the_idle_make_room_and_the_busy_do_not", || block_on(the_idle_make_room_and_the_busy_do_not())),
    ("upstream::an_idle_server_is_ended", || block_on(an_idle_server_is_ended())),
    ("upstream::an_idle_server_that_always_changes_is_ended", || block_on(an_idle_server_that_always_changes_is_ended())),
    ("upstream::a_list_that_changes_is_asked_again", || block_on(a_list_that_changes_is_asked_again())),
    ("upstream::one_bad_server_does_not_cost_the_others", || block_on(one_bad_server_does_not_cost_the_others())),
    ("upstream::closing_leaves_no_process_of_a_stubborn_server", stubborn::closing_leaves_no_process_of_a_stubborn_server),
    ("upstream::dropping_leaves_no_process_of_a_stubborn_server", stubborn::dropping_leaves_no_process_of_a_stubborn_server),
    (
        "upstream::a_host_that_is_killed_leaves_no_process_of_a_stubborn_server",
        stubborn::a_host_that_is_killed_leaves_no_process_of_a_stubborn_server,
    ),
    ("upstream::a_server_that_attacks_its_supervisors_is_ended", stubborn::a_server_that_attacks_its_supervisors_is_ended),
    (
        "upstream::a_server_that_attacks_its_supervisors_does_not_outlive_a_host_that_is_killed",
        stubborn::a_server_that_attacks_its_supervisors_does_not_outlive_a_host_that_is_killed,
    ),
    ("upstream::a_server_that_floods_requests_is_ended_and_left_alone", || {
        block_on(a_server_that_floods_requests_is_ended_and_left_alone())
    }),
    ("upstream::a_flood_that_nobody_asked_for_delays_nobody_else", || {
        block_on(a_flood_that_nobody_asked_for_delays_nobody_else())
    }),
    ("upstream::a_careless_server_is_understood", || block_on(a_careless_server_is_understood())),
    ("upstream::a_strict_server_is_offered_a_version_that_it_knows", || {
        block_on(a_strict_server_is_offered_a_version_that_it_knows())
    }),
    ("upstream::pages_without_end_are_ended", || block_on(pages_without_end_are_ended())),
    ("upstream::nothing_of_a_cancelled_call_is_kept", nothing_of_a_cancelled_call_is_kept),
];

/// Becomes the host that a test kills, if the command line says so, and then does not return.
pub(crate) fn become_host_if_asked() {
    let mut arguments = std::env::args().skip(1);
    let role = arguments.next();
    if role.as_deref() == Some(CANCELLING_ARGUMENT) {
        let error = block_on(cancel_large_calls()).err().map(|error| format!("{error:#}")).unwrap_or_default();
        let _ = std::io::stderr().write_all(error.as_bytes());
        std::process::exit(i32::from(!error.is_empty()));
    }
    if role.as_deref() == Some(stubborn::HOST_ARGUMENT) {
        let fifo = arguments.next().unwrap_or_default();
        let hosted = stubborn::host(Path::new(&fifo), arguments.next().as_deref());
        std::process::exit(i32::from(hosted.is_err()));
    }
}

async fn a_server_is_listed_and_called() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("good")), "ada");
    let discovery = host.discover().await?;
    let names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
    ensure!(names == ["echo", "wrapped", "fail", "hang", "die"], "{names:?}");
    let arguments = json!({"text": "\u{1f600}", "n": 18_446_744_073_709_551_615_u64});
    ensure!(call(&host, "echo", arguments.clone()).await?.as_json() == arguments.to_string());
    ensure!(call(&host, "wrapped", json!({})).await?.as_json() == "[1,2]");
    Ok(())
}

async fn one_malformed_tool_costs_only_itself() -> Result<()> {
    let discovery = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("good")), "ada").discover().await?;
    let [dropped] = discovery.catalog.dropped() else { bail!("{:?}", discovery.catalog.dropped()) };
    ensure!(dropped.tool == "broken" && dropped.to_string().contains("`inputSchema` does not describe an object"), "{dropped}");
    Ok(())
}

async fn a_list_whose_cursor_never_ends_is_ended() -> Result<()> {
    let discovery =
        Upstreams::new(UpstreamOptions::default()).host(&configuration(server("endless")), "ada").discover().await?;
    ensure!(discovery.catalog.tools().count() == 1, "{:?}", discovery.failures);
    Ok(())
}

async fn a_server_of_the_newer_era_is_spoken_to() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("modern")), "ada");
    let meta: Value = serde_json::from_str(call(&host, "meta", json!({})).await?.as_json())?;
    ensure!(meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28", "{meta}");
    ensure!(meta["io.modelcontextprotocol/clientCapabilities"] == json!({}), "{meta}");
    Ok(())
}

async fn a_command_that_does_not_exist_is_named() -> Result<()> {
    let error = failure(CommandServer::new("no-such-command-here"), UpstreamOptions::default()).await?;
    ensure!(error.starts_with("cannot start server `test`: the command `no-such-command-here` is not there"), "{error}");
    Ok(())
}

async fn a_server_that_exits_at_once_is_quoted_without_secrets() -> Result<()> {
    let server = server("exits").with_env("TOKEN", "canary-secret");
    let error = failure(server.clone(), UpstreamOptions::default()).await?;
    let expected =
        "server `test` ended during the handshake with exit code 3; it wrote: `no licence file, token is [configured value]`";
    ensure!(error.starts_with(expected), "{error}");
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let refusal =
        upstreams.host(&configuration(server), "ada").call(tool_call("echo", json!({}))).await.err().context("an error")?;
    ensure!(refusal.code == ToolErrorCode::Unavailable && !refusal.message.contains("licence"), "{refusal}");
    Ok(())
}

async fn a_server_that_hangs_in_the_handshake_is_given_up() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.start_max = Duration::from_millis(500);
    let began = Instant::now();
    let error = failure(server("silent"), options).await?;
    ensure!(began.elapsed() < PATIENCE / 2, "{:?}", began.elapsed());
    let expected =
        "server `test` did not answer the handshake within 500ms; on standard output it wrote: `Listening on port 80`";
    ensure!(error.starts_with(expected) && error.ends_with("never to standard output"), "{error}");
    Ok(())
}

async fn rubbish_on_standard_output_is_skipped() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("rubbish")), "ada");
    ensure!(call(&host, "echo", json!({"a": 1})).await?.as_json() == r#"{"a":1}"#);
    Ok(())
}

async fn a_flood_on_standard_error_blocks_nothing() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("floods")), "ada");
    ensure!(call(&host, "echo", json!({"a": 1})).await?.as_json() == r#"{"a":1}"#);
    Ok(())
}

async fn a_server_that_dies_in_a_call_is_started_again_and_the_call_is_not_repeated() -> Result<()> {
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = upstreams.host(&configuration(server("good")), "ada");
    let error = host.call(tool_call("die", json!({}))).await.err().context("an error")?;
    ensure!(error.code == ToolErrorCode::Unavailable && !error.retryable, "{error:?}");
    ensure!(error.message.contains("may have been carried out"), "{error}");
    ensure!(call(&host, "calls", json!({})).await?.as_json() == r#"{"calls":1}"#);
    ensure!(upstreams.running() == 1);
    Ok(())
}

async fn a_call_beyond_its_deadline_is_cancelled() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.call_max = Duration::from_millis(300);
    let host = Upstreams::new(options).host(&configuration(server("good")), "ada");
    call(&host, "echo", json!({})).await?;
    let error = host.call(tool_call("hang", json!({}))).await.err().context("an error")?;
    ensure!(error.code == ToolErrorCode::TimedOut && error.message.contains("within 300ms"), "{error}");
    becomes(&host, "cancelled", "1").await
}

async fn a_call_that_is_dropped_is_cancelled() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("good")), "ada");
    call(&host, "echo", json!({})).await?;
    let mut hanging = Box::pin(host.call(tool_call("hang", json!({}))));
    // Poll it until the server has it, then drop it.
    loop {
        tokio::select! {
            answer = &mut hanging => bail!("{answer:?}"),
            calls = call(&host, "calls", json!({})) => if calls?.as_json().contains("hang") { break },
        }
    }
    drop(hanging);
    becomes(&host, "cancelled", "1").await
}

async fn a_reply_that_is_too_large_is_an_error() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.message_bytes_max = 100_000;
    let host = Upstreams::new(options).host(&configuration(server("good")), "ada");
    ensure!(call(&host, "large", json!({"bytes": 90_000})).await?.as_json().len() == 90_002);
    let error = host.call(tool_call("large", json!({"bytes": 100_001}))).await.err().context("an error")?;
    ensure!(error.code == ToolErrorCode::TooLarge && error.message.contains("100000 bytes"), "{error}");
    ensure!(call(&host, "echo", json!({})).await?.as_json() == "{}", "the next call gets a new server");
    Ok(())
}

async fn failures_and_refusals_keep_their_words() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("good")), "ada");
    let failed = host.call(tool_call("fail", json!({}))).await.err().context("an error")?;
    ensure!(failed.code == ToolErrorCode::ToolFailed && failed.message == "no such issue", "{failed:?}");
    let refused = host.call(tool_call("refuse", json!({}))).await.err().context("an error")?;
    ensure!(refused.code == ToolErrorCode::InvalidArguments && refused.message == "unknown tool `refuse`", "{refused:?}");
    Ok(())
}

async fn a_server_sees_only_what_it_was_given() -> Result<()> {
    let server = server("good").with_env("TOKEN", "t");
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server), "ada");
    let environment: Map<String, Value> = serde_json::from_str(call(&host, "environment", json!({})).await?.as_json())?;
    let allowed = |name: &String| name == "TOKEN" || isolet::mcp::ENVIRONMENT_KEPT.contains(&name.as_str());
    ensure!(environment.keys().all(allowed) && environment["TOKEN"] == "t", "{:?}", environment.keys());
    if cfg!(target_os = "linux") {
        let mut files: Vec<String> = serde_json::from_str(call(&host, "files", json!({})).await?.as_json())?;
        files.sort();
        ensure!(files == ["0", "1", "2"], "{files:?}");
    }
    Ok(())
}

async fn sessions_of_one_user_share_a_server_and_two_users_never_do() -> Result<()> {
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let shared = configuration(server("good"));
    let other = configuration(server("good").with_env("TOKEN", "another"));
    let process = async |configuration: &Configuration, user: &str| -> Result<String> {
        Ok(call(&upstreams.host(configuration, user), "process", json!({})).await?.as_json().to_owned())
    };
    let first = process(&shared, "ada").await?;
    ensure!(process(&shared, "ada").await? == first, "the server outlives its session");
    ensure!(process(&shared, "bob").await? != first, "another user");
    ensure!(process(&other, "ada").await? != first, "another credential");
    ensure!(upstreams.running() == 3);
    upstreams.close().await;
    ensure!(upstreams.running() == 0);
    Ok(())
}

async fn nothing_is_started_while_the_list_is_known() -> Result<()> {
    let upstreams = Upstreams::new(UpstreamOptions::default());
    let host = upstreams.host(&configuration(server("good")), "ada");
    ensure!(upstreams.running() == 0, "making a session starts nothing");
    host.discover().await?;
    upstreams.close().await;
    ensure!(upstreams.host(&configuration(server("good")), "bob").discover().await?.catalog.tools().count() == 5);
    ensure!(upstreams.running() == 0, "the list was known");
    call(&host, "echo", json!({})).await?;
    ensure!(upstreams.running() == 1, "the first call starts the server");
    Ok(())
}

async fn a_server_that_fails_to_start_is_left_alone_for_a_while() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("exits")), "ada");
    let failures = [host.discover().await?.failures, host.discover().await?.failures];
    ensure!(
        failures[0].len() == 1 && std::sync::Arc::ptr_eq(&failures[0][0], &failures[1][0]),
        "the second start was not tried"
    );
    Ok(())
}

async fn the_idle_make_room_and_the_busy_do_not() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.servers_max = 1;
    let upstreams = Upstreams::new(options);
    let [ada, bob] = ["ada", "bob"].map(|user| upstreams.host(&configuration(server("good")), user));
    call(&ada, "echo", json!({})).await?;
    call(&bob, "echo", json!({})).await?;
    ensure!(upstreams.running() == 1, "ada's was idle and made room");
    let mut hanging = Box::pin(bob.call(tool_call("hang", json!({}))));
    let refused = tokio::select! {
        biased; // bob's call is under way before ada's begins
        answer = &mut hanging => bail!("{answer:?}"),
        refused = ada.call(tool_call("echo", json!({}))) => refused.err().context("an error")?,
    };
    ensure!(refused.code == ToolErrorCode::Unavailable && refused.retryable, "{refused:?}");
    Ok(())
}

async fn an_idle_server_is_ended() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.idle_max = Duration::from_millis(100);
    let upstreams = Upstreams::new(options);
    let host = upstreams.host(&configuration(server("good")), "ada");
    let mut hanging = Box::pin(host.call(tool_call("hang", json!({}))));
    let longer_than_idle = tokio::time::timeout(Duration::from_millis(500), &mut hanging).await;
    ensure!(longer_than_idle.is_err() && upstreams.running() == 1, "a server with a call under way is not idle");
    drop(hanging);
    let ended = async {
        while upstreams.running() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, ended).await.context("it still runs")
}

/// The pauses between two questions for its tools end after 1, 3, 7, 15 and 31 seconds.
async fn an_idle_server_that_always_changes_is_ended() -> Result<()> {
    let mut options = UpstreamOptions::default();
    options.idle_max = Duration::from_secs(16);
    let upstreams = Upstreams::new(options);
    let host = upstreams.host(&configuration(server("always_changes")), "ada");
    host.discover().await?;
    ensure!(upstreams.running() == 1);
    ensure!(until(Duration::from_secs(29), || upstreams.running() == 0).await, "it is kept while it is to be asked again");
    Ok(())
}

async fn a_list_that_changes_is_asked_again() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("changes")), "ada");
    ensure!(host.discover().await?.catalog.tools().count() == 5);
    call(&host, "change", json!({})).await?;
    let changed = async {
        while host.discover().await?.catalog.tools().count() == 5 {
            tokio::task::yield_now().await;
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, changed).await.context("the old list is still used")?
}

async fn one_bad_server_does_not_cost_the_others() -> Result<()> {
    let configuration = configuration(server("good")).with("bad", server("exits"));
    let discovery = Upstreams::new(UpstreamOptions::default()).host(&configuration, "ada").discover().await?;
    ensure!(discovery.catalog.tools().count() == 5);
    let [failure] = discovery.failures.as_slice() else { bail!("{:?}", discovery.failures) };
    ensure!(matches!(&**failure, UpstreamError::Ended { server, stage: Stage::Handshake, .. } if server == "bad"), "{failure}");
    Ok(())
}

async fn a_server_that_floods_requests_is_ended_and_left_alone() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("floods_requests")), "ada");
    host.discover().await?;
    let first = host.call(tool_call("echo", json!({}))).await.err().context("an error")?;
    ensure!(first.code == ToolErrorCode::Unavailable && !first.retryable, "{first:?}");
    let began = Instant::now();
    let second = host.call(tool_call("echo", json!({}))).await.err().context("an error")?;
    ensure!(second.code == ToolErrorCode::Unavailable, "{second:?}");
    ensure!(began.elapsed() < Duration::from_secs(1), "it was started again at once");
    Ok(())
}

async fn a_flood_that_nobody_asked_for_delays_nobody_else() -> Result<()> {
    for mode in ["floods_changes", "floods_progress", "floods_answers", "floods_noise"] {
        let configuration = configuration(server(mode)).with("good", server("good"));
        let upstreams = Upstreams::new(UpstreamOptions::default());
        let host = upstreams.host(&configuration, "ada");
        let mut good = tool_call("echo", json!({"a": 1}));
        good.server = "good".to_owned();
        // Both are started, and the flood is on.
        ensure!(call(&host, "echo", json!({"a": 1})).await?.as_json() == r#"{"a":1}"#, "{mode}: it answers late, and it does");
        for _ in 0..20 {
            ensure!(host.call(good.clone()).await?.as_json() == r#"{"a":1}"#);
        }
        let began = Instant::now();
        upstreams.close().await;
        ensure!(began.elapsed() < Duration::from_secs(10), "{mode}: it took {:?} to end", began.elapsed());
    }
    Ok(())
}

async fn a_careless_server_is_understood() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("sloppy")), "ada");
    let discovery = host.discover().await?;
    let names: Vec<_> = discovery.catalog.tools().map(|tool| tool.name().to_owned()).collect();
    ensure!(names == ["echo", "second"], "{names:?} {:?}", discovery.failures);
    ensure!(call(&host, "echo", json!({"a": [1, {}]})).await?.as_json().parse::<Value>()? == json!({"a": [1, {}]}));
    Ok(())
}

async fn a_strict_server_is_offered_a_version_that_it_knows() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("strict")), "ada");
    ensure!(call(&host, "echo", json!({"a": 1})).await?.as_json() == r#"{"a":1}"#);
    Ok(())
}

async fn pages_without_end_are_ended() -> Result<()> {
    let error = failure(server("pages"), UpstreamOptions::default()).await?;
    ensure!(error.starts_with("server `test` lists its tools on more than 1000 pages"), "{error}");
    Ok(())
}

fn nothing_of_a_cancelled_call_is_kept() -> Result<()> {
    let output = Command::new(std::env::current_exe()?).arg(CANCELLING_ARGUMENT).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A server that takes nothing, and calls whose callers give up: what they sent is gone, the server is not told of what it never saw.
async fn cancel_large_calls() -> Result<()> {
    let host = Upstreams::new(UpstreamOptions::default()).host(&configuration(server("good")), "ada");
    call(&host, "echo", json!({})).await?;
    let large = "x".repeat(1 << 20);
    let process: i32 = call(&host, "process", json!({})).await?.as_json().parse()?;
    let process = rustix::process::Pid::from_raw(process).context("no process")?;
    rustix::process::kill_process(process, rustix::process::Signal::STOP)?;
    let before = resident_bytes()?;
    for _ in 0..40 {
        let calls = (0..5).map(|_| host.call(tool_call("echo", json!({"text": large}))));
        // As far as they get: the pipe is full.
        let answered = tokio::time::timeout(Duration::from_millis(50), futures::future::join_all(calls)).await;
        ensure!(answered.is_err(), "{answered:?}");
    }
    let kept = resident_bytes()?.saturating_sub(before);
    ensure!(kept < 50 << 20, "{kept} bytes are kept of 200 MiB");
    rustix::process::kill_process(process, rustix::process::Signal::CONT)?;
    ensure!(call(&host, "echo", json!({"a": 1})).await?.as_json() == r#"{"a":1}"#, "the server goes on");
    let calls: Value = serde_json::from_str(call(&host, "calls", json!({})).await?.as_json())?;
    ensure!(calls["echo"].as_u64().is_some_and(|echos| echos < 100), "{calls}: calls that were given up reached the server");
    Ok(())
}

/// What this process holds.
fn resident_bytes() -> Result<u64> {
    let kilobytes = crate::process_table::status_number(std::process::id(), "VmRSS").context("no `/proc`")?;
    Ok(kilobytes * 1024)
}
