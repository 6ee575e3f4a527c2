//! The crowd test: many runs alive at once, all waiting on a tool; then all answered, none lost, none mixed up.
//!
//! 200 in the tests; `cargo xtask crowd` has 5,000 in under 4 GB, page tables and all that the kernel keeps for them included.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{CallEnd, Config, End, Runtime};
use libtest_mimic::Trial;

use crate::kill::number_of_runs;
use crate::process_table::{self, Memory, until};
use crate::roles;
use crate::test_tools::{self, TestTools, Upstream};

/// What a run alive may take, bytes: 3.5 GB for 5,000.
const BYTES_PER_RUN_MAX: u64 = 700_000;
/// From this many runs on what they take is not lost in what else the machine does.
const MEASURED_FROM: usize = 1_000;
/// How long everything may take.
const ALL_MAX: Duration = Duration::from_secs(240);

/// 200 runs in a process of their own.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("crowd::two_hundred_runs_wait_at_once_and_all_get_their_own_answer", || {
        roles::play_in_own_process(&["crowd", "--runs", "200"])
    })]
}

/// `[--runs N]`, 5,000 if it is not given.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let runs = number_of_runs(arguments, 5_000)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(crowd(runs))
}

#[expect(clippy::print_stdout, reason = "a command that reports")]
async fn crowd(runs: usize) -> anyhow::Result<()> {
    let mut config = Config::default();
    config.live_runs_max = runs;
    config.ready_runs_max = 0;
    config.limits.wall_max = ALL_MAX * 2;
    let runtime = Runtime::new(config)?;
    check_descriptors(runs)?;
    let scope = test_tools::scopes()?.hold;
    runtime.prepare(&scope).await?;
    let upstream = Upstream::new("crowd");
    let session = Arc::new(runtime.session(scope, TestTools(Arc::clone(&upstream))));
    let zygotes = process_table::descendants_of(process_table::host()).len();
    let before = Memory::now().context("`/proc/meminfo` cannot be read")?;

    let started = Instant::now();
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..runs {
        let session = Arc::clone(&session);
        waiting.spawn(async move { (number, session.run(&format!("return await hold.until_told({{ id: {number} }})")).await) });
    }
    let all_wait = until(ALL_MAX, || upstream.running() == runs || !waiting.is_empty() && waiting.len() < runs).await;
    ensure!(all_wait && upstream.running() == runs, "{} of {runs} runs wait for their tool", upstream.running());
    let all_there = started.elapsed();
    let used = Memory::now().context("`/proc/meminfo` cannot be read")?.taken_since(before);
    let processes = process_table::descendants_of(process_table::host()).len() - zygotes;
    ensure!(processes == runs, "{processes} processes for {runs} runs");

    let told = Instant::now();
    upstream.tell(true);
    let mut answered = 0;
    while let Some(run) = waiting.join_next().await {
        let (number, outcome) = run?;
        let outcome = outcome.with_context(|| format!("run {number}"))?;
        ensure!(outcome.end == End::Returned(serde_json::json!({ "id": number })), "run {number}: {}", outcome.end);
        ensure!(outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Answered, "run {number}: {:?}", outcome.calls);
        answered += 1;
    }
    ensure!(answered == runs, "{answered} of {runs} runs were answered");
    let all_answered = told.elapsed();
    let gone = until(Duration::from_secs(10), || process_table::descendants_of(process_table::host()).len() == zygotes).await;
    ensure!(gone, "processes are left: {}", process_table::descendants_of(process_table::host()).len() - zygotes);

    let each = used / u64::try_from(runs.max(1))?;
    println!(
        "crowd: {runs} runs alive at once after {:.2} s, {} MB in use, {} kB each; all answered in {:.2} s, none \
         lost, none mixed up",
        all_there.as_secs_f64(),
        used / 1_000_000,
        each / 1_000,
        all_answered.as_secs_f64(),
    );
    ensure!(runs < MEASURED_FROM || each <= BYTES_PER_RUN_MAX, "{each} bytes a run, at most {BYTES_PER_RUN_MAX} are promised");
    Ok(())
}

/// Three descriptors a run; the runtime has raised the limit as far as it may.
fn check_descriptors(runs: usize) -> anyhow::Result<()> {
    let wanted = u64::try_from(runs * 3 + 64)?;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    ensure!(
        limit >= wanted,
        "{runs} runs need {wanted} descriptors, the limit is {limit}: raise the hard limit (`ulimit -Hn`)"
    );
    Ok(())
}
