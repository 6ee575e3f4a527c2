//! Guest processes that die, lie or stay, and the walls around them: whatever one does, the others do not notice.

use std::io::BufRead as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{Config, End, Isolation, LowerLimits, Origin, Outcome, RunError, RunOptions, Runtime, Scope, Start, Stop};
use libtest_mimic::{Failed, Trial};
use rustix::io::Errno;
use rustix::process::{Pid, Signal};

use crate::lies::{BARREN_ARGUMENT, deaf_guest, executable, forged_frames};
use crate::process_table::{self, until};
use crate::required;
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--process-host";

/// From a limit to the answer: 10 ms, and ten times that on a machine that does other things.
const ANSWER_MAX: Duration = Duration::from_millis(10 * 10);
/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

const CHECKS: &[Check] = &[
    ("a_killed_zygote_of_a_scope_loses_its_own_runs_only_and_is_replaced", || roles::drive(kill_scope_zygote())),
    ("a_killed_base_zygote_is_replaced", || roles::drive(kill_base_zygote())),
    ("runs_and_zygotes_are_behind_the_walls", || roles::drive(walls_of_forks())),
    ("a_spawned_run_is_behind_the_walls", || roles::drive(walls_of_spawned())),
    ("the_answer_comes_soon_after_a_limit", || roles::drive(answers_after_limits())),
    ("forged_frames_fail_their_own_run_alone", || roles::drive(forged_frames())),
    ("a_guest_that_does_not_read_is_not_listened_to", || roles::drive(deaf_guest())),
    ("a_zygote_that_lies_is_not_used", || roles::drive(lying_zygote())),
    ("a_dropped_session_ends_its_runs", || roles::drive(drop_session())),
    ("a_fork_that_the_system_refuses_is_an_error_of_its_run", || roles::drive(refused_forks())),
    ("a_killed_zygote_is_replaced_at_once_where_isolation_is_strict", || roles::drive(kill_strict_zygote())),
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = roles::trials_of("processes", HOST_ARGUMENT, CHECKS);
    trials.push(Trial::test("processes::a_killed_host_leaves_no_guest", kill_host));
    trials
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    if arguments == ["to-be-killed"] {
        return roles::drive(wait_to_be_killed());
    }
    roles::make_one(CHECKS, arguments)
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
