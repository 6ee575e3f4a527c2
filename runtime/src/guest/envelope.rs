//! What to write instead of an expression that looks for a reply's value where it is not: in an envelope that there is not, or beside it.

use std::ops::Range;

use swc_common::Spanned as _;
use swc_ecma_ast::{CallExpr, Callee, Expr, Ident, MemberProp, ObjectPat, ObjectPatProp, Stmt};
use swc_ecma_visit::{Visit, VisitWith};

use super::declarations::without_types;
use super::facts::path_of;
use super::shape::{Kind, Shape};
use super::syntax::Tree;

/// The longest text that is told, bytes: longer ones are no words of a message.
const TEXT_BYTES_MAX: usize = 100;
/// Expressions that are looked at.
const CHAINS_MAX: usize = 2_000;
/// The most that may stand after a variable.
const STEPS_MAX: usize = 16;
/// What texts and lists have, and objects have not.
const OF_TEXTS: [&str; 20] = [
    "split",
    "trim",
    "match",
    "matchAll",
    "replace",
    "replaceAll",
    "startsWith",
    "endsWith",
    "toLowerCase",
    "toUpperCase",
    "padStart",
    "padEnd",
    "charAt",
    "charCodeAt",
    "substring",
    "slice",
    "includes",
    "indexOf",
    "length",
    "trimEnd",
];
const OF_LISTS: [&str; 24] = [
    "map",
    "filter",
    "find",
    "findIndex",
    "findLast",
    "forEach",
    "some",
    "every",
    "reduce",
    "flatMap",
    "flat",
    "join",
    "sort",
    "reverse",
    "entries",
    "push",
    "concat",
    "at",
    "slice",
    "includes",
    "indexOf",
    "length",
    "toSorted",
    "values",
];
const OF_NUMBERS: [&str; 2] = ["toFixed", "toPrecision"];

/// A change of the program's text.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Instead {
    pub(super) old: String,
    pub(super) new: String,
}

/// What stands after a variable: `.name`, `[...]` or `(...)`, each with the end of what it makes.
#[derive(Clone, Debug)]
struct Step {
    what: What,
    end: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Name(String),
    Index,
    Call,
}

/// A variable and what stands after it, in bytes of the program.
#[derive(Clone, Debug)]
struct Chain {
    name: String,
    root: Range<usize>,
    steps: Vec<Step>,
    /// All of `JSON.parse(...)` around it, if that is what it is given to.
    parsed: Option<Range<usize>>,
}

/// What has a reply.
#[derive(Clone, Copy, Debug)]
pub(super) enum Holder<'name> {
    /// A variable.
    Variable(&'name str),
    /// `(await github.list_issues(...))`, by the byte after it.
    Call(usize),
}

/// What is to be written instead where `holder`, which has a reply of this shape, is used around the byte `place`.
pub(super) fn of_use(program: &str, tree: &Tree<Stmt>, holder: Holder<'_>, place: usize, shape: &Shape) -> Option<Instead> {
    let line = program.get(..place)?.rfind('\n').map_or(0, |end| end + 1);
    let line = line..program.get(place..)?.find('\n').map_or(program.len(), |end| place + end);
    let bytes = |span| tree.bytes(span);
    let mut found = Chains { bytes: &bytes, chains: Vec::new() };
    tree.items.iter().for_each(|item| item.visit_with(&mut found));
    let is_of_holder = |chain: &Chain| match holder {
        Holder::Variable(variable) => chain.name == variable && line.contains(&chain.root.start),
        Holder::Call(end) => chain.name.is_empty() && chain.root.end == end,
    };
    let ours = found.chains.into_iter().filter(is_of_holder);
    // The longest that is nearest before the place: parts of it were found as well.
    let rank = |chain: &Chain| {
        let before = if chain.root.start <= place { chain.root.start } else { 0 };
        (before, chain.parsed.is_some(), chain.steps.len())
    };
    let chain = ours.max_by_key(rank)?;
    let text = |range: Range<usize>| program.get(range).map(str::to_owned);
    let root = text(chain.root.clone())?;
    match change(&chain, shape)? {
        Change::At(old, new) => shown(text(old)?, new.replace("ROOT", &root)),
        Change::First(member) => {
            let declared = format!("const {root}");
            program
                .contains(&format!("{declared} ="))
                .then(|| shown(declared, format!("const {{ {member}: [{root}] }}")))
                .flatten()
        }
    }
}

