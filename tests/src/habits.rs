//! Programs as language models write them (`tests/programs`), against recorded definitions and replies: each has to end as its header
//! says, and none may be kept from its calls that is right. `tests/kept-back` has others like them, which the judging code was not made with, and
//! `tests/further` further kinds of faults.
//!
//! `verdicts.txt` of each is the table of what became of them; `UPDATE_EXPECT=1` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use isolet::{Catalog, Config, End, Grants, Outcome, Runtime, Scope, ToolCall, ToolError, ToolHost, ToolReply};
use isolet_comparison::repaired;
use libtest_mimic::Trial;
use serde_json::Value;

/// Where programs are, and how many of a hundred faulty ones have to be right in one turn.
pub(crate) const SETS: [(&str, usize); 3] = [("tests/programs", 90), ("tests/kept-back", 90), ("tests/further", 90)];
/// So many of a hundred provable faults have to be caught before any call.
const CAUGHT_PER_CENT_MIN: usize = 95;

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |name: &str, (set, mended_per_cent_min): (&'static str, usize)| {
        Trial::test(name, move || {
            let tokio = tokio::runtime::Runtime::new()?;
            tokio.block_on(all(set, mended_per_cent_min)).map_err(|error| format!("{error:#}").into())
        })
    };
    vec![
        trial("habits::programs_as_models_write_them_do_what_was_meant", SETS[0]),
        trial("habits::programs_that_were_kept_back_do_too", SETS[1]),
        trial("habits::programs_with_further_faults_do_too", SETS[2]),
    ]
}

async fn all(set: &str, mended_per_cent_min: usize) -> anyhow::Result<()> {
    let runtime = Runtime::new(Config::default())?;
    let mut table = Table::default();
    for class in classes(set)? {
        for kind in ["good", "faulty"] {
            for path in programs(set, &class, kind)? {
                let header = Header::read(&path)?;
                let judged = judge(&runtime, &header).await.with_context(|| path.display().to_string())?;
                if kind == "faulty" {
                    let is_mended = is_mended(&runtime, &path, &header, &judged).await?;
                    table.add_repair(&class, &path, is_mended);
                }
                table.add(&class, kind, &path, &header, judged);
            }
        }
    }
    table.check(set, mended_per_cent_min)
}

/// What became of one program.
struct Judged {
    /// Whether it is all that its header says; what is not.
    verdict: Result<(), String>,
    /// It ended before its first call.
    made_no_call: bool,
    has_returned: bool,
    /// Its message and its notes.
    told: String,
}

/// Counts by class.
#[derive(Default)]
struct Counts {
    right: [(usize, usize); 2],
    noted: (usize, usize),
    caught: (usize, usize),
    /// Right at once, or after one repair by a script that reads nothing but what was told.
    mended: (usize, usize),
    false_blocks: usize,
}

#[derive(Default)]
struct Table {
    classes: BTreeMap<String, Counts>,
    wrong: Vec<String>,
    not_mended: Vec<String>,
    complaints: Vec<String>,
}

impl Table {
    fn add(&mut self, class: &str, kind: &str, path: &Path, header: &Header, judged: Judged) {
        let name = format!("{class}/{kind}/{}", path.file_name().unwrap_or_default().to_string_lossy());
        let counts = self.classes.entry(class.to_owned()).or_default();
        let is_right = judged.verdict.is_ok();
        let count = |(right, all): &mut (usize, usize), is_right: bool| {
            *right += usize::from(is_right);
            *all += 1;
        };
        count(&mut counts.right[usize::from(kind == "faulty")], is_right);
        if header.is("verdict", "noted") {
            count(&mut counts.noted, is_right);
        }
        if header.is("provable", "yes") {
            count(&mut counts.caught, judged.made_no_call);
        }
        let has_calls = header.wanted.get("calls").is_some_and(|calls| calls != "[]");
        if !header.is("verdict", "refused") && has_calls && judged.made_no_call && !judged.has_returned {
            counts.false_blocks += 1;
            self.complaints.push(format!("{name} is kept from its calls"));
        }
        if let Err(complaint) = judged.verdict {
            self.complaints.push(format!("{name}: {complaint}"));
            self.wrong.push(name);
        }
    }

