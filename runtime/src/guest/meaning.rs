//! What a program leaves out that parses as it stands: the call of its one function, or the return of its last expression.

use swc_common::Spanned as _;
use swc_ecma_ast::{
    AssignOp, AssignTarget, Callee, Decl, Expr, ExprStmt, Lit, MemberExpr, MemberProp, SimpleAssignTarget, Stmt, UnaryOp,
};

use super::assumption::Assumption;
use super::declarations::{declared_function, is_called_plainly, is_type, is_uncalled, unparenthesised};
use super::edits::Edits;
use super::syntax::Tree;

/// What a program leaves out, if anything: the call of its one function, or the return of its last expression.
pub(super) fn meaning(tree: &Tree<Stmt>) -> Option<(Assumption, Edits)> {
    let mut running = tree.items.iter().filter(|statement| !is_nothing(statement));
    if let (Some(only), None) = (running.next(), running.next())
        && let Some(edits) = call_of(tree, only)
    {
        return Some((Assumption::Function, edits));
    }
    let last = tree.items.iter().rfind(|statement| !is_nothing(statement) && !matches!(statement, Stmt::Decl(Decl::Fn(_))))?;
    let Stmt::Expr(last) = last else { return None };
    if tree.items.iter().any(returns) {
        return None;
    }
    match &*last.expr {
        Expr::Assign(assignment) if is_export(&assignment.left) && assignment.op == AssignOp::Assign => {
            let before = assignment.span.with_hi(assignment.right.span().lo);
            let right = tree.bytes(assignment.right.span());
            let edits = Edits::default().blank(tree.bytes(before));
            let others =
                tree.items.iter().filter(|statement| !statement.as_expr().is_some_and(|other| std::ptr::eq(other, last)));
            let edits = match unparenthesised(&assignment.right) {
                Expr::Ident(name) if is_uncalled(others, &name.sym) => {
                    edits.insert(right.start, "return ").insert(right.end, "()")
                }
                function if is_called_plainly(function) => edits.call(right),
                _ => return None,
            };
            Some((Assumption::Export, edits))
        }
        expression => Some((Assumption::LastExpression, return_of(tree, expression)?)),
    }
}

/// The call of a statement that is nothing but a function.
fn call_of(tree: &Tree<Stmt>, statement: &Stmt) -> Option<Edits> {
    match statement {
        Stmt::Expr(ExprStmt { expr, .. }) if is_called_plainly(unparenthesised(expr)) => {
            Some(Edits::default().call(tree.bytes(expr.span())))
        }
        Stmt::Decl(declaration) => {
            let name = declared_function(declaration)?;
            Some(Edits::default().call_by_name(name, tree.bytes(declaration.span()).end))
        }
        _ => None,
    }
}

/// The return of an expression. What is written before a call so that it may begin a statement, or to say that its promise is not
/// awaited (`void main()`, `!function () { ... }()`), is left out. A function, never called, is no answer.
fn return_of(tree: &Tree<Stmt>, expression: &Expr) -> Option<Edits> {
    let returned = match expression {
        Expr::Unary(unary) if is_call(&unary.arg, unary.op) => &*unary.arg,
        Expr::Arrow(_) | Expr::Fn(_) | Expr::Class(_) => return None,
        Expr::Paren(_) if matches!(unparenthesised(expression), Expr::Arrow(_) | Expr::Fn(_) | Expr::Class(_)) => return None,
        expression => expression,
    };
    let before = expression.span().with_hi(returned.span().lo);
    Some(Edits::default().blank(tree.bytes(before)).insert(tree.bytes(returned.span()).start, "return "))
}

/// Whether the operand of an operator is a call whose value the operator is there to drop.
fn is_call(operand: &Expr, operator: UnaryOp) -> bool {
    let Expr::Call(call) = unparenthesised(operand) else { return false };
    let Callee::Expr(callee) = &call.callee else { return false };
    match operator {
        UnaryOp::Void => true,
        UnaryOp::Bang | UnaryOp::Plus | UnaryOp::Minus | UnaryOp::Tilde => matches!(unparenthesised(callee), Expr::Fn(_)),
        UnaryOp::TypeOf | UnaryOp::Delete => false,
    }
}

/// Whether a statement does nothing when it is come to.
fn is_nothing(statement: &Stmt) -> bool {
    match statement {
        Stmt::Empty(_) => true,
        Stmt::Decl(Decl::Fn(declaration)) => declaration.function.body.is_none(),
        Stmt::Decl(declaration) => is_type(declaration),
        Stmt::Expr(statement) => matches!(&*statement.expr, Expr::Lit(Lit::Str(text)) if text.value == *"use strict"),
        _ => false,
    }
}

/// Whether there is a `return` of the program itself in a statement.
fn returns(statement: &Stmt) -> bool {
    let any_returns = |statements: &[Stmt]| statements.iter().any(returns);
    match statement {
        Stmt::Return(_) => true,
        Stmt::Block(block) => any_returns(&block.stmts),
        Stmt::With(with) => returns(&with.body),
        Stmt::Labeled(labelled) => returns(&labelled.body),
        Stmt::If(condition) => returns(&condition.cons) || condition.alt.as_deref().is_some_and(returns),
        Stmt::Switch(switch) => switch.cases.iter().any(|case| any_returns(&case.cons)),
        Stmt::Try(tried) => {
            any_returns(&tried.block.stmts)
                || tried.handler.as_ref().is_some_and(|handler| any_returns(&handler.body.stmts))
                || tried.finalizer.as_ref().is_some_and(|finalizer| any_returns(&finalizer.stmts))
        }
        Stmt::While(looped) => returns(&looped.body),
        Stmt::DoWhile(looped) => returns(&looped.body),
        Stmt::For(looped) => returns(&looped.body),
        Stmt::ForIn(looped) => returns(&looped.body),
        Stmt::ForOf(looped) => returns(&looped.body),
        Stmt::Empty(_)
        | Stmt::Debugger(_)
        | Stmt::Break(_)
        | Stmt::Continue(_)
        | Stmt::Throw(_)
        | Stmt::Decl(_)
        | Stmt::Expr(_) => false,
    }
}

/// Whether a place that is assigned to is what a CommonJS module exports: `module.exports`, `exports.run`.
fn is_export(target: &AssignTarget) -> bool {
    matches!(target, AssignTarget::Simple(SimpleAssignTarget::Member(member)) if is_export_member(member))
}

fn is_export_member(member: &MemberExpr) -> bool {
    match &*member.obj {
        Expr::Ident(object) if object.sym == *"module" => member.prop.is_ident_with("exports"),
        Expr::Ident(object) => object.sym == *"exports" && matches!(member.prop, MemberProp::Ident(_)),
        Expr::Member(object) => is_export_member(object),
        _ => false,
    }
}
