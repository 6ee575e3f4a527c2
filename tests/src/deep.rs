//! Programs that are nested deep, in every way that needs no bracket and some that do: each runs or is refused with a message that
//! says what to do, and none takes its process down. Long programs that are flat run.

use futures::StreamExt as _;
use isolet::{Config, End, Runtime, Session};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use crate::cases;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("deep::nesting_of_any_kind_runs_or_is_refused", nesting_of_any_kind_runs_or_is_refused),
        Trial::test("deep::what_people_nest_runs", what_people_nest_runs),
        Trial::test("deep::long_flat_programs_run", long_flat_programs_run),
        Trial::test(
            "deep::a_deep_function_is_an_exception_where_it_is_called",
            a_deep_function_is_an_exception_where_it_is_called,
        ),
        Trial::test("deep::the_next_run_is_as_ever", the_next_run_is_as_ever),
    ]
}

/// A kind of nesting: what comes before, what is repeated, the middle, what is repeated for each level after it, the end.
struct Kind {
    name: &'static str,
    parts: [&'static str; 5],
}

const fn kind(name: &'static str, parts: [&'static str; 5]) -> Kind {
    Kind { name, parts }
}

const KINDS: &[Kind] = &[
    kind("minus", ["return ", "- ", "1", "", ""]),
    kind("not", ["return ", "!", "1", "", ""]),
    kind("several unary", ["return ", "- + ~ ! ", "1", "", ""]),
    kind("typeof", ["return ", "typeof ", "1", "", ""]),
    kind("void", ["return ", "void ", "1", "", ""]),
    kind("delete", ["return ", "delete ", "globalThis.x", "", ""]),
    kind("await", ["return ", "await ", "1", "", ""]),
    kind("yield", ["function* g() { ", "yield ", "1", "", " } return 1"]),
    kind("yield*", ["function* g() { ", "yield* ", "[]", "", " } return 1"]),
    kind("new", ["return typeof (", "new ", "Object", "", ")"]),
    kind("increments", ["let a = 0; return ", "++ ", "a", "", ""]),
    kind("exponents", ["return ", "1 ** ", "1", "", ""]),
    kind("assignments", ["let a; return ", "a = ", "1", "", ""]),
    kind("comparisons", ["return ", "1 < ", "1", "", ""]),
    kind("comparisons of names", ["const a = 1; return ", "a < ", "a", "", ""]),
    kind("comparisons in a list", ["const a = 1; return [", "a < a,\n", "", "", "].length"]),
    kind("shifts", ["const a = 1; return ", "a << ", "a", "", ""]),
    kind("in", ["return ", "1 in ", "{}", "", ""]),
    kind("members", ["const a = {}; a.b = a; return typeof a", ".b", "", "", ""]),
    kind("members on lines", ["const a = {}; a.b = a; return typeof a", "\n  .b", "", "", ""]),
    kind("optional members", ["const a = {}; a.b = a; return typeof a", "?.b", "", "", ""]),
    kind("indices", ["const a = {}; a[0] = a; return typeof a", "[0]", "", "", ""]),
    kind("calls", ["const a = () => a; return typeof a", "()", "", "", ""]),
    kind("method calls", ["const a = { b: () => a }; return typeof a", ".b()", "", "", ""]),
    kind("calls with types", ["const a = () => a; return typeof a", "<any>()", "", "", ""]),
    kind("tagged templates", ["const a = () => a; return typeof a", "``", "", "", ""]),
    kind("non-null", ["return 1", "!", "", "", ""]),
    kind("as", ["return 1", " as any", "", "", ""]),
    kind("satisfies", ["return 1", " satisfies any", "", "", ""]),
    kind("type assertions", ["return ", "<any>", "1", "", ""]),
    kind("type assertions with brackets", ["return ", "<any>(", "1", ")", ""]),
    kind("private members", ["class A { #a; m() { return this", ".#a", "", "", " } } return 1"]),
    kind("an assigned member", ["let a = {}; a", ".b", " = 1", "", "; return 1"]),
    kind("arrows", ["return typeof (", "x => ", "1", "", ")"]),
    kind("arrows with brackets", ["return typeof (", "(x) => ", "1", "", ")"]),
    kind("async arrows", ["return typeof (", "async x => ", "1", "", ")"]),
    kind("generic arrows", ["return typeof (", "<T>(x) => ", "1", "", ")"]),
    kind("arrows with types", ["return typeof (", "(x): any => ", "1", "", ")"]),
    kind("an arrow as a default", ["const f = (x = ", "y => ", "1", "", ") => 1; return 1"]),
    kind("conditionals", ["const x = 0; return ", "x ? 1 : ", "2", "", ""]),
    kind("conditionals on lines", ["const x = 0; return ", "x ? 1\n  : ", "2", "", ""]),
    kind("conditionals in the middle", ["const x = 1; return ", "x ? ", "1", " : 2", ""]),
    kind("conditionals with brackets", ["const x = 0; return ", "x ? (1) : ", "2", "", ""]),
    kind("conditionals around brackets", ["const x = 0; return ", "x ? (", "1", ") : 2", ""]),
    kind("conditionals around arrows", ["const x = 0; return typeof (", "x ? (y) => ", "1", " : 2", ")"]),
    kind("conditionals with arrows", ["const x = 0; return ", "x ? (y) => 1 : ", "2", "", ""]),
    kind("templates", ["return ", "`${", "1", "}`", ""]),
    kind("else if", ["let y = 0; ", "if (y) y = 1; else ", "y = 2", "", "; return y"]),
    kind("else if with blocks", ["let y = 0; ", "if (y) { y = 1; } else ", "{ y = 2; }", "", " return y"]),
    kind("if", ["let y = 0; ", "if (1) ", "y = 1", "", "; return y"]),
    kind("for", ["let y = 0; ", "for (; y < 1;) ", "y++", "", "; return y"]),
    kind("for of", ["let y = 0; ", "for (const x of [1]) ", "y++", "", "; return y"]),
    kind("while", ["let y = 0; ", "while (y < 1) ", "y++", "", "; return y"]),
    kind("do", ["let y = 0; ", "do ", "y = 1;", " while (0)", "; return y"]),
    kind("labels", ["", "a: b: ", "1", "", "; return 1"]),
    kind("classes", ["return typeof ", "class extends ", "Object", " {}", ""]),
    kind("decorators", ["", "@d ", "class A {}", "", " return 1"]),
    kind("members of a decorator", ["@d", ".a", " class A {}", "", " return 1"]),
    kind("conditional types", ["type T<X> = ", "X extends string ? 1 : ", "2", "", "; return 1"]),
    kind("conditional types in the middle", ["type T<X> = ", "X extends string ? ", "1", " : 2", "; return 1"]),
    kind("unions", ["type T = ", "1 | ", "1", "", "; return 1"]),
    kind("intersections", ["type T = ", "A & ", "A", "", "; return 1"]),
    kind("array types", ["type T = number", "[]", "", "", "; return 1"]),
    kind("indexed types", ["type T = any", "[0]", "", "", "; return 1"]),
    kind("keyof", ["type T = ", "keyof ", "any", "", "; return 1"]),
    kind("readonly", ["type T = ", "readonly ", "any[]", "", "; return 1"]),
    kind("typeof types", ["type T = typeof a", ".b", "", "", "; return 1"]),
    kind("qualified types", ["let x: ", "A.", "B", "", "; return 1"]),
    kind("generics", ["let x: ", "Array<", "1", ">", "; return 1"]),
    kind("function types", ["type T = ", "() => ", "1", "", "; return 1"]),
    kind("constructor types", ["type T = ", "new () => ", "1", "", "; return 1"]),
    kind("infer", ["type T<X> = X extends ", "infer U extends ", "1", "", " ? 1 : 2; return 1"]),
    kind("predicates", ["let f: ", "(x) => x is ", "any", "", "; return 1"]),
    kind("template types", ["type T = ", "`${", "1", "}`", "; return 1"]),
    kind("namespaces", ["namespace a", ".b", " {}", "", " return 1"]),
    kind("an enum's sum", ["enum A { a = ", "1 + ", "1", "", " } return A.a"]),
    kind("an enum's minus", ["enum A { a = ", "- ", "1", "", " } return A.a"]),
    kind("let", ["", "let ", "x", "", "; return 1"]),
    kind("async", ["", "async ", "function f() {}", "", " return 1"]),
    kind("declare", ["", "declare ", "const x", "", "; return 1"]),
    kind("abstract", ["", "abstract ", "class A {}", "", " return 1"]),
    kind("brackets", ["return ", "(", "1", ")", ""]),
    kind("arrays", ["return typeof ", "[", "1", "]", ""]),
    kind("objects", ["return typeof ", "{ a: ", "1", "}", ""]),
    kind("blocks", ["", "{", "", "}", " return 1"]),
    kind("functions", ["", "function f() {", "", "}", " return 1"]),
    kind("patterns", ["const ", "[", "a", "] = [[]]", "; return 1"]),
    kind("defaults", ["const f = ", "(a = ", "1", ") => 1", "; return 1"]),
    kind("classes in fields", ["class A { a = ", "class { a = ", "1", " }", " } return 1"]),
    kind("cases", ["", "switch (1) { case 1: ", "", "}", " return 1"]),
    kind("tuple types", ["type T = ", "[", "1", "]", "; return 1"]),
    kind("mapped types", ["type T = ", "{ [K in 'a']: ", "1", " }", "; return 1"]),
    kind("groups of a regular expression", ["return /", "(?:", "a", ")", "/.test('a')"]),
    kind("what is not closed", ["return ", "([", "", "", ""]),
];

