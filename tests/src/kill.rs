//! The kill test: thousands of programs that take their process down, against one host process.
//!
//! The host is not restarted, loses no benign answer, and is as large as before: memory, threads, descriptors, children of
//! host and zygotes. 500 runs in the tests; `isolet-tests kill --runs 10000` for more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{Config, End, Jit, LowerLimits, RunOptions, Runtime, Session, Stop};
use libtest_mimic::Trial;

use crate::process_table::{self, until};
use crate::roles;
use crate::test_tools::{self, TestTools, Upstream};

/// Hostile runs at a time.
const AT_ONCE: usize = 6;
/// How much more memory host or zygotes may hold at the end, kB.
const GROWTH_MAX_KB: u64 = 16 << 10;

/// A program that takes its process down, or must be killed; its class.
pub(crate) type Lethal = (&'static str, &'static str);

/// What one line can do to a process that runs V8 (SECURITY.md §1.1).
pub(crate) const LETHAL: &[Lethal] = &[
    ("loop", "for (;;);"),
    ("loop", "const f = () => { try { for (;;); } finally { f(); } }; f();"),
    ("microtask", "for (;;) await null;"),
    ("microtask", "const again = () => Promise.resolve().then(again); await again(); await new Promise(() => {});"),
    ("native", "return [].indexOf.call({ length: 2 ** 53 - 1 }, 1);"),
    ("native", "return Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 1);"),
    ("native", "return Array.prototype.every.call({ length: 2 ** 53 - 1 }, Boolean);"),
    ("native", "return /^(a+)+$/.test('a'.repeat(60) + '!');"),
    ("native", "let n = 3n; for (;;) n *= n;"),
    ("one allocation", "return 'x'.repeat(2 ** 28).split('').length;"),
    ("one allocation", "return [...'ab'.repeat(2 ** 27)].length;"),
    ("one allocation", "let s = 'a'; for (let i = 0; i < 28; i++) s += s; return s.charCodeAt(7) + new Map([[s, 1]]).size;"),
    ("one allocation", "return Array.from(new Uint8Array(30 << 20)).length;"),
    ("heap", "const kept = []; for (;;) kept.push(new Array(1000).fill(kept.length));"),
    ("heap", "const kept = {}; for (let i = 0; ; i++) kept['key' + i] = { i };"),
    ("heap", "let s = []; for (;;) s = [s, s.concat(s), 'x'.repeat(1000)];"),
    ("buffers", "const kept = []; for (;;) try { kept.push(new ArrayBuffer(1 << 20)); } catch {}"),
    ("stack", "const f = () => { try { f(); } finally { f(); } }; f();"),
    ("stack", "let a = []; for (let i = 0; i < 1e6; i++) a = [a]; return a;"),
    ("stack", "let e = new Error('0'); for (let i = 0; i < 1e6; i++) e = new Error('x', { cause: e }); throw e;"),
    ("output", "for (;;) console.log('x'.repeat(60_000));"),
    ("calls", "for (;;) test.slow({ ms: 60_000 }).catch(() => {}), await null;"),
    ("calls", "for (;;) await test.echo({ value: 'x'.repeat(100_000) });"),
    ("result", "return { toJSON() { for (;;); } };"),
    ("result", "return new Proxy([], { get() { for (;;); } });"),
    (
        "throw",
        "const e = new Error('x'); e.errors = [e]; Object.defineProperty(e, 'cause', { get: () => new Error('y', { cause: e }) }); for (;;) try { throw e } catch (again) { await Promise.reject(again).catch(() => {}); }",
    ),
];

/// 500 runs in a process of their own, and some with native code.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("kill::five_hundred_lethal_runs_leave_one_host_as_it_was", || {
            roles::play_in_own_process(&["kill", "--runs", "500"])
        }),
        Trial::test("kill::lethal_runs_with_native_code_leave_one_host_as_it_was", || {
            roles::play_in_own_process(&["kill", NATIVE_CODE, "--runs", "60"])
        }),
    ]
}

/// The argument that turns native code on.
const NATIVE_CODE: &str = "--native-code";

