//! `cargo xtask test`: all tests of the workspace, with one count at the end.
//!
//! Cargo builds the test programs; they are started here one by one, so that arguments reach those alone that know them
//! (Rust's own test harness refuses what it does not know), so that one failure does not hide the next program's, and so that what
//! all of them counted can be added up.

use std::fmt;
use std::io::{BufRead as _, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, bail};
use cargo_metadata::Message;

use crate::consent::Consent;
use crate::console::{answer, say};
use crate::python_packages;
use crate::test_packages;
use crate::v8;
use crate::workspace::Workspace;

/// The test programs that take the arguments after `--`, by package and target: these have a `main` of their own that knows them.
const WITH_OWN_MAIN: [(&str, &str); 2] = [("isolet-tests", "isolet"), ("isolet-conformance", "direct")];

/// The argument by which a test that lacks something of the machine fails, and how programs that take no argument are told.
const REQUIRE_ALL: &str = "--require-all";
const REQUIRE_ALL_VARIABLE: &str = "ISOLET_REQUIRE_ALL";

/// What `cargo xtask test` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Install the npm packages first that the tests of other people's MCP servers, of the TypeScript compiler and of MCP conformance need
    #[arg(long)]
    node_packages: bool,
    /// Install the Python packages first that the test with other people's tasks needs
    #[arg(long)]
    python_packages: bool,
    #[command(flatten)]
    consent: Consent,
    /// For the test programs in `tests/`: names to filter by; or `--require-all`, by which what a machine lacks fails the test that needs it
    #[arg(last = true)]
    passed: Vec<String>,
}

