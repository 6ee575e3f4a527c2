//! What is wrong with a program by what it provably says, before it has called anything.
//!
//! The facts come from a guest process, so they are hints: a wrong one spoils only the feedback on its own program. Only what every execution
//! comes to ends the run; a number that JavaScript rounds is wrong on every path.

use isolet_bindings::Scope;

use super::advice::{self, Advice};
use super::outcome::GuestError;
use crate::contract::facts::{Arguments, Fact, Said, Used};

/// The most properties that a message names.
const PROPERTIES_MAX: usize = 8;
/// What `tools` has.
const OF_TOOLS: [&str; 5] = ["search", "describe", "content", "result", "read"];

/// The first fact that no execution of the program gets past, and what is wrong there.
#[derive(Debug)]
pub(crate) struct Finding<'fact> {
    pub(crate) fact: &'fact Fact,
    fault: Fault,
}

#[derive(Debug)]
enum Fault {
    Rounded,
    Import,
    Python,
    /// There is no such name, or no such tool.
    Name,
    /// The arguments of a tool do not match: what is wrong.
    Arguments(String),
}

impl<'fact> Finding<'fact> {
    /// What is wrong, if anything is. `steps_max`: of the checks of arguments, each.
    pub(crate) fn first(scope: &Scope, facts: &'fact [Fact], steps_max: u64) -> Option<Self> {
        let mut found: Option<Self> = None;
        for fact in facts {
            let Some(fault) = fault(scope, fact, steps_max) else { continue };
            let is_python = matches!(fault, Fault::Python);
            if found.is_none() || is_python {
                found = Some(Self { fact, fault });
            }
            if is_python {
                break;
            }
        }
        found
    }

    /// The error that the program ends with.
    pub(crate) fn error(&self, scope: &Scope, source_line: Option<String>) -> GuestError {
        let Fact { line, column, said, .. } = self.fact;
        let (name, message, nearest) = match (&self.fault, said) {
            (Fault::Rounded, Said::Rounded { text }) => {
                let digits: String = text.replace('_', "");
                let decimal = decimal(&digits).unwrap_or_else(|| digits.clone());
                let message = format!(
                    "the number {text} is beyond 2^53, where JavaScript rounds: write \"{decimal}\" instead of {text}, in quotes, as replies \
                     have it; an integer argument takes it"
                );
                ("RangeError", message, Vec::new())
            }
            (Fault::Import, Said::Import { module, names }) => {
                let Advice { remedy, nearest } = advice::of_import(scope, module, names);
                ("SyntaxError", format!("`import` is not available: {remedy}"), nearest)
            }
            (Fault::Python, _) => {
                let message =
                    "this looks like Python: write TypeScript; a tool takes one object, `tool({ name: value })`".to_owned();
                ("SyntaxError", message, Vec::new())
            }
            (Fault::Arguments(message), _) => ("ToolError", message.clone(), Vec::new()),
            (_, Said::Name { path, used }) => named(scope, path, used, said),
            _ => ("Error", "the program cannot be run".to_owned(), Vec::new()),
        };
        let code = matches!(self.fault, Fault::Arguments(_)).then(|| "invalid_arguments".to_owned());
        GuestError {
            name: name.to_owned(),
            message,
            code,
            line: (*line > 0).then_some(*line),
            column: (*line > 0).then_some(*column),
            source_line,
            nearest,
            ..GuestError::default()
        }
    }
}

fn named(scope: &Scope, path: &[String], used: &Used, said: &Said) -> (&'static str, String, Vec<String>) {
    let Advice { remedy, nearest } = advice::of_path(scope, path, advice::words_of(said));
    let root = path.first().map(String::as_str).unwrap_or_default();
    let is_namespace = root == "tools" || scope.has_namespace(root);
    let shown = if matches!(used, Used::Hyphenated) { path.join(".") } else { as_written(path) };
    let mut message = match used {
        _ if is_namespace => format!("there is no tool `{shown}`"),
        _ if path.first().is_some_and(|root| root == "crypto") => return ("TypeError", remedy, nearest),
        Used::Assigned => format!("`{root}` is not declared: write `const {root} = ...`"),
        _ => format!("`{root}` is not available"),
    };
    if !remedy.is_empty() {
        message.push_str(&format!(": {remedy}"));
    }
    if let Some(best) = nearest.first() {
        message.push_str(&format!(": write `{best}` instead of `{shown}`"));
    }
    (if is_namespace { "TypeError" } else { "ReferenceError" }, message, nearest)
}

/// The names as a program has them: what is no identifier in brackets.
fn as_written(path: &[String]) -> String {
    let is_identifier =
        |name: &str| name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '$'));
    let mut written = String::new();
    for (place, name) in path.iter().enumerate() {
        match (place, is_identifier(name)) {
            (0, _) => written.push_str(name),
            (_, true) => written.push_str(&format!(".{name}")),
            (_, false) => written.push_str(&format!("[{name:?}]")),
        }
    }
    written
}