    fn add_repair(&mut self, class: &str, path: &Path, is_mended: bool) {
        let (mended, all) = &mut self.classes.entry(class.to_owned()).or_default().mended;
        *mended += usize::from(is_mended);
        *all += 1;
        if !is_mended {
            self.not_mended.push(format!("{class}/{}", path.file_name().unwrap_or_default().to_string_lossy()));
        }
    }

    fn text(&self) -> String {
        let mut text = format!(
            "{:12} {:>9} {:>9} {:>9} {:>9} {:>9} {:>13}\n",
            "class", "good", "faulty", "noted", "caught", "mended", "false blocks"
        );
        let mut all = Counts::default();
        let add = |sum: &mut (usize, usize), more: (usize, usize)| *sum = (sum.0 + more.0, sum.1 + more.1);
        for counts in self.classes.values() {
            add(&mut all.right[0], counts.right[0]);
            add(&mut all.right[1], counts.right[1]);
            add(&mut all.noted, counts.noted);
            add(&mut all.caught, counts.caught);
            add(&mut all.mended, counts.mended);
            all.false_blocks += counts.false_blocks;
        }
        let share = |(right, all): (usize, usize)| format!("{right}/{all}");
        for (class, counts) in self.classes.iter().map(|(class, counts)| (class.as_str(), counts)).chain([("all", &all)]) {
            let Counts { right: [good, faulty], noted, caught, mended, false_blocks } = counts;
            let [good, faulty, noted, caught, mended] = [*good, *faulty, *noted, *caught, *mended].map(share);
            let _ = writeln!(text, "{class:12} {good:>9} {faulty:>9} {noted:>9} {caught:>9} {mended:>9} {false_blocks:>13}");
        }
        for wrong in &self.wrong {
            let _ = writeln!(text, "not yet: {wrong}");
        }
        for not_mended in &self.not_mended {
            let _ = writeln!(text, "not mended in one turn: {not_mended}");
        }
        text
    }

    fn check(&self, set: &str, mended_per_cent_min: usize) -> anyhow::Result<()> {
        let file = folder(set).join("verdicts.txt");
        let text = self.text();
        let false_blocks: usize = self.classes.values().map(|counts| counts.false_blocks).sum();
        ensure!(false_blocks == 0, "{}\n{text}", self.complaints.join("\n"));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&file, &text)?;
        }
        let (mended, all) =
            self.classes.values().fold((0, 0), |sum, counts| (sum.0 + counts.mended.0, sum.1 + counts.mended.1));
        ensure!(mended * 100 >= all * mended_per_cent_min, "{mended} of {all} are mended\n{text}");
        let (caught, provable) =
            self.classes.values().fold((0, 0), |sum, counts| (sum.0 + counts.caught.0, sum.1 + counts.caught.1));
        ensure!(caught * 100 >= provable * CAUGHT_PER_CENT_MIN, "{caught} of {provable} are caught\n{text}");
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        ensure!(expected == text, "{}\n{text}\nexpected:\n{expected}", self.complaints.join("\n"));
        Ok(())
    }
}

fn classes(set: &str) -> anyhow::Result<Vec<String>> {
    let manifest = json(&folder(set).join("manifest.json"))?;
    Ok(manifest["classes"].as_object().context("no classes")?.keys().cloned().collect())
}

fn programs(set: &str, class: &str, kind: &str) -> anyhow::Result<Vec<PathBuf>> {
    let folder = folder(set).join(class).join(kind);
    let mut programs: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<_>>()?;
    programs.retain(|path| !path.to_string_lossy().contains(".repaired."));
    programs.sort();
    Ok(programs)
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

/// A program and what its header says.
struct Header {
    wanted: BTreeMap<String, String>,
    program: String,
}

impl Header {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let written = std::fs::read_to_string(path)?;
        let (header, program) = written.split_once("//! ----\n").context("no end of the header")?;
        let lines = header.lines().filter_map(|line| line.strip_prefix("//! ")?.split_once(": "));
        let wanted = lines.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Ok(Self { wanted, program: program.to_owned() })
    }

    fn is(&self, key: &str, value: &str) -> bool {
        self.wanted.get(key).is_some_and(|wanted| wanted == value)
    }

    fn json(&self, key: &str) -> anyhow::Result<Option<Value>> {
        self.wanted.get(key).map(|text| serde_json::from_str(text)).transpose().with_context(|| format!("`{key}`"))
    }

    /// A line that is a list, of JSON or of words; empty without it.
    fn list(&self, key: &str) -> anyhow::Result<Vec<String>> {
        let Some(text) = self.wanted.get(key) else { return Ok(Vec::new()) };
        if text.starts_with('[') {
            return Ok(serde_json::from_str(text)?);
        }
        Ok(text.split([',', ' ']).filter(|word| !word.is_empty()).map(str::to_owned).collect())
    }
}

