//! The Python packages of the tests: those of BFCL, whose conversations they make; and other people's MCP servers.
//!
//! They are installed at the versions of a `requirements.txt` in `tests/` into the target folder, where the tests look for them. Without those of BFCL its tests are
//! skipped, and counted as such.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::console::say;
use crate::workspace::Workspace;

/// By what the tests are told where they are.
const VARIABLE: &str = "BFCL_PACKAGES";

/// Where they are installed: below the target folder, unless the variable says it.
fn folder(workspace: &Workspace) -> PathBuf {
    env::var_os(VARIABLE).map_or_else(|| workspace.target().join("bfcl"), PathBuf::from)
}

/// Installs those of BFCL.
///
/// # Errors
///
/// As [`install_into`].
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<()> {
    install_into(&folder(workspace), "tests/bfcl/requirements.txt", workspace)
}

/// Installs what `file` names, of the checkout, into the folder `target`; does nothing where they are there at these versions.
///
/// # Errors
///
/// When Python or pip is missing, or pip cannot install what the file names.
pub(crate) fn install_into(target: &Path, file: &str, workspace: &Workspace) -> anyhow::Result<()> {
    let file = workspace.root().join(file);
    let requirements = fs::read(&file).with_context(|| format!("`{}` cannot be read", file.display()))?;
    let installed = target.join("installed.txt");
    if fs::read(&installed).is_ok_and(|found| found == requirements) {
        return Ok(());
    }
    which::which("python3").context("`python3` is missing: install Python 3.10 or later")?;
    fs::create_dir_all(target).with_context(|| format!("`{}` cannot be made", target.display()))?;
    say(format!("installing Python packages of the tests into `{}`", target.display()));
    let arguments = ["-m", "pip", "install", "--quiet", "--no-deps", "--upgrade", "--disable-pip-version-check", "--target"];
    let mut command = Command::new("python3");
    command.args(arguments).arg(target).arg("--requirement").arg(&file);
    let status = command.status().context("`python3` does not start")?;
    ensure!(status.success(), "pip cannot install what `{}` names: see above", file.display());
    fs::write(&installed, requirements).with_context(|| format!("`{}` cannot be written", installed.display()))
}