fn fault(scope: &Scope, fact: &Fact, steps_max: u64) -> Option<Fault> {
    match &fact.said {
        Said::Rounded { .. } => Some(Fault::Rounded),
        Said::Import { .. } => Some(Fault::Import),
        Said::Name { .. } if !fact.is_reached => None,
        Said::Name { used: Used::Keyword, .. } => Some(Fault::Python),
        Said::Name { path, used } => fault_of_name(scope, path, used, steps_max),
    }
}

fn fault_of_name(scope: &Scope, path: &[String], used: &Used, steps_max: u64) -> Option<Fault> {
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match (names.as_slice(), used) {
        (["crypto", _, _, ..], _) | (["crypto", _], Used::Called { .. }) => Some(Fault::Name),
        (["crypto", ..], _) => None,
        (["tools", member], Used::Called { .. }) if !OF_TOOLS.contains(member) => Some(Fault::Name),
        (["tools", member, _, ..], _) if !OF_TOOLS.contains(member) => Some(Fault::Name),
        (["tools", ..], _) => None,
        ([root, tool], Used::Called { arguments, is_awaited, .. }) if scope.has_namespace(root) => {
            let Some(tool) = scope.find(&format!("{root}.{tool}")) else {
                return if scope.is_open(root) { None } else { Some(Fault::Name) };
            };
            if !is_awaited {
                return None;
            }
            wrong_arguments(tool, arguments, steps_max).map(Fault::Arguments)
        }
        ([root, tool], Used::Hyphenated) if scope.has_namespace(root) && scope.find(&format!("{root}.{tool}")).is_some() => {
            Some(Fault::Name)
        }
        (_, Used::Hyphenated) => None,
        // What a namespace has not has no members either.
        ([root, tool, _, ..], Used::Called { .. })
            if scope.has_namespace(root)
                && !scope.is_open(root)
                && scope.find(&format!("{root}.{tool}")).is_none()
                && advice::of_library(scope, &names).is_some() =>
        {
            Some(Fault::Name)
        }
        ([root, ..], _) if scope.has_namespace(root) => None,
        ([_, ..], _) => Some(Fault::Name),
        ([], _) => None,
    }
}

/// What is wrong with the arguments of every such call.
fn wrong_arguments(tool: &isolet_bindings::ScopedTool, arguments: &Arguments, steps_max: u64) -> Option<String> {
    let path = tool.path();
    match arguments {
        Arguments::Unknown => None,
        Arguments::Positional { .. } => {
            Some(format!("`{path}` takes one object with named arguments: write `{}`", usage(tool)))
        }
        Arguments::Object { literals, others } => {
            let is_whole = others.is_empty();
            let violations = tool.provable_violations(literals, others, steps_max);
            if violations.is_empty() {
                return None;
            }
            // What is only written otherwise is meant.
            let is_meant = tool
                .coerced(literals)
                .is_some_and(|coerced| tool.provable_violations(&coerced.arguments, others, steps_max).is_empty());
            if is_meant {
                return None;
            }
            let mut message: Vec<String> = violations.iter().map(ToString::to_string).collect();
            if is_whole && literals.is_empty() {
                message.push(format!("write `{}`", usage(tool)));
            }
            Some(format!("the arguments of `{path}` do not match its schema: {}", message.join("; ")))
        }
    }
}

/// A call with the required arguments of a tool: `github.get_issue({ owner: ..., repo: ... })`.
pub(crate) fn usage(tool: &isolet_bindings::ScopedTool) -> String {
    let schema = tool.definition().input_schema();
    let required = schema.get("required").and_then(serde_json::Value::as_array).into_iter().flatten();
    let required = required.filter_map(serde_json::Value::as_str).filter(|name| !tool.is_pinned(name));
    let members: Vec<String> = required.take(PROPERTIES_MAX).map(|name| format!("{name}: ...")).collect();
    if members.is_empty() {
        format!("{}({{ ... }})", tool.path())
    } else {
        format!("{}({{ {} }})", tool.path(), members.join(", "))
    }
}

/// The decimal digits of a number that may be written in another base.
fn decimal(digits: &str) -> Option<String> {
    if let Some(digits) = digits.strip_prefix('-') {
        return decimal(digits).map(|decimal| format!("-{decimal}"));
    }
    let lower = digits.to_ascii_lowercase();
    let (rest, radix) = match lower.get(..2)? {
        "0x" => (&lower[2..], 16),
        "0o" => (&lower[2..], 8),
        "0b" => (&lower[2..], 2),
        _ => return Some(lower),
    };
    u128::from_str_radix(rest, radix).ok().map(|value| value.to_string())
}
