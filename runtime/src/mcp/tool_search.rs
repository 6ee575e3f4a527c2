//! `search_tools`: finds tools of the scope by a few words.

use isolet_bindings::{Scope, TokenBudget};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

use super::own_arguments::OwnArguments;

/// Tools that a search finds if it is not told how many, and at most.
const HITS: usize = 10;
const HITS_MAX: usize = 50;
/// Tokens of an answer that is not told how many, and at most.
const TOKENS: usize = 1_500;
const TOKENS_MAX: usize = 20_000;

/// What it takes.
const ARGUMENTS: &[&str] = &["query", "limit", "max_tokens"];

/// Its definition; `description` says what is done with the tools that are found.
pub(super) fn definition(description: &str) -> Value {
    json!({
        "name": "search_tools",
        "title": "Search tools",
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": { "type": "string", "description": "A few words: what the tool does, or its name." },
                "limit": { "type": "integer", "minimum": 1, "maximum": HITS_MAX, "default": HITS },
                "max_tokens": { "type": "integer", "minimum": 1, "default": TOKENS },
            },
            "required": ["query"],
            "additionalProperties": false,
        },
        "annotations": { "readOnlyHint": true, "openWorldHint": false },
    })
}

/// What it answers; its arguments are JSON text.
pub(super) fn answer(scope: &Scope, arguments: &str) -> Result<CallToolResult, String> {
    let arguments = OwnArguments::read("search_tools", ARGUMENTS, arguments)?;
    let count = |name| Ok::<_, String>(arguments.count(name)?.map(|count| usize::try_from(count).unwrap_or(usize::MAX)));
    let budget = TokenBudget::new(count("max_tokens")?.unwrap_or(TOKENS).min(TOKENS_MAX));
    let found = scope.search_text(&arguments.needed_text("query")?, count("limit")?.unwrap_or(HITS).min(HITS_MAX), budget);
    Ok(said_with_note(found, &arguments))
}

/// A result that says why there is no other.
pub(super) fn refused(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

/// A result that is a text.
pub(super) fn said(text: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}

/// The same, with what was left out of the arguments.
pub(super) fn said_with_note(text: String, arguments: &OwnArguments<'_>) -> CallToolResult {
    said(match arguments.left_out() {
        Some(left_out) => format!("{text}// {left_out}\n"),
        None => text,
    })
}
