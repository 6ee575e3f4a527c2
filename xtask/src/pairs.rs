//! `cargo xtask bench --against`: the bench `runs` of this checkout and that of another commit, in turns on the same machine.
//!
//! Times of two runs on a machine that does other things cannot be compared; the ratio of two that followed each other can, and the
//! median over many such pairs. Which of the two begins changes from pair to pair.

use std::collections::BTreeMap;
use std::fmt;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context as _, bail, ensure};
use cargo_metadata::Message;
use serde_json::{Value, json};

use crate::consent::Consent;
use crate::console::say;
use crate::criterion::measurements;
use crate::v8;
use crate::workspace::Workspace;

/// The bench that is compared.
const BENCH: &str = "runs";
/// Short, for there are many; what the caller passes comes first.
const TIMES: [(&str, &str); 2] = [("--warm-up-time", "0.5"), ("--measurement-time", "2")];

/// What was measured, a row for each bench that both have.
pub(crate) struct Compared {
    other: String,
    pub(crate) rows: Vec<Row>,
}

/// One bench: the medians of each pair, nanoseconds, this checkout's first.
pub(crate) struct Row {
    name: String,
    pairs: Vec<[f64; 2]>,
}

/// Builds both programs and runs them in turns. `other`: a commit, or a program that was built from one.
///
/// # Errors
///
/// When one cannot be built, fails, or they have no bench in common that the arguments in `passed` choose.
pub(crate) fn compare(
    other: &str,
    pairs: u32,
    passed: &[String],
    consent: &Consent,
    workspace: &Workspace,
) -> anyhow::Result<Compared> {
    let programs = [build(workspace)?, program_of(other, consent, workspace)?];
    let mut measured = Vec::new();
    for number in 0..pairs {
        say(format!("pair {} of {pairs}", number + 1));
        let mut pair = [BTreeMap::new(), BTreeMap::new()];
        for side in if number % 2 == 0 { [0, 1] } else { [1, 0] } {
            pair[side] = run(&programs[side], passed)?;
        }
        measured.push(pair);
    }
    let rows = rows(&measured);
    ensure!(!rows.is_empty(), "the two have no bench in common that is called so: see `cargo xtask bench -- --list`");
    Ok(Compared { other: other.to_owned(), rows })
}

/// The bench of a checkout, built and not run.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    say(format!("building the bench of `{}`", workspace.root().display()));
    let mut child = workspace
        .cargo()
        .args(["bench", "--workspace", "--bench", BENCH, "--no-run", "--message-format", "json-render-diagnostics"])
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo does not start")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let mut program = None;
    for message in Message::parse_stream(BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo said something that is no message")?
            && artifact.target.name == BENCH
        {
            program = artifact.executable.or(program);
        }
    }
    ensure!(child.wait().context("cargo was lost")?.success(), "the bench does not build: see above");
    Ok(program.context("cargo has built no bench")?.into())
}

/// The program itself; or that of a commit, built in a worktree that stays below the target folder for the next time.
fn program_of(other: &str, consent: &Consent, workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let program = Path::new(other);
    if program.is_file() {
        return std::path::absolute(program).context("the program has no path");
    }
    let git = |arguments: &[&str]| -> anyhow::Result<String> {
        let output =
            Command::new("git").args(arguments).current_dir(workspace.root()).output().context("`git` does not start")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "`git {}` failed: {}", arguments.join(" "), said.trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "--verify", "--end-of-options", &format!("{other}^{{commit}}")])
        .with_context(|| format!("`{other}` is no program and no commit"))?;
    let folder = workspace.target().join("against").join(&commit);
    if !folder.join("Cargo.toml").is_file() {
        git(&["worktree", "prune"])?;
        git(&["worktree", "add", "--detach", &folder.to_string_lossy(), &commit])?;
        say(format!("`{}` stays for the next time: `git worktree remove` takes it away", folder.display()));
    }
    let other = Workspace::at(&folder)?.with_target(&folder.join("target"))?;
    v8::ensure(consent, &other)?;
    build(&other)
}

