//! The packages for Python and Node.js against the program, and what the READMEs show of them, word by word.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::node_packages::{self, NodePackages};
use crate::{program, required};

/// What needs Node.js and the TypeScript compiler.
const WITH_PACKAGES: &[node_packages::Test] = &[
    ("clients::the_package_for_node_does_what_its_tests_say", the_package_for_node),
    ("clients::what_the_readmes_show_for_node_runs", what_is_shown_for_node),
    ("clients::an_agent_of_the_ai_sdk_has_isolet_as_its_sandbox", an_agent_of_the_ai_sdk),
    ("clients::what_the_readmes_show_for_node_runs_in_bun_and_in_deno", what_is_shown_in_bun_and_deno),
];

/// One trial for each test.
pub(crate) fn trials() -> Vec<Trial> {
    let trial =
        |name: &str, test: fn() -> Result<()>| Trial::test(name, move || test().map_err(|error| format!("{error:#}").into()));
    let mut trials = vec![
        trial("clients::the_package_for_python_does_what_its_tests_say", the_package_for_python),
        trial("clients::what_the_readmes_show_for_python_runs", what_is_shown_for_python),
    ];
    trials.push(trial("clients::the_packages_have_the_version_of_the_program", the_version_is_one));
    trials.extend(node_packages::trials(WITH_PACKAGES));
    trials
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Who installs a package and a program of one version has what was tested together.
fn the_version_is_one() -> Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    for (file, line) in [
        ("clients/python/src/isolet/_runtime.py", format!("VERSION = \"{version}\"")),
        ("clients/node/package.json", format!("\"version\": \"{version}\",")),
        ("clients/node/package.json", format!("\"optionalDependencies\": {{ \"@isolet/linux-x64\": \"{version}\" }},")),
        ("clients/node/src/version.ts", format!("export const VERSION = \"{version}\";")),
    ] {
        let text = fs::read_to_string(root().join(file))?;
        ensure!(text.lines().any(|found| found.trim() == line), "{file} has no line `{line}`");
    }
    Ok(())
}

/// A program `isolet` in `place`, as an executable file of its own.
fn isolet(place: &TempDir) -> Result<PathBuf> {
    let path = place.path().join("isolet");
    let played = std::env::current_exe()?;
    fs::write(&path, format!("#!/bin/sh\nexec '{}' {} \"$@\"\n", played.display(), program::ARGUMENT))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

/// What a command writes on standard output, if it succeeds.
fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?} cannot be started"))?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}\n{said}\n{errors}", output.status);
    Ok(said.into_owned())
}

/// Python with the package and the program, if there is one that is new enough.
fn python(isolet: &Path) -> Result<Option<Command>> {
    let is_new = "import sys; sys.exit(sys.version_info < (3, 10))";
    let is_there = Command::new("python3").args(["-c", is_new]).output().is_ok_and(|output| output.status.success());
    if !required::is_there("Python 3.10", is_there)? {
        return Ok(None);
    }
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", root().join("clients/python/src")).env("PYTHONDONTWRITEBYTECODE", "1").env("ISOLET", isolet);
    Ok(Some(command))
}

fn the_package_for_python() -> Result<()> {
    let place = tempfile::tempdir()?;
    let Some(mut python) = python(&isolet(&place)?)? else { return Ok(()) };
    output(python.args(["-m", "unittest", "discover", "--start-directory"]).arg(root().join("clients/python/tests"))).map(drop)
}

fn what_is_shown_for_python() -> Result<()> {
    let place = tempfile::tempdir()?;
    let isolet = isolet(&place)?;
    for (page, expected) in [("README.md", "returned 9.5"), ("clients/python/README.md", "5")] {
        let Some(mut python) = python(&isolet)? else { return Ok(()) };
        let file = place.path().join("shown.py");
        fs::write(&file, shown(page, "python")?)?;
        let said = output(python.arg(&file))?;
        ensure!(said.trim_end().lines().last() == Some(expected), "{page}: {said}");
    }
    Ok(())
}

