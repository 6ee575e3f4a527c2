//! Programs as language models write them (`tests/programs`), against recorded definitions and replies: those of the classes that the
//! runtime reads as what they plainly mean, and the good ones that only look alike.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail, ensure};
use isolet::{Catalog, Config, End, Grants, Outcome, Runtime, Scope, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::Trial;
use serde_json::Value;

/// The classes that are judged here.
const CLASSES: [&str; 3] = ["fences", "functions", "expressions"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("habits::programs_as_models_write_them_do_what_was_meant", || {
        let tokio = tokio::runtime::Runtime::new()?;
        tokio.block_on(all()).map_err(|error| format!("{error:#}").into())
    })]
}

async fn all() -> anyhow::Result<()> {
    let runtime = Runtime::new(Config::default())?;
    let mut programs = Vec::new();
    for class in CLASSES {
        for kind in ["good", "faulty"] {
            for entry in std::fs::read_dir(folder("tests/programs").join(class).join(kind))? {
                programs.push(entry?.path());
            }
        }
    }
    programs.retain(|path| !path.to_string_lossy().contains(".repaired."));
    programs.sort();
    ensure!(programs.len() == 18 * CLASSES.len(), "{} programs", programs.len());
    let mut complaints = Vec::new();
    for path in &programs {
        if let Err(error) = judge(&runtime, path).await {
            complaints.push(format!("{}: {error:#}", path.display()));
        }
    }
    ensure!(complaints.is_empty(), "{} of {}:\n{}", complaints.len(), programs.len(), complaints.join("\n"));
    Ok(())
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// Runs one program, and compares what it gives with what its header says.
async fn judge(runtime: &Runtime, path: &Path) -> anyhow::Result<()> {
    let written = std::fs::read_to_string(path)?;
    let (header, program) = written.split_once("//! ----\n").context("no end of the header")?;
    let wanted: BTreeMap<&str, &str> = header.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(": ")).collect();
    let servers = list(&wanted, "servers")?;
    let host = Recorded::of(&servers)?;
    let outcome = runtime.session(scope(&servers)?, host.clone()).run(program).await?;
    let made = host.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let calls: Vec<String> = list(&wanted, "calls")?.iter().map(|call| identifier(call)).collect();
    ensure!(made == calls, "it called {made:?}, not {calls:?}: {outcome:?}");
    if wanted.get("verdict") == Some(&"refused") {
        return said(&outcome.end.to_string(), &list(&wanted, "says")?);
    }
    let End::Returned(value) = &outcome.end else { bail!("it ended with {}", outcome.end) };
    if let Some(expected) = wanted.get("value") {
        let expected: Value = serde_json::from_str(expected)?;
        ensure!(*value == expected, "it gave {value}, not {expected}");
    }
    judge_notes(&outcome, &wanted)
}

fn judge_notes(outcome: &Outcome, wanted: &BTreeMap<&str, &str>) -> anyhow::Result<()> {
    let notes = &outcome.notes;
    match wanted.get("notes").copied() {
        Some("none") => ensure!(notes.is_empty(), "it was run with {notes:?}"),
        None | Some("any") => {}
        // That there is no value is said of the value, whatever the program looks like: here nothing must have been assumed.
        Some(words) if words.contains("returned nothing") => ensure!(notes.is_empty(), "it was run with {notes:?}"),
        Some(_) => said(&notes.join("\n"), &list(wanted, "notes")?)?,
    }
    Ok(())
}

/// Whether each of `entries` occurs in `text`: `a|b` is either.
fn said(text: &str, entries: &[String]) -> anyhow::Result<()> {
    let text = text.to_lowercase();
    let missing = entries.iter().find(|entry| !entry.split('|').any(|word| text.contains(&word.to_lowercase())));
    ensure!(missing.is_none(), "nothing says {missing:?}: {text}");
    Ok(())
}

/// A line of a header that is a list, of JSON or of words.
fn list(wanted: &BTreeMap<&str, &str>, key: &str) -> anyhow::Result<Vec<String>> {
    let text = wanted.get(key).with_context(|| format!("no `{key}`"))?;
    if text.starts_with('[') {
        return Ok(serde_json::from_str(text)?);
    }
    Ok(text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
}

fn scope(servers: &[String]) -> anyhow::Result<Scope> {
    let mut definitions = Vec::new();
    let mut grants = Grants::new();
    for server in servers {
        let recorded = json(&folder("examples/definitions").join(format!("{server}.json")))?;
        let mut tools = recorded["tools"].as_array().context("no tools")?.clone();
        for tool in &mut tools {
            tool["name"] = identifier(tool["name"].as_str().context("no name")?).into();
        }
        definitions.push((server.clone(), tools));
        grants = grants.allow(format!("{server}.*"));
    }
    Ok(Catalog::load(definitions)?.scope(&grants)?)
}

/// A tool's name as the programs write it: how a name becomes an identifier is no matter of this test.
fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Answers as the servers did.
#[derive(Clone)]
struct Recorded {
    replies: Arc<BTreeMap<String, Value>>,
    /// The calls that were made, `server.tool`.
    calls: Arc<Mutex<Vec<String>>>,
}

impl Recorded {
    fn of(servers: &[String]) -> anyhow::Result<Self> {
        let reply =
            |server: &String| Ok((server.clone(), json(&folder("tests/programs/replies").join(format!("{server}.json")))?));
        let replies = servers.iter().map(reply).collect::<anyhow::Result<_>>()?;
        Ok(Self { replies: Arc::new(replies), calls: Arc::default() })
    }
}

impl ToolHost for Recorded {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{}.{}", call.server, call.tool));
        let replies = self.replies.get(&call.server).and_then(Value::as_object).into_iter().flatten();
        let entries = replies.filter(|(tool, _)| identifier(tool) == call.tool).find_map(|(_, entries)| entries.as_array());
        let agrees = |entry: &&Value| {
            let mut members = entry["when"].as_object().into_iter().flatten();
            members.all(|(name, value)| call.arguments.get(name) == Some(value))
        };
        let entry = entries.and_then(|entries| entries.iter().find(agrees));
        let result = &entry.ok_or_else(|| ToolError::failed("no reply is recorded for these arguments"))?["result"];
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        if result["isError"] == true {
            return Err(ToolError::failed(text));
        }
        let structured = result.get("structuredContent").cloned();
        let value = structured.or_else(|| serde_json::from_str(text).ok()).unwrap_or_else(|| text.into());
        Ok(ToolReply::from(value))
    }
}
