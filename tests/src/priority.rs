//! Runs that compute give way: to the host, and to whoever's run has just begun.
//!
//! `isolet-tests neighbours --loops 200` measures what endless loops cost a neighbour.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{Config, End, LowerLimits, RunOptions, Runtime, Session, Start, Stop};
use libtest_mimic::Trial;

use crate::process_table::{self, until};
use crate::processes::waiting_run;
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--priority-host";
/// The first argument of the measurement.
pub(crate) const NEIGHBOURS_ARGUMENT: &str = "neighbours";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(20);
/// What `sched(7)` calls the lowest of policies.
const SCHED_IDLE: &str = "5";
/// Endless loops beside the neighbour in the test: enough to share each processor among ten and more.
const LOOPS: usize = 40;

const CHECKS: &[Check] = &[
    ("a_forked_run_that_computes_gives_way_and_one_that_waits_does_not", || roles::drive(who_gives_way(Start::Fork))),
    ("a_spawned_run_that_computes_gives_way_and_one_that_waits_does_not", || roles::drive(who_gives_way(Start::Spawn))),
    ("endless_loops_hardly_delay_a_neighbour_and_end_on_time", || {
        roles::drive(async {
            let found = measure(LOOPS).await?;
            let most = found.alone.p50 * 5 + Duration::from_millis(20);
            ensure!(found.beside.p50 <= most, "the neighbour's median: {found:?}");
            ensure!(found.late < Duration::from_secs(1), "the last loop ended {:?} late", found.late);
            Ok(())
        })
    }),
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    roles::trials_of("priority", HOST_ARGUMENT, CHECKS)
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// The processes of this host that give way to others.
fn lowered() -> Vec<u32> {
    let processes = process_table::descendants_of(process_table::host()).into_iter();
    processes.filter(|process| process_table::policy(*process).as_deref() == Some(SCHED_IDLE)).collect()
}

async fn who_gives_way(start: Start) -> anyhow::Result<()> {
    let mut config = Config::default();
    (config.start, config.ready_runs_max) = (start, 0);
    config.limits.cpu_max = Duration::from_secs(3);
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.both).await?;
    let waiting = waiting_run(&runtime, &scopes.both, &upstream).await?;
    let others = process_table::descendants_of(process_table::host());
    let cores = std::thread::available_parallelism()?.get();
    let session = Arc::new(runtime.session(scopes.both, TestTools(Arc::clone(&upstream))));
    let mut computing = tokio::task::JoinSet::new();
    for _ in 0..cores {
        let session = Arc::clone(&session);
        computing.spawn(async move { session.run("await hold.until_told({}); for (;;);").await });
    }
    ensure!(until(SOON, || upstream.running() == 1 + cores).await, "the runs do not call");
    ensure!(lowered().is_empty(), "runs that wait give way: {:?}", lowered());
    upstream.tell(true);
    ensure!(waiting.await??.end == End::Returned(7.into()), "the run that waited");
    ensure!(until(SOON, || lowered().len() == cores).await, "not all that compute give way: {:?}", lowered());
    ensure!(lowered().iter().all(|process| !others.contains(process)), "more than they: {:?} of {others:?}", lowered());
    while let Some(run) = computing.join_next().await {
        let end = run??.end;
        // They have what strangers on this machine leave them: that may be less than their limit.
        ensure!(matches!(end, End::Stopped(Stop::Cpu { .. } | Stop::Wall { .. })), "{end}");
    }
    Ok(())
}

/// The half, and the hundredth, of runs that took longest.
#[derive(Clone, Copy, Debug)]
struct Latencies {
    p50: Duration,
    p99: Duration,
}

/// What a neighbour's runs take, alone and beside endless loops, and how late the last loop ended.
#[derive(Clone, Copy, Debug)]
struct Found {
    alone: Latencies,
    beside: Latencies,
    late: Duration,
}

/// `--loops N`
#[expect(clippy::print_stdout, reason = "a command that reports")]
pub(crate) fn neighbours(arguments: &[String]) -> anyhow::Result<()> {
    let [option, loops] = arguments else { anyhow::bail!("`--loops N`, not {arguments:?}") };
    ensure!(option == "--loops", "`--loops N`, not {arguments:?}");
    let loops = loops.parse().with_context(|| format!("`--loops {loops}`: not a number"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let found = runtime.block_on(measure(loops))?;
    let Found { alone, beside, late } = found;
    println!(
        "a neighbour's run: {:?} at the median and {:?} at p99 alone, {:?} and {:?} beside {loops} endless loops, the last of which ended {late:?} late",
        alone.p50, alone.p99, beside.p50, beside.p99
    );
    Ok(())
}

async fn measure(loops: usize) -> anyhow::Result<Found> {
    const RUNS: usize = 300;
    const LIMIT: Duration = Duration::from_secs(10);
    let (runtime, scopes, told) = (Runtime::new(Config::default())?, test_tools::scopes()?, Upstream::new("tenant"));
    runtime.prepare(&scopes.test).await?;
    let neighbour = runtime.session(scopes.test, TestTools(Upstream::new("neighbour"))).of_user("neighbour");
    let tenant = Arc::new(runtime.session(scopes.hold, TestTools(Arc::clone(&told))).of_user("tenant"));
    let alone = latencies(&neighbour, RUNS).await?;
    let mut limits = LowerLimits::default();
    (limits.cpu_max, limits.wall_max) = (Some(LIMIT), Some(LIMIT));
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..loops {
        let (tenant, limits) = (Arc::clone(&tenant), limits.clone());
        runs.spawn(async move {
            let options = RunOptions::default().with(|options| options.limits = limits);
            let outcome = tenant.run_with("await hold.until_told({}); for (;;) await null", options).await?;
            anyhow::Ok((outcome.end, Instant::now()))
        });
    }
    ensure!(until(SOON, || told.running() == loops).await, "{} loops, not {loops}", told.running());
    // Now the time of each has begun.
    let last_end = Instant::now() + LIMIT;
    told.tell(true);
    ensure!(until(LIMIT / 2, || lowered().len() == loops).await, "{} of {loops} loops give way", lowered().len());
    let beside = latencies(&neighbour, RUNS).await?;
    let mut late = Duration::ZERO;
    while let Some(run) = runs.join_next().await {
        let (end, ended) = run??;
        ensure!(matches!(end, End::Stopped(Stop::Wall { .. } | Stop::Cpu { .. })), "a loop: {end}");
        late = late.max(ended.saturating_duration_since(last_end));
    }
    Ok(Found { alone, beside, late })
}

async fn latencies(session: &Session, runs: usize) -> anyhow::Result<Latencies> {
    let mut latencies = Vec::new();
    for _ in 0..runs {
        let started = Instant::now();
        let outcome = session.run("return (await test.add({ a: 1, b: 2 })).sum").await?;
        ensure!(outcome.end == End::Returned(3.into()), "a neighbour's run: {}", outcome.end);
        latencies.push(started.elapsed());
        // As requests come: the next one finds a run that was forked ahead.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    latencies.sort();
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied().unwrap_or_default();
    Ok(Latencies { p50: at(50), p99: at(99) })
}
