//! The index of a scope: what a model knows of its tools before it has asked anything, within a budget of tokens.

use std::fmt::Write as _;

use crate::declarations::{Piece, ServerDeclarations};
use crate::name::is_identifier;
use crate::scoped_tool::ScopedTool;
use crate::tokens::{TokenBudget, TokenCount, count_tokens};

/// What [`crate::Scope::index`] gives: the same bytes as long as the scope and the budget are the same.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolIndex {
    /// The tools, after a line that says how many of them are shown, and how.
    pub text: String,
    /// How they are shown.
    pub form: IndexForm,
    /// How many are shown.
    pub shown: usize,
    /// How many there are.
    pub tools: usize,
    /// How many tokens `text` has.
    pub tokens: TokenCount,
}

/// Parameters of a tool whose names are shown, and the most characters of one.
const PARAMETERS_MAX: usize = 8;
const PARAMETER_CHARACTERS_MAX: usize = 40;

/// How much an index says of each tool that it shows.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexForm {
    /// Everything: nothing is left to ask for.
    Declarations,
    /// One line with its types, some of them shortened, and the beginning of its description. All tools are shown.
    Signatures,
    /// Its name, and where there is room for all of them, the names of its parameters. Perhaps not all tools are shown.
    Names,
}

/// The fullest index of `tools` that fits `budget`; `all` is the text of all declarations.
/// They are made only if they may fit.
pub(crate) fn within<'scope>(
    tools: &[ScopedTool],
    servers: impl FnOnce() -> Vec<&'scope ServerDeclarations>,
    all: impl FnOnce() -> &'scope str,
    budget: TokenBudget,
) -> ToolIndex {
    let of_all =
        |text: String, form| ToolIndex { tokens: count_tokens(&text), text, form, shown: tools.len(), tools: tools.len() };
    if tools.is_empty() {
        return of_all("// this user has no tools\n".to_owned(), IndexForm::Declarations);
    }
    let is_within = |index: &ToolIndex| index.tokens.tokens <= budget.tokens();
    // The shortest signature has more tokens than this.
    if tools.len().saturating_mul(8) > budget.tokens() {
        return names(tools, budget);
    }
    // A token has seldom more than eight bytes, so most texts that do not fit need not be counted.
    let all = all();
    if all.len() / 16 <= budget.tokens() {
        let index = of_all(format!("// all {}\n{all}", counted(tools.len())), IndexForm::Declarations);
        if is_within(&index) {
            return index;
        }
    }
    if let Some(signatures) = signatures(&servers(), tools, budget) {
        let heading = format!("// all {}, shortened; `get_types` gives their full types\n", counted(tools.len()));
        let index = of_all(heading + &signatures, IndexForm::Signatures);
        if is_within(&index) {
            return index;
        }
    }
    names(tools, budget)
}

/// `1 tool`, `34 tools`.
fn counted(tools: usize) -> String {
    if tools == 1 { "1 tool".to_owned() } else { format!("{tools} tools") }
}

/// All tools on a line each; nothing once it is plain that they do not fit.
fn signatures(servers: &[&ServerDeclarations], tools: &[ScopedTool], budget: TokenBudget) -> Option<String> {
    let mut text = String::new();
    for (server, tools) in servers.iter().zip(tools.chunk_by(|one, next| one.namespace() == next.namespace())) {
        let pieces: Vec<Piece> = tools.iter().map(|tool| server.compact(tool)).collect();
        text.push_str(&server.assemble(&pieces));
        if text.len() / 16 > budget.tokens() {
            return None;
        }
    }
    Some(text)
}