/// The only member that a pattern takes, and the variable that is to hold it: `{ data }`, `{ data: issues }`.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    pub(super) key: String,
    pub(super) variable: String,
}

impl Taken {
    pub(super) fn of(pattern: &ObjectPat) -> Option<Self> {
        let (key, variable) = match pattern.props.as_slice() {
            [ObjectPatProp::Assign(assigned)] if assigned.value.is_none() => (&assigned.key.id.sym, &assigned.key.id.sym),
            [ObjectPatProp::KeyValue(member)] => (&member.key.as_ident()?.sym, &member.value.as_ident()?.id.sym),
            _ => return None,
        };
        Some(Self { key: key.to_string(), variable: variable.to_string() })
    }
}

/// What is to be written instead of a pattern that takes a reply of this shape apart.
pub(super) fn of_pattern(program: &str, pattern: Range<usize>, taken: &Taken, shape: &Shape) -> Option<Instead> {
    let old = program.get(pattern)?.to_owned();
    let Taken { key, variable } = taken;
    let new = match shape.kind {
        Kind::Array | Kind::Text => variable.clone(),
        Kind::Object if shape.member(key).is_none() => format!("{{ {}: {variable} }}", shape.only(Kind::Text)?),
        _ => return None,
    };
    shown(old, new)
}

fn shown(old: String, new: String) -> Option<Instead> {
    let is_word = |text: &str| text.len() <= TEXT_BYTES_MAX && !text.contains(['\n', '`']);
    (is_word(&old) && is_word(&new) && old != new).then_some(Instead { old, new })
}

/// A change of the use of a variable.
enum Change {
    /// What stands here becomes this, in which `ROOT` is the variable.
    At(Range<usize>, String),
    /// The variable is to be the first element of this member.
    First(String),
}

