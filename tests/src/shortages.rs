//! What the machine does not give: a run that meets a shortage fails with the call that was refused, as a fault of the host, and no
//! other run notices.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{Config, End, RunError, Runtime};
use libtest_mimic::Trial;
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit};

use crate::process_table::{self, until};
use crate::processes::{waiting_run, zygotes};
use crate::roles;
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--shortage-host";

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(10);

const CHECKS: [&str; 2] = [
    "a_zygote_without_a_free_descriptor_fails_the_run_that_was_asked_for",
    "a_host_without_a_free_descriptor_fails_the_run_that_was_asked_for",
];

/// One trial a check, each in a host of its own.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |check: &'static str| {
        Trial::test(format!("shortages::{check}"), move || roles::play_in_own_process(&[HOST_ARGUMENT, check]))
    };
    CHECKS.map(trial).into()
}

/// Runs one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        match arguments {
            [check] if check == CHECKS[0] => no_descriptor_in_a_zygote().await,
            [check] if check == CHECKS[1] => no_descriptor_in_the_host().await,
            _ => anyhow::bail!("unknown check {arguments:?}"),
        }
    })
}

/// Leaves a process so many descriptors that it may still open; `None` leaves it as many as this one may have.
fn leave_descriptors(process: u32, free: Option<usize>) -> anyhow::Result<()> {
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let open = process_table::descriptor_targets(process);
    // The limit is on their numbers: the first that is not to be opened.
    let current = free
        .and_then(|free| (0..).filter(|number| !open.contains_key(number)).nth(free))
        .map_or(maximum, |number| Some(number.into()));
    let process = i32::try_from(process).ok().and_then(Pid::from_raw).context("no process")?;
    rustix::process::prlimit(Some(process), Resource::Nofile, Rlimit { current, maximum })?;
    Ok(())
}

/// From none free on, one more each time: first the run's socket cannot be received, then its pidfd not be made.
async fn no_descriptor_in_a_zygote() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.ready_runs_max = 0;
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.hold).await?;
    let live = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    let session = runtime.session(scopes.hold.clone(), TestTools(Arc::clone(&upstream)));
    for free in 0..2 {
        leave_descriptors(zygote, Some(free))?;
        let ran = session.run("return 1").await;
        let Err(RunError::System { source, .. }) = &ran else { anyhow::bail!("with {free} free descriptors: {ran:?}") };
        ensure!(source.raw_os_error() == Some(Errno::MFILE.raw_os_error()), "with {free} free descriptors: {source}");
    }
    leave_descriptors(zygote, None)?;
    let outcome = session.run("return 1").await?;
    ensure!(outcome.end == End::Returned(1.into()), "after the shortage: {}", outcome.end);
    ensure!(until(SOON, || process_table::children_of(zygote).len() == 1).await, "what was not wanted lives on");
    ensure!(zygotes().await?.1 == [zygote], "the zygote was lost");
    upstream.tell(true);
    ensure!(live.await??.end == End::Returned(7.into()), "a live run was disturbed");
    Ok(())
}

/// A pidfd that the host cannot receive: its run ends, and is no other's.
async fn no_descriptor_in_the_host() -> anyhow::Result<()> {
    let mut config = Config::default();
    config.ready_runs_max = 0;
    let (runtime, scopes, upstream) = (Runtime::new(config)?, test_tools::scopes()?, Upstream::new("user"));
    runtime.prepare(&scopes.hold).await?;
    let live = waiting_run(&runtime, &scopes.hold, &upstream).await?;
    let (_, of_scopes) = zygotes().await?;
    let [zygote] = of_scopes[..] else { anyhow::bail!("one zygote of a scope, not {of_scopes:?}") };
    let session = runtime.session(scopes.hold.clone(), TestTools(Arc::clone(&upstream)));
    let mut failed = 0;
    for free in 0..8 {
        leave_descriptors(process_table::host(), Some(free))?;
        let ran = session.run("return 1").await;
        leave_descriptors(process_table::host(), None)?;
        match &ran {
            Ok(outcome) => ensure!(outcome.end == End::Returned(1.into()), "with {free} free descriptors: {}", outcome.end),
            Err(RunError::System { source, .. }) => {
                ensure!(source.raw_os_error() == Some(Errno::MFILE.raw_os_error()), "with {free} free descriptors: {source}");
                failed += 1;
            }
            Err(error) => anyhow::bail!("with {free} free descriptors: {error:?}"),
        }
    }
    ensure!((1..8).contains(&failed), "{failed} of 8 runs failed");
    ensure!(until(SOON, || process_table::children_of(zygote).len() == 1).await, "what was not wanted lives on");
    ensure!(zygotes().await?.1 == [zygote], "the zygote was lost");
    upstream.tell(true);
    ensure!(live.await??.end == End::Returned(7.into()), "a live run was disturbed");
    Ok(())
}