/// The names of the tools, each namespace on a line: as many as fit, of each namespace the same number while it has more.
pub(crate) fn names(tools: &[ScopedTool], budget: TokenBudget) -> ToolIndex {
    let namespaces: Vec<&[ScopedTool]> = tools.chunk_by(|one, next| one.namespace() == next.namespace()).collect();
    // A name with its parameters has three tokens at least.
    if tools.len().saturating_mul(3) <= budget.tokens() {
        let index = listed(&namespaces, tools.len(), tools.len(), with_parameters);
        if index.tokens.tokens <= budget.tokens() {
            return index;
        }
    }
    let listed =
        |namespaces: &[&[ScopedTool]], of_each, all| listed(namespaces, of_each, all, |tool| tool.identifier().to_owned());
    let longest = namespaces.iter().map(|tools| tools.len()).max().unwrap_or(0);
    // A name has a token at least, so there is no need to try more of them than the budget has.
    let (mut fits, mut fails) = (0, longest.min(budget.tokens()) + 1);
    while fits + 1 < fails {
        let of_each = fits.midpoint(fails);
        if listed(&namespaces, of_each, tools.len()).tokens.tokens <= budget.tokens() {
            fits = of_each;
        } else {
            fails = of_each;
        }
    }
    let index = listed(&namespaces, fits, tools.len());
    if index.tokens.tokens <= budget.tokens() { index } else { listed(&[], 0, tools.len()) }
}

/// `list_issues({state?, limit?})`: the parameters that a caller can give. What is no short name is left out, with an ellipsis.
fn with_parameters(tool: &ScopedTool) -> String {
    let schema = tool.definition().input_schema();
    let Some(properties) = schema["properties"].as_object() else {
        let is_elsewhere = ["$ref", "allOf", "anyOf", "oneOf"].iter().any(|keyword| schema.get(keyword).is_some());
        return format!("{}({{{}}})", tool.identifier(), if is_elsewhere { "…" } else { "" });
    };
    let is_required = |name: &str| schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one == name));
    let open: Vec<&String> = properties.keys().filter(|name| !tool.is_pinned(name)).collect();
    let is_shown = |name: &&&String| is_identifier(name) && name.chars().count() <= PARAMETER_CHARACTERS_MAX;
    // Those that a call needs come first.
    let (needed, others): (Vec<&String>, Vec<&String>) = open.iter().filter(is_shown).partition(|name| is_required(name));
    let shown: Vec<String> = needed
        .into_iter()
        .chain(others)
        .take(PARAMETERS_MAX)
        .map(|name| format!("{name}{}", if is_required(name) { "" } else { "?" }))
        .collect();
    let more = match (shown.len(), open.len()) {
        (shown, all) if shown == all => "",
        (0, _) => "…",
        _ => ", …",
    };
    format!("{}({{{}{more}}})", tool.identifier(), shown.join(", "))
}

