//! Guest processes that die, lie or stay, and the walls around them: whatever one does, the others do not notice.
//!
//! A guest that lies is this binary, started as [`LIAR_ARGUMENT`] by a script that `Config::executable` names. It speaks to
//! the host's socket as native attacker code would (SECURITY.md §2.3), so it writes frames by hand: length, kind, payload.

use std::io::{BufRead as _, Read as _, Write as _};
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{
    CallEnd, Config, End, Isolation, LowerLimits, Origin, Outcome, RunError, RunOptions, Runtime, Scope, Session, Start, Stop,
    ToolErrorCode,
};
use libtest_mimic::{Failed, Trial};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::frames;
use crate::process_table::{self, until};
use crate::required;
use crate::roles;
use crate::shared_runtime::lowered;
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--process-host";
/// The first argument of a guest that lies.
pub(crate) const LIAR_ARGUMENT: &str = "--liar";
/// The first argument of a zygote that can fork nothing.
pub(crate) const BARREN_ARGUMENT: &str = "--barren-zygote";

/// From a limit to the answer: 10 ms, and ten times that on a machine that does other things.
const ANSWER_MAX: Duration = Duration::from_millis(10 * 10);
/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

const CHECKS: [&str; 11] = [
    "a_killed_zygote_of_a_scope_loses_its_own_runs_only_and_is_replaced",
    "a_killed_base_zygote_is_replaced",
    "runs_and_zygotes_are_behind_the_walls",
    "a_spawned_run_is_behind_the_walls",
    "the_answer_comes_soon_after_a_limit",
    "forged_frames_fail_their_own_run_alone",
    "a_guest_that_does_not_read_is_not_listened_to",
    "a_zygote_that_lies_is_not_used",
    "a_dropped_session_ends_its_runs",
    "a_fork_that_the_system_refuses_is_an_error_of_its_run",
    "a_killed_zygote_is_replaced_at_once_where_isolation_is_strict",
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    let checks = CHECKS
        .map(|check| Trial::test(format!("processes::{check}"), move || roles::play_in_own_process(&[HOST_ARGUMENT, check])));
    let mut trials = Vec::from(checks);
    trials.push(Trial::test("processes::a_killed_host_leaves_no_guest", kill_host));
    trials
}

/// Runs one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match arguments {
            [check] if check == CHECKS[0] => kill_scope_zygote().await,
            [check] if check == CHECKS[1] => kill_base_zygote().await,
            [check] if check == CHECKS[2] => walls_of_forks().await,
            [check] if check == CHECKS[3] => walls_of_spawned().await,
            [check] if check == CHECKS[4] => answers_after_limits().await,
            [check] if check == CHECKS[5] => forged_frames().await,
            [check] if check == CHECKS[6] => deaf_guest().await,
            [check] if check == CHECKS[7] => lying_zygote().await,
            [check] if check == CHECKS[8] => drop_session().await,
            [check] if check == CHECKS[9] => refused_forks().await,
            [check] if check == CHECKS[10] => kill_strict_zygote().await,
            [check] if check == "to-be-killed" => wait_to_be_killed().await,
            _ => anyhow::bail!("unknown check {arguments:?}"),
        }
    })
}

pub(crate) type Run = tokio::task::JoinHandle<Result<Outcome, RunError>>;

/// Starts a run that waits for its tool.
pub(crate) async fn waiting_run(runtime: &Runtime, scope: &Scope, upstream: &Arc<Upstream>) -> anyhow::Result<Run> {
    let (before, session) = (upstream.running(), runtime.session(scope.clone(), TestTools(Arc::clone(upstream))));
    let run = tokio::spawn(async move { session.run("return (await hold.until_told({ id: 7 })).id").await });
    let waits = until(SOON, || upstream.running() > before || run.is_finished()).await && !run.is_finished();
    if !waits {
        run.abort();
        anyhow::bail!("the run does not wait for its tool: {:?}", run.await);
    }
    Ok(run)
}

/// Sends a signal to a process.
pub(crate) fn signal(process: u32, signal: Signal) -> anyhow::Result<()> {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process")?;
    Ok(rustix::process::kill_process(process, signal)?)
}

fn kill(process: u32) -> anyhow::Result<()> {
    signal(process, Signal::KILL)
}