impl Kind {
    fn program(&self, depth: usize) -> String {
        let [before, opening, middle, closing, after] = self.parts;
        [before, &opening.repeat(depth), middle, &closing.repeat(depth), after].concat()
    }
}

fn session() -> Result<(tokio::runtime::Runtime, Session), Failed> {
    let tokio = tokio::runtime::Runtime::new()?;
    let entered = tokio.enter();
    let session = Runtime::new(Config::default())?.session(cases::scope()?, cases::Tools);
    drop(entered);
    Ok((tokio, session))
}

/// Runs all programs and gives the ends that `wrong` finds fault with.
fn check(programs: Vec<(String, String)>, wrong: impl Fn(&End) -> Option<String>) -> Result<(), Failed> {
    let (tokio, session) = session()?;
    let faults: Vec<String> = tokio.block_on(async {
        let runs = programs.iter().map(async |(name, program)| (name, session.run(program).await));
        futures::stream::iter(runs)
            .buffer_unordered(4)
            .filter_map(async |(name, ran)| {
                let fault = match ran {
                    Ok(outcome) => wrong(&outcome.end),
                    Err(error) => Some(error.to_string()),
                };
                fault.map(|fault| format!("{name}: {fault}"))
            })
            .collect()
            .await
    });
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn nesting_of_any_kind_runs_or_is_refused() -> Result<(), Failed> {
    let mut programs = Vec::new();
    for kind in KINDS {
        for depth in [300, 3_000, 20_000] {
            let program = kind.program(depth);
            if program.len() <= 256 << 10 {
                programs.push((format!("{} x {depth}", kind.name), program));
            }
        }
    }
    check(programs, |end| match end {
        End::Returned(_) => None,
        End::Threw(error) if error.message.is_empty() => Some("an error without a message".to_owned()),
        // What V8 says of a stack that has ended says nothing of the program.
        End::Threw(error) => error.message.contains("Maximum call stack").then(|| error.message.clone()),
        other => Some(other.to_string()),
    })
}

/// As deep as no person and no model writes, and deeper.
fn what_people_nest_runs() -> Result<(), Failed> {
    let brackets = |kind: &Kind| kind.parts.concat().contains(['(', '[', '{']);
    let programs: Vec<_> = KINDS
        .iter()
        .filter(|kind| !["decorators", "members of a decorator", "what is not closed"].contains(&kind.name))
        .map(|kind| (kind.name.to_owned(), kind.program(if brackets(kind) { 60 } else { 250 })))
        .collect();
    check(programs, |end| match end {
        End::Threw(error) if error.name == "SyntaxError" && error.message.contains("nested") => Some(error.message.clone()),
        End::Returned(_) | End::Threw(_) => None,
        other => Some(other.to_string()),
    })
}

fn long_flat_programs_run() -> Result<(), Failed> {
    let many = |count: usize, part: &str| part.repeat(count);
    let numbered = |count: usize, part: fn(usize) -> String| (0..count).map(part).collect::<String>();
    let programs: Vec<(&str, String, Value)> = vec![
        ("a sum", format!("return 1{}", many(10_000, " + 1")), json!(10_001)),
        ("a text", format!("const a = 'ab'; return ('x'{}).length", many(10_000, " + a")), json!(20_001)),
        ("a text on lines", format!("return (''{}).length", many(5_000, "\n  + 'a line of text'")), json!(70_000)),
        ("and", format!("const a = 1; return a{}", many(10_000, " && a")), json!(1)),
        ("or", format!("const a = 0; return a{}", many(10_000, " || a")), json!(0)),
        ("commas", format!("let a = 0; a++{}; return a", many(10_000, ", a++")), json!(10_001)),
        ("statements", format!("let a = 0;\n{}return a", many(5_000, "a += 1;\n")), json!(5_000)),
        ("else if", numbered(1_000, |at| format!("if (x === {at}) {{ y = {at}; }} else ")), json!(-1)),
        ("conditionals", numbered(1_000, |at| format!("x === 'k{at}' ? 'v{at}'\n  : ")), json!("none")),
        ("switch", numbered(2_000, |at| format!("case {at}: y = {at}; break;\n")), json!(1_999)),
        ("array", format!("return [{}].length", many(20_000, "1, ")), json!(20_000)),
        (
            "rows",
            format!("return [{}].length", numbered(4_000, |at| format!("{{ id: {at}, name: \"row {at}\" }},\n"))),
            json!(4_000),
        ),
        (
            "members of an object",
            format!("return Object.keys({{ {} }}).length", numbered(5_000, |at| format!("a{at}: {at}, "))),
            json!(5_000),
        ),
        ("variables", format!("{}return a4999", numbered(5_000, |at| format!("const a{at} = {at};\n"))), json!(4_999)),
        (
            "functions",
            format!("{}return f1999()", numbered(2_000, |at| format!("function f{at}() {{ return {at}; }}\n"))),
            json!(1_999),
        ),
        ("a template", format!("const a = 'x'; return `{}`.length", many(5_000, "${a}\n")), json!(10_000)),
        ("a method chain", format!("return 'x'{}", many(1_000, "\n  .trim()")), json!("x")),
        ("a promise chain", format!("return await Promise.resolve(0){}", many(1_000, "\n  .then((x) => x + 1)")), json!(1_000)),
        ("a union", format!("type T = 1{}; return 1", many(10_000, " | 1")), json!(1)),
        (
            "members of a type",
            format!("interface T {{ {} }} return 1", numbered(5_000, |at| format!("a{at}: string;\n"))),
            json!(1),
        ),
        ("an enum", format!("enum A {{ {} }} return A.a1999", numbered(2_000, |at| format!("a{at},\n"))), json!(1_999)),
    ];
    let programs = programs.into_iter().map(|(name, program, expected)| {
        let program = match name {
            "else if" => format!("const x = -1; let y; {program}{{ y = -1; }} return y"),
            "conditionals" => format!("const x = 'z'; return {program}'none'"),
            "switch" => format!("let y; switch (1999) {{ {program} }} return y"),
            _ => program,
        };
        (format!("{name}, expected {expected}"), program)
    });
    let (tokio, session) = session()?;
    let mut faults = String::new();
    for (name, program) in programs {
        let end = tokio.block_on(session.run(&program))?.end;
        let is_right = matches!(&end, End::Returned(value) if name.ends_with(&format!(", expected {value}")));
        if !is_right {
            faults += &format!("{name}: {end}\n");
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.into()) }
}

/// V8 compiles a function when it is called: what it says then is an exception like others.
fn a_deep_function_is_an_exception_where_it_is_called() -> Result<(), Failed> {
    let program = format!(
        "const deep = () => {}1; try {{ return typeof deep() }} catch (error) {{ return error instanceof RangeError }}",
        "- ".repeat(20_000)
    );
    check(vec![("a deep function".to_owned(), program)], |end| match end {
        End::Returned(_) | End::Threw(_) => None,
        other => Some(other.to_string()),
    })
}

/// A program that is refused takes nothing from the next.
fn the_next_run_is_as_ever() -> Result<(), Failed> {
    let (tokio, session) = session()?;
    let deep = format!("return typeof ({}1)", "x => ".repeat(20_000));
    for _ in 0..20 {
        match tokio.block_on(session.run(&deep))?.end {
            End::Threw(error) if error.name == "SyntaxError" && error.message.contains("split long expressions") => {}
            end => return Err(format!("a deep program ended as {end}").into()),
        }
        match tokio.block_on(session.run("return 1 + 1"))?.end {
            End::Returned(value) if value == json!(2) => {}
            end => return Err(format!("the next program ended as {end}").into()),
        }
    }
    Ok(())
}
