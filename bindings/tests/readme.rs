//! The examples of the README are what the code makes. `UPDATE_EXPECT=1` rewrites them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use isolet_bindings::{Catalog, Grants, Scope, TokenBudget};
use serde_json::{Value, json};

fn scope(server: &str, tools: Vec<Value>) -> Scope {
    Catalog::load([(server, tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
}

/// The text of the fenced block number `place` of `language`.
fn block(readme: &str, language: &str, place: usize) -> std::ops::Range<usize> {
    let fence = format!("```{language}\n");
    let start = readme.match_indices(&fence).nth(place).unwrap().0 + fence.len();
    start..start + readme[start..].find("```").unwrap()
}

#[track_caller]
fn check(place: usize, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut readme = fs::read_to_string(&path).unwrap();
    let range = block(&readme, "ts", place);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        readme.replace_range(range, made);
        fs::write(path, readme).unwrap();
    } else {
        assert_eq!(&readme[range], made);
    }
}

/// The tools of the JSON block number `place`.
fn tools(place: usize) -> Vec<Value> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    serde_json::from_str(&readme[block(&readme, "json", place)]).unwrap()
}

/// A server of 200 tools: eight things that can be done with 25 kinds of records.
fn large_server() -> Vec<Value> {
    let kinds = [
        "account", "address", "agent", "asset", "batch", "budget", "campaign", "contact", "contract", "deal", "document",
        "event", "form", "invoice", "lead", "list", "meeting", "note", "order", "product", "project", "quote", "report",
        "task", "ticket",
    ];
    let verbs = ["create", "get", "update", "archive", "search", "export", "link", "comment_on"];
    let tool = |kind: &str, verb: &str| {
        json!({"name": format!("{verb}_{kind}"), "description": format!("Does `{verb}` with the {kind} records of a workspace, as the signed-in user may."),
            "inputSchema": {"type": "object", "required": ["workspace"], "properties": {
                "workspace": {"type": "string", "description": "The identifier of the workspace."},
                "id": {"type": "string", "description": format!("The identifier of the {kind}.")},
                "fields": {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}, "description": "Values by field name."}}}})
    };
    kinds.iter().flat_map(|kind| verbs.iter().map(move |verb| tool(kind, verb))).collect()
}

#[test]
fn the_examples_are_what_the_code_makes() {
    check(0, scope("records", tools(0)).typescript());
    check(1, scope("chat", tools(1)).typescript());
}

#[cfg(feature = "tokens")]
#[test]
fn a_large_server_fits_its_budget() {
    let tools = large_server();
    let raw: usize = tools.iter().map(|tool| isolet_bindings::count_tokens(&tool.to_string()).tokens).sum();
    assert_eq!((tools.len(), raw / 1_000), (200, 19), "the README says how large the server is");
    let types = scope("crm", tools).types(TokenBudget::new(2_000));
    assert!(types.tokens.tokens <= 2_000);
    let beginning: Vec<&str> = types.text.lines().take(8).collect();
    check(2, &(beginning.join("\n") + "\n"));
}

#[cfg(not(feature = "tokens"))]
#[test]
fn a_large_server_fits_its_budget_by_estimate() {
    let types = scope("crm", large_server()).types(TokenBudget::new(2_000));
    assert!(types.tokens.estimate && types.tokens.tokens <= 2_000);
}
