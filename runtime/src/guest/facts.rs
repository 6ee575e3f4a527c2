//! What a program provably says of the names that it uses, of the calls that it makes and of its numbers: without running it.
//!
//! Whatever is not plain makes this silent: a name that the program declares anywhere, a spread, a computed name. A fact is *reached* if every
//! execution comes to it.

use std::collections::HashMap;

use isolet_snapshots::globals;
use swc_common::{BytePos, Spanned as _};
use swc_ecma_ast::{
    ArrowExpr, ArrowFunctionBody, AssignExpr, AssignOp, AssignPat, AssignTarget, AwaitExpr, BinExpr, BinaryOp, CallExpr,
    Callee, Class, CondExpr, Decl, DoWhileStmt, Expr, ExprOrSpread, ForInStmt, ForOfStmt, ForStmt, Function, IfStmt, Lit,
    MemberExpr, MemberProp, Number, OptChainExpr, Prop, ReturnStmt, SimpleAssignTarget, Stmt, SwitchStmt, TryStmt, TsEnumDecl,
    TsInterfaceDecl, TsModuleDecl, TsType, TsTypeAliasDecl, TsTypeAnn, TsTypeParamInstantiation, UnaryExpr, UnaryOp, WhileStmt,
};
use swc_ecma_visit::{Visit, VisitWith};

use super::arguments::{self, Words};
use super::declarations::{unparenthesised, without_types};
use super::literals::{self, text_of};
use super::names::Names;
use super::syntax::Tree;
use crate::contract::facts::{FACTS_MAX, Said, Used};

/// The longest name that is told of, bytes, and the most members.
const NAME_BYTES_MAX: usize = 100;
const MEMBERS_MAX: usize = 6;
/// What the web's `crypto` has here.
const CRYPTO: [&str; 2] = ["randomUUID", "getRandomValues"];

/// A fact, and where it stands in the program, bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) place: usize,
    pub(super) is_reached: bool,
    pub(super) said: Said,
}

/// What a program says.
pub(super) fn found(tree: &Tree<Stmt>) -> Vec<Found> {
    let names = Names::of(&tree.items);
    if !names.has_something_to_tell() {
        return Vec::new();
    }
    let functions = functions(&tree.items, &names.declared);
    let mut walk = Walk { tree, names, functions, entered: Vec::new(), found: Vec::new(), is_reached: true, is_awaited: false };
    walk.statements(&tree.items);
    walk.found
}

/// The functions without parameters that a program declares once, by name.
fn functions<'tree>(items: &'tree [Stmt], declared: &HashMap<String, u32>) -> HashMap<&'tree str, Body<'tree>> {
    let mut functions = HashMap::new();
    for statement in items {
        match statement {
            Stmt::Decl(Decl::Fn(declaration)) => {
                if let Some(body) = Body::of_function(&declaration.function) {
                    functions.insert(&*declaration.ident.sym, body);
                }
            }
            Stmt::Decl(Decl::Var(declaration)) => {
                for variable in &declaration.decls {
                    if let (Some(name), Some(body)) = (variable.name.as_ident(), variable.init.as_deref().and_then(Body::of)) {
                        functions.insert(&*name.id.sym, body);
                    }
                }
            }
            _ => {}
        }
    }
    functions.retain(|name, _| declared.get(*name) == Some(&1));
    functions
}

/// What a call of a function without parameters executes.
#[derive(Clone, Copy)]
enum Body<'tree> {
    Statements(&'tree [Stmt]),
    Expression(&'tree Expr),
}

impl<'tree> Body<'tree> {
    fn of(expression: &'tree Expr) -> Option<Self> {
        match unparenthesised(expression) {
            Expr::Arrow(arrow) if arrow.params.is_empty() && !arrow.is_generator => Some(match &*arrow.body {
                ArrowFunctionBody::FunctionBody(body) => Self::Statements(&body.stmts),
                ArrowFunctionBody::Expr(expression) => Self::Expression(expression),
            }),
            Expr::Fn(function) => Self::of_function(&function.function),
            _ => None,
        }
    }

    fn of_function(function: &'tree Function) -> Option<Self> {
        let body = function.body.as_ref().filter(|_| function.params.is_empty() && !function.is_generator)?;
        Some(Self::Statements(&body.stmts))
    }
}

struct Walk<'tree> {
    tree: &'tree Tree<Stmt>,
    names: Names,
    functions: HashMap<&'tree str, Body<'tree>>,
    /// The functions whose bodies were executed at a call.
    entered: Vec<&'tree str>,
    found: Vec<Found>,
    is_reached: bool,
    /// Whether the value of the expression that is looked at next is awaited there.
    is_awaited: bool,
}

