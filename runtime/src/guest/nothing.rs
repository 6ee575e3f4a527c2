//! Why a program that ran to its end has returned nothing.

use swc_common::{GLOBALS, Globals};
use swc_ecma_ast::{Decl, Expr, Stmt};

use super::declarations::{mentions, unparenthesised};
use super::syntax;

/// The sentence for a program in the function that it ran in.
pub(super) fn sentence(wrapped: &str) -> String {
    let why = GLOBALS.set(&Globals::new(), || syntax::function_body(wrapped).map(|tree| why(&tree.items))).unwrap_or_default();
    format!("the program returned nothing: {why}")
}

fn why(items: &[Stmt]) -> String {
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
        None => "write `return` before the value that is the answer".to_owned(),
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
            ("const x = 1;", "write `return`"),
            ("const x = {};\nreturn x.y;", "is undefined"),
            ("function f() {}\nf();", "write `return`"),
        ] {
            let sentence = sentence(&syntax::wrapped(program));
            assert!(sentence.contains(expected), "{program}: {sentence}");
        }
    }
}
