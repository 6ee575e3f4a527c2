//! What the host holds for runs: once, within budgets, and nothing after their end. Each check in a host of its own, which counts its memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Catalog, Config, End, Grants, RunOptions, Runtime, Scope, Session, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::Trial;
use serde_json::json;
use tokio::sync::watch;

use crate::process_table::{self, until};
use crate::roles::{self, Check};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--held-host";

const SOON: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

const CHECKS: &[Check] = &[
    ("arguments_are_held_once_within_the_budget_and_not_beyond_their_run", || roles::drive(held_once())),
    ("calls_beyond_the_budgets_wait_and_all_are_answered", || roles::drive(all_answered())),
    ("a_cancelled_run_frees_what_it_held_at_once", || roles::drive(cancelled())),
    ("a_run_that_holds_all_it_can_delays_no_other", || roles::drive(others())),
    ("replies_are_held_until_they_are_read", || roles::drive(replies())),
];

/// One trial a check.
pub(crate) fn trials() -> Vec<Trial> {
    roles::trials_of("held", HOST_ARGUMENT, CHECKS)
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// A tool that keeps its calls until it is told to answer them, and looks at no argument.
struct Keeping {
    running: AtomicUsize,
    most: AtomicUsize,
    told: watch::Sender<bool>,
}

#[derive(Clone)]
struct Tools(Arc<Keeping>);

impl Tools {
    fn new() -> Self {
        Self(Arc::new(Keeping { running: AtomicUsize::new(0), most: AtomicUsize::new(0), told: watch::Sender::new(false) }))
    }

    fn running(&self) -> usize {
        self.0.running.load(Ordering::SeqCst)
    }

    fn most(&self) -> usize {
        self.0.most.load(Ordering::SeqCst)
    }
}

/// Counts a call until it is answered or dropped.
struct Running<'count>(&'count AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let running = self.0.running.fetch_add(1, Ordering::SeqCst) + 1;
        let _running = Running(&self.0.running);
        self.0.most.fetch_max(running, Ordering::SeqCst);
        match call.tool.as_str() {
            "keep" => {
                let _ = self.0.told.subscribe().wait_for(|told| *told).await;
                Ok(json!(call.arguments.as_json().len()).into())
            }
            "pause" => {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Ok(ToolReply::text("r".repeat(call.arguments.as_json().len())))
            }
            _ => Ok(ToolReply::text("a".repeat(MIB))),
        }
    }
}

fn scope() -> anyhow::Result<Scope> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    let tools = vec![tool("keep"), tool("pause"), tool("mebibyte")];
    Ok(Catalog::load([("tools_", tools)])?.scope(&Grants::new().allow("*"))?)
}

/// Runs that may take their time: builds of tests read and check slowly.
fn patient() -> Config {
    let mut config = Config::default();
    (config.limits.wall_max, config.limits.cpu_max) = (Duration::from_secs(240), Duration::from_secs(200));
    config
}

fn memory_bytes() -> anyhow::Result<usize> {
    let kilobytes = process_table::status_number(process_table::host(), "VmRSS").context("no memory")?;
    Ok(usize::try_from(kilobytes << 10)?)
}

/// A mebibyte of small objects, whose tree takes fifty: sent forty times.
const FORTY_MEBIBYTES: &str = "const a = JSON.parse('[' + '{\"a\":0},'.repeat(130_000) + '0]');\n\
    const calls = []; for (let i = 0; i < 40; i++) calls.push(tools_.keep({ a }));\n\
    return (await Promise.all(calls)).length;";

async fn held_once() -> anyhow::Result<()> {
    const BUDGET_BYTES: usize = 16 * MIB;
    let mut config = patient();
    config.limits.held_bytes_max = BUDGET_BYTES;
    let (runtime, tools) = (Runtime::new(config)?, Tools::new());
    let scope = scope()?;
    runtime.prepare(&scope).await?;
    let session = runtime.session(scope, tools.clone());
    let before = memory_bytes()?;
    let run = tokio::spawn(async move { session.run(FORTY_MEBIBYTES).await });
    ensure!(until(SOON * 4, || tools.running() >= 15).await, "{} calls run", tools.running());
    // What else would come has had its time.
    let mut most = 0;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        most = most.max(memory_bytes()?);
    }
    ensure!(tools.running() <= 16, "{} calls of a mebibyte run within a budget of 16", tools.running());
    let held = runtime.metrics().held_bytes;
    ensure!((14 * MIB..=BUDGET_BYTES).contains(&held), "{held} bytes are held");
    // The texts, a frame on its way, and one tree of a text.
    ensure!(most < before + 8 * BUDGET_BYTES, "the host has grown from {} to {} MiB", before / MIB, most / MIB);
    tools.0.told.send_replace(true);
    let outcome = run.await??;
    ensure!(outcome.end == End::Returned(40.into()), "{}", outcome.end);
    ensure!(tools.most() <= 16, "{} calls ran at a time", tools.most());
    ensure!(outcome.cost.host_cpu > Duration::ZERO, "{:?}", outcome.cost);
    ensure!(runtime.metrics().held_bytes == 0, "{:?}", runtime.metrics());
    let after = memory_bytes()?;
    ensure!(after < before + 6 * BUDGET_BYTES, "the host keeps {} of {} MiB", after / MIB, most / MIB);
    Ok(())
}

