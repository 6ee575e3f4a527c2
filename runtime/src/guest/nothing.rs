//! Why a program that ran to its end has returned nothing.

use swc_common::{GLOBALS, Globals, Spanned as _};
use swc_ecma_ast::{Decl, Expr, Stmt};

use super::declarations::{mentions, unparenthesised};
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