impl<'tree> Walk<'tree> {
    fn statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            statement.visit_with(self);
            if self.is_reached && may_leave(statement) {
                self.is_reached = false;
            }
        }
    }

    /// Looks at what not every execution comes to.
    fn perhaps(&mut self, look: impl FnOnce(&mut Self)) {
        let (is_reached, is_awaited) = (self.is_reached, self.is_awaited);
        (self.is_reached, self.is_awaited) = (false, false);
        look(self);
        (self.is_reached, self.is_awaited) = (is_reached, is_awaited);
    }

    /// Looks at a body that is executed now, and whose value is awaited.
    fn enter(&mut self, body: Body<'_>) {
        let is_reached = self.is_reached;
        match body {
            Body::Statements(statements) => self.statements(statements),
            Body::Expression(expression) => self.awaited(expression),
        }
        self.is_reached = is_reached;
    }

    /// Looks at an expression whose value is awaited or returned.
    fn awaited(&mut self, expression: &Expr) {
        self.is_awaited = true;
        unparenthesised(without_types(expression)).visit_with(self);
        self.is_awaited = false;
    }

    fn say(&mut self, place: BytePos, said: Said) {
        if self.found.len() < FACTS_MAX {
            let place = self.tree.bytes(swc_common::Span::new(place, place)).start;
            self.found.push(Found { place, is_reached: self.is_reached, said });
        }
    }

    /// Whether a name is told of: the program does not declare it, and it is no global here.
    fn is_told(&self, path: &[String]) -> bool {
        let [root, members @ ..] = path else { return false };
        let is_here = match (root.as_str(), members) {
            ("tools", _) => false,
            ("crypto", [member, ..]) => CRYPTO.contains(&member.as_str()),
            (root, _) => globals::has(root),
        };
        let is_told = !is_here && self.names.is_free(root) && !self.names.has_global_object;
        is_told && path.iter().all(|name| name.len() <= NAME_BYTES_MAX)
    }

    /// Says that a name is used which the program does not declare.
    fn say_name(&mut self, place: BytePos, path: Vec<String>, used: Used) {
        if self.is_told(&path) {
            self.say(place, Said::Name { path, used });
        }
    }

    /// `notion.API-post-search(...)`, which is a difference of names to JavaScript.
    fn say_hyphenated(&mut self, difference: &BinExpr) {
        let (mut parts, mut has_free) = (Vec::new(), false);
        let mut left = difference;
        loop {
            let name = match unparenthesised(&left.right) {
                Expr::Ident(name) => name.sym.to_string(),
                Expr::Call(call) => match &call.callee {
                    Callee::Expr(callee) if parts.is_empty() && callee.is_ident() => {
                        callee.as_ident().map(|name| name.sym.to_string()).unwrap_or_default()
                    }
                    _ => return,
                },
                _ => return,
            };
            has_free |= self.names.is_free(&name);
            parts.push(name);
            // `await` takes the first name alone.
            match left.left.as_await_expr().map_or(&*left.left, |awaited| &*awaited.arg) {
                Expr::Bin(next) if next.op == BinaryOp::Sub => left = next,
                Expr::Member(member) if has_free => {
                    let Some(mut path) = path_of_member(member).filter(|path| path.len() == 2) else { return };
                    let last = path.pop().unwrap_or_default();
                    parts.push(last);
                    parts.reverse();
                    path.push(parts.join("-"));
                    return self.say_name(member.span.lo, path, Used::Hyphenated);
                }
                _ => return,
            }
        }
    }

    /// Looks at the arguments of a call.
    fn arguments(&mut self, arguments: &[ExprOrSpread]) {
        for argument in arguments {
            match &*argument.expr {
                Expr::Assign(AssignExpr { op: AssignOp::Assign, left, right, .. }) => {
                    if let AssignTarget::Simple(SimpleAssignTarget::Ident(name)) = left
                        && self.names.is_free(&name.id.sym)
                    {
                        self.say_name(name.id.span.lo, vec![name.id.sym.to_string()], Used::Keyword);
                        right.visit_with(self);
                    } else {
                        argument.expr.visit_with(self);
                    }
                }
                expression => expression.visit_with(self),
            }
        }
    }

    fn called(&mut self, call: &CallExpr, callee: &Expr, is_awaited: bool) {
        match unparenthesised(callee) {
            callee @ (Expr::Ident(_) | Expr::Member(_)) => {
                if let Some(path) = path_of(callee) {
                    if self.is_told(&path) {
                        let words = Words::of(&call.args);
                        let used = Used::Called { arguments: arguments::of(&call.args), words, is_awaited };
                        self.say(callee.span().lo, Said::Name { path, used });
                    }
                } else {
                    callee.visit_with(self);
                }
            }
            callee => callee.visit_with(self),
        }
    }

    /// The body of a function that a call executes now, if it is known.
    fn executed(&mut self, call: &CallExpr, callee: &Expr) -> Option<Body<'tree>> {
        let Expr::Ident(name) = unparenthesised(callee) else { return None };
        let (name, body) = self.functions.get_key_value(&*name.sym).map(|(name, body)| (*name, *body))?;
        if !call.args.is_empty() || self.entered.contains(&name) {
            return None;
        }
        self.entered.push(name);
        Some(body)
    }
}

