//! Which call's reply a program has taken for something else when it failed, and what that reply is.
//!
//! Looked at only when a program has thrown. The variable nearest before the place of the error that holds the reply of a call, or its
//! promise, is the one.

use isolet_snapshots::stack::Position;
use swc_common::{GLOBALS, Globals, Spanned as _};
use swc_ecma_ast::{CallExpr, Callee, Expr, Ident, MemberExpr, MemberProp, ObjectPatProp, Pat, VarDeclarator};
use swc_ecma_visit::{Visit, VisitWith};

use super::declarations::without_types;
use super::envelope::{self, Holder, Instead, Taken};
use super::facts::path_of;
use super::outbox::MadeCall;
use super::shape::{self, Shape};
use super::syntax;

/// Variables that are looked at.
const VARIABLES_MAX: usize = 200;

/// A reply that was taken for something else.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Blamed {
    /// The tool, as the program calls it.
    pub(super) path: String,
    /// Whether it is its promise.
    pub(super) is_promise: bool,
    /// What the reply is, in words.
    pub(super) shape: Option<String>,
    /// What to write instead of what looks for it elsewhere.
    pub(super) instead: Option<Instead>,
}

/// The reply that is to blame for an error at `place`, in a program in the function that it ran in. `position`: of a byte of that text.
pub(super) fn blamed(
    wrapped: &str,
    place: Position,
    calls: &[MadeCall],
    position: impl Fn(usize) -> Position,
) -> Option<Blamed> {
    let tree = GLOBALS.set(&Globals::new(), || syntax::function_body(wrapped).ok())?;
    let at = |span| position(syntax::PREFIX.len() + tree.bytes(span).start);
    let end = |span| position(syntax::PREFIX.len() + tree.bytes(span).end);
    let mut held = Held::default();
    tree.items.iter().for_each(|item| item.visit_with(&mut held));
    let (holder, source) = held.nearest(place, &at, &end)?;
    let is_made = |call: &&MadeCall| {
        let made = (call.position.line, call.position.column);
        let (from, to) = (at(source.callee), end(source.callee));
        (from.line, from.column) <= made && made <= (to.line, to.column)
    };
    let reply = calls.iter().rev().find(is_made).and_then(|call| call.reply.as_deref());
    let reply = reply.filter(|_| !source.is_promise);
    let program = wrapped.get(syntax::PREFIX.len()..)?.strip_suffix(syntax::SUFFIX)?;
    let instead = reply.and_then(|reply| {
        let (shape, byte) = (Shape::of(reply), byte_at(program, place, &position)?);
        match (&source.pattern, &holder) {
            (Some((pattern, taken)), _) => envelope::of_pattern(program, tree.bytes(*pattern), taken, &shape),
            (None, Found::Variable(variable)) => envelope::of_use(program, &tree, Holder::Variable(variable), byte, &shape),
            (None, Found::Call(span)) => envelope::of_use(program, &tree, Holder::Call(tree.bytes(*span).end), byte, &shape),
            (None, Found::Pattern) => None,
        }
    });
    let instead = match &holder {
        Found::Call(_) if source.is_promise => {
            let call = format!("{}(...)", source.path);
            Some(Instead { new: format!("(await {call})"), old: call })
        }
        _ => instead,
    };
    Some(Blamed { path: source.path.clone(), is_promise: source.is_promise, shape: reply.map(shape::in_words), instead })
}

/// The byte of a program that stands at a place.
fn byte_at(program: &str, place: Position, position: &impl Fn(usize) -> Position) -> Option<usize> {
    let is_before = |byte: &usize| {
        let Position { line, column } = position(syntax::PREFIX.len() + byte);
        (line, column) < (place.line, place.column)
    };
    // Places grow with bytes, so half of what is left can be let go each time.
    let (mut from, mut to) = (0, program.len());
    while from < to {
        let middle = from.midpoint(to);
        if is_before(&middle) { from = middle + 1 } else { to = middle }
    }
    (from..=program.len()).find(|byte| program.is_char_boundary(*byte))
}

/// A call whose reply a variable holds.
#[derive(Clone)]
struct Source {
    path: String,
    callee: swc_common::Span,
    is_promise: bool,
    /// The pattern that takes the reply apart, and the only member that it takes of it.
    pattern: Option<(swc_common::Span, Taken)>,
}

