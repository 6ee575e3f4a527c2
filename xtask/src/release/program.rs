//! The program that is packaged: examined, and without what only a debugger reads.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::linkage::{self, Version};
use super::parts::{self, Part};
use super::shell_help::output;
use crate::workspace::Workspace;

/// A program, and all that packages say of it.
pub(super) struct Program {
    /// As it was built.
    pub(super) path: PathBuf,
    pub(super) built_bytes: u64,
    /// Without symbols and debug information.
    pub(super) stripped: Arc<[u8]>,
    pub(super) parts: Vec<Part>,
    pub(super) version: String,
    /// As rustc calls it: `x86_64-unknown-linux-gnu`.
    pub(super) target: String,
    /// The oldest that it runs with.
    pub(super) glibc: Version,
}

impl Program {
    /// Examines and strips the program at `path`.
    ///
    /// # Errors
    ///
    /// When it is none, is of another version than the checkout, or is for a platform that there are no packages for; when `strip` is missing.
    pub(super) fn of(path: &Path, workspace: &Workspace) -> anyhow::Result<Self> {
        let path = path.canonicalize().with_context(|| format!("`{}` cannot be read", path.display()))?;
        let said = String::from_utf8_lossy(&output(Command::new(&path).arg("--version"))?).into_owned();
        let (version, target) =
            facts(&said).with_context(|| format!("`{}` is no `isolet`: it says `{said}`", path.display()))?;
        let wanted = version_of(workspace)?;
        ensure!(
            version == wanted,
            "`{}` is version {version}, and this checkout is {wanted}: build it from here",
            path.display()
        );
        let built = std::fs::read(&path)?;
        let glibc = linkage::oldest_glibc(&built)?;
        ensure!(
            target == "x86_64-unknown-linux-gnu",
            "the program is for `{target}`: packages are made on and for x86-64 Linux with glibc (docs/containers.md says what others would take)"
        );
        let stripped = stripped(&path)?;
        Ok(Self {
            built_bytes: built.len() as u64,
            parts: parts::largest(&built)?,
            stripped: stripped.into(),
            version,
            target,
            glibc,
            path,
        })
    }

    /// The platform as wheels name it.
    pub(super) fn wheel_platform(&self) -> String {
        format!("manylinux_{}_{}_x86_64", self.glibc.0, self.glibc.1)
    }

    /// The platform as Node.js names it: `process.platform` and `process.arch`.
    pub(super) fn node_platform(&self) -> (&'static str, &'static str) {
        ("linux", "x64")
    }
}

/// The version and the target in what `--version` says.
fn facts(said: &str) -> Option<(String, String)> {
    let mut lines = said.lines();
    let version = lines.next()?.strip_prefix("isolet ")?;
    let target = lines.find_map(|line| line.strip_prefix("built for: "))?;
    Some((version.to_owned(), target.to_owned()))
}

/// The version of the checkout: that of the package that has the program.
fn version_of(workspace: &Workspace) -> anyhow::Result<String> {
    let server = workspace.metadata().packages.iter().find(|package| package.name == "isolet-server");
    Ok(server.context("this checkout has no package `isolet-server`")?.version.to_string())
}

/// What takes symbols away.
///
/// # Errors
///
/// When it is missing.
pub(super) fn strip() -> anyhow::Result<PathBuf> {
    which::which("strip").context("`strip` is missing: install binutils")
}

/// The program without symbols: a backtrace of it has addresses, and `--version` says which build they are of.
fn stripped(path: &Path) -> anyhow::Result<Vec<u8>> {
    let folder = tempfile::tempdir()?;
    let stripped = folder.path().join("isolet");
    output(Command::new(strip()?).args(["--strip-all", "-o"]).arg(&stripped).arg(path))?;
    // What is packaged still starts.
    output(Command::new(&stripped).arg("--version"))?;
    Ok(std::fs::read(&stripped)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_says_what_it_is() {
        let said = "isolet 0.1.0\nbuilt for: x86_64-unknown-linux-gnu\nbuilt as: release\nisolet exec: protocol 1, outcome 1\n";
        assert_eq!(facts(said), Some(("0.1.0".to_owned(), "x86_64-unknown-linux-gnu".to_owned())));
        for other in ["", "isolet 0.1.0\n", "sh 5.2\nbuilt for: here\n"] {
            assert_eq!(facts(other), None, "{other}");
        }
    }
}