impl Visit for Walk<'_> {
    fn visit_expr(&mut self, expression: &Expr) {
        let is_awaited = std::mem::take(&mut self.is_awaited);
        match expression {
            Expr::Ident(name) => self.say_name(name.span.lo, vec![name.sym.to_string()], Used::Read),
            Expr::Member(member) => match path_of_member(member) {
                Some(path) => self.say_name(member.span.lo, path, Used::Read),
                None => member.visit_children_with(self),
            },
            Expr::Call(call) => {
                self.is_awaited = is_awaited;
                self.visit_call_expr(call);
            }
            expression => expression.visit_children_with(self),
        }
        self.is_awaited = false;
    }

    fn visit_call_expr(&mut self, call: &CallExpr) {
        let is_awaited = std::mem::take(&mut self.is_awaited);
        let Callee::Expr(callee) = &call.callee else { return call.visit_children_with(self) };
        if is_awaited && self.is_reached {
            if let (Some(body), true) = (Body::of(callee), call.args.is_empty()) {
                return self.enter(body);
            }
            if let Some(body) = self.executed(call, callee) {
                return self.enter(body);
            }
        }
        if is_awaited
            && path_of(callee).is_some_and(|path| path == ["Promise", "all"])
            && let [ExprOrSpread { spread: None, expr }] = call.args.as_slice()
            && let Expr::Array(array) = &**expr
        {
            for element in array.elems.iter().flatten() {
                if element.spread.is_none() { self.awaited(&element.expr) } else { element.expr.visit_with(self) }
            }
            return;
        }
        self.arguments(&call.args);
        self.called(call, callee, is_awaited);
    }

    fn visit_await_expr(&mut self, awaited: &AwaitExpr) {
        self.awaited(&awaited.arg);
    }

    fn visit_return_stmt(&mut self, statement: &ReturnStmt) {
        if let Some(value) = &statement.arg {
            self.awaited(value);
        }
    }

    fn visit_assign_expr(&mut self, assignment: &AssignExpr) {
        let is_perhaps = matches!(assignment.op, AssignOp::AndAssign | AssignOp::OrAssign | AssignOp::NullishAssign);
        match &assignment.left {
            AssignTarget::Simple(SimpleAssignTarget::Ident(name)) => {
                self.say_name(name.id.span.lo, vec![name.id.sym.to_string()], Used::Assigned);
            }
            left => left.visit_with(self),
        }
        if is_perhaps {
            self.perhaps(|walk| assignment.right.visit_with(walk));
        } else {
            assignment.right.visit_with(self);
        }
    }

    fn visit_assign_pat(&mut self, pattern: &AssignPat) {
        pattern.left.visit_with(self);
        self.perhaps(|walk| pattern.right.visit_with(walk));
    }

    fn visit_bin_expr(&mut self, expression: &BinExpr) {
        match expression.op {
            BinaryOp::LogicalAnd | BinaryOp::LogicalOr | BinaryOp::NullishCoalescing => {
                expression.left.visit_with(self);
                self.perhaps(|walk| expression.right.visit_with(walk));
            }
            BinaryOp::Sub => {
                self.say_hyphenated(expression);
                expression.visit_children_with(self);
            }
            _ => expression.visit_children_with(self),
        }
    }

    fn visit_cond_expr(&mut self, expression: &CondExpr) {
        expression.test.visit_with(self);
        self.perhaps(|walk| {
            expression.cons.visit_with(walk);
            expression.alt.visit_with(walk);
        });
    }

    fn visit_opt_chain_expr(&mut self, chain: &OptChainExpr) {
        self.perhaps(|walk| chain.visit_children_with(walk));
    }

    fn visit_unary_expr(&mut self, unary: &UnaryExpr) {
        if let Some(text) = literals::rounded_negative(unary) {
            self.say(unary.span.lo, Said::Rounded { text });
        } else if unary.op != UnaryOp::TypeOf || !matches!(unparenthesised(&unary.arg), Expr::Ident(_)) {
            unary.visit_children_with(self);
        }
    }

    fn visit_if_stmt(&mut self, statement: &IfStmt) {
        statement.test.visit_with(self);
        self.perhaps(|walk| {
            statement.cons.visit_with(walk);
            statement.alt.visit_with(walk);
        });
    }

    fn visit_switch_stmt(&mut self, statement: &SwitchStmt) {
        statement.discriminant.visit_with(self);
        self.perhaps(|walk| statement.cases.visit_with(walk));
    }

    fn visit_try_stmt(&mut self, statement: &TryStmt) {
        self.perhaps(|walk| statement.visit_children_with(walk));
    }

    fn visit_for_stmt(&mut self, statement: &ForStmt) {
        statement.init.visit_with(self);
        statement.test.visit_with(self);
        self.perhaps(|walk| {
            statement.update.visit_with(walk);
            statement.body.visit_with(walk);
        });
    }

    fn visit_for_in_stmt(&mut self, statement: &ForInStmt) {
        statement.right.visit_with(self);
        self.perhaps(|walk| {
            statement.left.visit_with(walk);
            statement.body.visit_with(walk);
        });
    }

    fn visit_for_of_stmt(&mut self, statement: &ForOfStmt) {
        statement.right.visit_with(self);
        self.perhaps(|walk| {
            statement.left.visit_with(walk);
            statement.body.visit_with(walk);
        });
    }

    fn visit_while_stmt(&mut self, statement: &WhileStmt) {
        statement.test.visit_with(self);
        self.perhaps(|walk| statement.body.visit_with(walk));
    }

    fn visit_do_while_stmt(&mut self, statement: &DoWhileStmt) {
        self.perhaps(|walk| statement.visit_children_with(walk));
    }

    fn visit_stmts(&mut self, statements: &[Stmt]) {
        self.statements(statements);
    }

    fn visit_function(&mut self, function: &Function) {
        self.perhaps(|walk| function.visit_children_with(walk));
    }

    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.perhaps(|walk| arrow.visit_children_with(walk));
    }

    fn visit_class(&mut self, class: &Class) {
        self.perhaps(|walk| class.visit_children_with(walk));
    }

    fn visit_prop(&mut self, property: &Prop) {
        match property {
            Prop::Shorthand(name) => self.say_name(name.span.lo, vec![name.sym.to_string()], Used::Read),
            Prop::Getter(_) | Prop::Setter(_) => self.perhaps(|walk| property.visit_children_with(walk)),
            _ => property.visit_children_with(self),
        }
    }

    fn visit_number(&mut self, number: &Number) {
        if let Some(text) = literals::rounded(number) {
            self.say(number.span.lo, Said::Rounded { text });
        }
    }

    // Types are not executed.
    fn visit_ts_type(&mut self, _: &TsType) {}
    fn visit_ts_type_ann(&mut self, _: &TsTypeAnn) {}
    fn visit_ts_type_param_instantiation(&mut self, _: &TsTypeParamInstantiation) {}
    fn visit_ts_interface_decl(&mut self, _: &TsInterfaceDecl) {}
    fn visit_ts_type_alias_decl(&mut self, _: &TsTypeAliasDecl) {}
    fn visit_ts_enum_decl(&mut self, _: &TsEnumDecl) {}
    fn visit_ts_module_decl(&mut self, _: &TsModuleDecl) {}
}

