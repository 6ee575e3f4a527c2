//! The npm packages of `tests/node`: other people's MCP servers and the TypeScript compiler. `cargo xtask test --node-packages` installs
//! them; without them the tests that need them are ignored, which counts them, or fail where all tests are required.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use libtest_mimic::Trial;

use crate::required;

/// What is missing, and the way out: stands in the line of each test that is ignored for it.
const MISSING: &str = "needs Node.js and `cargo xtask test --node-packages`";

/// The packages, if they are installed and Node.js is there.
#[derive(Clone, Debug)]
pub(crate) struct NodePackages(PathBuf);

impl NodePackages {
    /// Looks for them.
    pub(crate) fn find() -> Option<Self> {
        let folder = required::installed("NODE_PACKAGES", "node", "installed.json")?;
        let has_node = || Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success());
        has_node().then(|| Self(folder.join("node_modules")))
    }

    /// The folder they are in.
    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// The main file of an MCP server, for `node`.
    pub(crate) fn server(&self, name: &str) -> PathBuf {
        self.0.join("@modelcontextprotocol").join(name).join("dist/index.js")
    }

    /// What `tsc --strict` says against the files together; nothing if it accepts them.
    pub(crate) fn complaint(&self, files: &[PathBuf]) -> Result<Option<String>> {
        let options = ["--strict", "--noEmit", "--target", "es2023", "--lib", "es2023", "--module", "esnext"];
        let output = Command::new("node")
            .arg(self.0.join("typescript/bin/tsc"))
            .args(options)
            .args(files)
            .output()
            .context("`node` cannot be started")?;
        Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }
}

/// A test that needs the packages.
pub(crate) type Test = (&'static str, fn(&NodePackages) -> Result<()>);

/// A trial for each test: ignored without the packages, or failed where everything is required.
pub(crate) fn trials(tests: &[Test]) -> Vec<Trial> {
    let packages = NodePackages::find();
    let trial = |(name, test): &Test| match packages.clone() {
        Some(packages) => {
            let test = *test;
            Trial::test(*name, move || test(&packages).map_err(|error| format!("{error:#}").into()))
        }
        None => required::lacking(name, MISSING),
    };
    tests.iter().map(trial).collect()
}
