//! The names that a program declares and those that it uses.

use std::collections::{HashMap, HashSet};

use isolet_snapshots::globals;
use swc_ecma_ast::{
    BindingIdent, ClassDecl, ClassExpr, Expr, FnDecl, FnExpr, Ident, Number, SimpleAssignTarget, Stmt, TsEnumDecl,
    TsModuleDecl, TsType, UnaryExpr, UnaryOp,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::declarations::unparenthesised;
use super::literals;

/// The names that a program declares, how often, and those that it asks for with `typeof`.
#[derive(Default)]
pub(super) struct Names {
    pub(super) declared: HashMap<String, u32>,
    asked: Vec<String>,
    /// It may give the global names of its own.
    pub(super) has_global_object: bool,
    used: HashSet<String>,
    has_rounded: bool,
}

impl Names {
    pub(super) fn of(statements: &[Stmt]) -> Self {
        let mut names = Self::default();
        statements.iter().for_each(|statement| statement.visit_with(&mut names));
        names
    }

    /// Whether there may be anything to tell: a name that is not declared, or a number that JavaScript rounds.
    pub(super) fn has_something_to_tell(&self) -> bool {
        let is_known =
            |name: &str| (globals::has(name) && !["crypto", "tools"].contains(&name)) || self.declared.contains_key(name);
        self.has_rounded || self.used.iter().any(|name| !is_known(name))
    }

    fn declare(&mut self, name: &str) {
        *self.declared.entry(name.to_owned()).or_default() += 1;
    }

    /// Whether a name is neither the program's nor asked for.
    pub(super) fn is_free(&self, name: &str) -> bool {
        !self.declared.contains_key(name) && !self.asked.iter().any(|asked| asked == name) && name != "arguments"
    }
}

impl Visit for Names {
    fn visit_binding_ident(&mut self, found: &BindingIdent) {
        self.declare(&found.id.sym);
    }

    fn visit_simple_assign_target(&mut self, target: &SimpleAssignTarget) {
        match target {
            SimpleAssignTarget::Ident(name) => self.visit_ident(&name.id),
            target => target.visit_children_with(self),
        }
    }

    fn visit_fn_decl(&mut self, declaration: &FnDecl) {
        self.declare(&declaration.ident.sym);
        declaration.function.visit_with(self);
    }

    fn visit_fn_expr(&mut self, function: &FnExpr) {
        if let Some(name) = &function.ident {
            self.declare(&name.sym);
        }
        function.function.visit_with(self);
    }

    fn visit_class_decl(&mut self, declaration: &ClassDecl) {
        self.declare(&declaration.ident.sym);
        declaration.class.visit_with(self);
    }

    fn visit_class_expr(&mut self, class: &ClassExpr) {
        if let Some(name) = &class.ident {
            self.declare(&name.sym);
        }
        class.class.visit_with(self);
    }

    fn visit_ts_enum_decl(&mut self, declaration: &TsEnumDecl) {
        self.declare(&declaration.id.sym);
    }

    fn visit_ts_module_decl(&mut self, declaration: &TsModuleDecl) {
        if let Some(name) = declaration.id.as_ident() {
            self.declare(&name.sym);
        }
        declaration.visit_children_with(self);
    }

    fn visit_unary_expr(&mut self, unary: &UnaryExpr) {
        match unparenthesised(&unary.arg) {
            Expr::Ident(name) if unary.op == UnaryOp::TypeOf => self.asked.push(name.sym.to_string()),
            _ => unary.visit_children_with(self),
        }
    }

    fn visit_ident(&mut self, found: &Ident) {
        self.has_global_object |= found.sym == *"globalThis";
        if !self.used.contains(&*found.sym) {
            self.used.insert(found.sym.to_string());
        }
    }

    fn visit_number(&mut self, number: &Number) {
        self.has_rounded |= literals::rounded(number).is_some();
    }

    fn visit_ts_type(&mut self, _: &TsType) {}
}
