//! Frames of guest processes under pressure: mutated ones beside another user's traffic, more than either side reads, listeners
//! that do not listen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, End, RunOptions, Runtime, Session, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::Trial;

use crate::lies::{self, MUTATED, SILENCE};
use crate::process_table::{self, until};
use crate::roles::{self, Check};
use crate::shared_runtime::lowered;
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--frame-host";

const CHECKS: &[Check] = &[
    ("mutated_frames_cost_their_own_run_and_benign_traffic_stays_right", || roles::drive(mutated_beside_benign())),
    ("a_guest_that_is_sent_more_than_it_reads_goes_on", || roles::drive(heavy_both_ways())),
    ("a_listener_that_does_not_listen_delays_nothing", || roles::drive(deaf_listener())),
    ("an_answer_that_comes_while_lines_are_written_is_taken", || roles::drive(answered_while_writing())),
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    roles::trials_of("frames", HOST_ARGUMENT, CHECKS)
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

async fn mutated_beside_benign() -> anyhow::Result<()> {
    const LIARS: u64 = 120;
    let (place, scopes) = (tempfile::tempdir()?, test_tools::scopes()?);
    let (liar, honest) = (Upstream::new("liar"), Upstream::new("honest"));
    let lying = Arc::new(lies::liars(&place, scopes.both.clone(), &liar)?);
    let runtime = Runtime::new(Config::default())?;
    runtime.prepare(&scopes.both).await?;
    let benign = runtime.session(scopes.both, TestTools(Arc::clone(&honest)));
    benign_run(&benign, 0).await?;
    let memory_before = process_table::status_number(process_table::host(), "VmRSS").context("no memory")?;
    let first = fastrand::u64(..);
    let (next, mut lanes) = (Arc::new(AtomicUsize::new(0)), tokio::task::JoinSet::new());
    for _ in 0..3 {
        let (lying, next) = (Arc::clone(&lying), Arc::clone(&next));
        lanes.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed) as u64;
                if number >= LIARS {
                    return anyhow::Ok(());
                }
                let program = format!("{MUTATED}{}", first.wrapping_add(number));
                // However it ends: that is its own doing, and no fault of the host.
                let options = lowered(|limits| limits.wall_max = Some(SILENCE));
                lying.run_with(&program, options).await.with_context(|| program)?;
            }
        });
    }
    let mut runs = 1;
    while !lanes.is_empty() {
        tokio::select! {
            lane = lanes.join_next() => if let Some(lane) = lane { lane??; },
            benign = benign_run(&benign, runs) => { benign?; runs += 1; }
        }
    }
    ensure!(runs > 20, "only {runs} benign runs beside {LIARS} liars");
    ensure!(honest.take_received().iter().all(|(tool, _)| tool == "echo"), "a liar reached the upstream of another user");
    ensure!(liar.take_received().iter().all(|(tool, _)| tool != "secret"), "a liar reached a tool that is not in its scope");
    ensure!(until(Duration::from_secs(10), || liar.running() == 0).await, "calls of liars go on");
    let memory = process_table::status_number(process_table::host(), "VmRSS").context("no memory")?;
    ensure!(memory < memory_before + (64 << 10), "the host has grown from {memory_before} to {memory} kB");
    Ok(())
}

async fn benign_run(session: &Session, number: u64) -> anyhow::Result<()> {
    let outcome = session.run(&format!("return (await test.echo({{ value: {number} }})).value")).await?;
    ensure!(outcome.end == End::Returned(number.into()), "benign run {number}: {}", outcome.end);
    Ok(())
}

/// Tens of megabytes each way at the same time: whoever writes also reads, or both would wait for each other.
async fn heavy_both_ways() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    let session = runtime.session(scopes.test, TestTools(Upstream::new("user")));
    for program in [
        "const value = 'x'.repeat(100_000); return (await Promise.all(Array.from({ length: 100 }, () => test.echo({ value })))).length",
        "const rest = 'x'.repeat(200_000); return (await Promise.all(Array.from({ length: 100 }, () => test.big({ bytes: 100_000, rest })))).length",
        "const one = () => test.big({ bytes: 3_000_000 }).then((text) => text.length); return (await Promise.all(Array.from({ length: 20 }, one))).length * 5",
    ] {
        let outcome = session.run(program).await?;
        ensure!(outcome.end == End::Returned(100.into()), "{program}: {}", outcome.end);
    }
    Ok(())
}

/// Keeps the thread of its run before it answers, so that the run fills its socket with lines meanwhile.
struct Blocking;

impl ToolHost for Blocking {
    async fn call(&self, _: ToolCall) -> Result<ToolReply, ToolError> {
        std::thread::sleep(Duration::from_millis(20));
        Ok(ToolReply::text("answer"))
    }
}

async fn answered_while_writing() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    let session = runtime.session(scopes.test, Blocking);
    let program = "const answer = test.echo({}); for (let i = 0; i < 3000; i++) console.log(i); return await answer";
    for _ in 0..20 {
        let outcome = tokio::time::timeout(Duration::from_secs(20), session.run(program)).await.context("it hangs")??;
        ensure!(outcome.end == End::Returned("answer".into()) && outcome.console.len() == 3000, "{}", outcome.end);
    }
    Ok(())
}

async fn deaf_listener() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(Config::default())?, test_tools::scopes()?);
    let session = runtime.session(scopes.test, TestTools(Upstream::new("user")));
    let (events, _kept) = tokio::sync::mpsc::channel(1);
    let options = RunOptions::default().with(|options| options.events = Some(events));
    let program = "for (let i = 0; i < 2000; i++) console.log(i); await test.echo({}); return 'done'";
    let outcome = session.run_with(program, options).await?;
    ensure!(outcome.end == End::Returned("done".into()) && outcome.console.len() == 2000, "{}", outcome.end);
    Ok(())
}
