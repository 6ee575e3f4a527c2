//! What a model reads of a search: the tools that match, best first over all servers, within a budget of tokens.

use crate::declarations::{self, ServerDeclarations};
use crate::render::Form;
use crate::reply_shape::ReplyShape;
use crate::scoped_tool::ScopedTool;
use crate::tokens::{TokenBudget, count_tokens};
use crate::tool_index;

/// Tokens of the line that says what is not shown.
const REST_TOKENS: usize = 24;

/// The text for the tools at `places`, best first, of `tools`: each on a line, with its types in full as far as `budget` goes, then
/// shortened. The first is there in any case. If none matches, the text says which tools there are. `seen`: what a tool gave that does not say what it
/// gives.
pub(crate) fn answer<'scope>(
    tools: &'scope [ScopedTool],
    places: &[usize],
    budget: TokenBudget,
    seen: impl Fn(&ScopedTool) -> Option<&'scope ReplyShape>,
) -> String {
    let found: Vec<&ScopedTool> = places.iter().map(|place| &tools[*place]).collect();
    if found.is_empty() {
        let names = tool_index::names(tools, budget).text;
        return format!("// no tool matches: try other words. There are:\n{names}");
    }
    let shortened = found.iter().map(|tool| line(tool, Form::COMPACT, seen(tool)));
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut left = budget.tokens().saturating_sub(REST_TOKENS);
    for text in shortened {
        let tokens = count_tokens(&text).tokens;
        if tokens > left && !lines.is_empty() {
            break;
        }
        left = left.saturating_sub(tokens);
        lines.push((text, tokens));
    }
    // What is left goes to the best ones first.
    for ((text, tokens), tool) in lines.iter_mut().zip(&found) {
        let full = line(tool, Form::BARE, seen(tool));
        let needed = count_tokens(&full).tokens;
        if needed <= left + *tokens {
            left = left + *tokens - needed;
            *text = full;
        }
    }
    let mut answer: String = lines.iter().map(|(text, _)| text.as_str()).collect();
    if lines.len() < found.len() {
        let rest = found.len() - lines.len();
        answer.push_str(&format!("// {rest} more match: search for more words, or spend more tokens\n"));
    }
    answer
}

/// `github.list_issues(args: { ... }): Promise<...>; // Lists issues.`, and the types that it names.
fn line(tool: &ScopedTool, form: Form, seen: Option<&ReplyShape>) -> String {
    let (signature, types) = ServerDeclarations::alone(tool, form, seen);
    let seen = seen.map(|seen| format!("(result as seen in {})", seen.count())).unwrap_or_default();
    let words: Vec<String> = [declarations::summary(tool), seen].into_iter().filter(|words| !words.is_empty()).collect();
    let remark = if words.is_empty() { String::new() } else { format!(" // {}", words.join(" ")) };
    format!("{signature};{remark}\n{types}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;
    use crate::{Catalog, Grants, Scope};

    fn scope() -> Scope {
        let tool = |name: &str, description: &str, properties: Value| json!({"name": name, "description": description, "inputSchema": {"type": "object", "properties": properties}});
        let nested = json!({"filter": {"type": "object", "properties": {"state": {"enum": ["open", "closed"]}, "since": {"type": "object", "properties": {"day": {"type": "integer"}}}}}});
        let files = vec![
            tool("read_file", "Reads a file between two lines.", json!({"path": {"type": "string"}})),
            tool("edit_file", "Changes the times of a file.", json!({"path": {"type": "string"}})),
            tool("list_files", "Lists files.", nested),
        ];
        let time = vec![tool("convert_time", "Converts time between timezones.", json!({"time": {"type": "string"}}))];
        Catalog::load([("files", files), ("time", time)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    #[test]
    fn the_best_comes_first_whatever_its_server_is_and_what_hardly_matches_is_left_out() {
        let text = scope().search_text("convert time between timezones", 10, TokenBudget::new(1_000));
        assert!(
            text.starts_with(
                "time.convert_time(args?: { time?: string }): Promise<unknown>; // Converts time between timezones.\n"
            ),
            "{text}"
        );
        assert!(!text.contains("list_files"), "{text}");
    }

    #[test]
    fn nested_arguments_are_in_full_where_they_fit() {
        let in_full = scope().search_text("list files", 1, TokenBudget::new(1_000));
        assert!(in_full.contains(r#"state?: "open" | "closed"; since?: { day?: integer }"#), "{in_full}");
        let exact = count_tokens(&in_full).tokens + REST_TOKENS;
        assert_eq!(scope().search_text("list files", 1, TokenBudget::new(exact)), in_full);
        let shortened = scope().search_text("list files", 1, TokenBudget::new(exact - 1));
        assert!(shortened.contains("Record<string, unknown>"), "{shortened}");
    }

    #[test]
    fn what_does_not_fit_is_counted_and_what_is_not_there_is_answered_with_what_is() {
        let text = scope().search_text("file", 10, TokenBudget::new(1));
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.ends_with(" more match: search for more words, or spend more tokens\n"), "{text}");
        let nothing = scope().search_text("zebra", 10, TokenBudget::new(1_000));
        assert!(nothing.starts_with("// no tool matches: try other words. There are:\n"), "{nothing}");
        assert!(
            nothing
                .contains("\nfiles (3 tools): read_file({path?}), edit_file({path?}), list_files({filter?})\ntime (1 tool): "),
            "{nothing}"
        );
    }
}
