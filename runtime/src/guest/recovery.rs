//! What a program plainly means although it is not written as the body of a function: Markdown around it, typographic quotes, a
//! function that nobody calls, a last expression that nobody returns.
//!
//! Nothing is assumed of a text that is a program as it stands, and nothing where there are two ways to read it. Each way is again
//! one function to the parser, keeps every place of the text as it was written, and is told of in the outcome's notes.

use isolet_snapshots::stack::Position;
use swc_common::Spanned as _;
use swc_ecma_ast::{Expr, Stmt};

use super::assumption::Assumption;
use super::declarations::{is_called_plainly, unparenthesised};
use super::edits::{Edits, Insertion};
use super::exports::exported;
use super::facts::{self, Found};
use super::fences::{self, Block};
use super::meaning::meaning;
use super::quotes::Straightened;
use super::syntax::{self, SyntaxError, Tree};
use super::types;
use crate::contract::facts::Fact;

/// A text as the program that is run.
#[derive(Debug)]
pub(super) struct Reading {
    /// In the function that it runs in.
    pub(super) wrapped: String,
    pub(super) assumptions: Vec<Assumption>,
    /// Whether it may be more than JavaScript.
    pub(super) has_types: bool,
    /// What the program says, where it stands in what is run.
    found: Vec<Found>,
    /// What stands in the program and not in the text.
    insertions: Vec<Insertion>,
}

impl Reading {
    /// Reads a text: as it stands if that is a program, else as the one that it plainly means.
    pub(super) fn of(text: &str) -> Result<Self, SyntaxError> {
        let parsed = Body::of(text);
        if let Ok(body) = &parsed
            && !body.tree.items.iter().any(is_markdown)
        {
            return parsed.map(|body| Self::of_body(text, body));
        }
        let blocks = fences::blocks(text);
        if !blocks.is_empty() {
            return Self::of_blocks(text, &blocks, parsed.err());
        }
        parsed.map(Self::as_written).or_else(|error| Self::mended(text).ok_or(error))
    }

    /// A place in the program, as V8 has it, as one in the text.
    pub(super) fn position(&self, position: Position) -> Position {
        self.insertions.iter().fold(syntax::in_program(position), |position, insertion| insertion.undone(position))
    }

    /// What the program provably says, where it stands in the text.
    pub(super) fn facts(&self) -> Vec<Fact> {
        let fact = |Found { place, is_reached, said }: &Found| {
            let Position { line, column } = self.position(syntax::position_in(&self.wrapped, syntax::PREFIX.len() + place));
            Fact { line, column, is_reached: *is_reached, said: said.clone() }
        };
        self.found.iter().map(fact).collect()
    }

    fn as_written(body: Body) -> Self {
        Self::new(body, Vec::new(), Vec::new())
    }

    fn new(body: Body, assumptions: Vec<Assumption>, insertions: Vec<Insertion>) -> Self {
        let (found, has_types) = (facts::found(&body.tree), types::are_in(&body.tree.items));
        Self { wrapped: body.wrapped, assumptions, has_types, found, insertions }
    }

    /// A text that is a program as it stands, or with what it leaves out.
    fn of_body(text: &str, body: Body) -> Self {
        let meant = meaning(&body.tree).and_then(|(assumption, edits)| Self::edited(text, &edits, assumption));
        meant.unwrap_or_else(|| Self::as_written(body))
    }

    /// The one block that is a program. `error`: of the text around the blocks.
    fn of_blocks(text: &str, blocks: &[Block], error: Option<SyntaxError>) -> Result<Self, SyntaxError> {
        let mut readings: Vec<_> = blocks.iter().map(|block| (block, Self::of_block(&block.text))).collect();
        let mut programs = readings.iter().filter(|(_, reading)| reading.is_ok());
        if let (Some(_), Some((second, _))) = (programs.next(), programs.next()) {
            let message = "the text has more than one program in code fences: send one program, without a fence".to_owned();
            return Err(SyntaxError::at(syntax::position_in(text, second.place), message));
        }
        let place = readings.iter().position(|(_, reading)| reading.is_ok()).unwrap_or(0);
        let (_, reading) = readings.swap_remove(place);
        match (reading, error) {
            (Err(_), Some(error)) if blocks.len() > 1 => Err(error),
            (reading, _) => reading.map(|reading| reading.assuming_also(Assumption::Fence)),
        }
    }

    fn of_block(text: &str) -> Result<Self, SyntaxError> {
        Body::of(text).map(|body| Self::of_body(text, body)).or_else(|error| Self::mended(text).ok_or(error))
    }

    /// A text that is no program, with straight quotes, or as one function.
    fn mended(text: &str) -> Option<Self> {
        let Some(straightened) = Straightened::of(text) else { return Self::of_function(text, None) };
        let reading = match Body::of(&straightened.text) {
            Ok(body) if straightened.is_borne_out_by(&body.tree) => Some(Self::of_body(&straightened.text, body)),
            Ok(_) => None,
            Err(_) => Self::of_function(&straightened.text, Some(&straightened)),
        };
        reading.map(|reading| reading.assuming_also(Assumption::Quotes))
    }

