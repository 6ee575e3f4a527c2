//! The attack corpus: each script alone in a fresh host process, and all shuffled in one with a second user's traffic.
//!
//! `attacks/README.md` says what the outcomes mean and which six conditions hold after each script. A host is this binary,
//! started with [`HOST_ARGUMENT`]: a script that takes its host down fails its own trial. `attacks/exceptions.json` lists the
//! `hardening` scripts that may fail, each with its reason; one that is listed and passes is a failure too.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use libtest_mimic::{Failed, Trial};
use serde::{Deserialize, Serialize};

use crate::test_tools::{CANARIES, CANARY_ENVIRONMENT, CANARY_FILE};

/// The first argument of a host process: `SEED` for everything shuffled, or the names of plans.
pub(crate) const HOST_ARGUMENT: &str = "--attack-host";
/// A host that takes longer hangs.
const HOST_MAX: Duration = Duration::from_secs(240);

/// One script, as `manifest.json` describes it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Script {
    pub(crate) id: String,
    pub(crate) file: String,
    pub(crate) cls: String,
    pub(crate) severity: String,
    pub(crate) expect: String,
    pub(crate) also: Vec<String>,
}

impl Script {
    /// Its bytes: not all of them are UTF-8.
    pub(crate) fn bytes(&self) -> anyhow::Result<Vec<u8>> {
        std::fs::read(folder().join(&self.file)).with_context(|| format!("the script `{}`", self.file))
    }
}

/// Scripts that belong together, and how they are run.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) name: String,
    pub(crate) scripts: Vec<Script>,
    pub(crate) how: How,
}

/// How the scripts of a plan are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// One after the other, by the same user.
    InOrder,
    /// Again and again.
    Repeated(usize),
    /// So many of the first by one user, and the second by another while they run.
    SideBySide(usize),
}

/// How one script went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) id: String,
    /// How it ended, and what it took, for the reader of a failure.
    pub(crate) detail: String,
    /// What is wrong; empty if nothing is.
    pub(crate) failures: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("attacks")
}

/// All scripts, in the order of their numbers.
pub(crate) fn scripts() -> anyhow::Result<Vec<Script>> {
    let manifest = std::fs::read(folder().join("manifest.json")).context("the manifest of the attack corpus")?;
    let mut scripts: Vec<Script> = serde_json::from_slice(&manifest)?;
    scripts.sort_by(|a, b| a.id.cmp(&b.id));
    let exceptions = exceptions()?;
    for script in &mut scripts {
        script.also.extend(exceptions.also_fine.get(&script.id).map(|also| also.word.clone()));
    }
    Ok(scripts)
}

/// All plans: most are one script, pairs are `NNN-a` and `NNN-b`.
pub(crate) fn plans() -> anyhow::Result<Vec<Plan>> {
    let mut plans: Vec<Plan> = Vec::new();
    for script in scripts()? {
        let name = script.file.rsplit_once('.').map_or(&*script.file, |(name, _)| name).to_owned();
        match plans.last_mut() {
            Some(plan)
                if script.id.strip_suffix("-b") == plan.scripts[0].id.strip_suffix("-a") && script.id.ends_with("-b") =>
            {
                plan.scripts.push(script);
            }
            _ => {
                let how = match &*script.id {
                    "250" => How::Repeated(1000),
                    "390-a" => How::SideBySide(16),
                    "393-a" => How::SideBySide(8),
                    "395-a" => How::SideBySide(1),
                    _ => How::InOrder,
                };
                plans.push(Plan { name, scripts: vec![script], how });
            }
        }
    }
    Ok(plans)
}

/// Where this suite differs from the manifest, by script.
#[derive(Deserialize)]
struct Exceptions {
    /// `hardening` scripts that may fail, and why.
    may_fail: BTreeMap<String, String>,
    /// Outcomes that the manifest did not foresee and that are harmless.
    also_fine: BTreeMap<String, AlsoFine>,
}

/// One more outcome, and why it is fine.
#[derive(Deserialize)]
struct AlsoFine {
    word: String,
    reason: String,
}

fn exceptions() -> anyhow::Result<Exceptions> {
    Ok(serde_json::from_slice(&std::fs::read(folder().join("exceptions.json"))?)?)
}

