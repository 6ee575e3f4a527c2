//! The record of each call: one `Called` and one `Answered`, whatever becomes of it, and the same in the events as in the outcome.

use std::time::Duration;

use anyhow::ensure;
use isolet::{
    CallEnd, CallRecord, Catalog, Config, End, Event, Grants, RunOptions, Runtime, Session, Stop, ToolCall, ToolError,
    ToolErrorCode, ToolHost, ToolReply,
};
use libtest_mimic::Trial;
use serde_json::json;
use tokio::sync::mpsc;

type Test = (&'static str, fn() -> anyhow::Result<()>);

const TESTS: &[Test] = &[
    ("a_host_that_says_cancelled_has_answered", says_cancelled),
    ("every_call_is_called_once_and_answered_once", once),
    ("calls_of_a_run_that_nobody_waits_for_have_ended_too", dropped),
];

/// One trial for each claim.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(name, test): &Test| {
        let test = *test;
        Trial::test(format!("records::{name}"), move || test().map_err(|error| format!("{error:#}").into()))
    };
    TESTS.iter().map(trial).collect()
}

/// Answers as it is called.
struct Tools;

impl ToolHost for Tools {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        match call.tool.as_str() {
            "cancelled" => Err(ToolError::new(ToolErrorCode::Cancelled, "the user said no")),
            "never" => std::future::pending().await,
            "late" => {
                tokio::task::yield_now().await;
                Ok(json!(2).into())
            }
            "wrong" => Ok(json!("no number").into()),
            _ => Ok(json!(1).into()),
        }
    }
}

/// A session, and what is told of it.
fn session() -> anyhow::Result<(Session, mpsc::Receiver<Event>)> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" }, "outputSchema": { "type": "integer" } });
    let tools = ["cancelled", "never", "late", "wrong", "now"].map(tool).to_vec();
    let scope = Catalog::load([("tools_", tools)])?.scope(&Grants::new().allow("*"))?;
    let (events, seen) = mpsc::channel(1000);
    Ok((Runtime::new(Config::default())?.session(scope, Tools).with_events(events), seen))
}

/// What was told so far: paths of calls, and records.
fn told(seen: &mut mpsc::Receiver<Event>) -> (Vec<String>, Vec<CallRecord>) {
    let (mut called, mut answered) = (Vec::new(), Vec::new());
    while let Ok(event) = seen.try_recv() {
        match event {
            Event::Called { path, .. } => called.push(path),
            Event::Answered(record) => answered.push(record),
            _ => {}
        }
    }
    (called, answered)
}

fn block_on<Answer>(act: impl Future<Output = anyhow::Result<Answer>>) -> anyhow::Result<Answer> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(act)
}

fn says_cancelled() -> anyhow::Result<()> {
    block_on(async {
        let (session, mut seen) = session()?;
        let outcome = session.run("try { await tools_.cancelled({}) } catch (error) { return error.code }").await?;
        ensure!(outcome.end == End::Returned("cancelled".into()), "{}", outcome.end);
        ensure!(outcome.calls[0].end == CallEnd::Failed(ToolErrorCode::Cancelled), "{:?}", outcome.calls);
        let (called, answered) = told(&mut seen);
        ensure!(called == ["tools_.cancelled"] && answered.len() == 1, "{called:?} {answered:?}");
        ensure!(format!("{answered:?}") == format!("{:?}", outcome.calls), "{answered:?}\n{:?}", outcome.calls);
        Ok(())
    })
}

fn once() -> anyhow::Result<()> {
    block_on(async {
        let (session, mut seen) = session()?;
        let program = "const long = 'x'.repeat(100_000);\n\
            const calls = [tools_.now({}), tools_.late({}), tools_.wrong({}), tools_.late({ long }), tools_.cancelled({}).catch(() => 0),\n\
                tools_.now([]).catch(() => 0), tools.search('late')];\n\
            await Promise.all(calls);";
        for (end, is_expected) in [
            ("return 'done'", (|end: &End| *end == End::Returned("done".into())) as fn(&End) -> bool),
            ("tools_.never({}); return 'done'", |end| *end == End::Returned("done".into())),
            ("tools_.never({}); throw new Error('no')", |end| matches!(end, End::Threw(_))),
            ("tools_.never({ long }); await tools_.never({})", |end| matches!(end, End::Stopped(Stop::Wall { .. }))),
        ] {
            let mut options = RunOptions::default();
            options.limits.wall_max = Some(Duration::from_secs(3));
            let outcome = session.run_with(&format!("{program} {end}"), options).await?;
            ensure!(is_expected(&outcome.end), "{end}: {}", outcome.end);
            let (mut called, mut answered) = told(&mut seen);
            called.sort();
            let mut paths: Vec<_> = outcome.calls.iter().map(|record| record.path.clone()).collect();
            paths.sort();
            ensure!(called == paths, "{end}: {called:?} {paths:?}");
            let text = |records: &mut Vec<CallRecord>| {
                let mut texts: Vec<_> = records.iter().map(|record| format!("{record:?}")).collect();
                texts.sort();
                texts
            };
            let mut calls = outcome.calls;
            ensure!(text(&mut answered) == text(&mut calls), "{end}: {answered:#?}\n{calls:#?}");
            let wrong = calls.iter().find(|record| record.tool == "wrong").map(|record| record.warnings.len());
            ensure!(wrong == Some(1), "{calls:?}");
        }
        Ok(())
    })
}

fn dropped() -> anyhow::Result<()> {
    block_on(async {
        let (session, mut seen) = session()?;
        let run = session.run("await Promise.all([tools_.never({}), tools_.never({})])");
        let two_calls = async {
            let mut calls = 0;
            while calls < 2 {
                calls += usize::from(matches!(seen.recv().await, Some(Event::Called { .. })));
            }
        };
        tokio::select! {
            outcome = run => anyhow::bail!("{outcome:?}"),
            () = two_calls => {}
        }
        // The run is dropped by now.
        let (_, answered) = told(&mut seen);
        ensure!(answered.len() == 2 && answered.iter().all(|record| record.end == CallEnd::Cancelled), "{answered:?}");
        Ok(())
    })
}
