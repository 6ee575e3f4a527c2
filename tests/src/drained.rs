//! What a program leaves behind when it returns: calls that nobody awaited are answered first, timers and tasks end with the run. And programs that take
//! long to be read are refused or checked soon.

use std::time::{Duration, Instant};

use anyhow::ensure;
use isolet::{CallEnd, End};
use libtest_mimic::Trial;
use serde_json::json;

use crate::process_table::until;
use crate::shared_runtime::{lowered, run, said, with_session};

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

type Test = (&'static str, fn() -> anyhow::Result<()>);

const TESTS: &[Test] = &[
    ("calls_that_nobody_awaited_are_answered_before_the_run_ends", answered),
    ("a_call_that_has_no_answer_in_time_is_cut_off_and_the_value_stays", cut_off),
    ("a_throw_cancels_at_once", thrown),
    ("timers_and_tasks_end_with_the_run", left_behind),
    ("a_returned_value_with_two_faces_is_that_of_the_first", two_faced),
    ("a_long_or_deep_source_is_refused_or_checked_soon", long_source),
];

/// One trial for each.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): &Test| {
        let test = *test;
        Trial::test(format!("drained::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    };
    TESTS.iter().map(trial).collect()
}

fn answered() -> anyhow::Result<()> {
    let program = "for (let i = 0; i < 20; i++) test.slow({ ms: 100 }).then(() => test.echo({ value: i })).catch(() => {});\nreturn 'done'";
    with_session(async |session, upstream| {
        let outcome = session.run(program).await?;
        ensure!(outcome.end == End::Returned(json!("done")), "{:?}", outcome.end);
        // Those that were started meanwhile as well.
        ensure!(outcome.calls.len() == 40, "{} calls", outcome.calls.len());
        ensure!(outcome.calls.iter().all(|call| call.end == CallEnd::Answered), "{:?}", outcome.calls);
        ensure!(until(SOON, || upstream.running() == 0).await, "calls go on after the run");
        ensure!(
            outcome.notes.iter().any(|note| note.starts_with("40 calls were not awaited: test.slow at line 1")),
            "{:?}",
            outcome.notes
        );
        Ok(())
    })
}

fn cut_off() -> anyhow::Result<()> {
    with_session(async |session, upstream| {
        let options = lowered(|limits| limits.drain_max = Some(Duration::from_millis(200)));
        let outcome = session.run_with("test.slow({ ms: 60000 });\nreturn 7", options).await?;
        ensure!(outcome.end == End::Returned(json!(7)), "{:?}", outcome.end);
        ensure!(outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Cancelled, "{:?}", outcome.calls);
        ensure!(outcome.notes.iter().any(|note| note.contains("cut off")), "{:?}", outcome.notes);
        ensure!(until(SOON, || upstream.running() == 0).await, "a call goes on after the run");
        Ok(())
    })
}

fn thrown() -> anyhow::Result<()> {
    with_session(async |session, _| {
        let started = Instant::now();
        let outcome = session.run("test.slow({ ms: 60000 });\nthrow new Error('enough')").await?;
        ensure!(matches!(&outcome.end, End::Threw(error) if error.message == "enough"), "{:?}", outcome.end);
        ensure!(outcome.calls.len() == 1 && outcome.calls[0].end == CallEnd::Cancelled, "{:?}", outcome.calls);
        ensure!(started.elapsed() < Duration::from_secs(20), "it waited for the call: {:?}", started.elapsed());
        Ok(())
    })
}

fn left_behind() -> anyhow::Result<()> {
    let program = "const spam = () => { console.log('late'); test.echo({ value: 'late' }).catch(() => {}); };\n\
        setInterval(spam, 20); setTimeout(spam, 60_000);\nreturn 'returned'";
    with_session(async |session, upstream| {
        let started = Instant::now();
        let outcome = session.run(program).await?;
        // The drain alone takes up to ten seconds where calls go on.
        ensure!(outcome.end == End::Returned(json!("returned")), "{:?}", outcome.end);
        ensure!(started.elapsed() < Duration::from_secs(25), "timers prolong it: {:?}", started.elapsed());
        let made = upstream.take_received().len();
        ensure!(made == outcome.calls.len(), "{made} calls, {} records", outcome.calls.len());
        // Whoever runs next meets nothing of it.
        let next = session.run("await test.slow({ ms: 100 });\nreturn 1").await?;
        ensure!(said(&next).is_empty() && upstream.take_received().len() == 1, "{:?}", next.console);
        Ok(())
    })
}

fn two_faced() -> anyhow::Result<()> {
    let twice = "let n = 0;\nreturn { value: 1, get then() { return n++ ? (ok) => ok('second') : undefined; } };";
    let outcome = run(|_| {}, twice)?;
    ensure!(matches!(&outcome.end, End::Returned(value) if value["value"] == 1), "{:?}", outcome.end);
    let outcome = run(
        |_| {},
        "return { then(ok, bad) { ok('first'); ok('second'); bad(new Error('third')); throw new Error('fourth'); } };",
    )?;
    ensure!(outcome.end == End::Returned(json!("first")), "{:?}", outcome.end);
    Ok(())
}

/// In processor time, which says the same on a busy machine: a release build takes 71 ms for a run of 5,000 calls in 170 KB (2026-11-29), a debug
/// build gets three seconds.
fn long_source() -> anyhow::Result<()> {
    let nested = |depth: usize| format!("return await test.echo({{ value: {}1{} }})", "[".repeat(depth), "]".repeat(depth));
    let calls = "test.echo({ value: [1, 2, { a: 'b' }] });\n".repeat(5_000);
    let run = |what: &str, program: &str| -> anyhow::Result<()> {
        with_session(async |session, _| {
            // The first run of a scope makes its process.
            session.run("return 1").await?;
            let outcome = session.run(program).await?;
            let took = outcome.cost.cpu + outcome.cost.host_cpu;
            ensure!(matches!(outcome.end, End::Returned(_) | End::Threw(_) | End::Stopped(_)), "{what}: {:?}", outcome.end);
            ensure!(took < Duration::from_secs(3), "{what}: {took:?}, {:?}", outcome.end);
            Ok(())
        })
    };
    run("1 MB", &format!("const text = '{}';\nreturn 1", "x".repeat(1 << 20)))?;
    run("1,200 nested literals", &nested(1_200))?;
    run("120 nested literals", &nested(120))?;
    let twice = |place: usize| format!("async function f{place}() {{ await f{}(); await f{}(); }}\n", place + 1, place + 1);
    let chain: String = (0..40).map(twice).collect();
    run(
        "functions that call the next twice, forty deep",
        &format!("{chain}async function f40() {{}}\nawait test.nowhere({{}});\nawait f0();"),
    )?;
    run("5,000 calls that are not reached", &format!("return 1;\n{calls}"))
}
