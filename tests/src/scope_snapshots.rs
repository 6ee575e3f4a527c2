//! Scope snapshots: a run that boots from one is like any other, a file that is not believed costs nothing but its making, and
//! nobody ever waits who did not ask to.
//!
//! A maker that lies is this binary, started as [`LIAR_ARGUMENT`] by a script that `Config::executable` names.

mod folder;
mod makers;
mod temp_folder;

use std::sync::Arc;
use std::time::Duration;

use anyhow::ensure;
use isolet::{Config, End, Jit, RunError, Runtime, Scope};
use libtest_mimic::Trial;

pub(crate) use self::makers::{LIAR_ARGUMENT, lie};
use self::temp_folder::{in_temp_folder, scope, spawning};
use crate::process_table::{self, until};
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--snapshot-host";
/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(20);

/// Each in a host of its own: they look at its processes, or change its limits.
const CHECKS: &[Check] = &[
    ("a_run_from_a_scope_snapshot_is_like_any_other", || roles::drive(like_any_other())),
    ("the_first_requests_do_not_wait_and_later_ones_boot_from_it", || roles::drive(nobody_waits())),
    ("requests_for_one_snapshot_share_its_making", || roles::drive(one_making())),
    ("the_memory_has_a_maximum_and_forgets_the_least_recently_used", || roles::drive(memory_maximum())),
    ("what_is_in_the_folder_is_used_after_a_restart", || in_temp_folder(async |temp| folder::restart(temp).await)),
    ("a_file_that_is_not_believed_is_made_again", || in_temp_folder(async |temp| folder::not_believed(temp).await)),
    ("every_changed_or_missing_byte_is_seen", || in_temp_folder(async |temp| folder::every_byte(temp).await)),
    ("a_folder_or_key_that_others_could_write_is_refused", || in_temp_folder(async |temp| folder::exposed(temp))),
    ("two_that_make_the_same_one_lose_nothing", || in_temp_folder(async |temp| folder::two_makers(temp).await)),
    ("a_full_disk_costs_the_file_and_nothing_else", || in_temp_folder(async |temp| folder::full_disk(temp).await)),
    ("the_folder_has_a_maximum_and_forgets_the_least_recently_used", || {
        in_temp_folder(async |temp| folder::folder_maximum(temp).await)
    }),
    ("a_maker_that_fails_costs_no_run", || in_temp_folder(async |temp| makers::failing_makers(temp).await)),
    ("a_snapshot_of_another_build_is_not_booted", || in_temp_folder(async |temp| makers::another_build(temp).await)),
    ("the_maker_is_behind_the_walls_and_gone_afterwards", || roles::drive(makers::maker_walls())),
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(check, _): &Check| {
        let check = *check;
        Trial::test(format!("scope_snapshots::{check}"), move || {
            let canary = format!("canary-{:016x}", fastrand::u64(..));
            roles::play_with(&[HOST_ARGUMENT, check], |command| command.env(folder::ENVIRONMENT, canary))
        })
    };
    CHECKS.iter().map(trial).collect()
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// Programs that look at what a run has.
const LOOKS: [&str; 9] = [
    "return Reflect.ownKeys(globalThis).map(String).sort().join()",
    "return [test, hold, tools].map((space) => [Object.isFrozen(space), Object.getPrototypeOf(space), Object.entries(space).map(([name, tool]) => [name, tool.name, tool.length, Object.isFrozen(tool)])])",
    "return Object.entries(Object.getOwnPropertyDescriptors(globalThis)).filter(([name]) => ['test', 'hold', 'tools'].includes(name)).map(([name, { writable, enumerable, configurable }]) => [name, writable, enumerable, configurable])",
    "console.log({ test }); const seen = []; try { await test.fail({ message: 'no' }) } catch (error) { seen.push(error.code, error.message, error.stack) } try { await test.missing() } catch (error) { seen.push(String(error)) } return [seen, await test.echo({ value: [1, { a: 2 }] }), await tools.search('sum', 3)]",
    "const answers = await Promise.all(Array.from({ length: 50 }, (_, a) => test.add({ a, b: 1 }))); return answers.map(({ sum }) => sum)",
    "return [Math.random(), crypto.randomUUID(), typeof Atomics, typeof Deno, typeof __isolet]",
    "return [/(a+)b/.exec('aab')[1], [3, 1, 2].sort(), 'x'.localeCompare('y'), new Intl.NumberFormat('de').format(1234.5)]",
    "return [Date.now(), new Date().toISOString(), new Date(2026, 1, 1).getHours()]",
    "const then = Date.now(); await new Promise((resolve) => setTimeout(resolve, 5)); return Date.now() > then",
];

async fn like_any_other() -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    for jit in [Jit::Off, Jit::On] {
        let mut config = spawning(None);
        config.jit = jit;
        let with = Runtime::new(config.clone())?;
        with.prepare(&scopes.both).await?;
        config.snapshot_bytes_max = 0;
        let without = Runtime::new(config)?;
        without.prepare(&scopes.both).await?;
        for program in LOOKS {
            let mut ends = Vec::new();
            for runtime in [&with, &without] {
                let session = runtime.session(scopes.both.clone(), TestTools(Upstream::new("user")));
                let options = isolet::RunOptions::default().with(|options| {
                    options.clock_ms = Some(1_700_000_000_000);
                    options.seed = Some([1, 2, 3, 4]);
                });
                let outcome = session.run_with(program, options).await?;
                ends.push((outcome.end, outcome.console));
            }
            ensure!(matches!(ends[0].0, End::Returned(_)), "{jit:?} {program}: {} / {}", ends[0].0, ends[1].0);
            ensure!(ends[0] == ends[1], "{jit:?}, {program}: {:?} and {:?}", ends[0], ends[1]);
        }
        ensure!(with.metrics().snapshots_made == 1, "{:?}", with.metrics());
        ensure!(without.metrics().snapshots_made == 0, "{:?}", without.metrics());
    }
    Ok(())
}

