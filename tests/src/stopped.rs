//! Guest processes that are stopped (SIGSTOP): no answer comes from them and no end either. Whoever waited goes on elsewhere, and no
//! program is blamed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{Config, End, Origin, Outcome, RunError, Runtime, Session, Start};
use libtest_mimic::Trial;
use rustix::process::Signal;

use crate::process_table::{self, until};
use crate::processes::{signal, waiting_run, zygotes};
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--stopped-host";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(20);
/// How long a run may wait for a zygote that does not answer: far less than the 30 seconds that a program has.
const ELSEWHERE_MAX: Duration = Duration::from_secs(10);

const CHECKS: &[Check] = &[
    ("a_stopped_zygote_of_a_scope_is_replaced_and_its_live_runs_go_on", || roles::drive(stopped_scope_zygote())),
    ("a_stopped_base_zygote_is_replaced", || roles::drive(stopped_base_zygote())),
    ("where_all_zygotes_are_stopped_runs_are_started_elsewhere", || roles::drive(all_stopped())),
    ("a_ready_run_that_is_stopped_is_not_used", || roles::drive(stopped_ready_run())),
    ("a_live_run_that_is_stopped_is_the_fault_of_the_host", || roles::drive(stopped_live_run(Config::default()))),
    ("a_spawned_run_that_is_stopped_is_the_fault_of_the_host", || {
        roles::drive(async {
            let mut config = Config::default();
            config.start = Start::Spawn;
            stopped_live_run(config).await
        })
    }),
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    roles::trials_of("stopped", HOST_ARGUMENT, CHECKS)
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// A run that is answered in far less than a program's own time.
async fn run_elsewhere(session: &Session) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let outcome = session.run("return 1").await?;
    ensure!(outcome.end == End::Returned(1.into()), "after {:?}: {}", started.elapsed(), outcome.end);
    ensure!(started.elapsed() < ELSEWHERE_MAX, "it took {:?}", started.elapsed());
    Ok(outcome)
}

async fn stopped_scope_zygote() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.hold).await?;
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    let upstream = Upstream::new("user");
    let live = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    signal(zygote, Signal::STOP)?;
    let session = runtime.session(scopes.hold.clone(), TestTools(Arc::clone(&upstream)));
    for _ in 0..6 {
        run_elsewhere(&session).await?;
    }
    upstream.tell(true);
    let outcome = live.await??;
    ensure!(outcome.end == End::Returned(7.into()), "the live run of a stopped zygote: {}", outcome.end);
    ensure!(until(SOON, || !process_table::is_alive(zygote)).await, "the stopped zygote stays for ever");
    runtime.prepare(&scopes.hold).await?;
    let outcome = run_elsewhere(&session).await?;
    ensure!(outcome.cost.origin == Origin::Ready, "after the replacement: {outcome:?}");
    Ok(())
}

async fn stopped_base_zygote() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.hold).await?;
    let (base, _) = zygotes().await?;
    let upstream = Upstream::new("user");
    // One from the zygote of its scope, one from the base zygote.
    let runs = [waiting_run(&runtime, &scopes.hold, &upstream).await?, waiting_run(&runtime, &scopes.both, &upstream).await?];
    signal(base, Signal::STOP)?;
    let session = runtime.session(scopes.test, TestTools(Arc::clone(&upstream)));
    run_elsewhere(&session).await?;
    upstream.tell(true);
    for run in runs {
        let outcome = run.await??;
        ensure!(outcome.end == End::Returned(7.into()), "a live run of a stopped base zygote: {}", outcome.end);
    }
    let started = Instant::now();
    while run_elsewhere(&session).await?.cost.origin == Origin::Spawned {
        ensure!(started.elapsed() < SOON, "runs are still spawned");
    }
    ensure!(until(SOON, || !process_table::is_alive(base)).await, "the stopped base zygote stays for ever");
    Ok(())
}

/// The base zygote cannot say that the zygote of the scope is stopped: what is not answered in time is found out.
async fn all_stopped() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.ready_runs_max = 0;
    let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
    runtime.prepare(&scopes.test).await?;
    let base = process_table::children_of(process_table::host());
    for zygote in base.iter().copied().chain(base.iter().flat_map(|base| process_table::children_of(*base))) {
        signal(zygote, Signal::STOP)?;
    }
    let session = runtime.session(scopes.test, TestTools(Upstream::new("user")));
    // At once, so that many are asked for before the first is missed.
    let runs = futures::future::join_all((0..8).map(|_| run_elsewhere(&session))).await;
    runs.into_iter().try_for_each(|run| run.map(drop))
}

async fn stopped_ready_run() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    runtime.prepare(&scopes.test).await?;
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    ensure!(until(SOON, || process_table::children_of(zygote).len() == runtime.metrics().ready).await, "no ready runs");
    let ready = process_table::children_of(zygote);
    for run in &ready {
        signal(*run, Signal::STOP)?;
    }
    let gone = until(SOON, || ready.iter().all(|run| !process_table::is_alive(*run)));
    ensure!(gone.await, "ready runs that are stopped stay: {ready:?}");
    run_elsewhere(&runtime.session(scopes.test, TestTools(Upstream::new("user")))).await?;
    Ok(())
}

async fn stopped_live_run(config: Config) -> anyhow::Result<()> {
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    let before = process_table::descendants_of(process_table::host());
    let run = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let waiting = process_table::descendants_of(process_table::host());
    let process = waiting.iter().copied().filter(|process| !before.contains(process)).max().context("no process of the run")?;
    signal(process, Signal::STOP)?;
    let started = Instant::now();
    let ended = run.await?;
    ensure!(matches!(ended, Err(RunError::Interrupted)), "a run that was stopped from outside: {ended:?}");
    ensure!(started.elapsed() < ELSEWHERE_MAX, "it took {:?}", started.elapsed());
    ensure!(until(SOON, || !process_table::is_alive(process)).await, "the stopped run stays");
    Ok(())
}
