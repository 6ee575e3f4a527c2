//! How the isolate's own JavaScript may be written, so that nothing of it meets a prototype that a program can change.
//!
//! What is here is read from the source; `glue.rs` tries it. What runs while the snapshot is made, before there is a program, may
//! do more: it stands outside of every function but the file's own.

use std::collections::HashSet;

use isolet_snapshots::bootstrap;
use libtest_mimic::{Failed, Trial};
use swc_common::{BytePos, FileName, SourceMap, Span, Spanned, sync::Lrc};
use swc_ecma_ast::{
    ArrayLit, ArrayPat, ArrowExpr, AwaitExpr, BinExpr, BinaryOp, BindingIdent, CallExpr, Callee, Class, ClassProp, Constructor,
    EsVersion, Expr, ExprOrSpread, ForInStmt, ForOfStmt, Function, GetterProp, Ident, MemberExpr, MemberProp, NewExpr,
    ObjectLit, ObjectPat, ObjectPatProp, OptCall, OptChainBase, PrivateProp, Prop, PropName, PropOrSpread, Regex, Script,
    SetterProp, SpreadElement, TaggedTpl, VarDeclarator, YieldExpr,
};
use swc_ecma_parser::{Parser, StringInput, Syntax, lexer::Lexer};
use swc_ecma_visit::{Visit, VisitWith};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("glue_rules::the_glue_meets_no_prototype", the_glue_meets_no_prototype),
        Trial::test("glue_rules::what_is_dangerous_is_found", what_is_dangerous_is_found),
    ]
}

/// What may be taken from the engine: each name stands with why no code of a program can come between.
const HARMLESS: &[(&str, &str)] = &[
    (
        "looks at what is in a value, or at arguments that are texts, numbers and functions of ours",
        "ArrayBufferIsView ArrayBufferPrototypeGetByteLength ArrayIsArray BigIntPrototypeToString DataViewPrototypeGetBuffer \
         DataViewPrototypeGetByteLength DataViewPrototypeGetByteOffset DatePrototypeGetTime DatePrototypeToISOString \
         DatePrototypeToString MapPrototypeForEach MapPrototypeGetSize MapPrototypeSet MathFloor NumberIsFinite \
         NumberPrototypeToString SetPrototypeAdd SetPrototypeForEach SetPrototypeGetSize StringFromCharCode \
         StringFromCodePoint StringPrototypeCharAt StringPrototypeCharCodeAt StringPrototypeCodePointAt \
         StringPrototypeIndexOf StringPrototypePadStart StringPrototypeRepeat StringPrototypeSlice \
         StringPrototypeToWellFormed SymbolIterator SymbolPrototypeToString TypedArrayPrototypeGetBuffer \
         TypedArrayPrototypeGetByteLength TypedArrayPrototypeGetByteOffset TypedArrayPrototypeGetLength \
         TypedArrayPrototypeGetSymbolToStringTag TypedArrayPrototypeSet decodeURIComponent encodeURIComponent \
         uncurryThis",
    ),
    (
        "looks at own properties and at what a value inherits from",
        "ObjectDefineProperties ObjectDefineProperty ObjectFreeze ObjectKeys ObjectPrototypeIsPrototypeOf \
         ObjectSetPrototypeOf ReflectDeleteProperty ReflectGetOwnPropertyDescriptor ReflectGetPrototypeOf ReflectOwnKeys",
    ),
    ("takes the elements of a list", "ArrayPrototypeJoin ArrayPrototypeSort ReflectApply ReflectConstruct"),
    (
        "makes something, or turns a value of the program's into a text or a number as that program has it",
        "ArrayBuffer Date Error JSONParse JSONRawJSON JSONStringify Map Number Object Promise PromiseReject \
         PromiseResolve Proxy RangeError RegExp SafeMap SafeWeakMap Set String SyntaxError TypeError Uint8Array",
    ),
    (
        "reads what the program's own regular expression says of itself",
        "RegExpPrototypeGetFlags RegExpPrototypeGetSource RegExpPrototypeToString",
    ),
    ("asks a promise for its `constructor`: `whenSettled` gives it one of its own", "PromisePrototypeThen"),
    (
        "is compared with, or set, and never asked",
        "ArrayBufferPrototype ArrayPrototype BigIntPrototype DatePrototype ErrorPrototype MapPrototype ObjectPrototype \
         PromisePrototype RangeErrorPrototype RegExpPrototype SetPrototype",
    ),
];

/// Lists and the like whose places may be read by number: within their length, and what is there is theirs.
const LISTS: &[&str] = &["bytes", "found", "keys", "listeners", "members", "met", "pairs", "parts", "values", "PARTS"];

