//! The limits of a runtime: how many runs live, wait, compute and are ready, and how many zygotes there are.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, Isolation, Origin, RunError, Runtime, Session};

use crate::process_table::{self, until};
use crate::shared_runtime::returns;
use crate::test_tools::{self, TestTools, Upstream};

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

pub(super) fn computing_runs() -> anyhow::Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        let mut config = Config::default();
        config.computing_runs_max = 2;
        (config.limits.cpu_max, config.limits.wall_max) = (Duration::from_secs(60), Duration::from_secs(60));
        let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("waiting"));
        let session =
            |upstream: &Arc<Upstream>| Arc::new(runtime.session(scopes.both.clone(), TestTools(Arc::clone(upstream))));
        let (waiting, computing) = (session(&upstream), session(&Upstream::new("computing")));
        let runs = |session: &Arc<Session>, count: usize, program: &'static str| {
            let mut runs = tokio::task::JoinSet::new();
            for _ in 0..count {
                let session = Arc::clone(session);
                runs.spawn(async move { session.run(program).await });
            }
            runs
        };
        // All of those that wait for a tool have a slot, and none of them is one of the two that compute.
        let mut waiting = runs(&waiting, 8, "return (await hold.until_told({ id: 7 })).id");
        ensure!(until(SOON, || upstream.running() == 8).await, "{} runs wait", upstream.running());
        let mut computing = runs(&computing, 6, "for (;;);");
        ensure!(until(SOON, || runtime.metrics().live == 10).await, "{:?}", runtime.metrics());
        // Another user's run does not wait for one of those to end.
        let other = session(&Upstream::new("other"));
        for _ in 0..20 {
            let outcome = tokio::time::timeout(SOON, other.run("return (await test.echo({ value: 1 })).value")).await??;
            returns(&outcome, 1)?;
            ensure!(runtime.metrics().live == 10, "{:?}: more than two compute", runtime.metrics());
        }
        upstream.tell(true);
        while let Some(outcome) = waiting.join_next().await {
            returns(&outcome??, 7)?;
        }
        ensure!(runtime.metrics().live == 2, "{:?}", runtime.metrics());
        computing.abort_all();
        while computing.join_next().await.is_some() {}
        ensure!(until(SOON, || runtime.metrics().live == 0).await, "{:?}", runtime.metrics());
        Ok(())
    })
}

pub(super) fn live_runs() -> anyhow::Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        let mut config = Config::default();
        (config.live_runs_max, config.waiting_runs_max) = (1, 1);
        let (runtime, scope, upstream) = (Runtime::new(config)?, test_tools::scopes()?.hold, Upstream::new("user"));
        let session = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream)));
        let lives = tokio::spawn(async move { session.run("return (await hold.until_told({ id: 1 })).id").await });
        ensure!(until(SOON, || upstream.running() == 1).await, "the first run does not call");
        let session = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream)));
        let mut waits = Box::pin(session.run("return 2"));
        ensure!(futures::poll!(waits.as_mut()).is_pending(), "the second run does not wait");
        let refused = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream))).run("return 3").await;
        ensure!(matches!(refused, Err(RunError::Overloaded { waiting: 1, .. })), "{refused:?}");
        ensure!(runtime.metrics().live == 1 && upstream.running() == 1, "{:?}", runtime.metrics());
        upstream.tell(true);
        returns(&lives.await??, 1)?;
        returns(&waits.await?, 2)
    })
}

/// One user has every slot that it may have and a queue; another one's run starts at once, in a slot or in its turn.
pub(super) fn backlog() -> anyhow::Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        let mut config = Config::default();
        (config.live_runs_max, config.live_runs_of_user_max, config.waiting_runs_of_user_max) = (3, 2, 3);
        let (runtime, scope, upstream) = (Runtime::new(config)?, test_tools::scopes()?.hold, Upstream::new("user"));
        // Sessions of one user count together.
        let start = |user: &'static str| {
            let session = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream))).of_user(user);
            tokio::spawn(async move { session.run("return (await hold.until_told({ id: 1 })).id").await })
        };
        let live = [start("greedy"), start("greedy")];
        ensure!(until(SOON, || upstream.running() == 2).await, "{} runs of the greedy user", upstream.running());
        let session = || runtime.session(scope.clone(), TestTools(Arc::clone(&upstream))).of_user("greedy");
        let sessions = [session(), session(), session()];
        let mut waiting: Vec<_> = sessions.iter().map(|session| Box::pin(session.run("return 1"))).collect();
        for run in &mut waiting {
            ensure!(futures::poll!(run.as_mut()).is_pending(), "a third run of one user lives");
        }
        let refused = session().run("return 1").await;
        ensure!(matches!(refused, Err(RunError::Overloaded { waiting: 3, .. })), "{refused:?}");
        let other = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream))).of_user("other");
        returns(&other.run("return 'at once'").await?, "at once")?;
        ensure!(runtime.metrics().live == 2 && upstream.running() == 2, "{:?}", runtime.metrics());
        upstream.tell(true);
        for run in live {
            returns(&run.await??, 1)?;
        }
        for outcome in futures::future::join_all(waiting).await {
            returns(&outcome?, 1)?;
        }
        Ok(())
    })
}