/// Runs one program, and compares what it gives with what its header says.
async fn judge(runtime: &Runtime, header: &Header) -> anyhow::Result<Judged> {
    let servers = header.list("servers")?;
    let scope = scope(header, &servers)?;
    let host = Recorded::of(&servers)?;
    let outcome = runtime.session(scope.clone(), host.clone()).run(&header.program).await?;
    let made = host.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Judged {
        verdict: compare(header, &scope, &outcome, &made).map_err(|error| format!("{error:#}")),
        made_no_call: made.is_empty(),
        has_returned: matches!(outcome.end, End::Returned(_)),
        told: std::iter::once(if matches!(outcome.end, End::Returned(_)) { String::new() } else { outcome.message() })
            .chain(outcome.notes.iter().cloned())
            .collect::<Vec<_>>()
            .join("\n"),
    })
}

/// Whether a faulty program ends as the one that was meant: at once, or once a script has applied what was told ([`repaired`]). Notes do not count.
async fn is_mended(runtime: &Runtime, path: &Path, header: &Header, judged: &Judged) -> anyhow::Result<bool> {
    if header.is("repair", "unneeded") {
        return Ok(judged.verdict.is_ok());
    }
    let Some(mended) = repaired(&header.program, &judged.told).filter(|_| header.is("repair", "program")) else {
        return Ok(false);
    };
    let mut meant = Header::read(&path.with_extension("repaired.ts"))?;
    meant.wanted.insert("notes".to_owned(), "any".to_owned());
    for key in ["servers", "deny", "trusted"] {
        if let Some(value) = header.wanted.get(key) {
            meant.wanted.insert(key.to_owned(), value.clone());
        }
    }
    meant.program = mended;
    Ok(judge(runtime, &meant).await?.verdict.is_ok())
}

/// `made`: the calls that reached a server, and what was sent.
fn compare(header: &Header, scope: &Scope, outcome: &Outcome, made: &[(String, Value)]) -> anyhow::Result<()> {
    let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
    let (calls, message) = (header.list("calls")?, outcome.message());
    ensure!(names == calls, "it called {names:?}, not {calls:?}: {message} {:?}", outcome.notes);
    if let Some(sends) = header.json("sends")? {
        let sent: Vec<&Value> = made.iter().map(|(_, arguments)| arguments).collect();
        ensure!(sends.as_array().is_some_and(|sends| sends.iter().eq(sent.iter().copied())), "it sent {sent:?}");
    }
    let mut told = message.clone();
    if header.is("verdict", "refused") || header.is("verdict", "fails") {
        ensure!(!matches!(outcome.end, End::Returned(_)), "it gave {message}");
        said(&message, &header.list("says")?)?;
        for path in header.list("completed")? {
            let tool = scope.tools().iter().find(|tool| format!("{}.{}", tool.server(), tool.name()) == path);
            let shown = tool.context("no such tool")?.path();
            let completed = message.split("completed").nth(1).unwrap_or_default();
            ensure!(completed.contains(shown) || completed.contains(&path), "`{path}` is not said to be completed: {message}");
        }
        let lines: Vec<u32> = serde_json::from_str(header.wanted.get("at").map_or("[]", String::as_str))?;
        let shows = |line: &u32| message.contains(&format!("main.ts:{line}:"));
        ensure!(lines.is_empty() || lines.iter().any(shows), "it shows none of {lines:?}: {message}");
    } else {
        let End::Returned(value) = &outcome.end else { bail!("it ended with {message}") };
        if let Some(expected) = header.json("value")? {
            ensure!(*value == expected, "it gave {value}, not {expected}");
        }
        if let Some(expected) = header.json("contains")? {
            ensure!(contains(value, &expected), "it gave {value}, without {expected}");
        }
        if let Some(expected) = header.json("blocks")? {
            let blocks: Vec<&Value> = value.as_array().map_or_else(|| vec![value], |elements| elements.iter().collect());
            let shown: Value = blocks.iter().map(|block| &block["type"]).filter(|kind| kind.is_string()).cloned().collect();
            ensure!(shown == expected, "it gave blocks {shown}, not {expected}: {value}");
        }
        judge_notes(outcome, header)?;
        told = format!("{value} {}", outcome.notes.join("\n"));
    }
    for word in header.list("never")? {
        ensure!(!told.to_lowercase().contains(&word.to_lowercase()), "it says `{word}`: {told}");
    }
    if let Some(lines) = header.json("console")? {
        let console: Vec<&str> = outcome.console.iter().map(|line| line.text.as_str()).collect();
        ensure!(lines == Value::from(console.clone()), "it printed {console:?}");
    }
    Ok(())
}

