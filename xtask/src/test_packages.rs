//! The npm packages of the tests: other people's MCP servers, and the TypeScript compiler.
//!
//! They are installed at the versions of `tests/node/package-lock.json` into `node` in the target folder, where the tests look for
//! them. Without them those tests are skipped, and counted as such.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::console::say;
use crate::workspace::Workspace;

/// Where they are.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target().join("node")
}

/// Installs the packages; does nothing where they are there at the locked versions.
///
/// # Errors
///
/// When Node.js is missing, or npm cannot install what the lock file names.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    let (source, target) = (workspace.root().join("tests/node"), folder(workspace));
    let lock_file = fs::read(source.join("package-lock.json")).context("`tests/node/package-lock.json` cannot be read")?;
    let installed = target.join("installed.json");
    if fs::read(&installed).is_ok_and(|found| found == lock_file) {
        return Ok(());
    }
    which::which("npm").context("`npm` is missing: install Node.js 20 or later, or leave `--node-packages` out")?;
    fs::create_dir_all(&target).with_context(|| format!("`{}` cannot be made", target.display()))?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(source.join(name), target.join(name)).with_context(|| format!("`tests/node/{name}` cannot be copied"))?;
    }
    say(format!("installing the npm packages of the tests into `{}`", target.display()));
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    let status = Command::new("npm").args(arguments).current_dir(&target).status().context("`npm` does not start")?;
    ensure!(status.success(), "`npm ci` failed in `{}`: see above", target.display());
    fs::write(&installed, lock_file).with_context(|| format!("`{}` cannot be written", installed.display()))
}