/// Lines that break a rule and may: file, a part of the line, why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    (
        "isolet:values",
        "return object[key];",
        "the one place that reads what may be a getter of the program, which is its right",
    ),
    ("isolet:bare", "members[members.length] = value;", "a list has no prototype with a setter"),
    (
        "isolet:calls",
        "class ToolError extends Error",
        "programs make their own: ours are made by `failed`, without the constructor",
    ),
    ("isolet:calls", "super(message);", "as above"),
    ("isolet:calls", "manifest[place]", "what the host sent, before there is a program"),
    ("isolet:calls", "tools[at]", "as above"),
    ("isolet:calls", "aliases[at]", "as above"),
    ("isolet:web", "VIEWS[kind]", "an object without a prototype"),
    ("isolet:web", "cloned(value[keys[place]], seen)", "a member of the program's own value"),
    ("isolet:web", "seen.", "a `SafeMap`, as an argument"),
    ("isolet:url", "init[SymbolIterator]", "the program's own object: what is iterable is taken as pairs"),
    ("isolet:url", "for (const pair of pairs) this.#add(textOf(pair[0]), textOf(pair[1]));", "as above"),
    ("isolet:url", "object[keys[place]]", "a member of the program's own object"),
    ("isolet:url", "this.#pairs[place]", "a list"),
    ("isolet:url", "this.#parts[", "a list"),
];

struct Rules<'text> {
    file: &'text str,
    text: &'text str,
    start: BytePos,
    /// How many functions there are around, that of the file included.
    depth: usize,
    declared: HashSet<String>,
    used: Vec<(String, Span)>,
    /// Names of `new Safe…()`: their methods are theirs.
    safe: HashSet<String>,
    found: Vec<String>,
}

impl Rules<'_> {
    fn line(&self, span: Span) -> &str {
        let place = (span.lo.0 - self.start.0) as usize;
        let start = self.text[..place].rfind('\n').map_or(0, |end| end + 1);
        self.text[start..].lines().next().unwrap_or_default().trim()
    }

    fn find(&mut self, span: Span, rule: &str) {
        let line = self.line(span);
        if !EXCEPTIONS.iter().any(|(file, part, _)| *file == self.file && line.contains(part)) {
            self.found.push(format!("{}: {rule}: {line}", self.file));
        }
    }

    /// Whether this runs once a program can be there.
    fn is_later(&self) -> bool {
        self.depth > 1
    }

    fn deeper(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }

    fn check_callee(&mut self, callee: &Expr, span: Span) {
        let member = match callee {
            Expr::Member(member) => member,
            Expr::OptChain(chain) => match &*chain.base {
                OptChainBase::Member(member) => member,
                OptChainBase::Call(_) => return,
            },
            _ => return,
        };
        let is_private = matches!(member.prop, MemberProp::PrivateName(_)); // no prototype has it
        let is_safe = member.obj.as_ident().is_some_and(|object| self.safe.contains(&*object.sym));
        if self.is_later() && !is_private && !is_safe {
            self.find(span, "a method of a value, which its prototype has");
        }
    }
}