/// Runs all tests; the last line is `N passed, N failed, N skipped`.
///
/// # Errors
///
/// When V8 or the npm packages cannot be had, or when cargo cannot build the tests.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    if arguments.node_packages {
        test_packages::OF_TESTS.iter().try_for_each(|packages| packages.install(workspace))?;
    }
    if arguments.python_packages {
        python_packages::install(workspace)?;
    }
    let all_required = arguments.passed.iter().any(|argument| argument == REQUIRE_ALL);
    let mut count = Count::default();
    for program in build(workspace)? {
        let has_own_main = WITH_OWN_MAIN.contains(&(&*program.package, &*program.target));
        let passed = if has_own_main { arguments.passed.as_slice() } else { &[] };
        let mut command = Command::new(&program.executable);
        command.args(passed).current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
        command.envs(test_packages::variables(workspace));
        if all_required {
            command.env(REQUIRE_ALL_VARIABLE, "1");
        }
        say(format!("\nRunning the tests of {} ({})", program.package, program.target));
        count.add(counted(&mut command)?);
    }
    for mut tests in apart(workspace)? {
        count.add(counted(&mut tests)?);
    }
    say("\nRunning the examples in the documentation");
    count.add(counted(workspace.cargo().args(["test", "--workspace", "--doc", "--no-fail-fast"]))?);
    answer(count);
    Ok(if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is built apart, where no other package turns the feature `guest` on, and runs against the program `isolet`: the host without V8, and an
/// application in a repository of its own.
fn apart(workspace: &Workspace) -> anyhow::Result<[Command; 2]> {
    say("\nRunning the tests of isolet-without-guest and of the embedder");
    // With the features of the tests, so that it is only linked.
    let built = workspace.cargo().args(["build", "--workspace", "--tests", "--bin", "isolet"]).status()?;
    if !built.success() {
        bail!("the program `isolet` does not build: see above");
    }
    let tests_of = |arguments: &[&str]| {
        let mut command = workspace.cargo();
        // Their dependencies are built for this alone, and hardly run.
        command.args(["test", "--config", r#"profile.dev.package."*".opt-level=0"#]).args(arguments);
        command.arg("--target-dir").arg(workspace.target().join("without-guest"));
        command.env("ISOLET_PROGRAM", workspace.target().join("debug/isolet"));
        command
    };
    Ok([
        tests_of(&["--package", "isolet-without-guest", "--features", "apart"]),
        tests_of(&["--manifest-path", "examples/embedder/Cargo.toml", "--locked", "--no-default-features"]),
    ])
}

/// A test program that cargo built.
struct TestProgram {
    package: String,
    target: String,
    executable: PathBuf,
    folder: PathBuf,
}

/// Builds all test programs of the workspace, in the order in which cargo finished them.
fn build(workspace: &Workspace) -> anyhow::Result<Vec<TestProgram>> {
    let mut child = workspace
        .cargo()
        .args(["test", "--workspace", "--no-run", "--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo does not start")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut programs = Vec::new();
    for message in Message::parse_stream(BufReader::new(output)) {
        let Message::CompilerArtifact(artifact) = message.context("cargo said something that is no message")? else { continue };
        let (true, Some(executable)) = (artifact.profile.test, artifact.executable) else { continue };
        let package = workspace.metadata().packages.iter().find(|package| package.id == artifact.package_id);
        let package = package.context("cargo built a test of no package of the workspace")?;
        programs.push(TestProgram {
            package: package.name.to_string(),
            target: artifact.target.name,
            executable: executable.into(),
            folder: package.manifest_path.parent().context("a package has no folder")?.into(),
        });
    }
    if !child.wait().context("cargo was lost")?.success() {
        bail!("the tests do not build: see above");
    }
    Ok(programs)
}

/// Runs one program, passes its output on as it comes, and adds up what its result lines say.
fn counted(command: &mut Command) -> anyhow::Result<Count> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("a test program does not start")?;
    let output = child.stdout.take().context("a test program has no output")?;
    let (mut count, results) = passed_on(output)?;
    let status = child.wait().context("a test program was lost")?;
    if !status.success() && count.failed == 0 {
        say(format!("the test program ended with {status} after {results} result lines: counted as one failure"));
        count.failed += 1;
    }
    Ok(count)
}

/// Prints every line of `output`, and gives the sum of its result lines and how many there were.
fn passed_on(output: impl Read) -> anyhow::Result<(Count, usize)> {
    let (mut count, mut results) = (Count::default(), 0);
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line).context("the output of a test program cannot be read")? > 0 {
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches('\n');
        answer(text);
        if let Some(result) = Count::in_result_line(text) {
            count.add(result);
            results += 1;
        }
        line.clear();
    }
    Ok((count, results))
}

/// How many tests ended how.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// What a line such as `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; ...` counts.
    fn in_result_line(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let number = |name: &str| counts.split("; ").find_map(|part| part.strip_suffix(name)?.trim_end().parse().ok());
        Some(Self { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use std::path::Path;

    use super::*;

    #[test]
    fn a_program_that_takes_arguments_is_there_and_has_a_main_of_its_own() {
        let workspace = Workspace::at(Path::new(env!("CARGO_MANIFEST_DIR"))).unwrap();
        for (package, target) in WITH_OWN_MAIN {
            let package = workspace.metadata().packages.iter().find(|known| *known.name == package).unwrap();
            let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
            let mut tests = manifest.split("[[test]]\n").skip(1).map(|rest| rest.split("\n[").next().unwrap_or_default());
            let has_own_main =
                |test: &str| test.contains(&format!("name = \"{target}\"\n")) && test.contains("harness = false");
            assert!(tests.any(has_own_main), "{target}");
        }
    }

    #[test]
    fn result_lines_are_added_up() {
        let output = "running 3 tests\ntest a ... ok\n\n\
            test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 4 filtered out; finished in 1.20s\n";
        let (count, results) = passed_on(output.as_bytes()).unwrap();
        assert_eq!((count.to_string().as_str(), results), ("12 passed, 3 failed, 1 skipped", 2));
    }

    #[test]
    fn lines_that_only_resemble_a_result_are_not_counted() {
        for line in
            ["test result: ok", "test result: ok. many passed; 0 failed", "a test result: ok. 1 passed; 0 failed; 0 ignored"]
        {
            assert_eq!(Count::in_result_line(line), None, "{line}");
        }
    }

    #[test]
    fn a_program_that_dies_without_a_result_is_a_failure() {
        let count = counted(Command::new("sh").args(["-c", "echo running 1 test; kill -9 $$"])).unwrap();
        assert_eq!(count, Count { passed: 0, failed: 1, skipped: 0 });
        let count = counted(Command::new("sh").args(["-c", "true"])).unwrap();
        assert_eq!(count, Count::default());
    }
}
