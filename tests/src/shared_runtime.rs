//! One runtime that the tests of limits and endings share: each of their runs has a session and an upstream of its own.

use std::sync::{Arc, LazyLock};

use anyhow::ensure;
use isolet::{Config, End, LowerLimits, Outcome, RunOptions, Runtime, Session, Stop};

use crate::test_tools::{self, TestTools, Upstream};

struct Shared {
    /// Outlives every test.
    tokio: tokio::runtime::Runtime,
    runtime: Runtime,
    scopes: test_tools::Scopes,
}

static SHARED: LazyLock<anyhow::Result<Shared>> = LazyLock::new(|| {
    let tokio = tokio::runtime::Runtime::new()?;
    Ok(Shared { tokio, runtime: Runtime::new(Config::default())?, scopes: test_tools::scopes()? })
});

/// Does something with a session whose scope has `test` and `hold`.
pub(crate) fn with_session<Answer>(
    act: impl AsyncFnOnce(&Session, &Arc<Upstream>) -> anyhow::Result<Answer>,
) -> anyhow::Result<Answer> {
    let shared = SHARED.as_ref().map_err(|error| anyhow::anyhow!("{error:#}"))?;
    let upstream = Upstream::new("user");
    let session = shared.runtime.session(shared.scopes.both.clone(), TestTools(Arc::clone(&upstream)));
    shared.tokio.block_on(act(&session, &upstream))
}

/// Runs a program with lowered limits.
pub(crate) fn run(lower: impl FnOnce(&mut LowerLimits), program: &str) -> anyhow::Result<Outcome> {
    let options = lowered(lower);
    with_session(async |session, _| Ok(session.run_with(program, options).await?))
}

/// The options of a run with lowered limits.
pub(crate) fn lowered(lower: impl FnOnce(&mut LowerLimits)) -> RunOptions {
    let mut limits = LowerLimits::default();
    lower(&mut limits);
    RunOptions::default().with(|options| options.limits = limits)
}

/// The texts that a program said.
pub(crate) fn said(outcome: &Outcome) -> Vec<&str> {
    outcome.console.iter().map(|line| &*line.text).collect()
}

/// Fails if the program did not return `value`.
pub(crate) fn returns(outcome: &Outcome, value: impl Into<serde_json::Value>) -> anyhow::Result<()> {
    let expected = End::Returned(value.into());
    ensure!(outcome.end == expected, "{} instead of {expected}", outcome.end);
    Ok(())
}

/// Fails if the run was not ended by `stop`.
pub(crate) fn stops(outcome: &Outcome, stop: Stop) -> anyhow::Result<()> {
    let expected = End::Stopped(stop);
    ensure!(outcome.end == expected, "{:?} instead of {expected:?}", outcome.end);
    Ok(())
}
