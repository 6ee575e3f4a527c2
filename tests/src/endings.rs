//! Every row of the table of endings (`SECURITY.md`): what happened, how the run ends, and what had arrived before.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use isolet::{CallEnd, Config, End, Limits, LowerLimits, Outcome, RunOptions, Runtime, Session, Stop};
use libtest_mimic::Trial;
use rustix::process::{Pid, Signal};
use serde_json::json;

use crate::process_table::{self, until};
use crate::roles::{self, Check};
use crate::shared_runtime::{lowered, run, said, with_session};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--ending-host";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

type Test = (&'static str, fn() -> anyhow::Result<()>);

const TESTS: &[Test] = &[
    ("a_limit_of_time_names_itself", time),
    ("the_heap_at_its_limit_is_heap", heap),
    ("one_allocation_that_is_too_large_is_heap", one_allocation),
    ("too_much_is_calls_or_output", too_much),
    ("a_promise_that_can_never_settle_ends_at_once", deadlock),
    ("a_promise_that_can_settle_is_waited_for", no_deadlock),
    ("a_run_that_its_caller_cancels_is_cancelled", cancelled),
    ("what_a_program_can_handle_does_not_end_it", handled),
    ("a_call_before_an_endless_loop_has_arrived", calls_before_a_loop),
    ("every_ending_says_what_to_do_about_it", sentences),
];

/// Checks that look for a run's process: each in a host of its own.
const CHECKS: &[Check] = &[
    ("a_sigkill_of_the_system_is_data", || {
        roles::drive(async {
            let outcome = signalled(Signal::KILL).await?;
            ensure!(outcome.end == End::Stopped(Stop::Data), "{:?}", outcome.end);
            Ok(())
        })
    }),
    ("any_other_signal_is_a_lost_guest", || {
        roles::drive(async {
            for signal in [Signal::ABORT, Signal::ILL, Signal::SYS, Signal::USR1] {
                let outcome = signalled(signal).await?;
                let how = format!("signal {}", signal.as_raw());
                ensure!(outcome.end == End::Stopped(Stop::GuestLost { how }), "{signal:?}: {:?}", outcome.end);
            }
            Ok(())
        })
    }),
];

/// One trial for each row.
pub(crate) fn trials() -> Vec<Trial> {
    let tests = TESTS.iter().map(|(name, test)| {
        Trial::test(format!("endings::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    });
    let checks = roles::trials_of("endings", HOST_ARGUMENT, CHECKS);
    tests.chain(checks).collect()
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// A run whose process gets a signal from outside while it waits.
async fn signalled(signal: Signal) -> anyhow::Result<Outcome> {
    let mut config = Config::default();
    config.ready_runs_max = 0;
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.both).await?;
    let session = runtime.session(scopes.both, TestTools(Arc::clone(&upstream)));
    let program = "console.log('before'); await test.echo({ value: 1 });\nawait hold.until_told({ id: 1 })";
    let send = async {
        ensure!(until(SOON, || upstream.running() == 1).await, "the run does not call");
        // The base zygote, that of the scope, and the one that has no children.
        let processes = process_table::descendants_of(process_table::host());
        let [_, _, run] = processes[..] else { anyhow::bail!("two zygotes and one run, not {processes:?}") };
        rustix::process::kill_process(i32::try_from(run).ok().and_then(Pid::from_raw).context("no process")?, signal)?;
        anyhow::Ok(())
    };
    let run = async { session.run(program).await.map_err(anyhow::Error::from) };
    let (outcome, ()) = tokio::try_join!(run, send)?;
    ensure!(said(&outcome) == ["before"], "{:?}", outcome.console);
    let calls: Vec<_> = outcome.calls.iter().map(|call| (&*call.path, call.line, &call.end)).collect();
    ensure!(calls == [("test.echo", 1, &CallEnd::Answered), ("hold.until_told", 2, &CallEnd::Cancelled)], "{calls:?}");
    ensure!(until(SOON, || upstream.running() == 0).await, "the call of a dead run goes on");
    Ok(outcome)
}

fn check(outcome: &Outcome, is_right: impl FnOnce(&End) -> bool) -> anyhow::Result<()> {
    ensure!(is_right(&outcome.end), "{:?}", outcome.end);
    Ok(())
}

fn time() -> anyhow::Result<()> {
    let limit = Duration::from_millis(100);
    check(&run(|limits| limits.wall_max = Some(limit), "await hold.until_told({})")?, |end| {
        *end == End::Stopped(Stop::Wall { limit, pending: 1 })
    })?;
    check(&run(|limits| limits.cpu_max = Some(limit), "for (;;) await null")?, |end| *end == End::Stopped(Stop::Cpu { limit }))
}

fn heap() -> anyhow::Result<()> {
    let limit = Limits::default().heap_bytes_max;
    check(&run(|_| {}, "let list = null; for (;;) list = { list }")?, |end| *end == End::Stopped(Stop::Heap { limit }))
}

/// V8 has no smaller answer to this one than to abort its process.
fn one_allocation() -> anyhow::Result<()> {
    let outcome = run(|_| {}, "console.log('before'); await test.echo({});\nreturn 'x'.repeat(2 ** 28).split('').length")?;
    check(&outcome, |end| matches!(end, End::Stopped(Stop::Heap { .. })))?;
    ensure!(said(&outcome) == ["before"] && outcome.calls.len() == 1, "{outcome:?}");
    Ok(())
}

fn too_much() -> anyhow::Result<()> {
    check(&run(|limits| limits.calls_max = Some(1), "await test.echo({}); await test.echo({})")?, |end| {
        *end == End::Stopped(Stop::Calls { limit: 1 })
    })?;
    for program in ["for (;;) console.log('again')", "return 'x'.repeat(2_000_000)"] {
        check(&run(|_| {}, program)?, |end| matches!(end, End::Stopped(Stop::Output { .. })))?;
    }
    Ok(())
}

fn deadlock() -> anyhow::Result<()> {
    let started = Instant::now();
    let outcome = run(|_| {}, "await test.echo({});\nawait test.echo({});\nawait new Promise(() => {})")?;
    ensure!(started.elapsed() < Limits::default().wall_max / 4, "not at once: {:?}", started.elapsed());
    check(&outcome, |end| {
        *end == End::Stopped(Stop::Deadlock { answered: 2, last_call: Some("`test.echo` at line 2".to_owned()) })
    })?;
    check(&run(|_| {}, "await { then() {} }")?, |end| *end == End::Stopped(Stop::Deadlock { answered: 0, last_call: None }))
}

fn no_deadlock() -> anyhow::Result<()> {
    for program in [
        "let done; setTimeout(() => done('by a timer'), 20); return await new Promise((resolve) => done = resolve)",
        "let done; test.slow({ ms: 20 }).then(() => done('by a call')); return await new Promise((resolve) => done = resolve)",
    ] {
        check(
            &run(|_| {}, program)?,
            |end| matches!(end, End::Returned(value) if value.as_str().is_some_and(|text| text.starts_with("by "))),
        )?;
    }
    Ok(())
}

fn cancelled() -> anyhow::Result<()> {
    with_session(async |session, upstream| {
        let options = RunOptions::default();
        let cancel = async {
            let called = until(SOON, || upstream.running() == 1).await;
            options.cancel.cancel();
            called
        };
        let run = session.run_with("console.log('before'); await hold.until_told({})", options.clone());
        let (outcome, called) = tokio::join!(run, cancel);
        ensure!(called, "the run does not call");
        let outcome = outcome?;
        check(&outcome, |end| *end == End::Stopped(Stop::Cancelled))?;
        ensure!(said(&outcome) == ["before"] && outcome.calls[0].end == CallEnd::Cancelled, "{outcome:?}");
        ensure!(until(SOON, || upstream.running() == 0).await, "the call of a cancelled run goes on");
        // Also one that computes and never listens.
        let options = RunOptions::default();
        options.cancel.cancel();
        check(&session.run_with("for (;;);", options).await?, |end| *end == End::Stopped(Stop::Cancelled))
    })
}

fn handled() -> anyhow::Result<()> {
    let program = "const codes = [];\n\
        const tried = async (what) => { try { await what(); codes.push('fine') } catch (error) { codes.push(error.code ?? error.name) } };\n\
        await tried(() => test.echo({ value: 'x'.repeat(1000) }));\n\
        await tried(() => test.big({ bytes: 5000 }));\n\
        await tried(() => new ArrayBuffer(10_000));\n\
        await tried(() => Promise.all(Array.from({ length: 5 }, () => test.echo({}))));\n\
        return codes;";
    let lower = |limits: &mut LowerLimits| {
        (limits.argument_bytes_max, limits.reply_bytes_max, limits.buffer_bytes_max, limits.calls_in_flight_max) =
            (Some(500), Some(500), Some(500), Some(2));
    };
    check(&run(lower, program)?, |end| *end == End::Returned(json!(["too_large", "too_large", "RangeError", "fine"])))
}

/// The program never comes back to its loop: the host has its calls nevertheless, those of its last millisecond excepted.
fn calls_before_a_loop() -> anyhow::Result<()> {
    let stopped = async |session: &Session, program: &str| -> anyhow::Result<Outcome> {
        let outcome = session.run_with(program, lowered(|limits| limits.wall_max = Some(Duration::from_millis(500)))).await?;
        check(&outcome, |end| matches!(end, End::Stopped(Stop::Wall { .. })))?;
        Ok(outcome)
    };
    with_session(async |session, upstream| {
        let outcome = stopped(session, "test.echo({ value: 'once' });\nfor (;;);").await?;
        ensure!(outcome.calls.len() == 1 && outcome.calls[0].line == 1, "{:?}", outcome.calls);
        ensure!(upstream.take_received().len() == 1, "the call was not made");
        let program = "const pause = () => { let n = 0; for (let i = 0; i < 1e5; i++) n += i; return n };\n\
            for (let i = 0; i < 5; i++) { test.echo({ value: i }); pause() }\nfor (;;);";
        let outcome = stopped(session, program).await?;
        ensure!(outcome.calls.len() == 5, "{:?}", outcome.calls);
        // A batch that is larger than what gathers.
        let outcome =
            stopped(session, "for (let i = 0; i < 100; i++) test.echo({ value: 'x'.repeat(1000) });\nfor (;;);").await?;
        ensure!((64..=100).contains(&outcome.calls.len()), "{} calls", outcome.calls.len());
        Ok(())
    })
}

fn sentences() -> anyhow::Result<()> {
    let limit = Duration::from_secs(1);
    let stops = [
        Stop::Wall { limit, pending: 1 },
        Stop::Cpu { limit },
        Stop::Heap { limit: 1 << 20 },
        Stop::Data,
        Stop::GuestLost { how: "signal 5".to_owned() },
        Stop::Calls { limit: 1 },
        Stop::Output { what: "the console's limit is 1 lines".to_owned() },
        Stop::Deadlock { answered: 0, last_call: None },
    ];
    for stop in stops {
        let text = stop.to_string();
        let remedy = text.rsplit_once(": ").map(|(_, remedy)| remedy).unwrap_or_default();
        ensure!(remedy.split(' ').count() >= 3 && !text.ends_with('.'), "{text}");
        // How a process was lost is for operators: a program learns nothing of signals.
        ensure!(!text.contains("signal"), "{text}");
    }
    ensure!(Stop::Cancelled.to_string() == "cancelled by the caller", "{}", Stop::Cancelled);
    Ok(())
}