    /// A text that is a module, or a function without a name.
    fn of_function(text: &str, straightened: Option<&Straightened>) -> Option<Self> {
        if let Some(tree) = syntax::module(text) {
            let is_borne_out = straightened.is_none_or(|straightened| straightened.is_borne_out_by(&tree));
            return is_borne_out
                .then(|| exported(&tree))
                .flatten()
                .and_then(|edits| Self::edited(text, &edits, Assumption::Export));
        }
        let trimmed = text.trim_end();
        let tree = syntax::in_parentheses(trimmed.strip_suffix(';').unwrap_or(trimmed))?;
        let [Stmt::Expr(statement)] = tree.items.as_slice() else { return None };
        let function = unparenthesised(&statement.expr);
        let is_meant =
            is_called_plainly(function) && straightened.is_none_or(|straightened| straightened.is_borne_out_by(&tree));
        is_meant
            .then(|| Edits::default().call(tree.bytes(function.span())))
            .and_then(|edits| Self::edited(text, &edits, Assumption::Function))
    }

    /// A text with something inserted and blanked, if that is a program.
    fn edited(text: &str, edits: &Edits, assumption: Assumption) -> Option<Self> {
        let body = Body::of(&edits.text(text)).ok()?;
        Some(Self::new(body, vec![assumption], edits.insertions(text)))
    }

    fn assuming_also(mut self, assumption: Assumption) -> Self {
        self.assumptions.insert(0, assumption);
        self
    }
}

/// A program in the function that it runs in.
struct Body {
    wrapped: String,
    tree: Tree<Stmt>,
}

impl Body {
    fn of(program: &str) -> Result<Self, SyntaxError> {
        let wrapped = syntax::wrapped(program);
        let tree = syntax::function_body(&wrapped)?;
        Ok(Self { wrapped, tree })
    }
}

