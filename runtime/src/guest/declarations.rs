//! What a program declares: functions, and what is only a type.

use swc_ecma_ast::{Decl, Expr, Function, Ident, Stmt};
use swc_ecma_visit::{Visit, VisitWith};

/// Whether a function of that name, without parameters, is declared, and none of the other statements mentions it.
pub(super) fn is_uncalled<'tree>(statements: impl Iterator<Item = &'tree Stmt>, name: &str) -> bool {
    let (declarations, others): (Vec<&Stmt>, Vec<&Stmt>) =
        statements.partition(|statement| statement.as_decl().and_then(declared_function) == Some(name));
    declarations.len() == 1 && !others.into_iter().any(|other| mentions(other, name))
}

pub(super) fn mentions<Node: for<'name> VisitWith<Mention<'name>>>(node: &Node, name: &str) -> bool {
    let mut mention = Mention { name, is_found: false };
    node.visit_with(&mut mention);
    mention.is_found
}

/// Looks for a name.
pub(super) struct Mention<'name> {
    name: &'name str,
    is_found: bool,
}

impl Visit for Mention<'_> {
    fn visit_ident(&mut self, found: &Ident) {
        self.is_found |= found.sym == *self.name;
    }
}

/// The name of a function without parameters that a declaration is.
pub(super) fn declared_function(declaration: &Decl) -> Option<&str> {
    match declaration {
        Decl::Fn(declaration) if is_plain(&declaration.function) => Some(&declaration.ident.sym),
        Decl::Var(declaration) => {
            let [variable] = declaration.decls.as_slice() else { return None };
            let name = variable.name.as_ident()?;
            let is_function = is_called_plainly(unparenthesised(variable.init.as_deref()?));
            is_function.then_some(&*name.id.sym)
        }
        _ => None,
    }
}

/// Whether an expression is a function that is called without arguments.
pub(super) fn is_called_plainly(expression: &Expr) -> bool {
    match expression {
        Expr::Arrow(arrow) => arrow.params.is_empty() && !arrow.is_generator,
        Expr::Fn(function) => is_plain(&function.function),
        _ => false,
    }
}

/// Whether a function has a body and no parameters, and gives a value rather than several.
pub(super) fn is_plain(function: &Function) -> bool {
    function.body.is_some() && function.params.is_empty() && function.this_param.is_none() && !function.is_generator
}

pub(super) fn unparenthesised(mut expression: &Expr) -> &Expr {
    while let Expr::Paren(parenthesised) = expression {
        expression = &parenthesised.expr;
    }
    expression
}

/// Whether a declaration is one to the compiler alone.
pub(super) fn is_type(declaration: &Decl) -> bool {
    match declaration {
        Decl::TsInterface(_) | Decl::TsTypeAlias(_) => true,
        Decl::Class(declaration) => declaration.declare,
        Decl::Var(declaration) => declaration.declare,
        Decl::TsEnum(declaration) => declaration.declare,
        Decl::TsModule(declaration) => declaration.declare,
        Decl::Fn(_) | Decl::Using(_) => false,
    }
}

/// An expression without what only the compiler reads.
pub(super) fn without_types(mut expression: &Expr) -> &Expr {
    loop {
        expression = match expression {
            Expr::Paren(inner) => &inner.expr,
            Expr::TsAs(inner) => &inner.expr,
            Expr::TsSatisfies(inner) => &inner.expr,
            Expr::TsNonNull(inner) => &inner.expr,
            Expr::TsTypeAssertion(inner) => &inner.expr,
            Expr::TsConstAssertion(inner) => &inner.expr,
            expression => return expression,
        };
    }
}
