//! The report on bindings: every number of the project's promise about them, over the corpus beside the checkout, or over the recorded
//! definitions.
//!
//! `cargo run --release -p isolet-bindings --example bindings-report --features tokens`
//!
//! `ISOLET_CORPUS` and `ISOLET_HOSTILE` name other folders of the same kinds, `NODE_PACKAGES` the folder with the npm packages of the
//! oracles (`typescript`, default `target/node`). Ends with 1 if a number is worse than promised.

#![expect(clippy::print_stdout, reason = "a report is printed")]

mod corpus;
mod oracle;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context as _, Result};
use corpus::{Corpus, ServerScope};
use isolet_bindings::{Catalog, Grants, count_tokens};
use serde_json::{Value, json};

/// The best reference generators on the development corpus (its README): invalid instances refused, in percent.
const REFERENCE_INVALID_REFUSED: f64 = 99.88;
const REFERENCE_SUITE_REFUSED: f64 = 78.5;

fn main() -> Result<ExitCode> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    if let [flag, file, target] = arguments.as_slice()
        && flag == Path::new("--hostile")
    {
        return generate_hostile(file, target).map(|()| ExitCode::SUCCESS);
    }
    let work = env::temp_dir().join(format!("isolet-bindings-report-{}", std::process::id()));
    let mut report = Report::default();
    let result = measure(&mut report, &work);
    fs::remove_dir_all(&work).or_else(|error| if work.exists() { Err(error) } else { Ok(()) })?;
    result?;
    Ok(if report.is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints rows as they are measured.
struct Report {
    is_good: bool,
}

impl Default for Report {
    fn default() -> Self {
        Self { is_good: true }
    }
}

impl Report {
    fn row(&mut self, what: &str, must: &str, reached: String, is_good: bool) {
        self.is_good &= is_good;
        println!("| {what} | {must} | {reached}{} |", if is_good { "" } else { " **missed**" });
    }
}

fn measure(report: &mut Report, work: &Path) -> Result<()> {
    let folder = corpus::folder();
    let packages = corpus::node_packages();
    let corpus = match &folder {
        Some(folder) => Corpus::lines(folder, "dev.jsonl", "instances.jsonl", work)?,
        None => Corpus::recorded()?,
    };
    println!("{} tools of {} servers, from {}", corpus.len(), corpus.servers.len(), corpus.source);
    if packages.is_none() {
        println!("2 oracles are skipped: checking with TypeScript {}", oracle::MISSING);
    }
    println!("\n| what | must reach | reached |\n|---|---|---|");
    let scopes = corpus.scopes()?;
    let dropped: usize = scopes.iter().map(|server| server.dropped).sum();
    report.row("real tools that generate", "100 %", format!("{} of {}", corpus.len() - dropped, corpus.len()), dropped == 0);
    if let Some(packages) = &packages {
        measure_semantics(report, &corpus, &scopes, folder.as_deref(), packages, work)?;
    }
    measure_tokens(report, &scopes);
    measure_speed(report)?;
    measure_hostile(report, packages.as_deref(), work)
}

fn measure_semantics(
    report: &mut Report,
    corpus: &Corpus,
    scopes: &[ServerScope<'_>],
    folder: Option<&Path>,
    packages: &Path,
    work: &Path,
) -> Result<()> {
    fs::create_dir_all(work)?;
    let whole = work.join("whole.d.ts");
    fs::write(&whole, scopes.iter().map(|server| server.scope.typescript()).collect::<String>())?;
    let complaint = oracle::check_strict(packages, &whole)?;
    report.row(
        "all servers concatenated pass `tsc --strict`",
        "yes",
        complaint.clone().unwrap_or_else(|| "yes".to_owned()),
        complaint.is_none(),
    );
    let (Some(folder), Some(instances)) = (folder, &corpus.instances) else { return Ok(()) };
    let harness = folder.join("harness");
    corpus::write_for_oracle(scopes, &work.join("dev"))?;
    let dev = oracle::check(&harness, packages, &work.join("dev"), instances)?;
    report.row("declarations of each server pass `tsc --strict`", "100 %", format!("{} %", dev.clean), dev.clean >= 100.0);
    report.row("valid instances accepted", "100 %", format!("{} %", dev.valid_accepted), dev.valid_accepted >= 100.0);
    let is_better = dev.invalid_refused > REFERENCE_INVALID_REFUSED;
    report.row(
        "invalid instances refused, where TypeScript can",
        &format!("over {REFERENCE_INVALID_REFUSED} %"),
        format!("{} %", dev.invalid_refused),
        is_better,
    );
    let suite = Corpus::lines(folder, "suite.jsonl", "suite_instances.jsonl", work)?;
    let Some(instances) = &suite.instances else { return Ok(()) };
    corpus::write_for_oracle(&suite.scopes()?, &work.join("suite"))?;
    let suite = oracle::check(&harness, packages, &work.join("suite"), instances)?;
    report.row(
        "JSON-Schema-Test-Suite: valid accepted",
        "100 %",
        format!("{} %", suite.valid_accepted),
        suite.valid_accepted >= 100.0,
    );
    let is_better = suite.invalid_refused > REFERENCE_SUITE_REFUSED;
    report.row(
        "JSON-Schema-Test-Suite: invalid refused",
        &format!("over {REFERENCE_SUITE_REFUSED} %"),
        format!("{} %", suite.invalid_refused),
        is_better,
    );
    Ok(())
}

/// Tokens of what a model is shown against those of the definitions. Tools that are not MCP's (`bfcl`) are left out, as the corpus's
/// own count does.
fn measure_tokens(report: &mut Report, scopes: &[ServerScope<'_>]) {
    let tokens = |text: &str| count_tokens(text).tokens;
    let (mut raw, mut full, mut alone, mut compact, mut tools) = (0, 0, 0, 0, 0);
    for server in
        scopes.iter().filter(|server| server.definitions.first().is_none_or(|definition| definition.tool["kind"] != "bfcl"))
    {
        for definition in server.definitions {
            let members = definition.tool.as_object().into_iter().flatten();
            let shown =
                members.filter(|(member, _)| ["name", "description", "inputSchema", "outputSchema"].contains(&member.as_str()));
            raw += tokens(&Value::Object(shown.map(|(member, value)| (member.clone(), value.clone())).collect()).to_string());
        }
        full += tokens(server.scope.typescript());
        let paths: Vec<&str> = server.scope.tools().iter().map(|tool| tool.path()).collect();
        compact += tokens(&server.scope.signatures(paths.iter().copied()));
        alone += paths.iter().map(|path| tokens(&server.scope.describe([*path]))).sum::<usize>();
        tools += paths.len();
    }
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    let ratio = |shown: usize| (shown as f64 / raw as f64, shown as f64 / tools.max(1) as f64);
    let (full_ratio, full_each) = ratio(full);
    report.row(
        "tokens in full, against the raw JSON",
        "at most 0.66",
        format!("{full_ratio:.3} ({full_each:.0} a tool)"),
        full_ratio <= 0.66,
    );
    let (compact_ratio, compact_each) = ratio(compact);
    report.row(
        "tokens as signatures",
        "at most 0.25",
        format!("{compact_ratio:.3} ({compact_each:.0} a tool)"),
        compact_ratio <= 0.25,
    );
    let (alone_ratio, alone_each) = ratio(alone);
    report.row("tokens of `describe`, one tool at a time", "", format!("{alone_ratio:.3} ({alone_each:.0} a tool)"), true);
}

/// Definitions to declarations for 1,000 and 10,000 tools: six parameters each, a third with a result.
fn measure_speed(report: &mut Report) -> Result<()> {
    let tool = |number: usize| {
        json!({"name": format!("update_record_{number}"), "description": "Updates one record and returns it.",
            "inputSchema": {"type": "object", "additionalProperties": false, "required": ["workspace", "record"], "properties": {
                "workspace": {"type": "string", "description": "The identifier of the workspace."},
                "record": {"type": "string", "description": format!("The identifier of the record of kind {number}.")},
                "state": {"type": "string", "enum": ["open", "in_progress", "done", "archived"], "description": "The new state."},
                "labels": {"type": "array", "items": {"type": "string"}, "description": "Labels that replace the present ones."},
                "assignee": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "Who works on it; null for nobody."},
                "due": {"type": "object", "properties": {"date": {"type": "string", "format": "date"}, "zone": {"type": "string"}}}}}})
    };
    let mut times = Vec::new();
    for count in [1_000, 10_000] {
        let mut best = Duration::MAX;
        for _ in 0..9 {
            let tools: Vec<Value> = (0..count).map(tool).collect();
            let start = time_spent();
            let scope = Catalog::load([("records", tools)])?.scope(&Grants::new().allow("*"))?;
            std::hint::black_box(scope.typescript());
            best = best.min(time_spent().saturating_sub(start));
        }
        times.push(best.as_secs_f64());
    }
    let is_good = times[1] < 0.4 || cfg!(debug_assertions);
    report.row(
        "10,000 tools to catalog, scope, declarations",
        "under 0.4 s",
        format!("{:.3} s (1,000: {:.4} s)", times[1], times[0]),
        is_good,
    );
    Ok(())
}

/// The time that this process has computed, so that a busy machine does not count; elsewhere than on Linux the time on the wall.
fn time_spent() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    let start = START.get_or_init(Instant::now);
    let computed = fs::read_to_string("/proc/self/schedstat").ok();
    let computed = computed.and_then(|text| text.split(' ').next()?.parse().ok()).map(Duration::from_nanos);
    computed.unwrap_or_else(|| start.elapsed())
}

/// Each file of hostile definitions in a process of its own: time, memory, and what the oracle says.
fn measure_hostile(report: &mut Report, packages: Option<&Path>, work: &Path) -> Result<()> {
    fs::create_dir_all(work)?;
    let folder = corpus::hostile_folder();
    let oracle = folder.join("check-generated.mjs");
    let files = corpus::json_files(&folder);
    let (mut slowest, mut largest, mut complaints) = (Duration::ZERO, 0, Vec::new());
    for file in &files {
        let target = work.join("hostile.d.ts");
        let start = Instant::now();
        let output = Command::new(env::current_exe()?).arg("--hostile").arg(file).arg(&target).output()?;
        slowest = slowest.max(start.elapsed());
        let peak = String::from_utf8_lossy(&output.stdout).trim().parse::<usize>();
        largest =
            largest.max(peak.with_context(|| format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)))?);
        let complaint = match packages {
            Some(packages) if oracle.is_file() => oracle::check_generated(&oracle, packages, &target)?,
            Some(packages) => oracle::check_strict(packages, &target)?,
            None => None,
        };
        complaints.extend(complaint.map(|complaint| format!("{}: {complaint}", file.display())));
    }
    let is_good = complaints.is_empty() && slowest < Duration::from_secs(1) && largest < 64 << 10;
    let verdict = if complaints.is_empty() { "green".to_owned() } else { complaints.join("; ") };
    report.row(
        &format!("{} hostile lists", files.len()),
        "green, 1 s, 64 MB",
        format!("{verdict}, {:.2} s, {} MB", slowest.as_secs_f64(), largest >> 10),
        is_good,
    );
    Ok(())
}

/// Makes the declarations of one hostile list and prints the peak of this process's memory in KiB.
fn generate_hostile(file: &Path, target: &Path) -> Result<()> {
    let text = fs::read(file)?;
    let lists: Vec<(String, Vec<u8>)> =
        match serde_json::from_slice::<Value>(&text).ok().and_then(|value| value.get("namespaces")?.as_array().cloned()) {
            Some(names) => names
                .iter()
                .filter_map(Value::as_str)
                .map(|name| (name.to_owned(), br#"[{"name":"echo","inputSchema":{"type":"object"}}]"#.to_vec()))
                .collect(),
            None => vec![("hostile".to_owned(), text)],
        };
    let catalog = Catalog::load_json(lists)?;
    for dropped in catalog.dropped() {
        anyhow::ensure!(dropped.to_string().contains(": "), "a dropped tool has a reason");
    }
    let scope = catalog.scope(&Grants::new().allow("*"))?;
    fs::write(target, scope.typescript())?;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    println!("{}", peak.unwrap_or("0"));
    Ok(())
}
