//! `search_tools`: finds tools of the scope by a few words.

use isolet_bindings::{Scope, TokenBudget};
use isolet_rpc::envelope::object;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::Deserialize;
use serde_json::{Value, json};

/// Tools that a search finds if it is not told how many, and at most.
const HITS: usize = 10;
const HITS_MAX: usize = 50;
/// Tokens of an answer that is not told how many, and at most.
const TOKENS: usize = 1_500;
const TOKENS_MAX: usize = 20_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    limit: Option<usize>,
    max_tokens: Option<usize>,
}

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
    let Arguments { query, limit, max_tokens } = parsed(arguments)?;
    let budget = TokenBudget::new(max_tokens.unwrap_or(TOKENS).min(TOKENS_MAX));
    Ok(said(scope.search_text(&query, limit.unwrap_or(HITS).clamp(1, HITS_MAX), budget)))
}

/// The arguments of one of the faces' own tools.
pub(super) fn parsed<'text, Arguments: Deserialize<'text>>(arguments: &'text str) -> Result<Arguments, String> {
    object(arguments).map_err(|error| format!("the arguments cannot be used: {error}: see the tool's `inputSchema`"))
}

/// A result that says why there is no other.
pub(super) fn refused(text: String) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text)])
}

/// A result that is a text.
pub(super) fn said(text: String) -> CallToolResult {
    CallToolResult::success(vec![ContentBlock::text(text)])
}