/// Whether an execution may leave the program, or the block around, in a statement: what comes after it is not always come to.
fn may_leave(statement: &Stmt) -> bool {
    match statement {
        Stmt::Expr(_) | Stmt::Decl(_) | Stmt::Empty(_) => false,
        statement => {
            let mut leaves = Leaves(false);
            statement.visit_with(&mut leaves);
            leaves.0
        }
    }
}

struct Leaves(bool);

impl Visit for Leaves {
    fn visit_stmt(&mut self, statement: &Stmt) {
        match statement {
            Stmt::Return(_) | Stmt::Throw(_) | Stmt::Break(_) | Stmt::Continue(_) => self.0 = true,
            Stmt::Expr(_) | Stmt::Decl(_) => {}
            statement => statement.visit_children_with(self),
        }
    }

    fn visit_expr(&mut self, _: &Expr) {}
}

/// The names of `a.b["c"]`, if it is that.
pub(super) fn path_of(expression: &Expr) -> Option<Vec<String>> {
    match unparenthesised(expression) {
        Expr::Ident(name) => Some(vec![name.sym.to_string()]),
        Expr::Member(member) => path_of_member(member),
        _ => None,
    }
}

fn path_of_member(member: &MemberExpr) -> Option<Vec<String>> {
    let mut path = path_of(&member.obj).filter(|path| path.len() < MEMBERS_MAX)?;
    path.push(match &member.prop {
        MemberProp::Ident(name) => name.sym.to_string(),
        MemberProp::Computed(computed) => match unparenthesised(&computed.expr) {
            Expr::Lit(Lit::Str(text)) => text_of(text)?,
            _ => return None,
        },
        MemberProp::PrivateName(_) => return None,
    });
    Some(path)
}
