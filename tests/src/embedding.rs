//! What an application that embeds Isolet does first, does wrong, and does when it ends.

use std::future::Future;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use isolet::{Config, End, Isolation, RunError, Runtime, Session};
use libtest_mimic::Trial;

use crate::process_table::{self, until};
use crate::required;
use crate::roles;
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host that looks at its processes; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--embedding-host";
/// The first argument of a process that does not call `isolet::init()`.
const WITHOUT_INIT_ARGUMENT: &str = "--without-init";
/// In the environment of a process that starts a thread before it calls `isolet::init()`.
const THREAD_VARIABLE: &str = "ISOLET_TEST_THREAD";
/// How long what has been ended may take to be gone.
const SOON: Duration = Duration::from_secs(10);

const HOSTS: [&str; 2] = ["two_runtimes_serve_side_by_side", "dropping_runtime_and_session_leaves_no_process"];

/// Every trial of this module.
pub(crate) fn trials() -> Vec<Trial> {
    let here = |name: &str, test: fn() -> Result<()>| {
        Trial::test(format!("embedding::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    };
    let mut trials = vec![
        Trial::test("embedding::a_runtime_without_init_fails_with_the_way_out", || {
            roles::play_in_own_process(&[WITHOUT_INIT_ARGUMENT])
        }),
        here("a_guest_in_a_process_with_threads_refuses_and_says_so", || block_on(guest_with_threads())),
        here("strict_isolation_is_had_or_refused", || block_on(strict_isolation())),
        here("a_run_beyond_the_queue_is_refused_and_those_in_it_are_not", || block_on(beyond_the_queue())),
    ];
    trials.extend(
        HOSTS.map(|check| {
            Trial::test(format!("embedding::{check}"), move || roles::play_in_own_process(&[HOST_ARGUMENT, check]))
        }),
    );
    trials
}

/// What some tests need to happen before `isolet::init()`; the result of a process that never calls it.
pub(crate) fn play_before_init() -> Option<Result<()>> {
    if std::env::var_os(THREAD_VARIABLE).is_some() {
        std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
    }
    (std::env::args().nth(1)? == WITHOUT_INIT_ARGUMENT).then(without_init)
}

/// Plays a host.
pub(crate) fn host(arguments: &[String]) -> Result<()> {
    match arguments {
        [check] if check == HOSTS[0] => block_on(two_runtimes()),
        [check] if check == HOSTS[1] => block_on(drop_everything()),
        _ => bail!("unknown check {arguments:?}"),
    }
}

fn block_on(test: impl Future<Output = Result<()>>) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(test)
}

fn session(runtime: &Runtime, upstream: &Arc<Upstream>) -> Result<Session> {
    Ok(runtime.session(test_tools::scopes()?.both, TestTools(Arc::clone(upstream))))
}

/// A run whose result says that it ran.
async fn check_run(session: &Session) -> Result<()> {
    let outcome = session.run("return (await test.add({ a: 1, b: 2 })).sum").await?;
    ensure!(outcome.end == End::Returned(3.into()), "{}", outcome.end);
    Ok(())
}

fn without_init() -> Result<()> {
    let Err(error) = Runtime::new(Config::default()) else { bail!("a runtime was made") };
    ensure!(matches!(error, RunError::NotInitialised), "{error:?}");
    let way_out = "call `isolet::init()` as the first line of `main`, or set `Config::executable`";
    ensure!(error.to_string().contains(way_out), "{error}");
    // The other way out.
    let mut config = Config::default();
    config.executable = Some(std::env::current_exe()?);
    block_on(async { check_run(&session(&Runtime::new(config)?, &Upstream::new("user"))?).await })
}

async fn guest_with_threads() -> Result<()> {
    let place = tempfile::tempdir()?;
    let executable = place.path().join("guest");
    let mut script = std::fs::File::create(&executable)?;
    write!(script, "#!/bin/sh\n{THREAD_VARIABLE}=1 exec '{}' \"$@\"\n", std::env::current_exe()?.display())?;
    script.set_permissions(std::fs::Permissions::from_mode(0o755))?;
    drop(script);
    let mut config = Config::default();
    config.executable = Some(executable);
    let refused = session(&Runtime::new(config)?, &Upstream::new("user"))?.run("return 1").await;
    let Err(RunError::Refused { reason }) = refused else { bail!("{refused:?}") };
    let expected = "`isolet::init()` was called in a process that already has 2 threads: call it as the first line of `main`";
    ensure!(reason.starts_with(expected), "{reason}");
    Ok(())
}

async fn strict_isolation() -> Result<()> {
    let mut config = Config::default();
    config.isolation = Isolation::Strict;
    let runtime = Runtime::new(config.clone())?;
    // The walls are those of the zygotes of scopes, where there is one.
    let _ = runtime.prepare(&test_tools::scopes()?.both).await;
    let report = runtime.isolation().await;
    let ran = session(&runtime, &Upstream::new("user"))?.run("return 1").await;
    let is_strict = report.no_new_privileges && report.landlock && report.seccomp;
    if required::is_there("landlock or seccomp", is_strict)? {
        ensure!(ran?.end == End::Returned(1.into()), "{report:?}");
    } else {
        ensure!(matches!(ran, Err(RunError::NotIsolated { .. })) && !report.missing.is_empty(), "{report:?}: {ran:?}");
    }
    let open = Runtime::new(config.dangerous().without_jail())?;
    let ran = session(&open, &Upstream::new("user"))?.run("return 1").await;
    ensure!(matches!(ran, Err(RunError::NotIsolated { .. })), "without its jail: {ran:?}");
    Ok(())
}

async fn beyond_the_queue() -> Result<()> {
    let mut config = Config::default();
    (config.live_runs_max, config.waiting_runs_max) = (1, 1);
    let (runtime, upstream) = (Runtime::new(config)?, Upstream::new("user"));
    let session = Arc::new(session(&runtime, &upstream)?);
    let running = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.run("return (await hold.until_told({ id: 1 })).id").await }
    });
    ensure!(until(SOON, || upstream.running() == 1).await, "the first run does not call");
    let mut waiting = Box::pin(session.run("return 2"));
    ensure!(futures::poll!(&mut waiting).is_pending(), "the second run waits for the first one's place");
    let refused = session.run("return 3").await;
    let Err(RunError::Overloaded { waiting: count, retry_after }) = refused else { bail!("{refused:?}") };
    ensure!(count == 1 && !retry_after.is_zero(), "{count}, {retry_after:?}");
    ensure!(runtime.metrics().overloaded == 1, "{:?}", runtime.metrics());
    upstream.tell(true);
    ensure!(running.await??.end == End::Returned(1.into()), "the run that had the place");
    ensure!(waiting.await?.end == End::Returned(2.into()), "the run that waited");
    ensure!(session.run("return 4").await?.end == End::Returned(4.into()), "a run after the rush");
    Ok(())
}