/// Whether a value has at least the members that are expected, at any depth.
fn contains(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (Value::Object(value), Value::Object(expected)) => {
            expected.iter().all(|(key, expected)| value.get(key).is_some_and(|value| contains(value, expected)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len() && value.iter().zip(expected).all(|(value, expected)| contains(value, expected))
        }
        _ => value == expected,
    }
}

fn judge_notes(outcome: &Outcome, header: &Header) -> anyhow::Result<()> {
    let notes = &outcome.notes;
    match header.wanted.get("notes").map(String::as_str) {
        Some("none") => ensure!(notes.is_empty(), "it was run with {notes:?}"),
        None | Some("any") => {}
        Some(_) => said(&notes.join("\n"), &header.list("notes")?)?,
    }
    Ok(())
}

/// Whether each of `entries` occurs in `text`: `a|b` is either.
fn said(text: &str, entries: &[String]) -> anyhow::Result<()> {
    let lower = text.to_lowercase();
    let missing = entries.iter().find(|entry| !entry.split('|').any(|word| lower.contains(&word.to_lowercase())));
    ensure!(missing.is_none(), "nothing says {missing:?}: {text}");
    Ok(())
}

fn scope(header: &Header, servers: &[String]) -> anyhow::Result<Scope> {
    let mut definitions = Vec::new();
    let mut grants = Grants::new();
    for server in servers {
        let recorded = json(&folder("examples/definitions").join(format!("{server}.json")))?;
        definitions.push((server.clone(), recorded["tools"].as_array().context("no tools")?.clone()));
        grants = grants.allow(format!("{server}.*"));
    }
    for denied in header.list("deny")? {
        grants = grants.deny(denied);
    }
    for trusted in header.list("trusted")? {
        grants = grants.trust_read_only(trusted);
    }
    Ok(Catalog::load(definitions)?.scope(&grants)?)
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Answers as the servers did.
#[derive(Clone)]
struct Recorded {
    replies: Arc<BTreeMap<String, Value>>,
    /// The calls that were made, `server.tool`, and what was sent.
    calls: Arc<Mutex<Vec<(String, Value)>>>,
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
        let sent = Value::Object(call.arguments.as_map().clone());
        let made = (format!("{}.{}", call.server, call.tool), sent);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(made);
        let entries = self.replies.get(&call.server).and_then(|replies| replies[&call.tool].as_array());
        let agrees = |entry: &&Value| {
            let mut members = entry["when"].as_object().into_iter().flatten();
            members.all(|(name, value)| call.arguments.get(name) == Some(value))
        };
        let entry = entries.and_then(|entries| entries.iter().find(agrees));
        let entry = entry.ok_or_else(|| ToolError::failed("no reply is recorded for these arguments"))?;
        if let Some(delay) = entry["delay_ms"].as_u64() {
            tokio::time::sleep(Duration::from_millis(delay)).await;
        }
        isolet::mcp::reply(entry["result"].to_string(), false)
    }
}