/// The base zygote, and those of scopes: they have ready runs, or soon will.
pub(crate) async fn zygotes() -> anyhow::Result<(u32, Vec<u32>)> {
    let bases = process_table::children_of(process_table::host());
    let [base] = bases[..] else { anyhow::bail!("one base zygote, not {bases:?}") };
    let mut of_scopes = Vec::new();
    let found = until(SOON, || {
        let children = process_table::children_of(base).into_iter();
        of_scopes = children.filter(|child| !process_table::children_of(*child).is_empty()).collect();
        !of_scopes.is_empty()
    });
    ensure!(found.await, "no zygote of a scope");
    Ok((base, of_scopes))
}

async fn kill_scope_zygote() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.hold).await?;
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    runtime.prepare(&scopes.both).await?;
    let upstream = Upstream::new("user");
    let lost = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let unharmed = waiting_run(&runtime, &scopes.both, &upstream).await?;
    kill(zygote)?;
    let lost = lost.await?;
    ensure!(matches!(lost, Err(RunError::ZygoteLost)), "the run of a lost zygote: {lost:?}");
    ensure!(until(SOON, || upstream.running() == 1).await, "the call of a lost run goes on");
    let next = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    upstream.tell(true);
    for run in [unharmed, next] {
        ensure!(run.await??.end == End::Returned(7.into()), "a run of another zygote was disturbed");
    }
    runtime.prepare(&scopes.hold).await?;
    let outcome =
        runtime.session(scopes.hold.clone(), TestTools(upstream)).run("return (await hold.until_told({ id: 7 })).id").await?;
    ensure!(
        outcome.cost.origin == Origin::Ready && outcome.end == End::Returned(7.into()),
        "after the replacement: {outcome:?}"
    );
    ensure!(!zygotes().await?.1.contains(&zygote), "the killed zygote is still there");
    Ok(())
}

/// Only the zygote of a scope says which walls stand around its runs: a strict run waits for the next one, and is not refused.
async fn kill_strict_zygote() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.isolation = Isolation::Strict;
    let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
    let is_strict = runtime.prepare(&scopes.hold).await.is_ok() && runtime.isolation().await.landlock;
    if !required::is_there("landlock or seccomp", is_strict)? {
        return Ok(()); // `embedding::strict_isolation_is_had_or_refused` says what happens then
    }
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    let upstream = Upstream::new("user");
    let lost = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    kill(zygote)?;
    let lost = lost.await?;
    ensure!(matches!(lost, Err(RunError::ZygoteLost)), "the run of a lost zygote: {lost:?}");
    let session = runtime.session(scopes.hold.clone(), TestTools(upstream));
    let outcome = session.run("return 1").await?;
    ensure!(outcome.end == End::Returned(1.into()), "{outcome:?}");
    Ok(())
}

async fn kill_base_zygote() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.hold).await?;
    let (base, of_scopes) = zygotes().await?;
    let upstream = Upstream::new("user");
    // One from the zygote of its scope, one from the base zygote.
    let runs = [waiting_run(&runtime, &scopes.hold, &upstream).await?, waiting_run(&runtime, &scopes.both, &upstream).await?];
    kill(base)?;
    for run in runs {
        let lost = run.await?;
        ensure!(matches!(lost, Err(RunError::ZygoteLost)), "a run of a lost zygote: {lost:?}");
    }
    ensure!(
        until(SOON, || of_scopes.iter().all(|zygote| !process_table::is_alive(*zygote))).await,
        "the base zygote is gone and its zygotes are not"
    );
    upstream.tell(true);
    // Meanwhile runs are spawned; soon they are forked again.
    let session = runtime.session(scopes.hold.clone(), TestTools(upstream));
    let started = Instant::now();
    loop {
        let outcome = session.run("return (await hold.until_told({ id: 7 })).id").await?;
        ensure!(outcome.end == End::Returned(7.into()), "after the loss: {}", outcome.end);
        if outcome.cost.origin != Origin::Spawned {
            break;
        }
        ensure!(started.elapsed() < SOON, "runs are still spawned");
    }
    ensure!(runtime.metrics().zygotes_lost >= 1, "{:?}", runtime.metrics());
    Ok(())
}