fn processes() -> Vec<u32> {
    process_table::descendants_of(process_table::host())
}

async fn two_runtimes() -> Result<()> {
    let runtimes = [Runtime::new(Config::default())?, Runtime::new(Config::default())?];
    let [first, second] = runtimes.each_ref().map(|runtime| session(runtime, &Upstream::new("user")));
    let (first, second) = (first?, second?);
    let runs = (0..20).map(|number| check_run(if number % 2 == 0 { &first } else { &second }));
    futures::future::try_join_all(runs).await?;
    let [runtime, other] = runtimes;
    let before = processes().len();
    drop((runtime, first));
    ensure!(until(SOON, || processes().len() < before).await, "the processes of the first runtime go on: {:?}", processes());
    check_run(&second).await?;
    drop((other, second));
    ensure!(until(SOON, || processes().is_empty()).await, "processes are left: {:?}", processes());
    Ok(())
}

async fn drop_everything() -> Result<()> {
    let upstream = Upstream::new("user");
    let runtime = Runtime::new(Config::default())?;
    runtime.prepare(&test_tools::scopes()?.both).await?;
    let session = session(&runtime, &upstream)?;
    drop(runtime);
    check_run(&session).await?; // a session holds its runtime
    let run = tokio::spawn(async move { session.run("await hold.until_told({})").await.map(drop) });
    ensure!(until(SOON, || upstream.running() == 1).await, "the run does not call");
    ensure!(processes().len() >= 3, "two zygotes and a run: {:?}", processes());
    run.abort();
    ensure!(until(SOON, || processes().is_empty()).await, "processes are left: {:?}", processes());
    ensure!(until(SOON, || upstream.running() == 0).await, "a call is left");
    Ok(())
}