impl Visit for Rules<'_> {
    fn visit_arrow_expr(&mut self, node: &ArrowExpr) {
        if node.is_async {
            self.find(node.span, "an async function asks promises for their `constructor`");
        }
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_function(&mut self, node: &Function) {
        if node.is_async {
            self.find(node.span, "an async function asks promises for their `constructor`");
        }
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_constructor(&mut self, node: &Constructor) {
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_getter_prop(&mut self, node: &GetterProp) {
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_setter_prop(&mut self, node: &SetterProp) {
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_class_prop(&mut self, node: &ClassProp) {
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_private_prop(&mut self, node: &PrivateProp) {
        self.deeper(|rules| node.visit_children_with(rules));
    }

    fn visit_class(&mut self, node: &Class) {
        if let Some(parent) = &node.super_class {
            self.find(parent.span(), "a constructor that asks for the one that it extends");
        }
        node.visit_children_with(self);
    }

    fn visit_array_lit(&mut self, node: &ArrayLit) {
        self.find(node.span, "an array with a prototype: `list(…)`");
        node.visit_children_with(self);
    }

    fn visit_object_lit(&mut self, node: &ObjectLit) {
        let is_bare = matches!(node.props.first(), Some(PropOrSpread::Prop(prop)) if matches!(&**prop, Prop::KeyValue(pair)
            if matches!(&pair.key, PropName::Ident(key) if key.sym == "__proto__") && matches!(&*pair.value, Expr::Lit(swc_ecma_ast::Lit::Null(_)))));
        if !is_bare {
            self.find(node.span, "an object with a prototype: `{ __proto__: null, … }`");
        }
        node.visit_children_with(self);
    }

    fn visit_spread_element(&mut self, node: &SpreadElement) {
        self.find(node.dot3_token, "spread iterates");
        node.visit_children_with(self);
    }

    fn visit_expr_or_spread(&mut self, node: &ExprOrSpread) {
        if let Some(dots) = node.spread {
            self.find(dots, "spread iterates");
        }
        node.visit_children_with(self);
    }

    fn visit_array_pat(&mut self, node: &ArrayPat) {
        self.find(node.span, "a pattern of an array iterates");
        node.visit_children_with(self);
    }

    fn visit_object_pat(&mut self, node: &ObjectPat) {
        if node.props.iter().any(|prop| matches!(prop, ObjectPatProp::Rest(_))) {
            self.find(node.span, "the rest of a pattern is an object with a prototype");
        }
        node.visit_children_with(self);
    }

    fn visit_for_of_stmt(&mut self, node: &ForOfStmt) {
        if self.is_later() {
            self.find(node.span, "`for … of` iterates");
            node.visit_children_with(self);
            return;
        }
        node.left.visit_with(self);
        match &*node.right {
            Expr::Array(names) => names.elems.visit_with(self),
            other => other.visit_with(self),
        }
        node.body.visit_with(self);
    }

    fn visit_for_in_stmt(&mut self, node: &ForInStmt) {
        self.find(node.span, "`for … in` lists what prototypes have");
        node.visit_children_with(self);
    }

    fn visit_await_expr(&mut self, node: &AwaitExpr) {
        self.find(node.span, "`await` asks a promise for its `constructor`");
        node.visit_children_with(self);
    }

    fn visit_yield_expr(&mut self, node: &YieldExpr) {
        if node.delegate {
            self.find(node.span, "`yield*` iterates");
        }
        node.visit_children_with(self);
    }

    fn visit_tagged_tpl(&mut self, node: &TaggedTpl) {
        self.find(node.span, "a tagged template makes arrays with a prototype");
        node.visit_children_with(self);
    }

    fn visit_regex(&mut self, node: &Regex) {
        self.find(node.span, "a regular expression asks for `exec`, and leaves its last match on `RegExp`");
    }

    fn visit_bin_expr(&mut self, node: &BinExpr) {
        let asks = node.op == BinaryOp::InstanceOf || (node.op == BinaryOp::In && !node.left.is_private_name());
        if self.is_later() && asks {
            self.find(node.span, "`instanceof` and `in` ask prototypes");
        }
        node.visit_children_with(self);
    }

    fn visit_call_expr(&mut self, node: &CallExpr) {
        match &node.callee {
            Callee::Expr(callee) => self.check_callee(callee, node.span),
            Callee::Super(_) => self.find(node.span, "`super` is whatever the class inherits from by then"),
            Callee::Import(_) => self.find(node.span, "there are no imports"),
        }
        node.visit_children_with(self);
    }

    fn visit_opt_chain_base(&mut self, node: &OptChainBase) {
        if let OptChainBase::Call(OptCall { callee, span, .. }) = node {
            self.check_callee(callee, *span);
        }
        node.visit_children_with(self);
    }

    fn visit_new_expr(&mut self, node: &NewExpr) {
        if self.is_later() && !node.callee.is_ident() {
            self.find(node.span, "a constructor by a name that can be changed");
        }
        node.visit_children_with(self);
    }

    fn visit_member_expr(&mut self, node: &MemberExpr) {
        let object = node.obj.as_ident().map(|object| &*object.sym);
        if self.is_later() && object == Some("globalThis") {
            self.find(node.span, "a global that can be changed: take it while the snapshot is made");
        }
        if self.is_later() && node.prop.is_computed() && !object.is_some_and(|object| LISTS.contains(&object)) {
            self.find(node.span, "a place that a prototype may have");
        }
        node.visit_children_with(self);
    }

    fn visit_binding_ident(&mut self, node: &BindingIdent) {
        self.declared.insert(node.id.sym.to_string());
    }

    fn visit_var_declarator(&mut self, node: &VarDeclarator) {
        if let (Some(name), Some(Expr::New(made))) = (node.name.as_ident(), node.init.as_deref())
            && made.callee.as_ident().is_some_and(|class| class.sym.starts_with("Safe"))
        {
            self.safe.insert(name.id.sym.to_string());
        }
        if let (Some(pattern), Some(Expr::Member(source))) = (node.name.as_object(), node.init.as_deref())
            && matches!(&source.prop, MemberProp::Ident(name) if name.sym == "primordials")
        {
            for prop in &pattern.props {
                if let ObjectPatProp::Assign(taken) = prop
                    && !HARMLESS.iter().any(|(_, names)| names.split(' ').any(|name| *name == *taken.key.id.sym))
                {
                    self.find(taken.key.id.span, &format!("`{}` is not among what is known to be harmless", taken.key.id.sym));
                }
            }
        }
        node.visit_children_with(self);
    }

    fn visit_expr(&mut self, node: &Expr) {
        if let Expr::Ident(name) = node {
            self.used.push((name.sym.to_string(), name.span));
        }
        node.visit_children_with(self);
    }

    /// Names of functions and classes; those that are used come by `visit_expr`.
    fn visit_fn_decl(&mut self, node: &swc_ecma_ast::FnDecl) {
        self.declare(&node.ident);
        node.visit_children_with(self);
    }

    fn visit_class_decl(&mut self, node: &swc_ecma_ast::ClassDecl) {
        self.declare(&node.ident);
        node.visit_children_with(self);
    }
}

impl Rules<'_> {
    fn declare(&mut self, name: &Ident) {
        self.declared.insert(name.sym.to_string());
    }
}

/// What breaks a rule in a file.
fn found_in(file: &str, text: &str) -> Result<Vec<String>, Failed> {
    let map = SourceMap::default();
    let source = map.new_source_file(Lrc::new(FileName::Anon), text.to_owned());
    let lexer =
        Lexer::new(Syntax::Es(swc_ecma_parser::EsSyntax::default()), EsVersion::latest(), StringInput::from(&*source), None);
    let script: Script = Parser::new_from(lexer).parse_script().map_err(|error| format!("{file}: {error:?}"))?;
    let mut rules = Rules {
        file,
        text,
        start: source.start_pos,
        depth: 0,
        declared: HashSet::from(["globalThis", "undefined"].map(str::to_owned)),
        used: Vec::new(),
        safe: HashSet::new(),
        found: Vec::new(),
    };
    script.visit_with(&mut rules);
    for (name, span) in std::mem::take(&mut rules.used) {
        if !rules.declared.contains(&name) {
            rules.find(span, &format!("`{name}` is a global that can be changed"));
        }
    }
    Ok(rules.found)
}

fn the_glue_meets_no_prototype() -> Result<(), Failed> {
    let mut found = Vec::new();
    for (file, text) in bootstrap::FILES {
        found.extend(found_in(file, text)?);
    }
    for (file, part, _) in EXCEPTIONS {
        if !bootstrap::FILES.iter().any(|(name, text)| name == file && text.lines().any(|line| line.contains(part))) {
            found.push(format!("{file}: an exception for what is not there: {part}"));
        }
    }
    if found.is_empty() { Ok(()) } else { Err(found.join("\n").into()) }
}

/// Each rule finds what it is there for, in a function, and lets alone what is written as it should be.
fn what_is_dangerous_is_found() -> Result<(), Failed> {
    const DANGEROUS: &[&str] = &[
        "return [value];",
        "return { value };",
        "return f(...value);",
        "for (const one of value) f(one);",
        "for (const one in value) f(one);",
        "const [one] = value;",
        "const { ...rest } = value; return rest;",
        "return value.map(f);",
        "return value?.map(f);",
        "return new value.Constructor();",
        "return globalThis.Date;",
        "return Date;",
        "return value[0];",
        "return value instanceof f;",
        "return 'name' in value;",
        "return /a/;",
        "return f`text`;",
        "return async () => {};",
        "return class extends f {};",
        "return function* () { yield* value; };",
        "const { ArrayPrototypePush } = globalThis.__bootstrap.primordials;",
    ];
    const FINE: &[&str] = &[
        "return { __proto__: null, value };",
        "const { one } = value; return one;",
        "return f(value, value.length, value.name);",
        "const known = new SafeMap(); return known.get(value);",
        "class Own { #one = 1; #two() { return 2; } three(other) { return #one in other ? other.#two() : this.#one; } }",
        "return function (...values) { return values[0]; };",
    ];
    let within = |code: &str| {
        found_in("a file", &format!("((globalThis) => {{ class SafeMap {{}} function f(value) {{ {code} }} }})(globalThis);"))
    };
    let mut wrong = Vec::new();
    for code in DANGEROUS {
        if within(code)?.is_empty() {
            wrong.push(format!("not found: {code}"));
        }
    }
    for code in FINE {
        wrong.extend(within(code)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}