/// Runs one program; the medians by bench.
fn run(program: &Path, passed: &[String]) -> anyhow::Result<BTreeMap<String, f64>> {
    let folder = tempfile::tempdir().context("there is no place for what criterion writes")?;
    let times = TIMES.iter().filter(|(option, _)| !passed.iter().any(|argument| argument.starts_with(option)));
    let output = Command::new(program)
        .args(["--bench", "--noplot"])
        .args(times.flat_map(|(option, value)| [option, value]))
        .args(passed)
        .env("CRITERION_HOME", folder.path())
        .output()
        .with_context(|| format!("`{}` does not start", program.display()))?;
    if !output.status.success() {
        bail!("`{}` ended with {}: {}", program.display(), output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let found = measurements(folder.path(), SystemTime::UNIX_EPOCH)?;
    Ok(found.iter().filter_map(|bench| Some((bench["bench"].as_str()?.to_owned(), bench["median_ns"].as_f64()?))).collect())
}

/// The benches that both programs measured in every pair.
fn rows(measured: &[[BTreeMap<String, f64>; 2]]) -> Vec<Row> {
    let names = measured.first().into_iter().flat_map(|pair| pair[0].keys());
    let row = |name: &String| {
        let pairs = measured.iter().map(|[this, other]| Some([*this.get(name)?, *other.get(name)?]));
        Some(Row { name: name.clone(), pairs: pairs.collect::<Option<_>>()? })
    };
    names.filter_map(row).collect()
}

impl Row {
    /// The median of one side, nanoseconds: 0 is this checkout, 1 the other.
    fn median_of(&self, side: usize) -> f64 {
        median(self.pairs.iter().map(|pair| pair[side]).collect())
    }

    /// How many times as long this checkout takes, in each pair.
    fn ratios(&self) -> Vec<f64> {
        self.pairs.iter().map(|[this, other]| this / other).collect()
    }

    /// Median, least and greatest of the ratios.
    fn ratio(&self) -> [f64; 3] {
        let ratios = self.ratios();
        let [least, greatest] = [f64::min, f64::max].map(|choose| ratios.iter().copied().reduce(choose).unwrap_or(f64::NAN));
        [median(ratios), least, greatest]
    }

    /// The row as one line, with all of its pairs.
    pub(crate) fn json(&self) -> Value {
        let [ratio, least, greatest] = self.ratio();
        json!({
            "bench": self.name,
            "median_ns": self.median_of(0),
            "other_median_ns": self.median_of(1),
            "ratio": ratio,
            "ratio_min": least,
            "ratio_max": greatest,
            "pairs_ns": self.pairs,
        })
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = self.rows.first().map_or(0, |row| row.pairs.len());
        writeln!(to, "medians in µs, this checkout against `{}`, {pairs} pairs\n", self.other)?;
        writeln!(to, "| bench | this | other | ratio | from | to |\n|---|---|---|---|---|---|")?;
        for row in &self.rows {
            let [ratio, least, greatest] = row.ratio();
            let [this, other] = [0, 1].map(|side| row.median_of(side) / 1_000.0);
            writeln!(to, "| {} | {this:.1} | {other:.1} | {ratio:.3} | {least:.3} | {greatest:.3} |", row.name)?;
        }
        Ok(())
    }
}

/// The middle one, or the mean of the middle two.
fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let at = |place: usize| numbers.get(place).copied().unwrap_or(f64::NAN);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.wrapping_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn measured(benches: &[(&str, f64)]) -> BTreeMap<String, f64> {
        benches.iter().map(|(name, median)| ((*name).to_owned(), *median)).collect()
    }

    #[test]
    fn a_ratio_is_of_each_pair_and_not_of_the_medians() {
        let pairs = [[2.0, 1.0], [30.0, 10.0], [4.0, 4.0], [10.0, 10.0]];
        let pairs =
            pairs.map(|[this, other]| [measured(&[("a", this), ("mine", 1.0)]), measured(&[("a", other), ("its", 1.0)])]);
        let rows = rows(&pairs);
        let [row] = &rows[..] else { panic!("only `a` was measured by both") };
        assert_eq!((row.median_of(0), row.median_of(1), row.ratio()), (7.0, 7.0, [1.5, 1.0, 3.0]));
        let json = row.json();
        assert_eq!((&json["bench"], &json["ratio"], &json["pairs_ns"][1]), (&json!("a"), &json!(1.5), &json!([30.0, 10.0])));
        let shown = Compared { other: "main".to_owned(), rows }.to_string();
        assert!(shown.contains("this checkout against `main`, 4 pairs"), "{shown}");
    }

    #[test]
    fn a_bench_that_was_not_measured_in_every_pair_has_no_row() {
        let both = || measured(&[("a", 1.0)]);
        assert_eq!(rows(&[[both(), both()], [both(), measured(&[])]]).len(), 0);
        assert_eq!(rows(&[]).len(), 0);
    }

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_program_that_fails_is_named_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("bench");
        std::fs::write(&program, "#!/bin/sh\necho no such zygote >&2\nexit 3\n").unwrap();
        std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let error = run(&program, &[]).unwrap_err().to_string();
        assert!(error.contains("exit status: 3: no such zygote"), "{error}");
    }
}
