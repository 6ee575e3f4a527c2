//! The processes that make scope snapshots: those that fail, one that lies, and the walls around all of them.

use std::io::Write as _;
use std::os::fd::FromRawFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use isolet::{RunError, Runtime, SnapshotVerdict};

use super::temp_folder::{TempFolder, check_run, prepared, scope, spawning};
use crate::process_table::{self, until};
use crate::test_tools::{self, TestTools, Upstream};

/// How long what has to happen may take.
const SOON: Duration = Duration::from_secs(20);

/// The first argument of a maker that lies.
pub(crate) const LIAR_ARGUMENT: &str = "--lying-maker";

/// A script that starts this binary as what it should be, and as `maker` where it is to make a snapshot.
fn executable(temp: &TempFolder, maker: &str) -> anyhow::Result<PathBuf> {
    let (path, this) = (temp.path("guest"), std::env::current_exe()?);
    let script = format!("#!/bin/sh\nif [ \"$2\" = snapshot ]; then {maker}; exit; fi\nexec 'THIS' \"$@\"\n");
    std::fs::write(&path, script.replace("THIS", &this.display().to_string()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

pub(super) async fn failing_makers(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    for maker in ["exit 3", "kill -9 $$", "head -c 100000 /dev/urandom >&3", "printf '\\377\\377\\377\\377\\061' >&3"] {
        let mut config = spawning(Some(temp.folder()));
        config.executable = Some(executable(temp, maker)?);
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
    ensure!(temp.folder().list()?.is_empty(), "what failed is in the folder");
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

pub(super) async fn another_build(temp: &TempFolder) -> anyhow::Result<()> {
    let scopes = test_tools::scopes()?;
    let mut config = spawning(Some(temp.folder()));
    config.executable = Some(executable(temp, &format!("exec 'THIS' {LIAR_ARGUMENT}"))?);
    let runtime = Runtime::new(config)?;
    runtime.prepare(&scopes.test).await?;
    ensure!(runtime.metrics().snapshot_bytes == 600_000, "{:?}", runtime.metrics());
    check_run(&runtime.session(scopes.test.clone(), TestTools(Upstream::new("user")))).await?;
    // On disk it is another snapshot than that of this build, under a name of its own.
    let files = temp.folder().list()?;
    ensure!(matches!(&files[..], [file] if matches!(file.verdict, SnapshotVerdict::OfAnotherBuild(_))), "{files:?}");
    let metrics = prepared(temp.folder(), &scopes.test).await?;
    ensure!(metrics.snapshots_made == 1 && metrics.snapshots_refused == 0, "{metrics:?}");
    Ok(())
}

pub(super) async fn maker_walls() -> anyhow::Result<()> {
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
