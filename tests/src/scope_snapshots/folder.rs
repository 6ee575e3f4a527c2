//! The folder in which scope snapshots are kept: what of it is believed, and what it costs when something is wrong with it.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{RunError, Runtime, SnapshotFolder, SnapshotFolderError, SnapshotVerdict};

use super::temp_folder::{TempFolder, prepared, spawning};
use crate::test_tools;

/// The environment variable with a canary.
pub(super) const ENVIRONMENT: &str = "ISOLET_TEST_CANARY";

fn mode_of(path: &Path) -> anyhow::Result<u32> {
    Ok(std::fs::symlink_metadata(path)?.permissions().mode() & 0o7777)
}

pub(super) async fn restart(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let canary = std::env::var(ENVIRONMENT).context("no canary")?;
    let first = prepared(temp.folder(), &scopes.test).await?;
    ensure!(first.snapshots_made == 1 && first.snapshots_loaded == 0, "{first:?}");
    let again = prepared(temp.folder(), &scopes.test).await?;
    ensure!(again.snapshots_made == 0 && again.snapshots_loaded == 1 && again.snapshots_refused == 0, "{again:?}");
    let other = prepared(temp.folder(), &scopes.both).await?;
    ensure!(other.snapshots_made == 1 && other.snapshots_loaded == 0, "another scope is another snapshot: {other:?}");
    let modes = (mode_of(&temp.path("snapshots"))?, mode_of(&temp.path("key"))?);
    ensure!(modes == (0o700, 0o600), "folder and key have the modes {modes:?}");
    for file in temp.folder().list()? {
        let path = temp.path("snapshots").join(&file.name);
        ensure!(mode_of(&path)? == 0o600, "{file:?}");
        ensure!(matches!(&file.verdict, SnapshotVerdict::Usable(contents) if contents.contains("test (5)")), "{file:?}");
        // Names of tools are in it; nothing of the process that asked for it.
        let bytes = std::fs::read(&path)?;
        ensure!(memchr::memmem::find(&bytes, b"structuredClone").is_some(), "{} bytes are no snapshot", bytes.len());
        for text in [&*canary, test_tools::CANARY_CREDENTIAL, env!("CARGO_MANIFEST_DIR"), &temp.path("").to_string_lossy()] {
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

pub(super) async fn not_believed(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(temp.folder(), &scopes.test).await?;
    let file = temp.file()?;
    let kept = std::fs::read(&file)?;
    prepared(temp.folder(), &scopes.both).await?;
    let others = temp.folder().list()?;
    let other = others.iter().map(|other| temp.path("snapshots").join(&other.name)).find(|other| *other != file);
    let foreign = SnapshotFolder::new(temp.path("foreign"), temp.path("other-key"));
    prepared(foreign, &scopes.test).await?;
    let foreign = temp.path("foreign").join(file.file_name().context("a name")?);
    for (name, harm) in HARMS {
        harm(&file, other.as_deref().context("another file")?, &foreign)?;
        let metrics = prepared(temp.folder(), &scopes.test).await.context(name)?;
        ensure!(metrics.snapshots_refused == 1 && metrics.snapshots_made == 1, "{name}: {metrics:?}");
        ensure!(metrics.snapshots_unsaved == 0, "{name}: {metrics:?}");
        let again = prepared(temp.folder(), &scopes.test).await.context(name)?;
        ensure!(again.snapshots_refused == 0 && again.snapshots_loaded == 1, "after {name}: {again:?}");
    }
    ensure!(!kept.is_empty() && mode_of(&file)? == 0o600, "the file that took the place of others");
    Ok(())
}

pub(super) async fn every_byte(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(temp.folder(), &scopes.test).await?;
    let file = temp.file()?;
    let bytes = std::fs::read(&file)?;
    let is_refused = || -> anyhow::Result<bool> {
        let files = temp.folder().list()?;
        let [listed] = &files[..] else { anyhow::bail!("one file, not {files:?}") };
        Ok(matches!(listed.verdict, SnapshotVerdict::Refused(_)))
    };
    ensure!(!is_refused()?, "the file as it was made");
    // All of what lies before the snapshot, and as many bytes of it.
    let positions = (0..160).chain(std::iter::repeat_with(|| fastrand::usize(160..bytes.len())).take(160));
    for position in positions {
        let mut changed = bytes.clone();
        changed[position] ^= 1 << fastrand::u8(..8);
        std::fs::write(&file, changed)?;
        ensure!(is_refused()?, "byte {position} was changed");
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
type Wrong = (&'static str, fn(&TempFolder) -> anyhow::Result<SnapshotFolder>, fn(&SnapshotFolderError) -> bool);

const WRONGS: [Wrong; 9] = [
    (
        "a folder that all may write",
        |temp| {
            std::fs::create_dir(temp.path("snapshots"))?;
            std::fs::set_permissions(temp.path("snapshots"), std::fs::Permissions::from_mode(0o777))?;
            Ok(temp.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    (
        "a folder that a group may read",
        |temp| {
            std::fs::create_dir(temp.path("snapshots"))?;
            std::fs::set_permissions(temp.path("snapshots"), std::fs::Permissions::from_mode(0o750))?;
            Ok(temp.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    ("a link to a folder", linked, |error| matches!(error, SnapshotFolderError::Kind { wanted: "folder", .. })),
    (
        "a link to a folder, with a slash",
        |temp| {
            let folder = linked(temp)?;
            Ok(SnapshotFolder::new(format!("{}/", folder.path.display()), folder.key_file))
        },
        |error| matches!(error, SnapshotFolderError::Kind { wanted: "folder", .. }),
    ),
    (
        "a file",
        |temp| std::fs::write(temp.path("snapshots"), "").map(|()| temp.folder()).map_err(Into::into),
        |error| matches!(error, SnapshotFolderError::System { .. } | SnapshotFolderError::Kind { .. }),
    ),
    (
        "a key inside",
        |temp| Ok(SnapshotFolder::new(temp.path("snapshots"), temp.path("snapshots/key"))),
        |error| matches!(error, SnapshotFolderError::KeyInside { .. }),
    ),
    (
        "a key that others may read",
        |temp| {
            temp.folder().list()?;
            std::fs::set_permissions(temp.path("key"), std::fs::Permissions::from_mode(0o640))?;
            Ok(temp.folder())
        },
        |error| matches!(error, SnapshotFolderError::Exposed(_)),
    ),
    (
        "a key that was cut",
        |temp| {
            temp.folder().list()?;
            let key = std::fs::read(temp.path("key"))?;
            std::fs::write(temp.path("key"), &key[1..])?;
            Ok(temp.folder())
        },
        |error| matches!(error, SnapshotFolderError::KeyLength { bytes: 63, .. }),
    ),
    (
        "a link to a key",
        |temp| {
            temp.folder().list()?;
            std::fs::rename(temp.path("key"), temp.path("elsewhere"))?;
            symlink(temp.path("elsewhere"), temp.path("key"))?;
            Ok(temp.folder())
        },
        |error| matches!(error, SnapshotFolderError::Kind { wanted: "file", .. }),
    ),
];

fn linked(temp: &TempFolder) -> anyhow::Result<SnapshotFolder> {
    std::fs::create_dir(temp.path("elsewhere"))?;
    std::fs::set_permissions(temp.path("elsewhere"), std::fs::Permissions::from_mode(0o700))?;
    symlink(temp.path("elsewhere"), temp.path("snapshots"))?;
    Ok(temp.folder())
}

pub(super) fn exposed(temp: &TempFolder) -> anyhow::Result<()> {
    temp.folder().list().context("a folder that is not there yet")?;
    for (name, make, expected) in WRONGS {
        let temp = TempFolder::new()?;
        let folder = make(&temp).context(name)?;
        let listed = folder.list();
        ensure!(listed.as_ref().is_err_and(expected), "{name}: {listed:?}");
        let runtime = Runtime::new(spawning(Some(folder)));
        ensure!(matches!(&runtime, Err(RunError::SnapshotFolder { source }) if expected(source)), "{name}: {runtime:?}");
    }
    Ok(())
}

pub(super) async fn two_makers(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let made = (0..4).map(|_| prepared(temp.folder(), &scopes.test));
    for metrics in futures::future::join_all(made).await {
        let metrics = metrics?;
        ensure!(metrics.snapshots_refused == 0 && metrics.snapshots_unsaved == 0, "{metrics:?}");
        ensure!(metrics.snapshots_made + metrics.snapshots_loaded == 1, "{metrics:?}");
    }
    temp.file()?; // one
    let again = prepared(temp.folder(), &scopes.test).await?;
    ensure!(again.snapshots_loaded == 1, "{again:?}");
    // Whoever is first makes the key, and all have the same.
    for _ in 0..20 {
        let temp = TempFolder::new()?;
        let folders = std::thread::scope(|threads| {
            let opened: Vec<_> = (0..4).map(|_| threads.spawn(|| temp.folder().list().map(|files| files.len()))).collect();
            opened.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        for folder in folders {
            ensure!(matches!(folder, Ok(Ok(0))), "one of several that open a new folder: {folder:?}");
        }
        ensure!(std::fs::read_dir(temp.path(""))?.count() == 2, "a folder and a key, and nothing else");
    }
    Ok(())
}

/// A disk with room for the snapshot and not for its file, which is a little longer: as a limit of this process.
pub(super) async fn full_disk(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(temp.folder(), &scopes.test).await?;
    let file = temp.file()?;
    let length = std::fs::metadata(&file)?.len();
    std::fs::remove_file(&file)?;
    ignore_file_size_signal();
    let limit = rustix::process::Rlimit { current: Some(length - 40), maximum: None };
    rustix::process::setrlimit(rustix::process::Resource::Fsize, limit)?;
    let metrics = prepared(temp.folder(), &scopes.test).await?;
    ensure!(metrics.snapshots_unsaved == 1 && metrics.snapshots_made == 1 && metrics.snapshot_bytes > 0, "{metrics:?}");
    let left = std::fs::read_dir(temp.path("snapshots"))?.count();
    ensure!(left == 0, "{left} files are left of one that could not be written");
    Ok(())
}

#[expect(unsafe_code, reason = "a write beyond the limit is to fail, not to end this process")]
fn ignore_file_size_signal() {
    // SAFETY: no handler runs; the signal is ignored from here on.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

pub(super) async fn folder_maximum(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    prepared(temp.folder(), &scopes.test).await?;
    let first = temp.file()?;
    let mut folder = temp.folder();
    folder.bytes_max = std::fs::metadata(&first)?.len() * 5 / 2;
    // Older than all others, until it is used again.
    let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    std::fs::File::open(&first)?.set_modified(old)?;
    prepared(folder.clone(), &scopes.both).await?;
    ensure!(temp.folder().list()?.len() == 2 && first.exists(), "two files fit");
    prepared(folder.clone(), &scopes.test).await?;
    let second =
        temp.folder().list()?.into_iter().map(|file| temp.path("snapshots").join(file.name)).find(|file| *file != first);
    let second = second.context("two files")?;
    std::fs::File::open(&second)?.set_modified(old)?;
    std::fs::write(temp.path("snapshots").join(".unfinished-1"), "left by a crash")?;
    std::fs::File::open(temp.path("snapshots").join(".unfinished-1"))?.set_modified(old - Duration::from_secs(1))?;
    let runtime = Runtime::new(spawning(Some(folder)))?;
    runtime.prepare(&scopes.hold).await?;
    let files = temp.folder().list()?;
    ensure!(files.len() == 2 && first.exists() && !second.exists(), "the one not used for longest goes: {files:?}");
    ensure!(!temp.path("snapshots").join(".unfinished-1").exists(), "what a crash left stays");
    ensure!(temp.folder().remove(&files)? == 2 && temp.folder().list()?.is_empty(), "files that were removed");
    Ok(())
}
