//! What `docs/model-face.md` shows is what programs get: its tables and messages are compared with what comes now. `UPDATE_EXPECT=1` writes them anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use isolet::{Catalog, Config, Grants, Runtime, ToolCall, ToolError, ToolHost, ToolReply};
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest value, and the longest message, that a cell of the table shows, characters.
const VALUE_CHARACTERS_MAX: usize = 60;
const MESSAGE_CHARACTERS_MAX: usize = 140;
/// What the page shows of `messages.txt`.
const MESSAGES: [&str; 10] = [
    "a bracket is not closed",
    "`await` in a function that is not async",
    "Python",
    "`fetch`",
    "a name that is near a tool",
    "a parameter of another type",
    "the envelope of MCP is expected",
    "a call is not awaited",
    "a tool that fails",
    "out of time",
];

/// A program as models write them, and what an early version made of it.
#[derive(Deserialize)]
struct Habit {
    name: String,
    program: String,
    /// What a model was given at 6acf49b (2026-11-24), before any of this: the members of `run_code`'s result.
    before: Value,
}

pub(crate) fn trials() -> Vec<Trial> {
    let name = "model_face::what_the_page_shows_is_what_programs_get";
    vec![Trial::test(name, || page().map_err(|error| format!("{error:#}").into()))]
}

fn page() -> anyhow::Result<()> {
    let file = in_repository("docs/model-face.md");
    let written = std::fs::read_to_string(&file)?;
    let mut page = written.clone();
    for (section, text) in [("habits", habits()?), ("verdicts", verdicts()?), ("messages", messages()?)] {
        let (begin, end) = (format!("<!-- {section} -->\n"), format!("<!-- end of {section} -->"));
        let from = page.find(&begin).with_context(|| format!("no section of {section}"))? + begin.len();
        let to = page.find(&end).with_context(|| format!("no end of the section of {section}"))?;
        page.replace_range(from..to, &format!("\n{text}\n"));
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&file, &page)?;
    }
    let difference = page.lines().zip(written.lines()).find(|(is, was)| is != was);
    ensure!(page == std::fs::read_to_string(&file)?, "{difference:?}: `UPDATE_EXPECT=1` writes {} anew", file.display());
    Ok(())
}

fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// A row for each habit: what came of it before, and what comes of it now.
fn habits() -> anyhow::Result<String> {
    let habits: Vec<Habit> = serde_json::from_str(&std::fs::read_to_string(in_repository("tests/habits/programs.json"))?)?;
    let issues = |name: &str, required: &[&str], more: Value| {
        let mut properties = json!({ "owner": { "type": "string" }, "repo": { "type": "string" } });
        properties.as_object_mut().into_iter().for_each(|known| known.extend(more.as_object().cloned().unwrap_or_default()));
        let schema = json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false });
        json!({ "name": name, "description": format!("{name} of a repository."), "inputSchema": schema })
    };
    let state = json!({ "state": { "enum": ["open", "closed"] }, "per_page": { "type": "integer" } });
    let tools = vec![
        issues("list_issues", &["owner", "repo"], state),
        issues("get_issue", &["owner", "repo", "number"], json!({ "number": { "type": "integer" } })),
    ];
    let scope = Catalog::load([("github", tools)])?.scope(&Grants::new().allow("*"))?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let runtime = Runtime::new(Config::default())?;
        let mut table = "| habit | before | now |\n|---|---|---|\n".to_owned();
        for Habit { name, program, before } in habits {
            let outcome = runtime.session(scope.clone(), Issues).run(&program).await.with_context(|| name.clone())?;
            let now = outcome.to_brief_json();
            let _ = writeln!(table, "| {} | {} | {} |", name.replace('_', " "), cell(&before), cell(&now));
        }
        Ok(table)
    })
}

/// Three issues, whoever asks.
struct Issues;

impl ToolHost for Issues {
    async fn call(&self, call: ToolCall) -> Result<ToolReply, ToolError> {
        let issue = |number: u32| json!({ "number": number, "title": format!("T{number}"), "created_at": format!("2026-11-0{number}T10:00:00Z") });
        Ok(ToolReply::from(match &*call.tool {
            "list_issues" => json!([issue(1), issue(2), issue(3)]),
            _ => json!({ "number": call.arguments.get("number"), "done": true }),
        }))
    }
}

/// What a model gets, in a cell: the value with the first note, the first console line where there is no value, or the first line of the message.
fn cell(form: &Value) -> String {
    let first = |name: &str| form[name].get(0).cloned().unwrap_or_default();
    if form["end"] != "returned" {
        let message = form["message"].as_str().unwrap_or_default().lines().next().unwrap_or_default();
        return code(&short(message, MESSAGE_CHARACTERS_MAX));
    }
    let printed = first("console");
    let printed = printed["text"].as_str().map(|text| format!("prints {}", code(&short(text, VALUE_CHARACTERS_MAX))));
    let value = code(&short(&form["value"].to_string(), VALUE_CHARACTERS_MAX));
    let value =
        if form["value"].is_null() { printed.map_or(value.clone(), |printed| format!("{value}, {printed}")) } else { value };
    let note = first("notes");
    match note.as_str() {
        Some(note) => {
            format!("{value}, noted: {}", short(note, MESSAGE_CHARACTERS_MAX).replace('|', "\\|").replace('<', "&lt;"))
        }
        None => value,
    }
}

/// The beginning of a text, on one line.
fn short(text: &str, characters_max: usize) -> String {
    let line = text.replace(['\n', '\r'], " ");
    match line.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

/// A text as code in a cell.
fn code(text: &str) -> String {
    let text = text.replace('|', "\\|");
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// What became of the sets of programs.
fn verdicts() -> anyhow::Result<String> {
    let mut text = String::new();
    for set in crate::habits::SETS {
        let verdicts = std::fs::read_to_string(in_repository(set.0).join("verdicts.txt"))?;
        let _ = write!(text, "`{}`:\n\n```\n{verdicts}```\n\n", set.0);
    }
    Ok(text.trim_end().to_owned() + "\n")
}

/// Ten messages, word for word, with the programs that they are about.
fn messages() -> anyhow::Result<String> {
    let all = std::fs::read_to_string(in_repository("tests/messages.txt"))?;
    let mut text = String::new();
    for wanted in MESSAGES {
        let told = all
            .split("\n# ")
            .map(|told| told.trim_start_matches("# "))
            .find(|told| told.strip_prefix(wanted).is_some_and(|rest| rest.starts_with(" (")));
        let (head, body) = told.and_then(|told| told.split_once('\n')).with_context(|| format!("no message of {wanted}"))?;
        let _ = write!(text, "{head}:\n\n````\n{}\n````\n\n", body.trim());
    }
    Ok(text.trim_end().to_owned() + "\n")
}
