//! The one function that a module exports.

use swc_common::{Span, Spanned as _};
use swc_ecma_ast::{DefaultDecl, Expr, ModuleDecl, ModuleItem};

use super::declarations::{declared_function, is_called_plainly, is_plain, is_type, is_uncalled, mentions, unparenthesised};
use super::edits::Edits;
use super::syntax::Tree;

/// The call of the one function that a module exports. Types that it exports are only types.
pub(super) fn exported(tree: &Tree<ModuleItem>) -> Option<Edits> {
    let mut edits = Edits::default();
    let mut export = None;
    for item in &tree.items {
        match item {
            ModuleItem::ModuleDecl(ModuleDecl::ExportDecl(declaration)) if is_type(&declaration.decl) => {
                let keyword = declaration.span.with_hi(declaration.decl.span().lo);
                edits = edits.blank(tree.bytes(keyword));
            }
            ModuleItem::ModuleDecl(declaration) if export.is_none() => export = Some((item, declaration)),
            ModuleItem::ModuleDecl(_) => return None,
            ModuleItem::Stmt(_) => {}
        }
    }
    let (item, export) = export?;
    let last = tree.items.last()?;
    let end = tree.bytes(last.span()).end;
    let keywords = |declaration: Span| tree.bytes(export.span().with_hi(declaration.lo));
    let is_mentioned = |name: &str| tree.items.iter().any(|other| !std::ptr::eq(other, item) && mentions(other, name));
    match export {
        ModuleDecl::ExportDecl(declaration) => {
            let name = declared_function(&declaration.decl)?;
            (!is_mentioned(name)).then(|| edits.blank(keywords(declaration.decl.span())).call_by_name(name, end))
        }
        ModuleDecl::ExportDefaultDecl(declaration) => {
            let DefaultDecl::Fn(function) = &declaration.decl else { return None };
            let span = function.function.span;
            let edits = edits.blank(keywords(span));
            match &function.ident {
                _ if !is_plain(&function.function) => None,
                Some(name) => (!is_mentioned(&name.sym)).then(|| edits.call_by_name(&name.sym, end)),
                None => std::ptr::eq(last, item).then(|| edits.call(tree.bytes(span))),
            }
        }
        ModuleDecl::ExportDefaultExpr(exported) => match unparenthesised(&exported.expr) {
            Expr::Ident(name) => {
                let statements = tree.items.iter().filter_map(ModuleItem::as_stmt);
                is_uncalled(statements, &name.sym).then(|| edits.blank(tree.bytes(export.span())).call_by_name(&name.sym, end))
            }
            function if is_called_plainly(function) && std::ptr::eq(last, item) => {
                let span = exported.expr.span();
                Some(edits.blank(keywords(span)).call(tree.bytes(span)))
            }
            _ => None,
        },
        _ => None,
    }
}
