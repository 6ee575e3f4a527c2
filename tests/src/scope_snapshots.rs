//! Scope snapshots: a run that boots from one is like any other, a file that is not believed costs nothing but its making, and
//! nobody ever waits who did not ask to.
//!
//! A maker that lies is this binary, started as [`LIAR_ARGUMENT`] by a script that `Config::executable` names.

use std::io::Write as _;
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{
    Catalog, Config, End, Grants, Jit, Metrics, RunError, Runtime, Scope, Session, SnapshotFolder, SnapshotFolderError,
    SnapshotVerdict, Start,
};
use libtest_mimic::Trial;
use serde_json::json;

use crate::process_table::{self, until};
use crate::roles::{self, Check};
use crate::test_tools::{self, TestTools, Upstream};

/// The first argument of a host; the second is the name of a check.
pub(crate) const HOST_ARGUMENT: &str = "--snapshot-host";
/// The first argument of a maker that lies.
pub(crate) const LIAR_ARGUMENT: &str = "--lying-maker";
/// The environment variable with a canary.
const ENVIRONMENT: &str = "ISOLET_TEST_CANARY";
/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(20);

/// Each in a host of its own: they look at its processes, or change its limits.
const CHECKS: &[Check] = &[
    ("a_run_from_a_scope_snapshot_is_like_any_other", || roles::drive(like_any_other())),
    ("the_first_requests_do_not_wait_and_later_ones_boot_from_it", || roles::drive(nobody_waits())),
    ("requests_for_one_snapshot_share_its_making", || roles::drive(one_making())),
    ("the_memory_has_a_maximum_and_forgets_the_least_recently_used", || roles::drive(memory_maximum())),
    ("what_is_in_the_folder_is_used_after_a_restart", || in_place(async |place| restart(place).await)),
    ("a_file_that_is_not_believed_is_made_again", || in_place(async |place| not_believed(place).await)),
    ("every_changed_or_missing_byte_is_seen", || in_place(async |place| every_byte(place).await)),
    ("a_folder_or_key_that_others_could_write_is_refused", || in_place(async |place| exposed(place))),
    ("two_that_make_the_same_one_lose_nothing", || in_place(async |place| two_makers(place).await)),
    ("a_full_disk_costs_the_file_and_nothing_else", || in_place(async |place| full_disk(place).await)),
    ("the_folder_has_a_maximum_and_forgets_the_least_recently_used", || in_place(async |place| folder_maximum(place).await)),
    ("a_maker_that_fails_costs_no_run", || in_place(async |place| failing_makers(place).await)),
    ("a_snapshot_of_another_build_is_not_booted", || in_place(async |place| another_build(place).await)),
    ("the_maker_is_behind_the_walls_and_gone_afterwards", || roles::drive(maker_walls())),
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |(check, _): &Check| {
        let check = *check;
        Trial::test(format!("scope_snapshots::{check}"), move || {
            let canary = format!("canary-{:016x}", fastrand::u64(..));
            roles::play_with(&[HOST_ARGUMENT, check], |command| command.env(ENVIRONMENT, canary))
        })
    };
    CHECKS.iter().map(trial).collect()
}

/// Makes one check as a host.
pub(crate) fn host(arguments: &[String]) -> anyhow::Result<()> {
    roles::make_one(CHECKS, arguments)
}

/// Makes a check in a new place.
fn in_place(check: impl AsyncFnOnce(&Place) -> anyhow::Result<()>) -> anyhow::Result<()> {
    roles::drive(async { check(&Place::new()?).await })
}

/// A place for a folder and its key.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn folder(&self) -> SnapshotFolder {
        SnapshotFolder::new(self.path("snapshots"), self.path("key"))
    }

    /// The one snapshot file.
    fn file(&self) -> anyhow::Result<PathBuf> {
        let files = self.folder().list()?;
        let [file] = &files[..] else { anyhow::bail!("one file, not {files:?}") };
        Ok(self.path("snapshots").join(&file.name))
    }
}

fn spawning(folder: Option<SnapshotFolder>) -> Config {
    let mut config = Config::default();
    config.start = Start::Spawn;
    config.snapshot_folder = folder;
    config
}

/// A scope of one namespace with so many tools.
fn scope(namespace: &str, tools: usize) -> anyhow::Result<Scope> {
    let tools = (0..tools).map(|id| json!({ "name": format!("tool_{id}"), "inputSchema": {} })).collect::<Vec<_>>();
    Ok(Catalog::load([(namespace, tools)])?.scope(&Grants::new().allow("*"))?)
}