/// The first `of_each` names of each of `namespaces`, as `shown` says them.
fn listed(namespaces: &[&[ScopedTool]], of_each: usize, all: usize, shown_as: impl Fn(&ScopedTool) -> String) -> ToolIndex {
    let mut lines = String::new();
    let mut shown = 0;
    for tools in namespaces {
        let count = tools.len().min(of_each);
        shown += count;
        let _ = write!(
            lines,
            "{} ({})",
            tools[0].namespace(),
            if count < tools.len() && count > 0 { format!("{count} of {}", tools.len()) } else { counted(tools.len()) }
        );
        for (place, tool) in tools[..count].iter().enumerate() {
            lines.push_str(if place == 0 { ": " } else { ", " });
            lines.push_str(&shown_as(tool));
        }
        lines.push('\n');
    }
    let heading = if shown == all {
        format!("// all {} by name; `search_tools` gives their types\n", counted(all))
    } else {
        format!("// {shown} of {}; find others with `search_tools`\n", counted(all))
    };
    let text = heading + &lines;
    ToolIndex { tokens: count_tokens(&text), text, form: IndexForm::Names, shown, tools: all }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;
    use crate::{Catalog, Grants, Scope};

    /// A scope of two servers with so many tools.
    fn scope(first: usize, second: usize) -> Scope {
        let tool = |number: usize| {
            json!({"name": format!("update_record_{number}"), "description": "Updates a record. Then it is new.",
                "inputSchema": {"type": "object", "required": ["record"], "properties": {
                    "record": {"type": "object", "description": "What it is to be.", "properties": {"id": {"type": "integer"}}}}}})
        };
        let tools = |count: usize| (0..count).map(tool).collect::<Vec<Value>>();
        Catalog::load([("first", tools(first)), ("second", tools(second))]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    #[track_caller]
    fn check(scope: &Scope, budget: usize, form: IndexForm, shown: usize, heading: &str) -> ToolIndex {
        let index = scope.index(TokenBudget::new(budget));
        assert_eq!((index.form, index.shown, index.text.lines().next()), (form, shown, Some(heading)), "{}", index.text);
        assert!(index.tokens.tokens <= budget, "{} of {budget}", index.tokens.tokens);
        assert_eq!(scope.index(TokenBudget::new(budget)), index);
        index
    }

    #[test]
    fn an_index_is_as_full_as_its_budget_and_says_how_full() {
        let some = scope(20, 14);
        let full = check(&some, 20_000, IndexForm::Declarations, 34, "// all 34 tools");
        assert!(full.text.ends_with(some.typescript()));
        let exact = full.tokens.tokens;
        check(&some, exact, IndexForm::Declarations, 34, "// all 34 tools");
        let lines = "// all 34 tools, shortened; `get_types` gives their full types";
        let short = check(&some, exact - 1, IndexForm::Signatures, 34, lines);
        assert!(
            short.text.contains(
                "function update_record_0(args: { record: Record<string, unknown> }): Promise<unknown>; // Updates a record."
            ),
            "{}",
            short.text
        );
        let exact = short.tokens.tokens;
        check(&some, exact, IndexForm::Signatures, 34, lines);
        let lines = "// all 34 tools by name; `search_tools` gives their types";
        let names = check(&some, exact - 1, IndexForm::Names, 34, lines);
        assert!(
            names.text.contains("first (20 tools): update_record_0({record}), update_record_1({record}), "),
            "{}",
            names.text
        );
        let exact = names.tokens.tokens;
        let names = check(&some, exact - 1, IndexForm::Names, 34, lines);
        assert!(names.text.contains("first (20 tools): update_record_0, update_record_1, "), "{}", names.text);
    }

    #[test]
    fn the_parameters_of_a_tool_are_those_that_a_caller_gives() {
        let tool = |schema: Value| {
            let tool = json!({ "name": "act", "inputSchema": schema });
            let scope = Catalog::load([("a", vec![tool])])
                .unwrap()
                .scope(&Grants::new().allow("*").pin("a.act", "tenant", json!(1)))
                .unwrap();
            with_parameters(&scope.tools()[0])
        };
        let properties =
            |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<serde_json::Map<_, _>>();
        let schema = |names: &[&str], required: Value| json!({ "type": "object", "properties": properties(names), "required": required });
        assert_eq!(tool(schema(&["b", "tenant", "a"], json!(["a"]))), "act({a, b?})");
        assert_eq!(tool(schema(&["tenant"], json!([]))), "act({})");
        assert_eq!(tool(json!({ "type": "object", "allOf": [schema(&["a", "tenant"], json!([]))] })), "act({…})");
        assert_eq!(tool(json!({ "type": "object", "properties": { "tenant": {}, "x-y": {}, "a */ b": {} } })), "act({…})");
        let many: Vec<String> = (0..20).map(|number| format!("p{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).chain(["tenant"]).collect();
        assert_eq!(tool(schema(&many, json!(["p19"]))), "act({p19, p0?, p1?, p2?, p3?, p4?, p5?, p6?, …})");
    }

    #[test]
    fn of_many_tools_those_that_fit_are_named_and_each_server_has_its_share() {
        let many = scope(2_000, 5);
        let shown = many.index(TokenBudget::new(200)).shown;
        let heading = format!("// {shown} of 2005 tools; find others with `search_tools`");
        let index = check(&many, 200, IndexForm::Names, shown, &heading);
        assert!((10..100).contains(&index.shown), "{}", index.text);
        assert!(index.text.contains("second (5 tools): update_record_0, "), "{}", index.text);
        assert!(index.text.contains(&format!("first ({} of 2000): update_record_0, ", index.shown - 5)), "{}", index.text);
    }

    #[test]
    fn without_room_the_number_is_said() {
        let nothing = scope(2_000, 5).index(TokenBudget::new(0));
        assert_eq!((&*nothing.text, nothing.shown), ("// 0 of 2005 tools; find others with `search_tools`\n", 0));
        assert_eq!(scope(0, 0).index(TokenBudget::new(0)).text, "// this user has no tools\n");
    }
}
