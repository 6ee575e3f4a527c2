//! The npm packages of the tests: other people's MCP servers and the TypeScript compiler, and the official MCP conformance suite; and more servers.
//!
//! They are installed at the versions of a `package-lock.json` in `tests/` into the target folder, where the tests look for them. Without
//! them those tests are skipped, and counted as such.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};

use crate::console::say;
use crate::workspace::Workspace;

/// What one `package-lock.json` installs.
pub(crate) struct Packages {
    /// Where the lock file is, below `tests`; and where they are installed, below the target folder, unless the variable says it.
    name: &'static str,
    /// By what the tests are told where they are.
    variable: &'static str,
}

/// Other people's MCP servers, and the TypeScript compiler.
pub(crate) const NODE: Packages = Packages { name: "node", variable: "NODE_PACKAGES" };
const CONFORMANCE: Packages = Packages { name: "conformance", variable: "CONFORMANCE_PACKAGES" };
/// The servers of `cargo xtask servers`, which no test needs.
pub(crate) const SERVERS: Packages = Packages { name: "servers", variable: "SERVERS_PACKAGES" };
/// Those that the tests need.
pub(crate) const OF_TESTS: [Packages; 2] = [NODE, CONFORMANCE];

/// What tells the test programs where all of them are.
pub(crate) fn variables(workspace: &Workspace) -> [(&'static str, PathBuf); 3] {
    [NODE, CONFORMANCE, SERVERS].map(|packages| (packages.variable, packages.folder(workspace)))
}

impl Packages {
    /// Where they are, or will be.
    pub(crate) fn folder(&self, workspace: &Workspace) -> PathBuf {
        env::var_os(self.variable).map_or_else(|| workspace.target().join(self.name), PathBuf::from)
    }

    /// Installs them; does nothing where they are there at the locked versions.
    ///
    /// # Errors
    ///
    /// When Node.js is missing, or npm cannot install what the lock file names.
    pub(crate) fn install(&self, workspace: &Workspace) -> anyhow::Result<()> {
        let (source, target) = (workspace.root().join("tests").join(self.name), self.folder(workspace));
        let lock_file = source.join("package-lock.json");
        let lock_file = fs::read(&lock_file).with_context(|| format!("`{}` cannot be read", lock_file.display()))?;
        let installed = target.join("installed.json");
        if fs::read(&installed).is_ok_and(|found| found == lock_file) {
            return Ok(());
        }
        which::which("npm").context("`npm` is missing: install Node.js 20 or later, or leave `--node-packages` out")?;
        fs::create_dir_all(&target).with_context(|| format!("`{}` cannot be made", target.display()))?;
        for name in ["package.json", "package-lock.json"] {
            let file = source.join(name);
            fs::copy(&file, target.join(name)).with_context(|| format!("`{}` cannot be copied", file.display()))?;
        }
        say(format!("installing npm packages of the tests into `{}`", target.display()));
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        let status = Command::new("npm").args(arguments).current_dir(&target).status().context("`npm` does not start")?;
        ensure!(status.success(), "`npm ci` failed in `{}`: see above", target.display());
        fs::write(&installed, lock_file).with_context(|| format!("`{}` cannot be written", installed.display()))
    }
}