async fn walls_of_forks() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.hold).await?;
    let report = runtime.isolation().await;
    required::is_there("landlock or seccomp", report.landlock && report.seccomp)?;
    let upstream = Upstream::new("user");
    let (base, of_scopes) = zygotes().await?;
    let busy = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let cold = waiting_run(&runtime, &scopes.both, &upstream).await?;
    ensure!(process_table::status(base, "NoNewPrivs").as_deref() == Some("1"), "the base zygote could gain privileges");
    for zygote in &of_scopes {
        check_walls(*zygote, report.seccomp.then_some(1))?;
    }
    // Ready runs are behind the same walls as those that run.
    let runs: Vec<_> = of_scopes
        .iter()
        .chain([&base])
        .flat_map(|zygote| process_table::children_of(*zygote))
        .filter(|run| !of_scopes.contains(run))
        .collect();
    ensure!(runs.len() >= 2, "runs: {runs:?}");
    let is_closed = |run: &u32| process_table::status_number(*run, "Seccomp_filters").is_none_or(|filters| filters >= 2);
    // One that was forked just now closes its own walls before it reads.
    ensure!(!report.seccomp || until(SOON, || runs.iter().all(is_closed)).await, "a run does not close its walls: {runs:?}");
    for run in &runs {
        check_walls(*run, report.seccomp.then_some(2))?;
        check_limits_of_run(*run)?;
    }
    upstream.tell(true);
    for run in [busy, cold] {
        ensure!(run.await??.end == End::Returned(7.into()), "a run behind its walls");
    }
    Ok(())
}

async fn walls_of_spawned() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.start = Start::Spawn;
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    let run = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let processes = process_table::descendants_of(process_table::host());
    ensure!(processes.len() == 1, "one run and no zygote: {processes:?}");
    check_walls(processes[0], Some(1))?;
    upstream.tell(true);
    ensure!(run.await??.end == End::Returned(7.into()), "a spawned run behind its walls");
    Ok(())
}

/// What stands around each guest process. `filters`: how many lists of system calls at least, where there is seccomp.
fn check_walls(process: u32, filters: Option<u64>) -> anyhow::Result<()> {
    let status = |field: &str| process_table::status(process, field).unwrap_or_default();
    ensure!(status("NoNewPrivs") == "1", "process {process} could gain privileges");
    ensure!(status("Threads") == "1", "process {process} has {} threads", status("Threads"));
    if let Some(filters) = filters {
        ensure!(status("Seccomp") == "2", "process {process} has no list of system calls: {}", status("Seccomp"));
        let there = process_table::status_number(process, "Seccomp_filters").unwrap_or(filters);
        ensure!(there >= filters, "process {process} has {there} lists of system calls, not {filters}");
    }
    let environment = std::fs::read(format!("/proc/{process}/environ"));
    // An unprivileged user may not even look.
    ensure!(environment.as_ref().map_or(true, |bytes| bytes == b"TZ=UTC\0"), "the environment of {process}: {environment:?}");
    let limits = std::fs::read_to_string(format!("/proc/{process}/limits"))?;
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
    ensure!(core.split_ascii_whitespace().nth(4) == Some("0"), "process {process} may dump its core: {core}");
    for (number, target) in process_table::descriptor_targets(process) {
        // Standard error is a pipe that nobody reads.
        let expected =
            if number < 2 { target == "/dev/null" } else { target.starts_with("socket:") || target.starts_with("pipe:") };
        ensure!(expected, "descriptor {number} of {process} is {target}");
    }
    Ok(())
}

/// What a run has less than its zygote.
fn check_limits_of_run(run: u32) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string(format!("/proc/{run}/limits"))?;
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap_or_default();
    let files: u32 = files.split_ascii_whitespace().nth(3).and_then(|limit| limit.parse().ok()).context("no limit of files")?;
    ensure!(files <= 4, "run {run} may open {files} files");
    let open = process_table::descriptor_targets(run);
    let sockets = open.values().filter(|target| target.starts_with("socket:")).count();
    ensure!(sockets <= 1, "run {run} holds {sockets} sockets: {open:?}");
    ensure!(open.keys().filter(|number| **number > 2).count() <= 1, "run {run} holds more than its socket: {open:?}");
    Ok(())
}