/// What has a reply where it is used.
#[derive(Debug)]
enum Found {
    Variable(String),
    /// `(await x.y())`.
    Call(swc_common::Span),
    /// A pattern that takes a promise apart.
    Pattern,
}

/// How near the use of a variable is: whether it is on the line, the line, and the column up to the place.
type Rank = (bool, u32, u32);

/// The variables that hold replies, and where variables are used.
#[derive(Default)]
struct Held {
    variables: Vec<(String, Source)>,
    used: Vec<Ident>,
    /// Patterns that take a promise apart.
    taken_apart: Vec<(swc_common::Span, Source)>,
    /// Calls of which a member is taken where they are made.
    inline: Vec<(swc_common::Span, Source)>,
}

impl Held {
    /// What is held by the variable, or given by the awaited call, that is used nearest before a place, on its line if there is one.
    fn nearest(
        &self,
        place: Position,
        at: &impl Fn(swc_common::Span) -> Position,
        end: &impl Fn(swc_common::Span) -> Position,
    ) -> Option<(Found, Source)> {
        let apart = self.taken_apart.iter().find(|(span, _)| (at(*span).line..=end(*span).line).contains(&place.line));
        if let Some((_, source)) = apart {
            return Some((Found::Pattern, source.clone()));
        }
        let source_of =
            |used: &Ident| self.variables.iter().rev().find(|(name, _)| *name == *used.sym).map(|(_, source)| source);
        let mut best: Option<(Rank, &Ident, &Source)> = None;
        for used in &self.used {
            let Some(source) = source_of(used) else { continue };
            let Position { line, column } = at(used.span);
            let is_near = line == place.line || (line < place.line && place.line - line <= 4);
            if !is_near {
                continue;
            }
            let rank = (line == place.line, line, if column <= place.column { column } else { 0 });
            if best.as_ref().is_none_or(|(known, ..)| rank > *known) {
                best = Some((rank, used, source));
            }
        }
        let inline = self.inline.iter().filter_map(|(span, source)| {
            let Position { line, column } = end(*span);
            let column = if column <= place.column { column } else { 0 };
            (line == place.line).then_some(((true, line, column), span, source))
        });
        if let Some((rank, span, source)) = inline.max_by_key(|(rank, ..)| *rank)
            && best.as_ref().is_none_or(|(known, ..)| rank >= *known)
        {
            return Some((Found::Call(*span), source.clone()));
        }
        best.map(|(_, used, source)| (Found::Variable(used.sym.to_string()), source.clone()))
    }

    fn hold(&mut self, pattern: &Pat, source: &Source) {
        if self.variables.len() >= VARIABLES_MAX {
            return;
        }
        match pattern {
            Pat::Ident(name) => self.variables.push((name.id.sym.to_string(), source.clone())),
            Pat::Object(object) => {
                let pattern = Taken::of(object).map(|taken| (object.span, taken));
                let source = &Source { pattern, ..source.clone() };
                for property in &object.props {
                    match property {
                        ObjectPatProp::Assign(assigned) => {
                            self.variables.push((assigned.key.id.sym.to_string(), source.clone()))
                        }
                        ObjectPatProp::KeyValue(member) => self.hold(&member.value, source),
                        ObjectPatProp::Rest(_) => {}
                    }
                }
            }
            Pat::Array(array) => array.elems.iter().flatten().for_each(|element| self.hold(element, source)),
            Pat::Assign(assigned) => self.hold(&assigned.left, source),
            _ => {}
        }
    }

    fn declare(&mut self, pattern: &Pat, value: &Expr) {
        let value = without_types(value);
        if let (Pat::Array(array), Some(elements)) = (pattern, awaited_all(value)) {
            for (pattern, element) in array.elems.iter().zip(elements) {
                if let (Some(pattern), Some(source)) = (pattern, element.and_then(|element| source_of(element, false))) {
                    self.hold(pattern, &source);
                }
            }
            return;
        }
        let source = match value {
            Expr::Await(awaited) => match without_types(&awaited.arg) {
                Expr::Ident(name) => {
                    let known = self.variables.iter().rev().find(|(known, _)| *known == *name.sym);
                    known.map(|(_, source)| Source { is_promise: false, pattern: None, ..source.clone() })
                }
                call => source_of(call, false),
            },
            call => source_of(call, true),
        };
        if let Some(source) = source {
            if source.is_promise && matches!(pattern, Pat::Array(_) | Pat::Object(_)) {
                let span = pattern.span().with_hi(value.span().hi);
                self.taken_apart.push((span, source.clone()));
            }
            self.hold(pattern, &source);
        }
    }
}