fn change(chain: &Chain, shape: &Shape) -> Option<Change> {
    let Chain { root, steps, parsed, .. } = chain;
    let to = |count: usize| root.start..steps.get(count.wrapping_sub(1)).map_or(root.end, |step| step.end);
    let name = |place: usize| match steps.get(place).map(|step| &step.what) {
        Some(What::Name(name)) => Some(name.as_str()),
        _ => None,
    };
    let is = |place: usize, what: What| steps.get(place).is_some_and(|step| step.what == what);
    let is_envelope = name(0) == Some("content") && is(1, What::Index) && name(2) == Some("text");
    if is_envelope && shape.member("content") != Some(Kind::Array) {
        let value = if shape.member("content") == Some(Kind::Text) { "ROOT.content" } else { "ROOT" };
        let is_value = matches!(shape.kind, Kind::Array | Kind::Object) && value == "ROOT";
        let old = parsed.clone().filter(|_| is_value && steps.len() == 3).unwrap_or_else(|| to(3));
        return Some(Change::At(old, value.to_owned()));
    }
    let is_block = is(0, What::Index) && name(1) == Some("text");
    if is_block && matches!(shape.kind, Kind::Object | Kind::Text) {
        let value = if shape.kind == Kind::Text { "ROOT".to_owned() } else { format!("ROOT.{}", shape.only(Kind::Text)?) };
        return Some(Change::At(to(2), value));
    }
    if let Some(parsed) = parsed.clone().filter(|_| steps.is_empty() && matches!(shape.kind, Kind::Array | Kind::Object)) {
        return Some(Change::At(parsed, "ROOT".to_owned()));
    }
    let first = name(0)?;
    if is(1, What::Call) {
        let new = match first {
            "json" | "text" => return Some(Change::At(to(2), "ROOT".to_owned())),
            _ if OF_TEXTS.contains(&first)
                && shape.kind == Kind::Array
                && shape.first == Some(Kind::Text)
                && !OF_LISTS.contains(&first) =>
            {
                "ROOT.join(\"\\n\")".to_owned()
            }
            _ if OF_NUMBERS.contains(&first) && shape.kind == Kind::Text => "Number(ROOT)".to_owned(),
            _ if shape.kind != Kind::Object => return None,
            _ if OF_LISTS.contains(&first) && shape.only(Kind::Array).is_some() => format!("ROOT.{}", shape.only(Kind::Array)?),
            _ if OF_TEXTS.contains(&first) => format!("ROOT.{}", shape.only(Kind::Text)?),
            _ => return None,
        };
        return Some(Change::At(root.clone(), new));
    }
    if shape.member(first).is_some() || (shape.kind == Kind::Array && OF_LISTS.contains(&first)) {
        return None;
    }
    let is_there = match (steps.get(1).map(|step| &step.what), shape.kind) {
        (None, Kind::Array | Kind::Text) => true,
        (Some(What::Name(next)), Kind::Object) => shape.member(next).is_some(),
        (Some(What::Name(next)), Kind::Array) => OF_LISTS.contains(&next.as_str()),
        (Some(What::Name(next)), Kind::Text) => OF_TEXTS.contains(&next.as_str()),
        (Some(What::Index), Kind::Array) => true,
        _ => false,
    };
    if is_there {
        return Some(Change::At(to(1), "ROOT".to_owned()));
    }
    // The only thing that there is.
    let only = shape.only(Kind::Array).filter(|_| shape.members.len() == 1 && shape.kind == Kind::Object)?;
    (steps.len() > 1).then(|| Change::First(only.to_owned()))
}

/// All chains of a program.
struct Chains<'tree> {
    bytes: &'tree dyn Fn(swc_common::Span) -> Range<usize>,
    chains: Vec<Chain>,
}

impl Chains<'_> {
    fn of(&self, expression: &Expr, depth: usize) -> Option<Chain> {
        match without_types(expression) {
            _ if depth > STEPS_MAX => None,
            Expr::Ident(Ident { sym, span, .. }) => {
                Some(Chain { name: sym.to_string(), root: (self.bytes)(*span), steps: Vec::new(), parsed: None })
            }
            Expr::Member(member) => {
                let mut chain = match without_types(&member.obj) {
                    // What stands before the dot ends with a parenthesis, which stands for all of it.
                    Expr::Await(_) => {
                        let end = (self.bytes)(member.obj.span()).end;
                        Chain { name: String::new(), root: end.checked_sub(1)?..end, steps: Vec::new(), parsed: None }
                    }
                    object => self.of(object, depth + 1)?,
                };
                let what = match &member.prop {
                    MemberProp::Ident(name) => What::Name(name.sym.to_string()),
                    MemberProp::Computed(_) => What::Index,
                    MemberProp::PrivateName(_) => return None,
                };
                chain.steps.push(Step { what, end: (self.bytes)(member.span).end });
                Some(chain)
            }
            Expr::Call(CallExpr { callee: Callee::Expr(callee), span, .. }) => {
                let mut chain = self.of(callee, depth + 1)?;
                chain.steps.push(Step { what: What::Call, end: (self.bytes)(*span).end });
                Some(chain)
            }
            _ => None,
        }
    }
}