/// The first code of this language that a page shows.
fn shown(page: &str, language: &str) -> Result<String> {
    let text = fs::read_to_string(root().join(page))?;
    let code = text.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```\n").next());
    Ok(code.with_context(|| format!("{page} shows no {language}"))?.to_owned())
}

/// A folder with the package for Node.js, built and installed as npm would.
fn with_package(packages: &NodePackages) -> Result<TempDir> {
    let place = tempfile::tempdir()?;
    let (source, installed) = (root().join("clients/node"), place.path().join("node_modules/isolet"));
    fs::create_dir_all(&installed)?;
    fs::copy(source.join("package.json"), installed.join("package.json"))?;
    fs::write(place.path().join("package.json"), r#"{ "type": "module" }"#)?;
    let mut compiler = compiler(packages);
    output(compiler.arg("--project").arg(&source).arg("--outDir").arg(installed.join("dist")))?;
    Ok(place)
}

/// `tsc`, which knows the types of Node.js.
fn compiler(packages: &NodePackages) -> Command {
    let mut command = Command::new("node");
    command.arg(packages.folder().join("typescript/bin/tsc")).arg("--typeRoots").arg(packages.folder().join("@types"));
    command
}

fn the_package_for_node(packages: &NodePackages) -> Result<()> {
    let place = with_package(packages)?;
    let mut node = Command::new("node");
    node.arg("--test").current_dir(place.path()).env("ISOLET", isolet(&place)?);
    node.env("NODE_PACKAGES", packages.folder().parent().context("the packages are in no folder")?);
    node.env("REQUIRED_ADAPTERS", "mcp,ai");
    for name in ["runtime.test.mjs", "adapters.test.mjs"] {
        fs::copy(root().join("clients/node/test").join(name), place.path().join(name))?;
        node.arg(name);
    }
    output(&mut node).map(drop)
}

/// The example, which names its packages as an application does.
fn an_agent_of_the_ai_sdk(packages: &NodePackages) -> Result<()> {
    let place = with_package(packages)?;
    symlink(packages.folder().join("ai"), place.path().join("node_modules/ai"))?;
    fs::copy(root().join("clients/node/examples/agent.mjs"), place.path().join("agent.mjs"))?;
    let said = output(Command::new("node").arg("agent.mjs").current_dir(place.path()).env("ISOLET", isolet(&place)?))?;
    ensure!(said == "It is 9.5 euros.\n", "{said}");
    Ok(())
}

fn what_is_shown_for_node(packages: &NodePackages) -> Result<()> {
    let place = with_package(packages)?;
    let isolet = isolet(&place)?;
    fs::write(place.path().join("typed.ts"), shown("clients/node/README.md", "ts")?)?;
    let options =
        ["--strict", "--target", "es2022", "--lib", "es2023,esnext.disposable", "--module", "nodenext", "--types", "node"];
    output(compiler(packages).args(options).arg("typed.ts").current_dir(place.path()))?;
    let said = output(Command::new("node").arg("typed.js").current_dir(place.path()).env("ISOLET", &isolet))?;
    ensure!(said == "5\n", "{said}");
    runs_what_is_shown(&place, &isolet, || Command::new("node"))
}

/// Runs what the READMEs show in JavaScript.
fn runs_what_is_shown(place: &TempDir, isolet: &Path, engine: impl Fn() -> Command) -> Result<()> {
    for (page, expected) in [("README.md", "returned 9.5"), ("clients/node/README.md", "5")] {
        fs::write(place.path().join("shown.js"), shown(page, "js")?)?;
        let said = output(engine().arg("shown.js").current_dir(place.path()).env("ISOLET", isolet))?;
        ensure!(said.trim_end().lines().last() == Some(expected), "{page}: {said}");
    }
    Ok(())
}

fn what_is_shown_in_bun_and_deno(packages: &NodePackages) -> Result<()> {
    let place = with_package(packages)?;
    let isolet = isolet(&place)?;
    let bun = packages.folder().join("@oven/bun-linux-x64/bin/bun");
    let deno = packages.folder().join("@deno/linux-x64-glibc/deno");
    if !required::is_there("Bun and Deno for this platform", bun.exists() && deno.exists())? {
        return Ok(());
    }
    runs_what_is_shown(&place, &isolet, || Command::new(&bun))?;
    runs_what_is_shown(&place, &isolet, || {
        let mut command = Command::new(&deno);
        command.args(["run", "--allow-all"]).env("DENO_DIR", place.path().join("deno")).env("DENO_NO_UPDATE_CHECK", "1");
        command
    })
}