async fn all_answered() -> anyhow::Result<()> {
    let mut config = patient();
    (config.limits.held_bytes_max, config.held_bytes_total_max) = (MIB, 2 * MIB);
    let (runtime, scope) = (Runtime::new(config)?, scope()?);
    let mut runs = tokio::task::JoinSet::new();
    let tools = Tools::new();
    for _ in 0..6 {
        let session = runtime.session(scope.clone(), tools.clone());
        runs.spawn(async move {
            let program = "const value = 'v'.repeat(300_000);\n\
                const replies = await Promise.all(Array.from({ length: 20 }, () => tools_.pause({ value })));\n\
                return replies.filter((reply) => reply.length === 300_012).length;";
            session.run(program).await
        });
    }
    while let Some(outcome) = runs.join_next().await {
        let outcome = outcome??;
        ensure!(outcome.end == End::Returned(20.into()), "{}", outcome.end);
    }
    ensure!(tools.most() <= 6 * 3, "{} calls of 0.3 MB ran at a time", tools.most());
    ensure!(runtime.metrics().held_bytes == 0, "{:?}", runtime.metrics());
    Ok(())
}

async fn cancelled() -> anyhow::Result<()> {
    let (runtime, scope, tools) = (Runtime::new(patient())?, scope()?, Tools::new());
    let options = RunOptions::default();
    let cancel = options.cancel.clone();
    let session = Arc::new(runtime.session(scope, tools.clone()));
    let run = tokio::spawn({
        let session = Arc::clone(&session);
        async move { session.run_with(FORTY_MEBIBYTES, options).await }
    });
    ensure!(until(SOON * 4, || tools.running() >= 4).await, "{} calls run", tools.running());
    ensure!(runtime.metrics().held_bytes > 3 * MIB, "{:?}", runtime.metrics());
    cancel.cancel();
    let outcome = run.await??;
    ensure!(outcome.end.to_string() == "stopped: cancelled by the caller", "{}", outcome.end);
    ensure!(until(SOON, || runtime.metrics().held_bytes == 0 && tools.running() == 0).await, "{:?}", runtime.metrics());
    Ok(())
}

async fn others() -> anyhow::Result<()> {
    let mut config = patient();
    config.held_bytes_total_max = 8 * MIB;
    let (runtime, scope, greedy) = (Runtime::new(config)?, scope()?, Tools::new());
    let session = runtime.session(scope.clone(), greedy.clone());
    let run = tokio::spawn(async move { session.run(FORTY_MEBIBYTES).await });
    ensure!(until(SOON * 4, || greedy.running() >= 4).await, "{} calls run", greedy.running());
    ensure!(runtime.metrics().held_bytes <= 4 * MIB, "{:?}: half is left to others", runtime.metrics());
    let other = runtime.session(scope, Tools::new());
    for bytes in [0, 1000, 100_000, MIB - 100] {
        let program = format!("return (await tools_.pause({{ value: 'v'.repeat({bytes}) }})).length - {bytes}");
        let outcome = tokio::time::timeout(SOON, other.run(&program)).await.context("it waits for the greedy one")??;
        ensure!(outcome.end == End::Returned(12.into()), "{}", outcome.end);
    }
    ensure!(greedy.running() >= 4 && !run.is_finished());
    greedy.0.told.send_replace(true);
    ensure!(run.await??.end == End::Returned(40.into()));
    Ok(())
}

async fn replies() -> anyhow::Result<()> {
    let mut config = patient();
    config.limits.held_bytes_max = 4 * MIB;
    let (runtime, scope, tools) = (Runtime::new(config)?, scope()?, Tools::new());
    let session: Session = runtime.session(scope, tools.clone());
    let before = memory_bytes()?;
    // Each turn of the program asks for more than it may hold.
    let program = "let bytes = 0;\n\
        for (let turn = 0; turn < 4; turn++) {\n\
            const replies = await Promise.all(Array.from({ length: 16 }, () => tools_.mebibyte({})));\n\
            for (const reply of replies) bytes += reply.length;\n\
        }\n\
        return bytes;";
    let outcome = session.run(program).await?;
    ensure!(outcome.end == End::Returned((64 * MIB).into()), "{}", outcome.end);
    let after = memory_bytes()?;
    ensure!(after < before + 40 * MIB, "the host has grown from {} to {} MiB", before / MIB, after / MIB);
    ensure!(runtime.metrics().held_bytes == 0, "{:?}", runtime.metrics());
    Ok(())
}