pub(super) fn ready_runs() -> anyhow::Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        let scopes = test_tools::scopes()?;
        let mut config = Config::default();
        config.ready_runs_max = 0;
        let runtime = Runtime::new(config)?;
        runtime.prepare(&scopes.test).await?;
        let outcome = runtime.session(scopes.test.clone(), TestTools(Upstream::new("user"))).run("return 1").await?;
        ensure!(outcome.cost.origin == Origin::Forked && runtime.metrics().ready == 0, "{:?}", runtime.metrics());

        let mut config = Config::default();
        config.ready_runs_total_max = 1;
        let runtime = Runtime::new(config)?;
        for scope in [&scopes.test, &scopes.hold] {
            runtime.prepare(scope).await?;
        }
        ensure!(runtime.metrics().ready == 1, "{:?}", runtime.metrics());
        Ok(())
    })
}

/// As many scopes as may have a zygote keep theirs, however often each is prepared, or used where a run has to have one.
pub(super) fn kept_zygotes() -> anyhow::Result<()> {
    let tokio = tokio::runtime::Runtime::new()?;
    tokio.block_on(async {
        for isolation in [Isolation::BestEffort, Isolation::Strict] {
            let mut config = Config::default();
            (config.zygotes_max, config.isolation) = (2, isolation);
            let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
            for _ in 0..3 {
                for scope in [&scopes.test, &scopes.hold] {
                    runtime.prepare(scope).await?;
                }
            }
            for scope in [&scopes.test, &scopes.hold, &scopes.test, &scopes.hold] {
                match runtime.session(scope.clone(), TestTools(Upstream::new("user"))).run("return 1").await {
                    Err(RunError::NotIsolated { .. }) if isolation == Isolation::Strict => {}
                    ran => returns(&ran?, 1)?,
                }
            }
            let metrics = runtime.metrics();
            ensure!(metrics.zygotes == 3, "{isolation:?}: a base zygote and two of scopes, not {}", metrics.zygotes);
        }
        Ok(())
    })
}

/// The base zygote, and the zygotes of scopes: those that have children, or can have some.
fn base() -> anyhow::Result<u32> {
    let bases = process_table::children_of(process_table::host());
    let [base] = bases[..] else { anyhow::bail!("one base zygote, not {bases:?}") };
    Ok(base)
}

pub(super) async fn zygotes() -> anyhow::Result<()> {
    let mut config = Config::default();
    (config.zygotes_max, config.ready_runs_max) = (2, 0);
    let (runtime, scopes) = (Runtime::new(config)?, test_tools::scopes()?);
    for scope in [&scopes.test, &scopes.hold] {
        runtime.prepare(scope).await?;
    }
    let base = base()?;
    ensure!(process_table::children_of(base).len() == 2, "two zygotes: {:?}", process_table::children_of(base));
    // That of `hold` is used, so that of `test` goes.
    runtime.session(scopes.test.clone(), TestTools(Upstream::new("user"))).run("return 1").await?;
    runtime.session(scopes.hold.clone(), TestTools(Upstream::new("user"))).run("return 1").await?;
    runtime.prepare(&scopes.both).await?;
    ensure!(until(SOON, || process_table::children_of(base).len() == 2).await, "{:?}", process_table::children_of(base));
    for (scope, origin) in [(scopes.both, Origin::Forked), (scopes.hold, Origin::Forked), (scopes.test, Origin::Cold)] {
        let outcome = runtime.session(scope, TestTools(Upstream::new("user"))).run("return 1").await?;
        ensure!(outcome.cost.origin == origin, "{:?} instead of {origin:?}", outcome.cost.origin);
    }
    Ok(())
}

/// The successor takes over, and a run of the old zygote goes on to its end.
pub(super) async fn base_zygote(limit: impl FnOnce(&mut Config)) -> anyhow::Result<()> {
    let mut config = Config::default();
    limit(&mut config);
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.hold).await?;
    let first = base()?;
    let session = runtime.session(scopes.hold.clone(), TestTools(Arc::clone(&upstream)));
    let old = tokio::spawn(async move { session.run("return (await hold.until_told({ id: 'old' })).id").await });
    ensure!(until(SOON, || upstream.running() == 1).await, "the run does not call");
    let session = runtime.session(scopes.hold.clone(), TestTools(Arc::clone(&upstream)));
    for _ in 0..20 {
        returns(&session.run("return 1").await?, 1)?;
    }
    let replaced = until(SOON, || process_table::children_of(process_table::host()).iter().any(|base| *base != first)).await;
    ensure!(replaced, "the base zygote is not replaced");
    ensure!(process_table::is_alive(first) && !old.is_finished(), "the old zygote did not wait for its run");
    upstream.tell(true);
    returns(&old.await??, "old")?;
    ensure!(until(SOON, || !process_table::is_alive(first)).await, "the old zygote stays after its last run");
    ensure!(runtime.metrics().zygotes_lost == 0, "{:?}", runtime.metrics());
    returns(&session.run("return 2").await.context("after the replacement")?, 2)
}
