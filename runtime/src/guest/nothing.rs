//! Why a program that ran to its end has returned nothing.

use swc_common::{GLOBALS, Globals, Spanned as _};
use swc_ecma_ast::{ArrowFunctionBody, AwaitExpr, CallExpr, Callee, Decl, Expr, Stmt};
use swc_ecma_visit::{Visit, VisitWith};

use super::declarations::{mentions, unparenthesised, without_types};
use super::facts::path_of;
use super::syntax::{self, Tree};

/// The sentence for a program in the function that it ran in.
pub(super) fn sentence(wrapped: &str) -> String {
    let program = wrapped.get(syntax::PREFIX.len()..).unwrap_or_default();
    let why =
        GLOBALS.set(&Globals::new(), || syntax::function_body(wrapped).map(|tree| why(&tree, program))).unwrap_or_default();
    format!("the program returned nothing: {why}")
}

/// The longest expression that is told, bytes.
const EXPRESSION_BYTES_MAX: usize = 100;

fn why(tree: &Tree<Stmt>, program: &str) -> String {
    let items = &tree.items;
    let uncalled = items.iter().find_map(|item| {
        let (name, parameters) = function(item)?;
        let is_called = name.is_some_and(|name| items.iter().any(|other| !std::ptr::eq(other, item) && mentions(other, name)));
        (!is_called).then_some((name, parameters))
    });
    match uncalled {
        Some((Some(name), 0)) => format!("its function `{name}` is never called: end with `return await {name}();`"),
        Some((Some(name), _)) => {
            format!("its function `{name}` has parameters and is never called: end with `return await {name}(...);`")
        }
        Some((None, 0)) => "it is a function that is never called: send the body of the function alone".to_owned(),
        Some((None, _)) => {
            "it is a function with a parameter, which is never called: send the body of the function alone".to_owned()
        }
        None if items.iter().any(|item| matches!(item, Stmt::Return(_))) => "the value after `return` is undefined".to_owned(),
        None => match items.last().and_then(|last| answer(last, tree, program)) {
            Some(Answer::Expression(text)) => format!("write `return {text}` instead of `{text}`"),
            Some(Answer::Variable(name)) => format!("end with `return {name};`"),
            None => "write `return` before the value that is the answer".to_owned(),
        },
    }
}

/// Where the expression after the last `return` of a program stands, in the function that it ran in.
pub(super) fn returned_at(wrapped: &str) -> Option<usize> {
    GLOBALS.set(&Globals::new(), || {
        let tree = syntax::function_body(wrapped).ok()?;
        let last = tree.items.iter().rev().find_map(|item| item.as_return_stmt())?;
        Some(syntax::PREFIX.len() + tree.bytes(last.arg.as_ref()?.span()).start)
    })
}

/// The sentence for a program that awaits an array of promises, of which its value may have nothing.
pub(super) fn awaited_array(wrapped: &str) -> Option<String> {
    if !wrapped.contains(".map(") {
        return None;
    }
    let program = wrapped.get(syntax::PREFIX.len()..)?;
    let mapped = GLOBALS.set(&Globals::new(), || {
        let tree = syntax::function_body(wrapped).ok()?;
        let mut awaited = AwaitedMap(None);
        tree.items.iter().for_each(|item| item.visit_with(&mut awaited));
        program.get(tree.bytes(awaited.0?)).map(str::to_owned)
    })?;
    let is_word = mapped.len() <= EXPRESSION_BYTES_MAX && !mapped.contains(['\n', '`']);
    is_word.then(|| {
        format!(
            "`await` of an array waits for none of the promises in it: write `await Promise.all({mapped}(...))` instead of `await {mapped}(...)`"
        )
    })
}

/// `issues.map` of the first `await issues.map(async ...)`.
struct AwaitedMap(Option<swc_common::Span>);

impl Visit for AwaitedMap {
    fn visit_await_expr(&mut self, awaited: &AwaitExpr) {
        if let Expr::Call(call) = without_types(&awaited.arg)
            && let Callee::Expr(callee) = &call.callee
            && let Expr::Member(member) = without_types(callee)
            && member.prop.is_ident_with("map")
            && call.args.first().is_some_and(|mapped| gives_promises(&mapped.expr))
        {
            self.0.get_or_insert(callee.span());
        }
        awaited.visit_children_with(self);
    }
}