/// `[--native-code] [--runs N]`, 10,000 if it is not given.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let mut config = Config::default();
    let mut arguments = arguments;
    if let Some((first, rest)) = arguments.split_first()
        && first == NATIVE_CODE
    {
        (config.jit, arguments) = (Jit::On, rest);
    }
    let runs = number_of_runs(arguments, 10_000)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(kill(config, runs))
}

/// The number after `--runs`.
pub(crate) fn number_of_runs(arguments: &[String], otherwise: usize) -> anyhow::Result<usize> {
    match arguments {
        [] => Ok(otherwise),
        [option, runs] if option == "--runs" => runs.parse().with_context(|| format!("`--runs {runs}`: not a number")),
        _ => anyhow::bail!("unknown arguments {arguments:?}: the only one is `--runs N`"),
    }
}

/// A user's session, and where its calls arrive.
struct User {
    session: Session,
    upstream: Arc<Upstream>,
}

/// What host and zygotes hold, ready runs left out.
#[derive(Clone, Debug)]
struct Footprint {
    zygotes: Vec<u32>,
    host_kb: u64,
    zygotes_kb: u64,
    threads: usize,
    descriptors: usize,
    children: usize,
}

fn footprint(runtime: &Runtime) -> Footprint {
    let host = process_table::host();
    let descendants = process_table::descendants_of(host);
    let zygotes: Vec<_> =
        descendants.iter().copied().filter(|process| !process_table::children_of(*process).is_empty()).collect();
    let ready = runtime.metrics().ready;
    Footprint {
        host_kb: process_table::status_number(host, "VmRSS").unwrap_or(0),
        zygotes_kb: zygotes.iter().filter_map(|zygote| process_table::status_number(*zygote, "VmRSS")).sum(),
        threads: process_table::threads(host),
        descriptors: process_table::descriptors(host).saturating_sub(2 * ready),
        children: descendants.len().saturating_sub(ready),
        zygotes,
    }
}

async fn kill(config: Config, runs: usize) -> anyhow::Result<()> {
    let runtime = Runtime::new(config)?;
    let scope = test_tools::scopes()?.test;
    runtime.prepare(&scope).await?;
    let session = |user: &str| {
        let upstream = Upstream::new(user);
        Arc::new(User { session: runtime.session(scope.clone(), TestTools(Arc::clone(&upstream))), upstream })
    };
    let (attacker, victim) = (session("attacker"), session("victim"));
    // What grows once: the allocator's and tokio's own memory.
    hostile_runs(&attacker, LETHAL.len() * 2).await?;
    benign_run(&victim, 0).await?;
    let before = at_rest(&runtime).await?;

    let started = Instant::now();
    let over = Arc::new(AtomicUsize::new(0));
    let benign = tokio::spawn(benign_runs(Arc::clone(&victim), Arc::clone(&over)));
    let endings = hostile_runs(&attacker, runs).await?;
    over.store(1, Ordering::Relaxed);
    let latencies = benign.await??;
    let took = started.elapsed();

    let after = at_rest(&runtime).await?;
    ensure!(after.zygotes == before.zygotes, "the zygotes were {:?} and are {:?}", before.zygotes, after.zygotes);
    ensure!(runtime.metrics().zygotes_lost == 0, "a zygote was lost");
    ensure!(after.threads == before.threads, "threads: {} before, {} after", before.threads, after.threads);
    ensure!(after.descriptors == before.descriptors, "descriptors: {} before, {} after", before.descriptors, after.descriptors);
    ensure!(after.children == before.children, "processes: {} before, {} after", before.children, after.children);
    ensure!(
        after.host_kb <= before.host_kb + GROWTH_MAX_KB,
        "the host has grown from {} to {} kB",
        before.host_kb,
        after.host_kb
    );
    ensure!(after.zygotes_kb <= before.zygotes_kb + GROWTH_MAX_KB, "the zygotes have grown: {before:?} {after:?}");
    report(runs, took, &endings, &latencies, &before, &after);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a command that reports")]
fn report(runs: usize, took: Duration, endings: &[usize; 6], latencies: &[Duration], before: &Footprint, after: &Footprint) {
    let [timeouts, memory, lost, outputs, threw, returned] = endings;
    let mut latencies = latencies.to_vec();
    latencies.sort();
    println!(
        "kill: {runs} lethal runs in {:.1} s: {timeouts} out of time, {memory} out of memory, {lost} lost, {outputs} too much output or calls, \
         {threw} threw, {returned} returned; {} benign answers, all right, p50 {:?}, p99 {:?}; host {} -> {} kB, zygotes {} -> {} kB, \
         {} threads, {} descriptors, {} processes, before and after",
        took.as_secs_f64(),
        latencies.len(),
        latencies.get(latencies.len() / 2).copied().unwrap_or_default(),
        latencies.get(latencies.len() * 99 / 100).copied().unwrap_or_default(),
        before.host_kb,
        after.host_kb,
        before.zygotes_kb,
        after.zygotes_kb,
        after.threads,
        after.descriptors,
        after.children,
    );
}

/// What there is once it stays the same.
async fn at_rest(runtime: &Runtime) -> anyhow::Result<Footprint> {
    let mut last = footprint(runtime);
    let rests = until(Duration::from_secs(10), || {
        let now = footprint(runtime);
        let before = std::mem::replace(&mut last, now.clone());
        (before.children, before.descriptors, before.threads) == (now.children, now.descriptors, now.threads)
            && now.children == now.zygotes.len()
    });
    ensure!(rests.await, "host and zygotes do not come to rest: {last:?}");
    Ok(last)
}

/// Runs that many lethal programs, some at a time; how they ended.
async fn hostile_runs(user: &Arc<User>, runs: usize) -> anyhow::Result<[usize; 6]> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (user, next) = (Arc::clone(user), Arc::clone(&next));
        lanes.spawn(async move {
            let mut endings = [0; 6];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= runs {
                    return anyhow::Ok(endings);
                }
                // A few once each, then at random.
                let choice = if number < LETHAL.len() { number } else { fastrand::usize(..LETHAL.len()) };
                endings[hostile_run(&user, LETHAL[choice]).await?] += 1;
            }
        });
    }
    let mut endings = [0; 6];
    while let Some(lane) = lanes.join_next().await {
        endings.iter_mut().zip(lane??).for_each(|(sum, count)| *sum += count);
    }
    Ok(endings)
}