impl Visit for Chains<'_> {
    fn visit_expr(&mut self, expression: &Expr) {
        if self.chains.len() < CHAINS_MAX {
            self.chains.extend(self.of(expression, 0));
        }
        if let Expr::Call(call) = expression
            && let Callee::Expr(callee) = &call.callee
            && path_of(callee).is_some_and(|path| path == ["JSON", "parse"])
            && let Some(mut chain) = call.args.first().and_then(|argument| self.of(&argument.expr, 0))
        {
            chain.parsed = Some((self.bytes)(call.span));
            self.chains.push(chain);
        }
        expression.visit_children_with(self);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use swc_common::{GLOBALS, Globals};

    use super::*;
    use crate::guest::syntax;

    #[track_caller]
    fn check(program: &str, reply: &str, expected: Option<(&str, &str)>) {
        let found = GLOBALS.set(&Globals::new(), || {
            let tree = syntax::function_body(&syntax::wrapped(program)).unwrap();
            let holder = program
                .rfind("))")
                .filter(|_| program.starts_with("return (await"))
                .map_or(Holder::Variable("r"), |at| Holder::Call(at + 2));
            of_use(program, &tree, holder, program.rfind("r.").or(program.rfind('r')).unwrap(), &Shape::of(reply))
        });
        let found = found.as_ref().map(|instead| (instead.old.as_str(), instead.new.as_str()));
        assert_eq!(found, expected, "{program} {reply}");
    }

    #[test]
    fn an_envelope_that_there_is_not_is_left_out() {
        check("f(JSON.parse(r.content[0].text))", "[1]", Some(("JSON.parse(r.content[0].text)", "r")));
        check("f(r.content[0].text)", "\"a\"", Some(("r.content[0].text", "r")));
        check("f(r.content[0].text)", r#"{"content":"a"}"#, Some(("r.content[0].text", "r.content")));
        check("f(r.items.filter(g))", "[{}]", Some(("r.items", "r")));
        check("f(r.result.items.map(g))", r#"{"items":[]}"#, Some(("r.result", "r")));
        check("f(r.snapshot.match(/a/))", "\"a\"", Some(("r.snapshot", "r")));
        check("f(await r.json())", r#"{"id":1}"#, Some(("r.json()", "r")));
        check("f(JSON.parse(r))", r#"{"id":1}"#, Some(("JSON.parse(r)", "r")));
        check("f(r[0].text.trim())", r#"{"content":"a"}"#, Some(("r[0].text", "r.content")));
        check("return (await r.s({ a: 1 })).data.length", "[1]", Some((").data", ")")));
    }

    #[test]
    fn what_is_looked_for_is_said_where_there_is_one_such_thing() {
        check("f(r.trim().split(\"a\"))", r#"{"content":"a","n":1}"#, Some(("r", "r.content")));
        check("f(r.trim())", r#"{"content":"a","name":"b"}"#, None);
        check("f(r.filter(g))", r#"{"object":"list","results":[1]}"#, Some(("r", "r.results")));
        check("f(r.split(\"a\"))", r#"["a","b"]"#, Some(("r", "r.join(\"\\n\")")));
        check("f(r.toFixed(2))", "\"1.10\"", Some(("r", "Number(r)")));
        check("const r = g();\nf(r.data.length)", r#"{"content":[{}]}"#, Some(("const r", "const { content: [r] }")));
        check("f(r.data.length)", r#"{"content":[{}]}"#, None);
    }

    #[test]
    fn what_is_there_or_could_be_anything_is_left_alone() {
        check("f(r.items.map(g))", r#"{"items":[]}"#, None);
        check("f(r.user.name.first)", r#"{"user":{}}"#, None);
        check("f(r.a.b)", r#"{"c":1,"d":2}"#, None);
        check("f(r[0])", r#"{"c":1}"#, None);
    }

    #[test]
    fn a_pattern_is_changed_to_what_the_reply_has() {
        for (reply, expected) in [
            ("[1]", Some("found")),
            (r#"{"content":"a"}"#, Some("{ content: found }")),
            (r#"{"text":1}"#, None),
            (r#"{"a":1}"#, None),
        ] {
            let program = "const { text: found } = await x.y()";
            let taken = Taken { key: "text".to_owned(), variable: "found".to_owned() };
            let found = of_pattern(program, 6..21, &taken, &Shape::of(reply));
            assert_eq!(found.map(|instead| instead.new).as_deref(), expected, "{reply}");
        }
    }
}