/// Whether a statement holds a Markdown fence: three backticks as code are an empty template that is called with another one, which
/// no program can mean.
fn is_markdown(mut statement: &Stmt) -> bool {
    while let Stmt::Labeled(labelled) = statement {
        statement = &labelled.body;
    }
    let Stmt::Expr(statement) = statement else { return false };
    let mut expression = &*statement.expr;
    while let Expr::TaggedTpl(tagged) = expression {
        let before = match &*tagged.tag {
            Expr::Tpl(template) => Some(template.span),
            Expr::TaggedTpl(before) => Some(before.tpl.span),
            _ => None,
        };
        if before.is_some_and(|before| before.hi == tagged.tpl.span.lo && before.hi.0 - before.lo.0 == 2) {
            return true;
        }
        expression = &tagged.tag;
    }
    false
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a test fails by panicking")]

    use swc_common::{GLOBALS, Globals};

    use super::Assumption::{Export, Fence, Function, LastExpression, Quotes};
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, assumptions: &[Assumption]) {
        let reading = GLOBALS.set(&Globals::new(), || Reading::of(text)).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(reading.wrapped, syntax::wrapped(expected), "{text}");
        assert_eq!(reading.assumptions, assumptions, "{text}");
    }

    #[track_caller]
    fn check_as_written(text: &str) {
        check(text, text, &[]);
    }

    #[track_caller]
    fn check_refused(text: &str, message: &str, line: u32) {
        match GLOBALS.set(&Globals::new(), || Reading::of(text)) {
            Ok(reading) => panic!("{text} became {}", reading.wrapped),
            Err(error) => {
                assert!(error.message.contains(message), "{text}: {}", error.message);
                assert_eq!(error.position.map(|position| position.line), Some(line), "{text}");
            }
        }
    }

    #[test]
    fn the_one_fenced_program_is_read_where_it_stands() {
        check("```ts\nreturn 1\n```", "\nreturn 1\n", &[Fence]);
        check("```ts\nconst a = `x`;\nreturn a;\n```\n", "\nconst a = `x`;\nreturn a;\n", &[Fence]);
        check("Sure!\n\n```\nreturn 1\n", "\n\n\nreturn 1\n", &[Fence]);
        check("\nProgram:\n```js\nreturn 1\n```", "\n\n\nreturn 1\n", &[Fence]);
        check("It's this:\n```ts\nreturn 1\n```\nIt counts.", "\n\nreturn 1\n", &[Fence]);
        check("```bash\nls\n```\nthen\n```ts\nreturn 1\n```", "\n\n\n\n\nreturn 1\n", &[Fence]);
        check("```ts\nf(“a”)\n```", "\nreturn f(\"a\")\n", &[Fence, Quotes, LastExpression]);
        check("```ts\nasync () => 1\n```", "\nreturn (async () => 1)()\n", &[Fence, Function]);
    }

    #[test]
    fn several_fenced_programs_are_none_and_an_error_in_the_one_is_its_own() {
        check_refused("A:\n```ts\nreturn 1\n```\nB:\n```ts\nreturn 2\n```", "more than one program in code fences", 7);
        check_refused("```ts\n1\n```\n```ts\n2\n```", "more than one program in code fences", 5);
        check_refused("It's this:\n```ts\nconst a = ;\n```", "xpression expected", 3);
        check_refused("It's this:\n```ts\n}); more(); (() => {\n```", "closes the function", 3);
        check_refused("const text = `# Usage\n```js\nremove()\n```\n`;\nreturn text +", "", 7);
    }

    #[test]
    fn typographic_quotes_around_strings_are_straight_and_places_stay() {
        check("return f(“a”, ‘it’)", "return f(\"a\", 'it')", &[Quotes]);
        check_as_written("return \"“a”\" // ’");
        check_refused("return f(‘it’s’)", "", 1);
        check_refused("return /\"/.test(\"” + x + “\") +", "", 2);
    }

    #[test]
    fn the_one_function_is_called() {
        check("async () => {\n  return 1;\n}", "return (async () => {\n  return 1;\n})()", &[Function]);
        check("(async function () { return 1 });", "return ((async function () { return 1 }))();", &[Function]);
        check("// a\nasync function () { return 1 };\n", "// a\nreturn (async function () { return 1 })();\n", &[Function]);
        check("async function run() {} // b", "async function run() {};return run() // b", &[Function]);
        check(
            "interface A {}\nconst run = async (): Promise<A> => ({});",
            "interface A {}\nconst run = async (): Promise<A> => ({});;return run()",
            &[Function],
        );
    }

    #[test]
    fn a_function_that_is_not_the_one_or_wants_something_is_not_called() {
        for text in [
            "async ({ github }) => 1",
            "async function run(a = 1) {}",
            "async function* run() { yield 1 }",
            "function a() {}\nasync function main() {}",
            "const a = 1; async function main() {}",
            "const a = async () => {}, b = 1",
            "function over(a: string): void;\nfunction over(a: any) {}",
        ] {
            check_as_written(text);
        }
    }

    #[test]
    fn the_one_function_that_is_exported_is_called() {
        check("export default async function main() {}", "               async function main() {};return main()", &[Export]);
        check(
            "const a = 1;\nexport default async () => a;",
            "const a = 1;\n               return (async () => a)();",
            &[Export],
        );
        check("export default function () {}", "               return (function () {})()", &[Export]);
        check(
            "export async function run() {}\nfunction a() {}",
            "       async function run() {}\nfunction a() {};return run()",
            &[Export],
        );
        check(
            "export interface A {}\nexport const run = () => 1",
            "       interface A {}\n       const run = () => 1;return run()",
            &[Export],
        );
        check(
            "async function main() {}\nexport default main;",
            "async function main() {}\n                    ;return main()",
            &[Export],
        );
        check("module.exports = async () => 1;", "                 return (async () => 1)();", &[Export]);
        check(
            "const run = () => 1;\nmodule.exports.run = run",
            "const run = () => 1;\n                     return run()",
            &[Export],
        );
    }

    #[test]
    fn an_export_of_anything_else_and_one_that_is_called_is_no_program() {
        for text in [
            "export default { run() {} }",
            "export default async function main(a) {}",
            "export const a = () => 1; export const b = () => 2",
            "export async function main() {}\nawait main();",
            "import a from 'a';\nexport default () => a",
            "export default class {}",
            "export default async () => a;\nconst a = 1;",
        ] {
            check_refused(text, "", 1);
        }
        check_as_written("module.exports = { run() {} }");
        check_as_written("const run = () => 1; run();\nmodule.exports = run");
    }

    #[test]
    fn the_last_expression_is_returned() {
        check("const a = 1;\na", "const a = 1;\nreturn a", &[LastExpression]);
        check(
            "main();\nasync function main() { return 1 }",
            "return main();\nasync function main() { return 1 }",
            &[LastExpression],
        );
        check("(async () => { return 1 })();", "return (async () => { return 1 })();", &[LastExpression]);
        check("void main().catch(f)", "     return main().catch(f)", &[LastExpression]);
        check("!async function () {}()", " return async function () {}()", &[LastExpression]);
        check("({ a: 1 });", "return ({ a: 1 });", &[LastExpression]);
        check(
            "for (const a of b) f(() => { return a });\n`${a}`",
            "for (const a of b) f(() => { return a });\nreturn `${a}`",
            &[LastExpression],
        );
        check("void 0", "return void 0", &[LastExpression]);
    }

    #[test]
    fn with_a_return_of_its_own_or_no_expression_at_its_end_a_program_is_as_it_stands() {
        for text in [
            "if (a) { return 1 }\nb",
            "for (const a of b) switch (a) { case 1: return }\nb",
            "try { f() } catch { return } finally {}\nb",
            "const a = 1",
            "if (a) b",
            "\"use strict\"",
            "",
            "const f = () => 1;\nf;\n(a) => 1",
            "l: f()",
        ] {
            check_as_written(text);
        }
    }
}