async fn answers_after_limits() -> anyhow::Result<()> {
    let limit = Duration::from_millis(150);
    let (runtime, scopes, upstream) = (Runtime::new(Config::default())?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.both).await?;
    let session = runtime.session(scopes.both, TestTools(upstream));
    for program in
        ["for (;;);", "await hold.until_told({})", "return [].indexOf.call({ length: 2 ** 53 - 1 }, 1)", "for (;;) await null"]
    {
        let mut late = Vec::new();
        for _ in 0..7 {
            let mut limits = LowerLimits::default();
            limits.wall_max = Some(limit);
            let outcome = session.run_with(program, RunOptions::default().with(|options| options.limits = limits)).await?;
            ensure!(matches!(outcome.end, End::Stopped(Stop::Wall { .. })), "{program}: {}", outcome.end);
            late.push(outcome.cost.wall.saturating_sub(limit));
        }
        late.sort();
        ensure!(late[3] < ANSWER_MAX, "{program}: the answer comes {:?} after the limit", late[3]);
    }
    Ok(())
}

async fn drop_session() -> anyhow::Result<()> {
    let (runtime, scopes, upstream) = (Runtime::new(Config::default())?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.hold).await?;
    let session = runtime.session(scopes.hold, TestTools(Arc::clone(&upstream)));
    let resting = || process_table::descendants_of(process_table::host()).len() == 2 + runtime.metrics().ready;
    ensure!(until(SOON, resting).await, "the zygotes do not come to rest");
    // The loop that the process is in after the first turn, and a call that is cancelled.
    let run = tokio::spawn(async move {
        session.run("hold.until_told({}); setTimeout(() => { for (;;); }, 1); await hold.until_told({})").await
    });
    ensure!(until(SOON, || upstream.running() == 2).await, "the run does not call");
    run.abort();
    ensure!(until(SOON, || upstream.running() == 0).await, "the call of a dropped run goes on");
    ensure!(until(SOON, resting).await, "the process of a dropped run goes on");
    Ok(())
}