async fn hostile_run(user: &User, (class, program): Lethal) -> anyhow::Result<usize> {
    let mut limits = LowerLimits::default();
    limits.cpu_max = Some(Duration::from_millis(50));
    limits.wall_max = Some(Duration::from_secs(5));
    let options = RunOptions::default().with(|options| options.limits = limits);
    let outcome = user.session.run_with(program, options).await.with_context(|| format!("{class}: {program}"))?;
    user.upstream.take_received();
    Ok(match outcome.end {
        End::Stopped(Stop::Cpu { .. } | Stop::Wall { .. }) => 0,
        End::Stopped(Stop::Heap { .. } | Stop::Data) => 1,
        End::Stopped(Stop::GuestLost { .. }) => 2,
        End::Stopped(Stop::Output { .. } | Stop::Calls { .. } | Stop::Traffic { .. } | Stop::Deadlock { .. }) => 3,
        End::Threw(_) => 4,
        End::Returned(_) => 5,
        End::Stopped(stop) => anyhow::bail!("{class}: {program}: nobody did that: {stop}"),
    })
}

/// Benign runs until it is over: how long each took.
async fn benign_runs(user: Arc<User>, over: Arc<AtomicUsize>) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::new();
    while over.load(Ordering::Relaxed) == 0 {
        latencies.push(benign_run(&user, latencies.len()).await?);
    }
    Ok(latencies)
}

async fn benign_run(user: &User, number: usize) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let outcome =
        user.session.run(&format!("return (await test.add({{ a: {number}, b: 1 }})).sum")).await.context("a benign run")?;
    let received = user.upstream.take_received();
    ensure!(received.len() == 1, "benign run {number}: {} calls have arrived", received.len());
    let sum = match &outcome.end {
        End::Returned(value) => value.as_f64(),
        _ => None,
    };
    // Numbers of runs are exact as floating point numbers.
    ensure!(sum.is_some_and(|sum| format!("{sum}") == (number + 1).to_string()), "benign run {number}: {}", outcome.end);
    Ok(started.elapsed())
}