async fn check_run(session: &Session) -> anyhow::Result<()> {
    let outcome = session.run("return (await test.add({ a: 1, b: 2 })).sum").await?;
    ensure!(outcome.end == End::Returned(3.into()), "{}", outcome.end);
    Ok(())
}

/// A runtime with this folder that has prepared the scope and run in it.
async fn prepared(folder: SnapshotFolder, scope: &Scope) -> anyhow::Result<Metrics> {
    let runtime = Runtime::new(spawning(Some(folder)))?;
    runtime.prepare(scope).await?;
    check_run(&runtime.session(scope.clone(), TestTools(Upstream::new("user")))).await?;
    Ok(runtime.metrics())
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

fn mode_of(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

async fn restart(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let canary = std::env::var(ENVIRONMENT).context("no canary")?;
    let first = prepared(place.folder(), &scopes.test).await?;
    ensure!(first.snapshots_made == 1 && first.snapshots_loaded == 0, "{first:?}");
    let again = prepared(place.folder(), &scopes.test).await?;
    ensure!(again.snapshots_made == 0 && again.snapshots_loaded == 1 && again.snapshots_refused == 0, "{again:?}");
    let other = prepared(place.folder(), &scopes.both).await?;
    ensure!(other.snapshots_made == 1 && other.snapshots_loaded == 0, "another scope is another snapshot: {other:?}");
    let modes = (mode_of(&place.path("snapshots"))?, mode_of(&place.path("key"))?);
    ensure!(modes == (0o700, 0o600), "folder and key have the modes {modes:?}");
    for file in place.folder().list()? {
        let path = place.path("snapshots").join(&file.name);
        ensure!(mode_of(&path)? == 0o600, "{file:?}");
        ensure!(matches!(&file.verdict, SnapshotVerdict::Usable(contents) if contents.contains("test (5)")), "{file:?}");
        // Names of tools are in it; nothing of the process that asked for it.
        let bytes = std::fs::read(&path)?;
        ensure!(memchr::memmem::find(&bytes, b"structuredClone").is_some(), "{} bytes are no snapshot", bytes.len());
        for text in [&*canary, test_tools::CANARY_CREDENTIAL, env!("CARGO_MANIFEST_DIR"), &place.path("").to_string_lossy()] {
            ensure!(memchr::memmem::find(&bytes, text.as_bytes()).is_none(), "`{text}` is in a snapshot");
        }
    }
    Ok(())
}

/// What is done to a file: its name, and how. The second path is a snapshot of another scope, the third one under another key.
type Harm = (&'static str, fn(&Path, &Path, &Path) -> anyhow::Result<()>);

const HARMS: [Harm; 8] = [
    ("a changed byte", |file, _, _| {
        let mut bytes = std::fs::read(file)?;
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        Ok(std::fs::write(file, bytes)?)
    }),
    ("a cut file", |file, _, _| {
        let bytes = std::fs::read(file)?;
        Ok(std::fs::write(file, &bytes[..bytes.len() - 1])?)
    }),
    ("an empty file", |file, _, _| Ok(std::fs::write(file, "")?)),
    ("a file of another scope", |file, other, _| Ok(std::fs::copy(other, file).map(drop)?)),
    ("a file under another key", |file, _, foreign| Ok(std::fs::copy(foreign, file).map(drop)?)),
    ("a file that all may write", |file, _, _| Ok(std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o666))?)),
    ("a symbolic link", |file, _, _| {
        let elsewhere = file.with_extension("elsewhere");
        std::fs::rename(file, &elsewhere)?;
        Ok(symlink(&elsewhere, file)?)
    }),
    ("a file that never ends", |file, _, _| {
        std::fs::remove_file(file)?;
        Ok(symlink("/dev/zero", file)?)
    }),
];

async fn not_believed(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(place.folder(), &scopes.test).await?;
    let file = place.file()?;
    let kept = std::fs::read(&file)?;
    prepared(place.folder(), &scopes.both).await?;
    let others = place.folder().list()?;
    let other = others.iter().map(|other| place.path("snapshots").join(&other.name)).find(|other| *other != file);
    let foreign = SnapshotFolder::new(place.path("foreign"), place.path("other-key"));
    prepared(foreign, &scopes.test).await?;
    let foreign = place.path("foreign").join(file.file_name().context("a name")?);
    for (name, harm) in HARMS {
        harm(&file, other.as_deref().context("another file")?, &foreign)?;
        let metrics = prepared(place.folder(), &scopes.test).await.context(name)?;
        ensure!(metrics.snapshots_refused == 1 && metrics.snapshots_made == 1, "{name}: {metrics:?}");
        ensure!(metrics.snapshots_unsaved == 0, "{name}: {metrics:?}");
        let again = prepared(place.folder(), &scopes.test).await.context(name)?;
        ensure!(again.snapshots_refused == 0 && again.snapshots_loaded == 1, "after {name}: {again:?}");
    }
    ensure!(!kept.is_empty() && mode_of(&file)? == 0o600, "the file that took the place of others");
    Ok(())
}

async fn every_byte(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(place.folder(), &scopes.test).await?;
    let file = place.file()?;
    let bytes = std::fs::read(&file)?;
    let is_refused = || -> anyhow::Result<bool> {
        let files = place.folder().list()?;
        let [listed] = &files[..] else { anyhow::bail!("one file, not {files:?}") };
        Ok(matches!(listed.verdict, SnapshotVerdict::Refused(_)))
    };
    ensure!(!is_refused()?, "the file as it was made");
    // All of what lies before the snapshot, and as many places in it.
    let places = (0..160).chain(std::iter::repeat_with(|| fastrand::usize(160..bytes.len())).take(160));
    for place in places {
        let mut changed = bytes.clone();
        changed[place] ^= 1 << fastrand::u8(..8);
        std::fs::write(&file, changed)?;
        ensure!(is_refused()?, "byte {place} was changed");
    }
    for length in (0..160).step_by(7).chain([bytes.len() / 2, bytes.len() - 1]) {
        std::fs::write(&file, &bytes[..length])?;
        ensure!(is_refused()?, "cut to {length} bytes");
    }
    std::fs::write(&file, [&bytes[..], b"0"].concat())?;
    ensure!(is_refused()?, "one byte more");
    std::fs::write(&file, &bytes)?;
    ensure!(!is_refused()?, "the file as it was made, again");
    let other = file.with_file_name(format!("{:064x}.snapshot", 1));
    std::fs::rename(&file, other)?;
    ensure!(is_refused()?, "under another name");
    Ok(())
}

/// What is wrong with a folder or key: its name, what is done, and the error.
type Wrong = (&'static str, fn(&Place) -> anyhow::Result<SnapshotFolder>, fn(&SnapshotFolderError) -> bool);

const WRONGS: [Wrong; 9] = [
    (
        "a folder that all may write",
        |place| {
            std::fs::create_dir(place.path("snapshots"))?;
            std::fs::set_permissions(place.path("snapshots"), std::fs::Permissions::from_mode(0o777))?;
            Ok(place.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    (
        "a folder that a group may read",
        |place| {
            std::fs::create_dir(place.path("snapshots"))?;
            std::fs::set_permissions(place.path("snapshots"), std::fs::Permissions::from_mode(0o750))?;
            Ok(place.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    ("a link to a folder", linked, |error| matches!(error, SnapshotFolderError::Kind { wanted: "folder", .. })),
    (
        "a link to a folder, with a slash",
        |place| {
            let folder = linked(place)?;
            Ok(SnapshotFolder::new(format!("{}/", folder.path.display()), folder.key_file))
        },
        |error| matches!(error, SnapshotFolderError::Kind { wanted: "folder", .. }),
    ),
    (
        "a file",
        |place| std::fs::write(place.path("snapshots"), "").map(|()| place.folder()).map_err(Into::into),
        |error| matches!(error, SnapshotFolderError::System { .. } | SnapshotFolderError::Kind { .. }),
    ),
    (
        "a key inside",
        |place| Ok(SnapshotFolder::new(place.path("snapshots"), place.path("snapshots/key"))),
        |error| matches!(error, SnapshotFolderError::KeyInside { .. }),
    ),
    (
        "a key that others may read",
        |place| {
            place.folder().list()?;
            std::fs::set_permissions(place.path("key"), std::fs::Permissions::from_mode(0o640))?;
            Ok(place.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    (
        "a key that was cut",
        |place| {
            place.folder().list()?;
            let key = std::fs::read(place.path("key"))?;
            std::fs::write(place.path("key"), &key[1..])?;
            Ok(place.folder())
        },
        |error| matches!(error, SnapshotFolderError::KeyLength { bytes: 63, .. }),
    ),
    (
        "a link to a key",
        |place| {
            place.folder().list()?;
            std::fs::rename(place.path("key"), place.path("elsewhere"))?;
            symlink(place.path("elsewhere"), place.path("key"))?;
            Ok(place.folder())
        },
        |error| matches!(error, SnapshotFolderError::Kind { wanted: "file", .. }),
    ),
];

fn linked(place: &Place) -> anyhow::Result<SnapshotFolder> {
    std::fs::create_dir(place.path("elsewhere"))?;
    std::fs::set_permissions(place.path("elsewhere"), std::fs::Permissions::from_mode(0o700))?;
    symlink(place.path("elsewhere"), place.path("snapshots"))?;
    Ok(place.folder())
}

fn exposed(place: &Place) -> anyhow::Result<()> {
    place.folder().list().context("a place where nothing is yet")?;
    for (name, make, expected) in WRONGS {
        let place = Place::new()?;
        let folder = make(&place).context(name)?;
        let listed = folder.list();
        ensure!(listed.as_ref().is_err_and(expected), "{name}: {listed:?}");
        let runtime = Runtime::new(spawning(Some(folder)));
        ensure!(matches!(&runtime, Err(RunError::SnapshotFolder { source }) if expected(source)), "{name}: {runtime:?}");
    }
    Ok(())
}

async fn two_makers(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let made = (0..4).map(|_| prepared(place.folder(), &scopes.test));
    for metrics in futures::future::join_all(made).await {
        let metrics = metrics?;
        ensure!(metrics.snapshots_refused == 0 && metrics.snapshots_unsaved == 0, "{metrics:?}");
        ensure!(metrics.snapshots_made + metrics.snapshots_loaded == 1, "{metrics:?}");
    }
    place.file()?; // one
    let again = prepared(place.folder(), &scopes.test).await?;
    ensure!(again.snapshots_loaded == 1, "{again:?}");
    // Whoever is first makes the key, and all have the same.
    for _ in 0..20 {
        let place = Place::new()?;
        let folders = std::thread::scope(|threads| {
            let opened: Vec<_> = (0..4).map(|_| threads.spawn(|| place.folder().list().map(|files| files.len()))).collect();
            opened.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for folder in folders {
            ensure!(matches!(folder, Ok(Ok(0))), "one of several that open a new folder: {folder:?}");
        }
        ensure!(std::fs::read_dir(place.path(""))?.count() == 2, "a folder and a key, and nothing else");
    }
    Ok(())
}

/// A disk with room for the snapshot and not for its file, which is a little longer: as a limit of this process.
async fn full_disk(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(place.folder(), &scopes.test).await?;
    let file = place.file()?;
    let length = std::fs::metadata(&file)?.len();
    std::fs::remove_file(&file)?;
    ignore_file_size_signal();
    let limit = rustix::process::Rlimit { current: Some(length - 40), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit)?;
    let metrics = prepared(place.folder(), &scopes.test).await?;
    ensure!(metrics.snapshots_unsaved == 1 && metrics.snapshots_made == 1 && metrics.snapshot_bytes > 0, "{metrics:?}");
    let left = std::fs::read_dir(place.path("snapshots"))?.count();
    ensure!(left == 0, "{left} files are left of one that could not be written");
    Ok(())
}

#[expect(unsafe_code, reason = "a write beyond the limit is to fail, not to end this process")]
fn ignore_file_size_signal() {
    // SAFETY: no handler runs; the signal is ignored from here on.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

async fn folder_maximum(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(place.folder(), &scopes.test).await?;
    let first = place.file()?;
    let mut folder = place.folder();
    folder.bytes_max = std::fs::metadata(&first)?.len() * 5 / 2;
    // Older than all others, until it is used again.
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    std::fs::File::open(&first)?.set_modified(old)?;
    prepared(folder.clone(), &scopes.both).await?;
    ensure!(place.folder().list()?.len() == 2 && first.exists(), "two files fit");
    prepared(folder.clone(), &scopes.test).await?;
    let second =
        place.folder().list()?.into_iter().map(|file| place.path("snapshots").join(file.name)).find(|file| *file != first);
    let second = second.context("two files")?;
    std::fs::File::open(&second)?.set_modified(old)?;
    std::fs::write(place.path("snapshots").join(".unfinished-1"), "left by a crash")?;
    std::fs::File::open(place.path("snapshots").join(".unfinished-1"))?.set_modified(old - Duration::from_secs(1))?;
    let runtime = Runtime::new(spawning(Some(folder)))?;
    runtime.prepare(&scopes.hold).await?;
    let files = place.folder().list()?;
    ensure!(files.len() == 2 && first.exists() && !second.exists(), "the one not used for longest goes: {files:?}");
    ensure!(!place.path("snapshots").join(".unfinished-1").exists(), "what a crash left stays");
    ensure!(place.folder().remove(&files)? == 2 && place.folder().list()?.is_empty(), "files that were removed");
    Ok(())
}

/// A script that starts this binary as what it should be, and as `maker` where it is to make a snapshot.
fn executable(place: &Place, maker: &str) -> anyhow::Result<PathBuf> {
    let (path, this) = (place.path("guest"), std::env::current_exe()?);
    let script = format!("#!/bin/sh\nif [ \"$2\" = snapshot ]; then {maker}; exit; fi\nexec 'THIS' \"$@\"\n");
    std::fs::write(&path, script.replace("THIS", &this.display().to_string()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

async fn failing_makers(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    for maker in ["exit 3", "kill -9 $$", "head -c 100000 /dev/urandom >&3", "printf '\\377\\377\\377\\377\\061' >&3"] {
        let mut config = spawning(Some(place.folder()));
        config.executable = Some(executable(place, maker)?);
        let runtime = Runtime::new(config)?;
        let prepared = runtime.prepare(&scopes.test).await;
        ensure!(matches!(prepared, Err(RunError::NoSnapshot { .. })), "`{maker}`: {prepared:?}");
        let session = runtime.session(scopes.test.clone(), TestTools(Upstream::new("user")));
        for _ in 0..4 {
            check_run(&session).await.context(maker)?;
        }
        let metrics = runtime.metrics();
        ensure!(
            metrics.snapshots_failed == 1 && metrics.snapshot_bytes == 0,
            "`{maker}`, which is not asked again at once: {metrics:?}"
        );
    }
    ensure!(place.folder().list()?.is_empty(), "what failed is in the folder");
    Ok(())
}

/// Says that it is another build, and makes a snapshot that would end V8.
pub(crate) fn lie() -> anyhow::Result<()> {
    #[expect(unsafe_code, reason = "the socket of a guest process is its fourth descriptor")]
    // SAFETY: the host put its socket there, and nothing else in this process knows of it.
    let mut socket = unsafe { UnixStream::from_raw_fd(3) };
    let mut say = |kind: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).map_err(std::io::Error::other)?;
        socket.write_all(&[&length.to_le_bytes()[..], &[kind], payload].concat())
    };
    say(48, &[7; 32])?;
    Ok(say(49, &[7; 600_000])?)
}

async fn another_build(place: &Place) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let mut config = spawning(Some(place.folder()));
    config.executable = Some(executable(place, &format!("exec 'THIS' {LIAR_ARGUMENT}"))?);
    let runtime = Runtime::new(config)?;
    runtime.prepare(&scopes.test).await?;
    ensure!(runtime.metrics().snapshot_bytes == 600_000, "{:?}", runtime.metrics());
    check_run(&runtime.session(scopes.test.clone(), TestTools(Upstream::new("user")))).await?;
    // On disk it is another snapshot than that of this build, under a name of its own.
    let files = place.folder().list()?;
    ensure!(matches!(&files[..], [file] if matches!(file.verdict, SnapshotVerdict::OfAnotherBuild(_))), "{files:?}");
    let metrics = prepared(place.folder(), &scopes.test).await?;
    ensure!(metrics.snapshots_made == 1 && metrics.snapshots_refused == 0, "{metrics:?}");
    Ok(())
}

async fn maker_walls() -> anyhow::Result<()> {
    let large = scope("large", 20_000)?;
    let runtime = Runtime::new(spawning(None))?;
    let preparing = runtime.clone();
    let prepared = tokio::spawn(async move { preparing.prepare(&large).await });
    // Where the kernel has no lists of system calls, there are none.
    let has_seccomp = Path::new("/proc/sys/kernel/seccomp").exists();
    let mut seen = (false, false, 0);
    let behind = until(SOON, || {
        for maker in process_table::children_of(process_table::host()) {
            seen.0 |= process_table::status(maker, "NoNewPrivs").as_deref() == Some("1");
            seen.1 |= process_table::status(maker, "Seccomp").as_deref() == Some("2");
            seen.2 = seen.2.max(process_table::status_number(maker, "Threads").unwrap_or(0));
        }
        prepared.is_finished()
    });
    ensure!(behind.await, "the snapshot is never made");
    prepared.await??;
    ensure!(seen.0 && seen.1 == has_seccomp && seen.2 == 1, "privileges, system calls, threads: {seen:?}");
    ensure!(until(SOON, || process_table::descendants_of(process_table::host()).is_empty()).await, "the maker stays");
    Ok(())
}
