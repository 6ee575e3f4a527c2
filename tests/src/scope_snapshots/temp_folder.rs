//! A snapshot folder that is gone after the test, and runtimes that use it.

use std::path::PathBuf;

use anyhow::ensure;
use isolet::{Catalog, Config, End, Grants, Metrics, Runtime, Scope, Session, SnapshotFolder, Start};
use serde_json::json;

use crate::roles;
use crate::test_tools::{TestTools, Upstream};

/// A temporary folder for a snapshot folder and its key.
pub(super) struct TempFolder(tempfile::TempDir);

impl TempFolder {
    pub(super) fn new() -> anyhow::Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn folder(&self) -> SnapshotFolder {
        SnapshotFolder::new(self.path("snapshots"), self.path("key"))
    }

    /// The one snapshot file.
    pub(super) fn file(&self) -> anyhow::Result<PathBuf> {
        let files = self.folder().list()?;
        let [file] = &files[..] else { anyhow::bail!("one file, not {files:?}") };
        Ok(self.path("snapshots").join(&file.name))
    }
}

/// Makes a check with a new temporary folder.
pub(super) fn in_temp_folder(check: impl AsyncFnOnce(&TempFolder) -> anyhow::Result<()>) -> anyhow::Result<()> {
    roles::drive(async { check(&TempFolder::new()?).await })
}

pub(super) fn spawning(folder: Option<SnapshotFolder>) -> Config {
    let mut config = Config::default();
    config.start = Start::Spawn;
    config.snapshot_folder = folder;
    config
}

/// A scope of one namespace with so many tools.
pub(super) fn scope(namespace: &str, tools: usize) -> anyhow::Result<Scope> {
    let tools = (0..tools).map(|id| json!({ "name": format!("tool_{id}"), "inputSchema": {} })).collect::<Vec<_>>();
    Ok(Catalog::load([(namespace, tools)])?.scope(&Grants::new().allow("*"))?)
}

pub(super) async fn check_run(session: &Session) -> anyhow::Result<()> {
    let outcome = session.run("return (await test.add({ a: 1, b: 2 })).sum").await?;
    ensure!(outcome.end == End::Returned(3.into()), "{}", outcome.end);
    Ok(())
}

/// A runtime with this folder that has prepared the scope and run in it.
pub(super) async fn prepared(folder: SnapshotFolder, scope: &Scope) -> anyhow::Result<Metrics> {
    let runtime = Runtime::new(spawning(Some(folder)))?;
    runtime.prepare(scope).await?;
    check_run(&runtime.session(scope.clone(), TestTools(Upstream::new("user")))).await?;
    Ok(runtime.metrics())
}