/// Starts a run that waits for its tool, looks whether its process has mapped a snapshot, and lets it end.
async fn boots_from_snapshot(runtime: &Runtime, scope: &Scope) -> anyhow::Result<bool> {
    let upstream = Upstream::new("user");
    let session = runtime.session(scope.clone(), TestTools(Arc::clone(&upstream)));
    let run = tokio::spawn(async move { session.run("return (await hold.until_told({ id: 7 })).id").await });
    ensure!(until(SOON, || upstream.running() == 1 || run.is_finished()).await, "the run does not call");
    let mut has_mapped = false;
    for process in process_table::descendants_of(process_table::host()) {
        let mappings = process_table::mappings(process).unwrap_or_default();
        has_mapped |= mappings.iter().any(|mapping| mapping.name.contains("isolet-snapshot") && mapping.rights == "r--p");
    }
    upstream.tell(true);
    let outcome = run.await??;
    ensure!(outcome.end == End::Returned(7.into()), "{}", outcome.end);
    Ok(has_mapped)
}

async fn nobody_waits() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(spawning(None).dangerous().readable_by_tests())?, test_tools::scopes()?);
    ensure!(!boots_from_snapshot(&runtime, &scopes.hold).await?, "the first run has a snapshot");
    ensure!(runtime.metrics().snapshots_made == 0, "a scope that was used once has a snapshot: {:?}", runtime.metrics());
    ensure!(!boots_from_snapshot(&runtime, &scopes.hold).await?, "the second run has waited for the snapshot");
    ensure!(until(SOON, || runtime.metrics().snapshot_bytes > 0).await, "no snapshot for a busy scope");
    ensure!(boots_from_snapshot(&runtime, &scopes.hold).await?, "a later run does not boot from the snapshot");
    ensure!(!boots_from_snapshot(&runtime, &scopes.both).await?, "a run boots from the snapshot of another scope");
    // What is forked needs none.
    let forking = Runtime::new(Config::default())?;
    forking.prepare(&scopes.hold).await?;
    ensure!(forking.metrics().snapshots_made == 0, "{:?}", forking.metrics());
    Ok(())
}

async fn one_making() -> anyhow::Result<()> {
    let (runtime, scopes) = (Runtime::new(spawning(None))?, test_tools::scopes()?);
    let waiting = (0..20).map(|_| runtime.prepare(&scopes.test));
    for prepared in futures::future::join_all(waiting).await {
        prepared?;
    }
    ensure!(runtime.metrics().snapshots_made == 1, "{:?}", runtime.metrics());
    Ok(())
}

async fn memory_maximum() -> anyhow::Result<()> {
    let scopes = [scope("one", 3)?, scope("two", 3)?, scope("three", 3)?];
    let runtime = Runtime::new(spawning(None))?;
    runtime.prepare(&scopes[0]).await?;
    let one = usize::try_from(runtime.metrics().snapshot_bytes)?;
    let mut config = spawning(None);
    config.snapshot_bytes_max = one * 5 / 2;
    let runtime = Runtime::new(config.clone())?;
    for scope in [&scopes[0], &scopes[1], &scopes[0], &scopes[2]] {
        runtime.prepare(scope).await?;
        ensure!(usize::try_from(runtime.metrics().snapshot_bytes)? <= config.snapshot_bytes_max, "{:?}", runtime.metrics());
    }
    ensure!(runtime.metrics().snapshots_made == 3, "{:?}", runtime.metrics());
    runtime.prepare(&scopes[0]).await?;
    ensure!(runtime.metrics().snapshots_made == 3, "the one used last but one was forgotten: {:?}", runtime.metrics());
    runtime.prepare(&scopes[1]).await?;
    ensure!(runtime.metrics().snapshots_made == 4, "the one not used for longest was kept: {:?}", runtime.metrics());
    config.snapshot_bytes_max = one / 2;
    let runtime = Runtime::new(config)?;
    let refused = runtime.prepare(&scopes[0]).await;
    ensure!(
        matches!(&refused, Err(RunError::NoSnapshot { reason }) if reason.contains("`snapshot_bytes_max`")),
        "one that is too large: {refused:?}"
    );
    ensure!(runtime.metrics().snapshot_bytes == 0 && runtime.metrics().snapshots_failed == 1, "{:?}", runtime.metrics());
    Ok(())
}
