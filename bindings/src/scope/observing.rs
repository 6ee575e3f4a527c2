//! A scope whose replies are observed.

use std::sync::Arc;

use super::Scope;
use crate::observed_shapes::ObservedShapes;
use crate::observed_types::{self, ObservedTypes};
use crate::reply_shape::ReplyShape;
use crate::scoped_tool::ScopedTool;
use crate::tokens::{TokenBudget, TokenCount, count_tokens};

impl Scope {
    /// The same tools for `principal`, whose replies are observed: what those of tools without `outputSchema` are like is kept in `shapes`, and what
    /// was seen until now is shown after the declarations. It stays as it is in this scope, however many replies come.
    ///
    /// The principal is who it is for everything that is kept, from whoever authenticated the request.
    #[must_use]
    pub fn observing(&self, shapes: Arc<dyn ObservedShapes>, principal: impl Into<Arc<str>>) -> Self {
        let observed = ObservedTypes::of(self.tools(), shapes, principal.into());
        Self { inner: Arc::clone(&self.inner), observed: Some(Arc::new(observed)) }
    }

    /// Whether what the replies of the tool with this index are like is kept: [`Scope::observe`].
    #[must_use]
    pub fn observes(&self, index: u32) -> bool {
        self.observed.is_some() && self.tool(index).is_some_and(observed_types::is_observed)
    }

    /// Keeps what a reply of the tool with this index was like, JSON text of a server: a walk through all of it. Nothing if it is not observed.
    pub fn observe(&self, index: u32, reply: &str) {
        if let (Some(observed), Some(tool)) =
            (&self.observed, self.tool(index).filter(|tool| observed_types::is_observed(tool)))
        {
            observed.observe(tool, reply);
        }
    }

    /// Appends what was seen of replies, as far as `budget` goes.
    pub(super) fn append_seen(&self, text: &mut String, tokens: &mut TokenCount, budget: TokenBudget) {
        let Some(observed) = &self.observed else { return };
        let left = TokenBudget::new(budget.tokens().saturating_sub(tokens.tokens));
        let seen = observed.section_within(self.tools(), left);
        if !seen.is_empty() {
            text.push_str(&seen);
            *tokens = count_tokens(text);
        }
    }

    /// What was seen of the replies of `tool`.
    pub(super) fn seen_of(&self, tool: &ScopedTool) -> Option<&ReplyShape> {
        self.observed.as_ref()?.of_tool(tool)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::collections::HashMap;
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;
    use crate::{Catalog, Grants, Tool};

    /// Keeps all of one principal.
    #[derive(Debug, Default)]
    struct Kept(Mutex<HashMap<(String, String), ReplyShape>>);

    impl ObservedShapes for Kept {
        fn observe(&self, principal: &str, tool: &Tool, shape: ReplyShape) {
            self.0.lock().unwrap().entry((principal.to_owned(), tool.name().to_owned())).or_default().absorb(&shape);
        }

        fn seen(&self, principal: &str, tool: &Tool) -> Option<Arc<ReplyShape>> {
            self.0.lock().unwrap().get(&(principal.to_owned(), tool.name().to_owned())).cloned().map(Arc::new)
        }
    }

    fn declared() -> Scope {
        let tool = |name: &str| json!({"name": name, "description": "Lists issues. All.", "inputSchema": {"type": "object", "properties": {"state": {"type": "string"}}}});
        let mut typed = tool("count");
        typed["outputSchema"] = json!({"type": "object", "properties": {"count": {"type": "integer"}}});
        let tools: Vec<Value> = vec![tool("list_issues"), typed, tool("read")];
        Catalog::load([("github", tools)]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    fn index(scope: &Scope, path: &str) -> u32 {
        scope.find(path).unwrap().index()
    }

    const SEEN: &str = "\
// Results as seen so far, where no type is declared; other replies may differ:
declare namespace github {
type list_issues_result = { id: number; title?: string }[]; // 2 replies
}
";

    #[test]
    fn what_was_seen_is_appended_and_stays_as_it_is_in_a_scope() {
        let (shapes, before) = (Arc::new(Kept::default()), declared());
        let first = before.observing(shapes.clone(), "ada");
        assert_eq!(first.typescript(), before.typescript());
        first.observe(index(&first, "github.list_issues"), r#"[{"id": 1}]"#);
        first.observe(index(&first, "github.list_issues"), r#"[{"id": 1, "title": "a"}]"#);
        assert_eq!(first.typescript(), before.typescript());
        let second = before.observing(shapes.clone(), "ada");
        let appended = format!("{}{SEEN}", before.typescript());
        assert_eq!(second.typescript(), appended);
        let budget = TokenBudget::new(10_000);
        assert_eq!(second.index(budget).text, before.index(budget).text + SEEN);
        assert_eq!(second.types(budget).text, before.types(budget).text + SEEN);
        assert!(second.describe(["github.list_issues"]).ends_with(SEEN));
        assert!(!second.describe(["github.read"]).contains("seen"));
        // Another principal is told nothing of it, and scopes that observe nothing are as they were.
        assert_eq!(before.observing(shapes, "bob").typescript(), before.typescript());
        assert_eq!(second.hash(), before.hash());
    }

    #[test]
    fn a_search_gives_what_was_seen_in_the_signature() {
        let (shapes, before) = (Arc::new(Kept::default()), declared());
        before.observing(shapes.clone(), "ada").observe(index(&before, "github.read"), r#""a text""#);
        let scope = before.observing(shapes, "ada");
        let text = scope.search_text("read", 1, TokenBudget::new(1_000));
        assert_eq!(
            text,
            "github.read(args?: { state?: string }): Promise<string>; // Lists issues. (result as seen in 1 reply)\n"
        );
        assert_eq!(scope.search("read", 1)[0].signature, "github.read(args?: { state?: string }): Promise<string>");
    }

    #[test]
    fn only_tools_that_declare_no_result_are_observed() {
        let (shapes, before) = (Arc::new(Kept::default()), declared());
        let scope = before.observing(shapes.clone(), "ada");
        assert!(scope.observes(index(&scope, "github.read")) && !scope.observes(index(&scope, "github.count")));
        assert!(!scope.observes(99) && !before.observes(index(&before, "github.read")));
        scope.observe(index(&scope, "github.count"), "{}");
        scope.observe(99, "{}");
        before.observe(index(&before, "github.read"), "{}");
        scope.observe(index(&scope, "github.read"), "no JSON");
        assert!(shapes.0.lock().unwrap().is_empty());
    }

    #[test]
    fn what_was_seen_takes_only_what_is_left_of_a_budget() {
        let (shapes, before) = (Arc::new(Kept::default()), declared());
        before.observing(shapes.clone(), "ada").observe(index(&before, "github.list_issues"), r#"[{"id": 1}]"#);
        let scope = before.observing(shapes, "ada");
        let (without, with) = (before.index(TokenBudget::new(10_000)).tokens.tokens, scope.index(TokenBudget::new(10_000)));
        let exact = with.tokens.tokens;
        assert!(exact > without);
        // What is counted by itself may be a token more than together.
        assert_eq!(scope.index(TokenBudget::new(exact + 8)), with);
        let less = scope.index(TokenBudget::new(without + 5));
        assert_eq!(less, before.index(TokenBudget::new(without + 5)));
    }
}