/// Starts a host, kills it in the middle of runs, and looks for what it leaves.
fn kill_host() -> Result<(), Failed> {
    let mut host = std::process::Command::new(std::env::current_exe()?)
        .args([HOST_ARGUMENT, "to-be-killed"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    std::io::BufReader::new(host.stdout.take().ok_or("no stdout")?).read_line(&mut line)?;
    let guests = process_table::descendants_of(host.id());
    host.kill()?;
    host.wait()?;
    if guests.len() < 5 {
        return Err(format!("two zygotes and three runs, not {guests:?}: {line}").into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let gone = runtime.block_on(until(SOON, || guests.iter().all(|guest| !process_table::is_alive(*guest))));
    if gone { Ok(()) } else { Err(format!("of the guests {guests:?} some are alive").into()) }
}

#[expect(clippy::print_stdout, reason = "stdout is what the parent waits for")]
async fn wait_to_be_killed() -> anyhow::Result<()> {
    let (runtime, scopes, upstream) = (Runtime::new(Config::default())?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.both).await?;
    let session = Arc::new(runtime.session(scopes.both, TestTools(Arc::clone(&upstream))));
    let programs = [
        "await test.echo({}); for (;;) await null",
        "await hold.until_told({})",
        "await test.echo({}); return [].indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    ];
    let runs = programs.map(|program| {
        let session = Arc::clone(&session);
        tokio::spawn(async move { session.run(program).await.map(drop) })
    });
    let mut called = 0;
    let all_called = || {
        called += upstream.take_received().len();
        called == 3
    };
    ensure!(until(SOON, all_called).await, "the runs do not call");
    println!("ready");
    for run in runs {
        run.await??;
    }
    anyhow::bail!("the host was not killed")
}

/// A lie: its name, what the liar does, and how its run has to end: `None` for lost alone.
type Lie = (&'static str, fn(&mut Liar) -> std::io::Result<()>, Option<fn(&End) -> bool>);

/// All lies, and a run that tells none.
const LIES: &[Lie] = &[
    ("honest", |liar| liar.end(0, b"42"), Some(|end| *end == End::Returned(42.into()))),
    ("noise", Liar::noise, None),
    ("an oversize length", |liar| liar.raw(&[0xff, 0xff, 0xff, 0xff, SAY]), None),
    ("an oversize line", |liar| liar.raw(&[0, 0, 0, 0x10, SAY]), None),
    ("an unknown kind", |liar| liar.frame(99, b""), None),
    ("a frame of the host", |liar| liar.frame(ANSWER, &[1, 0, 0, 0, 1, b'1']), None),
    ("a frame of a zygote", |liar| liar.frame(FORKED, &[0; 12]), None),
    ("too short a call", |liar| liar.frame(CALL, &[1, 0, 0]), None),
    ("a line that is no text", |liar| liar.frame(SAY, &[1, 0xff, 0xfe]), None),
    ("call number 0", |liar| liar.call(0, 0, b"{}"), None),
    ("the same call twice", |liar| liar.call(1, 0, b"{}").and_then(|()| liar.call(1, 0, b"{}")), None),
    ("a call too early", |liar| liar.call(2, 0, b"{}"), None),
    ("more calls in flight than allowed", |liar| (1..=129).try_for_each(|id| liar.call(id, HELD, b"{}")), None),
    (
        "more calls than allowed",
        |liar| (1..=1001).try_for_each(|id| liar.call(id, u32::MAX, b"{}").and_then(|()| liar.read(ANSWER).map(drop))),
        Some(|end| matches!(end, End::Stopped(Stop::Calls { .. }))),
    ),
    ("a forged tool", |liar| liar.call_and_return(u32::MAX - 8, b"{}"), Some(|end| has_code(end, "unknown_tool"))),
    ("arguments that are no JSON", |liar| liar.call_and_return(0, b"{\"a\":"), Some(|end| has_code(end, "invalid_arguments"))),
    ("arguments that are no object", |liar| liar.call_and_return(0, b"[1]"), Some(|end| has_code(end, "invalid_arguments"))),
    (
        "arguments nested without end",
        |liar| liar.call_and_return(0, "[".repeat(900_000).as_bytes()),
        Some(|end| has_code(end, "invalid_arguments")),
    ),
    (
        "arguments that are too large",
        |liar| liar.call_and_return(0, format!("\"{}\"", "x".repeat(2 << 20)).as_bytes()),
        Some(|end| has_code(end, "too_large")),
    ),
    (
        "notes that are no words",
        |liar| liar.frame(NOTE, "\u{1b}[2J\u{202e}".repeat(100).as_bytes()).and_then(|()| liar.end(0, b"1")),
        Some(|end| *end == End::Returned(1.into())),
    ),
    ("an oversize note", |liar| liar.frame(NOTE, &[b'x'; 1025]), None),
    ("more notes than there are", |liar| (0..17).try_for_each(|_| liar.frame(NOTE, b"x")), None),
    ("a result that is no JSON", |liar| liar.end(0, b"{\"a\""), None),
    (
        "a result nested without end",
        |liar| liar.end(0, "[".repeat(900_000).as_bytes()),
        Some(|end| matches!(end, End::Threw(_))),
    ),
    ("a result beyond its limit", |liar| liar.end(0, format!("\"{}\"", "x".repeat((1 << 20) - 1)).as_bytes()), None),
    ("an error that is no JSON", |liar| liar.end(1, b"oh"), None),
    (
        "an error with causes without end",
        |liar| liar.end(1, "{\"name\":\"E\",\"message\":\"\",\"causes\":[".repeat(20_000).as_bytes()),
        None,
    ),
    ("an unknown ending", |liar| liar.end(9, b"1"), None),
    (
        "a place far away",
        |liar| liar.end_at(1, u32::MAX, br#"{"name":"E","message":"m"}"#),
        Some(|end| matches!(end, End::Threw(_))),
    ),
    ("two ends", |liar| liar.end(0, b"1").and_then(|()| liar.end(0, b"2")), Some(|end| *end == End::Returned(1.into()))),
    (
        "calls after the end",
        |liar| liar.end(0, b"1").and_then(|()| liar.call(1, 0, b"{}")),
        Some(|end| *end == End::Returned(1.into())),
    ),
    (
        "lines without end",
        |liar| loop {
            liar.frame(SAY, b"\x01lies")?
        },
        Some(|end| matches!(end, End::Stopped(Stop::Output { .. }))),
    ),
    (
        "empty lines without end",
        |liar| loop {
            liar.frame(SAY, b"\x01")?
        },
        Some(|end| matches!(end, End::Stopped(Stop::Output { .. }))),
    ),
    (
        "silence",
        |_| loop {
            std::thread::park()
        },
        Some(|end| matches!(end, End::Stopped(Stop::Wall { .. }))),
    ),
    (
        "half a frame",
        |liar| {
            liar.raw(&[9, 0, 0]).map(|()| {
                loop {
                    std::thread::park()
                }
            })
        },
        Some(|end| matches!(end, End::Stopped(Stop::Wall { .. }))),
    ),
    (
        "a closed socket",
        |liar| {
            liar.socket.shutdown(std::net::Shutdown::Both).map(|()| {
                loop {
                    std::thread::park()
                }
            })
        },
        None,
    ),
    ("an early exit", |_| Ok(()), None),
    ("walls twice", |liar| liar.frame(JAILED, NO_WALLS).and_then(|()| liar.end(0, b"1")), None),
    ("a refusal behind its walls", |liar| liar.frame(REFUSED, b"no"), None),
    ("a line before its walls", |liar| liar.frame(SAY, b"\x01lies").and_then(|()| liar.end(0, b"1")), None),
    ("a call before its walls", |liar| liar.call_and_return(0, b"{}"), None),
    ("an end before its walls", |liar| liar.end(0, b"1"), None),
];

pub(crate) const NOTE: u8 = 21;
pub(crate) const SAY: u8 = 16;
pub(crate) const CALL: u8 = 17;
pub(crate) const END: u8 = 18;
const ANSWER: u8 = 4;
const START: u8 = 3;
const REFUSED: u8 = 19;
const JAILED: u8 = 20;
const BOOT: u8 = 1;
/// Its socket belongs to the frame: so says the highest bit.
const FORK: u8 = 5 | 0x80;
const READY: u8 = 32;
const FORKED: u8 = 33;
const NOT_FORKED: u8 = 34;
/// What a process says of the walls around it where there are none.
const NO_WALLS: &[u8] = br#"{"huge_pages":false,"no_new_privileges":false,"landlock":false,"seccomp":false,"missing":[]}"#;

/// The end of the name of each lie of a process that has not said which walls stand around it.
const BEFORE_WALLS: &str = "before its walls";

/// The place of `hold.until_told` in the scope of both namespaces.
const HELD: u32 = 0;

fn has_code(end: &End, code: &str) -> bool {
    matches!(end, End::Returned(value) if value.get("code").is_some_and(|there| there == code))
}

/// A guest process that says what it likes.
pub(crate) struct Liar {
    socket: UnixStream,
}

impl Liar {
    fn of_host() -> Self {
        #[expect(unsafe_code, reason = "the socket of a guest process is its fourth descriptor")]
        // SAFETY: the host put its socket there, and nothing else in this process knows of it.
        let socket = unsafe { UnixStream::from_raw_fd(3) };
        Self { socket }
    }

    fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.socket.write_all(bytes)
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> std::io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
        self.raw(&[&length.to_le_bytes()[..], &[kind], payload].concat())
    }

    fn call(&mut self, id: u32, tool: u32, arguments: &[u8]) -> std::io::Result<()> {
        let numbers = [id, tool, 1, 1].map(u32::to_le_bytes);
        self.frame(CALL, &[numbers.as_flattened(), arguments].concat())
    }

    /// Returns the answer to a call, whatever it is.
    fn call_and_return(&mut self, tool: u32, arguments: &[u8]) -> std::io::Result<()> {
        self.call(1, tool, arguments)?;
        let (_, answer) = self.read(ANSWER)?;
        self.end(0, answer.get(5..).unwrap_or_default())
    }

    fn end(&mut self, ending: u8, text: &[u8]) -> std::io::Result<()> {
        self.end_at(ending, 0, text)
    }

    fn end_at(&mut self, ending: u8, line: u32, text: &[u8]) -> std::io::Result<()> {
        self.frame(END, &[&[ending], &line.to_le_bytes()[..], &line.to_le_bytes(), &[0; 8], text].concat())
    }

    fn noise(&mut self) -> std::io::Result<()> {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(1 << 20).collect();
        self.raw(&noise)
    }

    /// Reads frames until one of this kind.
    fn read(&mut self, wanted: u8) -> std::io::Result<(u8, Vec<u8>)> {
        loop {
            let mut header = [0; 5];
            self.socket.read_exact(&mut header)?;
            let [a, b, c, d, kind] = header;
            let mut payload = vec![0; u32::from_le_bytes([a, b, c, d]) as usize];
            self.socket.read_exact(&mut payload)?;
            if kind == wanted {
                return Ok((kind, payload));
            }
        }
    }
}

/// Says that it can fork, and that the system refuses each time.
pub(crate) fn refuse_forks() -> anyhow::Result<()> {
    let mut zygote = Liar::of_host();
    zygote.read(BOOT)?;
    zygote.frame(READY, NO_WALLS)?;
    loop {
        let (_, run) = zygote.read(FORK)?;
        // What was refused is `fork`.
        zygote.frame(NOT_FORKED, &[&run[..], &[1], &Errno::AGAIN.raw_os_error().to_le_bytes()].concat())?;
    }
}

/// Lies as the program that it is given says.
pub(crate) fn lie() -> anyhow::Result<()> {
    let mut liar = Liar::of_host();
    let (_, start) = liar.read(START)?;
    let start = String::from_utf8_lossy(&start);
    if !start.ends_with(BEFORE_WALLS) {
        liar.frame(JAILED, NO_WALLS)?;
    }
    if let Some((_, seed)) = start.rsplit_once(frames::MUTATED) {
        // The host hangs up in the middle.
        let _ = liar.raw(&frames::mutated(seed.parse()?));
        return Ok(());
    }
    if start.ends_with("does not read") {
        for id in 1..=1000 {
            // `test.big` of 4 MB, again and again, and no answer is read.
            liar.call(id, BIG, br#"{"bytes":4000000}"#)?;
        }
        loop {
            std::thread::park();
        }
    }
    let lie = LIES.iter().find(|(name, ..)| start.ends_with(name)).context("no such lie")?;
    // The host may be faster to hang up.
    let _ = lie.1(&mut liar);
    Ok(())
}

/// How long a liar that says no more is waited for.
pub(crate) const SILENCE: Duration = Duration::from_secs(2);

/// The place of `test.big` in the scope of both namespaces.
const BIG: u32 = 5;

/// A script that starts this binary as something else: `Config::executable` is a path and nothing more.
fn executable(place: &tempfile::TempDir, script: &str) -> anyhow::Result<PathBuf> {
    let path = place.path().join("guest");
    let this = std::env::current_exe()?;
    let mut file = std::fs::File::create(&path)?;
    write!(file, "#!/bin/sh\n{}\n", script.replace("THIS", &format!("'{}'", this.display())))?;
    file.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

pub(crate) fn liars(place: &tempfile::TempDir, scope: Scope, upstream: &Arc<Upstream>) -> anyhow::Result<Session> {
    let mut config = Config::default();
    config.start = Start::Spawn;
    config.executable = Some(executable(place, &format!("exec THIS {LIAR_ARGUMENT}"))?);
    Ok(Runtime::new(config)?.session(scope, TestTools(Arc::clone(upstream))))
}

async fn forged_frames() -> anyhow::Result<()> {
    let (place, scopes) = (tempfile::tempdir()?, test_tools::scopes()?);
    let upstream = Upstream::new("liar");
    let lying = liars(&place, scopes.both.clone(), &upstream)?;
    for (index, path) in [(HELD, "hold.until_told"), (BIG, "test.big")] {
        ensure!(
            scopes.both.find(path).is_some_and(|tool| tool.index() == index),
            "{:?}",
            scopes.both.tools().iter().map(|tool| tool.path()).collect::<Vec<_>>()
        );
    }
    let runtime = Runtime::new(Config::default())?;
    let honest = runtime.session(scopes.both, TestTools(Upstream::new("honest")));
    let mut wrong = Vec::new();
    for (name, _, expected) in LIES {
        // Only a liar that says no more is to meet its wall: a busy machine may take long to write a thousand calls.
        let silent = expected.is_some_and(|expected| expected(&End::Stopped(Stop::Wall { limit: SILENCE, pending: 0 })));
        // All benign runs meanwhile are right; none of them waits for the liar.
        let lie = lying.run_with(name, lowered(|limits| limits.wall_max = silent.then_some(SILENCE)));
        tokio::pin!(lie);
        let outcome = loop {
            let benign = honest.run("return (await test.echo({ value: 'benign' })).value");
            tokio::select! {
                outcome = &mut lie => break outcome,
                benign = benign => ensure!(benign?.end == End::Returned("benign".into()), "beside {name}"),
            }
        };
        let right = match &outcome {
            Ok(outcome) => {
                expected.map_or(matches!(outcome.end, End::Stopped(Stop::GuestLost { .. })), |expected| expected(&outcome.end))
            }
            Err(_) => false,
        };
        if !right {
            let end: String = outcome
                .map_or_else(|error| format!("{error:?}"), |outcome| format!("{:?}", outcome.end))
                .chars()
                .take(200)
                .collect();
            wrong.push(format!("{name}: {end}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    let outcome = lying.run("notes that are no words").await?;
    let shown = |note: &String| note.chars().count() <= 503 && note.chars().all(isolet::visible::is_visible);
    ensure!(outcome.notes.len() == 1 && outcome.notes.iter().all(shown), "what is no word in a note: {:?}", outcome.notes);
    let outcome = lying.run("a forged tool").await?;
    ensure!(outcome.calls.len() == 1 && outcome.calls[0].path == "?", "the record of a forged call: {:?}", outcome.calls);
    ensure!(
        matches!(outcome.calls[0].end, CallEnd::Failed(ToolErrorCode::UnknownTool)),
        "the record of a forged call: {:?}",
        outcome.calls
    );
    ensure!(until(SOON, || upstream.running() == 0).await, "calls of liars go on");
    Ok(())
}

/// Answers that are not read stay in the host: while a megabyte does, no further call is taken.
async fn deaf_guest() -> anyhow::Result<()> {
    let (place, scopes) = (tempfile::tempdir()?, test_tools::scopes()?);
    let upstream = Upstream::new("liar");
    let session = liars(&place, scopes.both, &upstream)?;
    let outcome = session.run_with("does not read", lowered(|limits| limits.wall_max = Some(SILENCE))).await?;
    let received = upstream.take_received();
    ensure!(received.iter().all(|(tool, _)| tool == "big") && !received.is_empty(), "calls: {received:?}");
    // One answer is larger than what may wait.
    ensure!(received.len() == 1, "{} calls were made for a guest that reads no answer", received.len());
    ensure!(matches!(outcome.end, End::Stopped(Stop::Wall { .. })), "{}", outcome.end);
    Ok(())
}

async fn lying_zygote() -> anyhow::Result<()> {
    for script in
        ["head -c 100000 /dev/urandom >&3", "printf '\\377\\377\\377\\377\\041' >&3; sleep 60", "exit 3", "kill -9 $$"]
    {
        let place = tempfile::tempdir()?;
        let mut config = Config::default();
        config.executable =
            Some(executable(&place, &format!("if [ \"$2\" = zygote ]; then {script}; exit; fi\nexec THIS \"$@\""))?);
        let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
        let outcome = runtime
            .session(scopes.test, TestTools(Upstream::new("user")))
            .run("return (await test.add({ a: 1, b: 2 })).sum")
            .await?;
        ensure!(outcome.end == End::Returned(3.into()), "beside `{script}`: {}", outcome.end);
        ensure!(outcome.cost.origin == Origin::Spawned, "beside `{script}`: {:?}", outcome.cost.origin);
    }
    Ok(())
}

/// A machine that has no room for one more process has none for a spawned one either: the run fails, and the count says so.
async fn refused_forks() -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let mut config = Config::default();
    config.executable = Some(executable(&place, &format!("exec THIS {BARREN_ARGUMENT}"))?);
    let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
    let session = runtime.session(scopes.test, TestTools(Upstream::new("user")));
    for failed in 1..=2 {
        let ran = session.run("return 1").await;
        let Err(RunError::System { source, .. }) = &ran else { anyhow::bail!("run {failed}: {ran:?}") };
        ensure!(source.raw_os_error() == Some(Errno::AGAIN.raw_os_error()), "run {failed}: {source}");
        let metrics = runtime.metrics();
        ensure!((metrics.failed_forks, metrics.spawns) == (failed, 0), "run {failed}: {metrics:?}");
    }
    Ok(())
}