impl Visit for Held {
    fn visit_var_declarator(&mut self, variable: &VarDeclarator) {
        if let Some(value) = &variable.init {
            self.declare(&variable.name, value);
            value.visit_with(self);
        }
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        // `github.x().then((reply) => ...)`.
        if let Callee::Expr(callee) = &call.callee
            && let Expr::Member(member) = without_types(callee)
            && matches!(&member.prop, MemberProp::Ident(name) if name.sym == *"then")
            && let Some(source) = source_of(without_types(&member.obj), false)
            && let Some(Expr::Arrow(arrow)) = call.args.first().map(|argument| without_types(&argument.expr))
            && let Some(parameter) = arrow.params.first()
        {
            self.hold(parameter, &source);
        }
        call.visit_children_with(self);
    }

    fn visit_member_expr(&mut self, member: &MemberExpr) {
        let source = match without_types(&member.obj) {
            Expr::Await(awaited) => source_of(&awaited.arg, false),
            // These are members of a promise.
            _ if ["then", "catch", "finally"].iter().any(|name| member.prop.is_ident_with(name)) => None,
            call => source_of(call, true),
        };
        if let Some(source) = source {
            self.inline.push((member.obj.span(), source));
        }
        member.visit_children_with(self);
    }

    fn visit_ident(&mut self, used: &Ident) {
        self.used.push(used.clone());
    }
}

/// The call that an expression is.
fn source_of(expression: &Expr, is_promise: bool) -> Option<Source> {
    let Expr::Call(call) = without_types(expression) else { return None };
    let Callee::Expr(callee) = &call.callee else { return None };
    let path = path_of(callee).filter(|path| path.len() == 2)?;
    let is_of_promise = path.first().is_some_and(|root| root == "Promise");
    let is_of_language = isolet_snapshots::globals::has(&path[0]) && path[0] != "tools";
    (is_of_promise && is_promise || !is_of_language).then(|| Source {
        path: path.join("."),
        callee: callee.span(),
        is_promise,
        pattern: None,
    })
}

/// The elements of `await Promise.all([...])`.
fn awaited_all(value: &Expr) -> Option<Vec<Option<&Expr>>> {
    let Expr::Await(awaited) = value else { return None };
    let Expr::Call(call) = without_types(&awaited.arg) else { return None };
    let Callee::Expr(callee) = &call.callee else { return None };
    if path_of(callee)? != ["Promise", "all"] {
        return None;
    }
    let Expr::Array(array) = &*call.args.first()?.expr else { return None };
    Some(array.elems.iter().map(|element| element.as_ref().map(|element| without_types(&element.expr))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(program: &str, place: (u32, u32), expected: Option<(&str, bool)>) {
        let wrapped = syntax::wrapped(program);
        let found = blamed(&wrapped, Position { line: place.0, column: place.1 }, &[], |byte| {
            syntax::in_program(syntax::position_in(&wrapped, byte))
        });
        let found = found.as_ref().map(|blamed| (blamed.path.as_str(), blamed.is_promise));
        assert_eq!(found, expected, "{program}");
    }

    #[test]
    fn the_variable_nearest_before_the_error_is_to_blame() {
        check("const a = await x.one();\nconst b = await x.two();\nreturn a.y + b.z.q;", (3, 18), Some(("x.two", false)));
        check("const { data } = await x.one();\nreturn data.map(f);", (2, 13), Some(("x.one", false)));
        check("const [a, b] = await Promise.all([x.one(), x.two()]);\nreturn b.y.z", (2, 12), Some(("x.two", false)));
        check("const a = x.one();\nreturn a.y.map(f)", (2, 12), Some(("x.one", true)));
        check("const p = x.one();\nconst a = await p;\nreturn a.y.z", (3, 12), Some(("x.one", false)));
        check("return x.one().then((a) => a.y.z)", (1, 32), Some(("x.one", false)));
        check("const [a] = Promise.all([x.one()]);\nreturn a", (1, 13), Some(("Promise.all", true)));
        check("const a = JSON.parse(b);\nreturn a.y.z", (2, 12), None);
        check("const a = await x.one();\nreturn (await x.two({ b: a.c })).d.e", (2, 36), Some(("x.two", false)));
        check("return x.one({ b: 1 }).y.z", (1, 26), Some(("x.one", true)));
    }
}
