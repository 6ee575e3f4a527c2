//! Whether a program has types, or anything else of TypeScript: what has none is JavaScript as it stands, and need not be read once more to
//! take them away.

use swc_ecma_ast::{
    ArrayPat, BindingIdent, Class, Expr, FnDecl, Function, ObjectPat, Stmt, TsAsExpr, TsConstAssertion, TsEnumDecl,
    TsInstantiation, TsInterfaceDecl, TsModuleDecl, TsNonNullExpr, TsSatisfiesExpr, TsThisParam, TsTypeAliasDecl, TsTypeAnn,
    TsTypeAssertion, TsTypeParamDecl, TsTypeParamInstantiation, VarDecl, VarDeclarator,
};
use swc_ecma_visit::{Visit, VisitWith};

/// Whether something of these statements may be TypeScript and not JavaScript. Classes count: their members can be written in many ways.
pub(super) fn are_in(statements: &[Stmt]) -> bool {
    let mut types = Types { are_there: false };
    statements.iter().any(|statement| {
        statement.visit_with(&mut types);
        types.are_there
    })
}

struct Types {
    are_there: bool,
}

impl Types {
    fn found(&mut self) {
        self.are_there = true;
    }

    fn found_if(&mut self, is_type: bool) {
        self.are_there |= is_type;
    }
}

impl Visit for Types {
    fn visit_expr(&mut self, expression: &Expr) {
        if !self.are_there {
            expression.visit_children_with(self);
        }
    }

    // What is added to JavaScript.

    fn visit_ts_type_ann(&mut self, _: &TsTypeAnn) {
        self.found();
    }

    fn visit_ts_this_param(&mut self, _: &TsThisParam) {
        self.found();
    }

    fn visit_ts_type_param_decl(&mut self, _: &TsTypeParamDecl) {
        self.found();
    }

    fn visit_ts_type_param_instantiation(&mut self, _: &TsTypeParamInstantiation) {
        self.found();
    }

    fn visit_ts_as_expr(&mut self, _: &TsAsExpr) {
        self.found();
    }

    fn visit_ts_const_assertion(&mut self, _: &TsConstAssertion) {
        self.found();
    }

    fn visit_ts_satisfies_expr(&mut self, _: &TsSatisfiesExpr) {
        self.found();
    }

    fn visit_ts_type_assertion(&mut self, _: &TsTypeAssertion) {
        self.found();
    }

    fn visit_ts_non_null_expr(&mut self, _: &TsNonNullExpr) {
        self.found();
    }

    fn visit_ts_instantiation(&mut self, _: &TsInstantiation) {
        self.found();
    }

    // Whole declarations.

    fn visit_ts_interface_decl(&mut self, _: &TsInterfaceDecl) {
        self.found();
    }

    fn visit_ts_type_alias_decl(&mut self, _: &TsTypeAliasDecl) {
        self.found();
    }

    fn visit_ts_enum_decl(&mut self, _: &TsEnumDecl) {
        self.found();
    }

    fn visit_ts_module_decl(&mut self, _: &TsModuleDecl) {
        self.found();
    }

    fn visit_class(&mut self, _: &Class) {
        self.found();
    }

    // What JavaScript has as well, in a form that it has not.

    fn visit_fn_decl(&mut self, declaration: &FnDecl) {
        self.found_if(declaration.declare);
        declaration.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        self.found_if(function.body.is_none());
        function.visit_children_with(self);
    }

    fn visit_var_decl(&mut self, declaration: &VarDecl) {
        self.found_if(declaration.declare);
        declaration.visit_children_with(self);
    }

    fn visit_var_declarator(&mut self, declarator: &VarDeclarator) {
        self.found_if(declarator.definite);
        declarator.visit_children_with(self);
    }

    fn visit_binding_ident(&mut self, name: &BindingIdent) {
        self.found_if(name.id.optional);
        name.visit_children_with(self);
    }

    fn visit_array_pat(&mut self, pattern: &ArrayPat) {
        self.found_if(pattern.optional);
        pattern.visit_children_with(self);
    }

    fn visit_object_pat(&mut self, pattern: &ObjectPat) {
        self.found_if(pattern.optional);
        pattern.visit_children_with(self);
    }
}
