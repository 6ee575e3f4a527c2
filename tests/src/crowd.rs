//! The crowd test: many runs alive at once, all waiting on a tool; then all answered, none lost, none mixed up.
//!
//! 200 in the tests; `cargo xtask crowd` has 5,000 in under 4 GB, page tables and all that the kernel keeps for them included.
//! And 64 that are full of data (SECURITY.md S-25): together they take no more than their limits are, together.

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

/// The check of runs that are full of data, as an argument.
const FULL: &str = "full";

/// Each in a process of its own.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("crowd::two_hundred_runs_wait_at_once_and_all_get_their_own_answer", || {
            roles::play_in_own_process(&["crowd", "--runs", "200"])
        }),
        Trial::test("crowd::runs_full_of_data_take_no_more_than_their_limits_are_together", || {
            roles::play_in_own_process(&["crowd", FULL])
        }),
    ]
}

/// `full`, or `[--runs N]`, 5,000 if it is not given.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    if let [check] = arguments
        && check == FULL
    {
        return runtime.block_on(full_of_data());
    }
    let runs = number_of_runs(arguments, 5_000)?;
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
    let all_wait = until(ALL_MAX, || upstream.running() == runs || waiting.try_join_next().is_some()).await;
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

/// 64 runs fill their buffers and half of their heap and wait: what each has taken of its own is counted beside one that waits with nothing.
#[expect(clippy::print_stdout, reason = "what the test prints if it is asked to")]
async fn full_of_data() -> anyhow::Result<()> {
    const RUNS: usize = 64;
    const HEAP_KB: u64 = 24 << 10;
    const BUFFERS_KB: u64 = 8 << 10;
    // Arrays of 128 KB until the heap has half of its limit: how far above that V8 goes before it gives up depends on the time that it needs.
    const FILL: &str = "const heap = []; for (let i = 0; i < 96; i++) heap.push(new Array(16384).fill(i + 0.5)); \
                        const buffer = new Uint8Array(8_000_000).fill(1); let refused = 'no'; \
                        try { new ArrayBuffer(400_000) } catch (error) { refused = error.name } \
                        await hold.until_told({}); return [heap.length, buffer.length, refused]";
    let mut config = Config::default();
    config.live_runs_max = RUNS + 1;
    config.ready_runs_max = 0;
    config.limits.wall_max = ALL_MAX * 2;
    config.limits.heap_bytes_max = usize::try_from(HEAP_KB << 10)?;
    config.limits.buffer_bytes_max = usize::try_from(BUFFERS_KB << 10)?;
    let runtime = Runtime::new(config)?;
    let scope = test_tools::scopes()?.hold;
    runtime.prepare(&scope).await?;
    let upstream = Upstream::new("crowd");
    let session = Arc::new(runtime.session(scope, TestTools(Arc::clone(&upstream))));
    let zygotes = process_table::descendants_of(process_table::host());
    let runs_there = || {
        let mut processes = process_table::descendants_of(process_table::host());
        processes.retain(|process| !zygotes.contains(process));
        processes
    };
    let own_kb = |process: u32| process_table::status_number(process, "RssAnon");

    let mut runs = tokio::task::JoinSet::new();
    let start = |runs: &mut tokio::task::JoinSet<_>, program: &'static str| {
        let session = Arc::clone(&session);
        runs.spawn(async move { session.run(program).await });
    };
    start(&mut runs, "await hold.until_told({}); return 'empty'");
    ensure!(until(ALL_MAX, || upstream.running() == 1).await, "a run does not call");
    let empty = *runs_there().first().context("no run")?;
    let empty_kb = own_kb(empty).context("no memory")?;
    let host_before_kb = process_table::status_number(process_table::host(), "RssAnon").context("no memory")?;
    for _ in 0..RUNS {
        start(&mut runs, FILL);
    }
    let mut ended = None;
    let all_wait = || {
        ended = runs.try_join_next();
        ended.is_some() || upstream.running() == RUNS + 1
    };
    ensure!(until(ALL_MAX, all_wait).await && ended.is_none(), "{} of {RUNS} runs wait; {ended:?}", upstream.running() - 1);
    let host_kb = process_table::status_number(process_table::host(), "RssAnon").context("no memory")?;
    let taken: Vec<u64> = runs_there()
        .into_iter()
        .filter(|run| *run != empty)
        .filter_map(|run| Some(own_kb(run)?.saturating_sub(empty_kb)))
        .collect();
    upstream.tell(true);
    while let Some(run) = runs.join_next().await {
        let end = run??.end;
        let expected = [serde_json::json!("empty"), serde_json::json!([96, 8_000_000, "RangeError"])];
        ensure!(matches!(&end, End::Returned(value) if expected.contains(value)), "{end}");
    }
    let (all, most) = (taken.iter().sum::<u64>(), taken.iter().max().copied().unwrap_or(0));
    println!(
        "crowd: {RUNS} runs full of data, with limits of {} kB, take {all} kB, at most {most} kB each",
        HEAP_KB + BUFFERS_KB
    );
    ensure!(taken.len() == RUNS && all > RUNS as u64 * (HEAP_KB * 3 / 8 + BUFFERS_KB), "the runs are not full: {taken:?}");
    ensure!(all <= RUNS as u64 * (HEAP_KB + BUFFERS_KB), "{all} kB, and {} are promised", RUNS as u64 * (HEAP_KB + BUFFERS_KB));
    ensure!(host_kb < host_before_kb + (32 << 10), "the host has grown from {host_before_kb} to {host_kb} kB");
    Ok(())
}
