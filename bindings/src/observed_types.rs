//! What a scope shows of replies that no server declares: as they were seen when it was made, after the declarations, which stay as they are.
//!
//! A model's prompt is cached by its bytes: what was seen is appended, and does not change while the scope lives.

use std::sync::{Arc, OnceLock};

use crate::observed_shapes::ObservedShapes;
use crate::render::{Form, Writer};
use crate::reply_shape::ReplyShape;
use crate::scoped_tool::ScopedTool;
use crate::tokens::{TokenBudget, count_tokens};
use crate::vocabulary::Vocabulary;

/// What stands before the types.
const HEADING: &str = "// Results as seen so far, where no type is declared; other replies may differ:\n";

/// The most bytes of the type of one tool; what is longer is shown with less, or not.
const TYPE_BYTES_MAX: usize = 4 << 10;

/// What was seen of the tools of one scope, and where what comes is kept.
#[derive(Debug)]
pub(crate) struct ObservedTypes {
    shapes: Arc<dyn ObservedShapes>,
    principal: Arc<str>,
    /// Of each tool of the scope, by its index.
    seen: Vec<Option<Arc<ReplyShape>>>,
    /// All declarations, and what was seen.
    typescript: OnceLock<String>,
}

impl ObservedTypes {
    /// What `principal` may be shown of `tools`, which are all tools of a scope.
    pub(crate) fn of(tools: &[ScopedTool], shapes: Arc<dyn ObservedShapes>, principal: Arc<str>) -> Self {
        let of_observed = |tool: &ScopedTool| is_observed(tool).then(|| shapes.seen(&principal, tool.definition())).flatten();
        let seen = |tool: &ScopedTool| of_observed(tool).filter(|shape| !shape.says_nothing());
        let seen = tools.iter().map(seen).collect();
        Self { shapes, principal, seen, typescript: OnceLock::new() }
    }

    /// Keeps what a reply of `tool` was like, JSON text.
    pub(crate) fn observe(&self, tool: &ScopedTool, json: &str) {
        if let Some(shape) = ReplyShape::of(json) {
            self.shapes.observe(&self.principal, tool.definition(), shape);
        }
    }

    /// What was seen of `tool`.
    pub(crate) fn of_tool(&self, tool: &ScopedTool) -> Option<&ReplyShape> {
        self.seen.get(usize::try_from(tool.index()).ok()?)?.as_deref()
    }

    /// `declarations`, which are those of all of `tools`, and what was seen.
    pub(crate) fn appended_to(&self, declarations: &str, tools: &[ScopedTool]) -> &str {
        self.typescript.get_or_init(|| declarations.to_owned() + &self.section(tools.iter()))
    }

    /// The types of what was seen of `tools`, in the order of a scope: nothing if nothing was.
    pub(crate) fn section<'a>(&self, tools: impl Iterator<Item = &'a ScopedTool>) -> String {
        section(&self.declared(tools))
    }

    /// As many of them as fit `budget`.
    pub(crate) fn section_within(&self, tools: &[ScopedTool], budget: TokenBudget) -> String {
        let mut declared = self.declared(tools.iter());
        let mut left = budget.tokens();
        declared.retain(|(_, text)| {
            let tokens = count_tokens(text).tokens;
            let fits = tokens <= left;
            left -= if fits { tokens } else { 0 };
            fits
        });
        loop {
            let text = section(&declared);
            if declared.pop().is_none() || count_tokens(&text).tokens <= budget.tokens() {
                return text;
            }
        }
    }

    /// The namespace and the declaration of each of `tools` of which something was seen.
    fn declared<'a>(&self, tools: impl Iterator<Item = &'a ScopedTool>) -> Vec<(&'a str, String)> {
        tools.filter_map(|tool| Some((tool.namespace(), declaration(tool, self.of_tool(tool)?)?))).collect()
    }
}

/// Whether what its replies are like is not declared.
pub(crate) fn is_observed(tool: &ScopedTool) -> bool {
    tool.definition().output_schema().is_none()
}

/// `interface list_issues_result { ... } // 12 replies`. No named type of a server has an underscore, so the name is no other's.
fn declaration(tool: &ScopedTool, shape: &ReplyShape) -> Option<String> {
    let (vocabulary, value) = (Vocabulary::default(), shape.value_type());
    let name = format!("{}_result", tool.identifier());
    [Form::BARE, Form::OUTLINE].into_iter().find_map(|form| {
        let mut writer = Writer::new(&vocabulary, form);
        writer.write_declaration(&name, &value);
        let (text, _) = writer.finish();
        (text.len() <= TYPE_BYTES_MAX).then(|| format!("{text} // {}\n", shape.count()))
    })
}

fn section(declared: &[(&str, String)]) -> String {
    if declared.is_empty() {
        return String::new();
    }
    let mut text = HEADING.to_owned();
    for of_namespace in declared.chunk_by(|(one, _), (next, _)| one == next) {
        text.push_str(&format!("declare namespace {} {{\n", of_namespace[0].0));
        text.extend(of_namespace.iter().map(|(_, declaration)| declaration.as_str()));
        text.push_str("}\n");
    }
    text
}