/// All verdicts of this process's trials.
static VERDICTS: Mutex<Vec<(&'static str, Verdict)>> = Mutex::new(Vec::new());

/// One trial for each plan, alone in its host, and one for all of them in one host.
pub(crate) fn trials() -> Vec<Trial> {
    let plans = plans().unwrap_or_default();
    let alone = plans.iter().map(|plan| {
        let plan = plan.clone();
        Trial::test(format!("attacks::alone::{}", plan.name), move || {
            run_host("alone", std::slice::from_ref(&plan.name), std::slice::from_ref(&plan))
        })
    });
    let mut trials: Vec<_> = alone.collect();
    trials.push(Trial::test("attacks::shuffled_in_one_host", move || {
        let seed = fastrand::u64(..);
        run_host("shuffled", &["--shuffled".to_owned(), seed.to_string()], &plans)
            .map_err(|failed| format!("seed {seed}: {}", failed.message().unwrap_or_default()).into())
    }));
    trials.push(Trial::test("attacks::the_corpus_is_whole_and_exceptions_are_hardening", || Ok(check_corpus()?)));
    trials
}

fn check_corpus() -> anyhow::Result<()> {
    let scripts = scripts()?;
    ensure!(scripts.len() == 154, "{} scripts", scripts.len());
    for script in &scripts {
        script.bytes()?;
    }
    let exceptions = exceptions()?;
    for (id, also) in &exceptions.also_fine {
        ensure!(
            scripts.iter().any(|script| script.id == *id) && !also.reason.is_empty(),
            "script {id}: no script, or no reason"
        );
    }
    for id in exceptions.may_fail.keys() {
        let script = scripts.iter().find(|script| script.id == *id).with_context(|| format!("there is no script {id}"))?;
        ensure!(script.severity == "hardening", "script {id} is no hardening script: it must pass");
    }
    Ok(())
}

/// Starts a host process for `plans` and judges what it says.
fn run_host(way: &'static str, arguments: &[String], plans: &[Plan]) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let verdicts = runtime.block_on(verdicts_of_host(arguments))?;
    let expected: Vec<_> = plans.iter().flat_map(|plan| &plan.scripts).map(|script| &script.id).collect();
    if let Some(missing) = expected.iter().find(|id| !verdicts.iter().any(|verdict| verdict.id == ***id)) {
        return Err(format!("the host said nothing of script {missing}").into());
    }
    let exceptions = exceptions()?.may_fail;
    let mut failures = String::new();
    for verdict in &verdicts {
        match (exceptions.get(&verdict.id), verdict.failures.is_empty()) {
            (None, false) => writeln!(failures, "{}: {}: {}", verdict.id, verdict.failures.join("; "), verdict.detail)?,
            (Some(reason), true) if way == "alone" => {
                writeln!(failures, "{} passes: take it off the list of exceptions ({reason})", verdict.id)?;
            }
            _ => {}
        }
    }
    let kept = verdicts.into_iter().map(|verdict| (way, verdict));
    VERDICTS.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
    if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
}

async fn verdicts_of_host(arguments: &[String]) -> anyhow::Result<Vec<Verdict>> {
    let place = tempfile::tempdir()?;
    std::fs::write(place.path().join("credentials.json"), CANARY_FILE)?;
    let mut command = tokio::process::Command::new(std::env::current_exe()?);
    command.arg(HOST_ARGUMENT).args(arguments).env("CANARY_ENV", CANARY_ENVIRONMENT).current_dir(place.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let output = tokio::time::timeout(HOST_MAX, command.spawn()?.wait_with_output()).await.context("the host hangs")??;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "the host ended: {}\n{errors}", output.status);
    ensure!(errors.is_empty(), "the host's stderr has other text than its log: {errors}");
    for canary in CANARIES {
        ensure!(!said.contains(canary), "`{canary}` is in the host's stdout");
    }
    said.lines()
        .map(|line| serde_json::from_str(line).with_context(|| format!("the host's stdout has other text: {line}")))
        .collect()
}

/// The table by class of what was run; `None` if nothing was.
pub(crate) fn table() -> Option<String> {
    let verdicts = VERDICTS.lock().unwrap_or_else(PoisonError::into_inner);
    if verdicts.is_empty() {
        return None;
    }
    let (scripts, exceptions) = (scripts().ok()?, exceptions().ok()?.may_fail);
    let mut rows: BTreeMap<&str, [usize; 6]> = BTreeMap::new();
    for (way, verdict) in verdicts.iter() {
        let Some(script) = scripts.iter().find(|script| script.id == verdict.id) else { continue };
        let class = script.cls.split('/').next().unwrap_or_default();
        let place = if *way == "alone" { 0 } else { 3 };
        let column = match (verdict.failures.is_empty(), exceptions.contains_key(&verdict.id)) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        rows.entry(class).or_default()[place + column] += 1;
    }
    let mut table = String::from("attacks      alone: passed excepted failed   shuffled: passed excepted failed\n");
    let mut sum = [0; 6];
    for (class, row) in &rows {
        append_row(&mut table, class, row);
        sum.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
    }
    append_row(&mut table, "all", &sum);
    Some(table)
}

fn append_row(table: &mut String, class: &str, row: &[usize; 6]) {
    let [alone, alone_excepted, alone_failed, shuffled, shuffled_excepted, shuffled_failed] = row;
    // Writing to a text cannot fail.
    let _ = writeln!(
        table,
        "{class:<12} {alone:>13} {alone_excepted:>8} {alone_failed:>6} {shuffled:>18} {shuffled_excepted:>8} {shuffled_failed:>6}"
    );
}
