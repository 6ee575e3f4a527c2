//! `cargo xtask installs`: from nothing to a first outcome with the packages of a release, by the commands that the README shows, word by word, and in
//! which time.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use crate::console::{answer, say};
use crate::release;
use crate::workspace::Workspace;

/// What `cargo xtask installs` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The folder that `cargo xtask release` has filled; default: `dist` in the target folder
    #[arg(long, value_name = "FOLDER")]
    packages: Option<PathBuf>,
    /// Package this program first, as `cargo xtask release --trial` does, twice, and compare
    #[arg(long, value_name = "FILE", conflicts_with = "packages")]
    program: Option<PathBuf>,
    /// How long each may take
    #[arg(long, default_value_t = 60)]
    seconds_max: u64,
}

/// What the README shows in one of its sections: commands, and the program that the last of them runs.
struct Shown {
    section: &'static str,
    language: &'static str,
    file: &'static str,
    /// The last line that it prints.
    expected: &'static str,
}

const SHOWN: [Shown; 2] = [
    Shown { section: "### Python", language: "python", file: "prices.py", expected: "returned 9.5" },
    Shown { section: "### Node.js", language: "js", file: "prices.mjs", expected: "returned 9.5" },
];

/// Installs and runs what is shown, each in an empty folder with an empty home.
///
/// # Errors
///
/// When a command fails, the outcome is another one, it took too long, or the same program gave two different packages.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let made = tempfile::tempdir()?;
    let packages = match (&arguments.program, &arguments.packages) {
        (Some(program), _) => packages_of(program, made.path(), workspace)?,
        (None, Some(folder)) => folder.clone(),
        (None, None) => workspace.target().join("dist"),
    };
    let packages =
        packages.canonicalize().with_context(|| format!("`{}` has no packages: `cargo xtask release`", packages.display()))?;
    let page = fs::read_to_string(workspace.root().join("README.md")).context("`README.md` cannot be read")?;
    for shown in &SHOWN {
        let took = shown.follow(&page, &packages)?;
        let steps: Vec<_> = took.iter().map(|(command, took)| format!("{:.1} s {command}", took.as_secs_f64())).collect();
        let all: Duration = took.iter().map(|(_, took)| *took).sum();
        answer(format!("{:.1} s from nothing to `{}`: {}", all.as_secs_f64(), shown.expected, steps.join(", ")));
        ensure!(
            all <= Duration::from_secs(arguments.seconds_max),
            "more than {} s: a first outcome is promised before",
            arguments.seconds_max
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The packages of a program, made twice.
fn packages_of(program: &Path, place: &Path, workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let sums = ["dist", "again"].map(|name| -> anyhow::Result<String> {
        let folder = place.join(name);
        release::make(program, &folder, true, workspace)?;
        Ok(fs::read_to_string(folder.join("SHA256SUMS"))?)
    });
    let [first, second] = sums;
    let (first, second) = (first?, second?);
    ensure!(first == second, "the same program gave other packages the second time:\n{first}\n{second}");
    Ok(place.join("dist"))
}

impl Shown {
    /// Does what is shown in a folder of its own; each command, and what it took.
    fn follow(&self, page: &str, packages: &Path) -> anyhow::Result<Vec<(String, Duration)>> {
        let section = section(page, self.section)?;
        let place = tempfile::tempdir()?;
        let (folder, home) = (place.path().join("project"), place.path().join("home"));
        for new in [&folder, &home] {
            fs::create_dir(new)?;
        }
        symlink(packages, folder.join("dist"))?;
        fs::write(folder.join(self.file), code(section, self.language)?)?;
        let (mut took, mut said) = (Vec::new(), String::new());
        for line in code(section, "sh")?.lines() {
            say(format!("$ {line}"));
            let began = Instant::now();
            said = output(line, &folder, &home)?;
            took.push((line.to_owned(), began.elapsed()));
        }
        ensure!(said.trim_end().lines().last() == Some(self.expected), "`{}` is expected: {said}", self.expected);
        Ok(took)
    }
}

/// What a command says in `folder`, as somebody who has nothing else of Isolet.
fn output(line: &str, folder: &Path, home: &Path) -> anyhow::Result<String> {
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env("HOME", home).env("PATH", path_without_isolet()?);
    for variable in ["ISOLET", "PYTHONPATH", "VIRTUAL_ENV", "NODE_PATH"] {
        command.env_remove(variable);
    }
    // What is installed stands in `dist`: nothing is asked of the network.
    command.envs([("npm_config_offline", "true"), ("npm_config_audit", "false"), ("npm_config_update_notifier", "false")]);
    let output = command.output().context("`sh` does not start")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(
        output.status.success(),
        "`{line}` ended with {}: {said}{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(said)
}

fn path_without_isolet() -> anyhow::Result<OsString> {
    let path = env::var_os("PATH").context("there is no `PATH`")?;
    Ok(env::join_paths(env::split_paths(&path).filter(|folder| !folder.join("isolet").exists()))?)
}

/// The text below a heading, up to the next one.
fn section<'page>(page: &'page str, heading: &str) -> anyhow::Result<&'page str> {
    let (_, rest) =
        page.split_once(&format!("\n{heading}\n")).with_context(|| format!("the README has no section `{heading}`"))?;
    Ok(rest.split("\n#").next().unwrap_or_default())
}

/// The first code of this language in a section.
fn code<'page>(section: &'page str, language: &str) -> anyhow::Result<&'page str> {
    let code = section.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    code.with_context(|| format!("the README shows no `{language}` there"))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let page = "# a\n\n### Python\n\n```sh\npip install\n```\n\n```python\nimport isolet  # here\n```\n\n### Node.js\n\n```sh\nnpm install\n```\n";
        let python = section(page, "### Python").unwrap();
        assert_eq!(code(python, "sh").unwrap(), "pip install\n");
        assert_eq!(code(python, "python").unwrap(), "import isolet  # here\n");
        assert!(code(python, "js").is_err());
        assert_eq!(code(section(page, "### Node.js").unwrap(), "sh").unwrap(), "npm install\n");
        assert!(section(page, "### Ruby").is_err());
    }

    #[test]
    fn the_readme_shows_three_commands_for_each_language() {
        let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
        for shown in &SHOWN {
            let section = section(&page, shown.section).unwrap();
            assert_eq!(code(section, "sh").unwrap().lines().count(), 3, "{}", shown.section);
            assert!(code(section, "sh").unwrap().lines().last().unwrap().ends_with(shown.file), "{}", shown.section);
            code(section, shown.language).unwrap();
        }
    }
}