/// Whether a function is async, or is nothing but the call of a tool.
fn gives_promises(function: &Expr) -> bool {
    match without_types(function) {
        Expr::Arrow(arrow) => {
            let calls_a_tool = |expression: &Expr| match without_types(expression) {
                Expr::Call(CallExpr { callee: Callee::Expr(callee), .. }) => {
                    path_of(callee).is_some_and(|path| path.len() == 2)
                }
                _ => false,
            };
            arrow.is_async || matches!(&*arrow.body, ArrowFunctionBody::Expr(expression) if calls_a_tool(expression))
        }
        Expr::Fn(function) => function.function.is_async,
        _ => false,
    }
}

/// What the last statement of a program has, which may be the answer.
enum Answer {
    Expression(String),
    Variable(String),
}

fn answer(last: &Stmt, tree: &Tree<Stmt>, program: &str) -> Option<Answer> {
    match last {
        Stmt::Expr(statement) => {
            let text = program.get(tree.bytes(statement.expr.span()))?;
            let is_word = text.len() <= EXPRESSION_BYTES_MAX && !text.contains(['\n', '`']);
            is_word.then(|| Answer::Expression(text.to_owned()))
        }
        Stmt::Decl(Decl::Var(declaration)) => {
            let [variable] = declaration.decls.as_slice() else { return None };
            Some(Answer::Variable(variable.name.as_ident()?.id.sym.to_string()))
        }
        _ => None,
    }
}

/// The name of the function that a statement is or declares, and the number of its parameters.
fn function(item: &Stmt) -> Option<(Option<&str>, usize)> {
    let of = |expression| match unparenthesised(expression) {
        Expr::Arrow(arrow) => Some(arrow.params.len()),
        Expr::Fn(function) => Some(function.function.params.len()),
        _ => None,
    };
    match item {
        Stmt::Expr(statement) => of(&statement.expr).map(|parameters| (None, parameters)),
        Stmt::Decl(Decl::Fn(declaration)) => Some((Some(&declaration.ident.sym), declaration.function.params.len())),
        Stmt::Decl(Decl::Var(declaration)) => {
            let [variable] = declaration.decls.as_slice() else { return None };
            let parameters = of(variable.init.as_deref()?)?;
            Some((Some(&variable.name.as_ident()?.id.sym), parameters))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_that_is_awaited_is_told_with_what_to_write() {
        for (program, expected) in [
            (
                "const a = await b.map((c) => x.y({ c }));",
                Some("`await Promise.all(b.map(...))` instead of `await b.map(...)`"),
            ),
            ("return await b.c.map(async (d) => d)", Some("instead of `await b.c.map(...)`")),
            ("return await Promise.all(b.map((c) => x.y({ c })))", None),
            ("return await b.map((c) => c.d)", None),
        ] {
            let said = awaited_array(&syntax::wrapped(program));
            assert_eq!(said.is_some(), expected.is_some(), "{program}: {said:?}");
            assert!(said.unwrap_or_default().contains(expected.unwrap_or_default()), "{program}");
        }
    }

    #[test]
    fn the_reason_is_what_the_program_lacks() {
        for (program, expected) in [
            ("async function main() {}\nconst x = 1;", "`main` is never called"),
            ("const run = async (x) => x;", "`run` has parameters"),
            ("(async (x) => x)", "with a parameter"),
            ("const x = 1;", "end with `return x;`"),
            ("if (x) return 1;\nx.y + 1;", "write `return x.y + 1` instead of `x.y + 1`"),
            ("const [x] = [1];", "write `return` before"),
            ("const x = {};\nreturn x.y;", "is undefined"),
            ("function f() {}\nf();", "write `return f()` instead of `f()`"),
        ] {
            let sentence = sentence(&syntax::wrapped(program));
            assert!(sentence.contains(expected), "{program}: {sentence}");
        }
    }
}
