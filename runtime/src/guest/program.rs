//! The text of a program: checked, and its types taken away.
//!
//! It is read as the body of one function (`recovery.rs`). Types are erased in place, so that lines and columns stay; only syntax
//! that cannot be erased (enums, parameter properties) is transformed, with a map of positions.

use isolet_snapshots::stack::Position;
use swc_common::errors::{HANDLER, Handler};
use swc_common::sync::Lrc;
use swc_common::{GLOBALS, Globals, SourceMap};
use swc_ts_fast_strip::{ErrorCode, Mode, Options};

use super::assumption::Assumption;
use super::blame::{self, Blamed};
use super::envelope::Instead;
use super::nothing;
use super::outbox::MadeCall;
use super::probable;
use super::recovery::Reading;
use super::syntax::{SyntaxError, position_in, syntax};
use crate::contract::facts::Fact;

/// A program that V8 can compile.
pub(super) struct Program {
    /// The wrapped JavaScript: an expression whose value is the function.
    pub(super) javascript: String,
    /// Of transformed programs.
    map: Option<sourcemap::SourceMap>,
    reading: Reading,
}

impl Program {
    /// Checks `source` and takes its types away. `nesting_max`: how deep brackets may be nested.
    pub(super) fn new(source: &str, nesting_max: usize) -> Result<Self, SyntaxError> {
        let source = source.strip_prefix('\u{feff}').unwrap_or(source);
        check_nesting(source, nesting_max)?;
        check_angle_brackets(source)?;
        GLOBALS.set(&Globals::new(), || {
            let reading = Reading::of(source).map_err(|error| probable::explained(source, error))?;
            if !reading.has_types {
                return Ok(Self { javascript: reading.wrapped.clone(), map: None, reading });
            }
            match strip(&reading.wrapped, Mode::StripOnly) {
                Ok(stripped) => Ok(Self { javascript: stripped.code, map: None, reading }),
                Err(_) => Self::transformed(reading),
            }
        })
    }

    fn transformed(reading: Reading) -> Result<Self, SyntaxError> {
        let transformed = strip(&reading.wrapped, Mode::Transform)
            .map_err(|error| SyntaxError { message: error, ..SyntaxError::default() })?;
        let map = transformed.map.and_then(|map| sourcemap::SourceMap::from_slice(map.as_bytes()).ok());
        // The printer ends an expression with a semicolon and may break the first line: both are fine for V8.
        Ok(Self { javascript: transformed.code, map, reading })
    }

    /// What it provably says.
    pub(super) fn facts(&self) -> Vec<Fact> {
        self.reading.facts()
    }

    /// The reply that is to blame for an error at this place, if one was taken for something else.
    pub(super) fn blamed(&self, place: Position, calls: &[MadeCall]) -> Option<Blamed> {
        let wrapped = self.wrapped();
        blame::blamed(wrapped, place, calls, |byte| self.reading.position(position_in(wrapped, byte)))
    }

    /// Why it has returned nothing.
    pub(super) fn why_nothing(&self, calls: &[MadeCall]) -> String {
        let sentence = nothing::sentence(self.wrapped());
        let place = nothing::returned_at(self.wrapped()).map(|byte| self.reading.position(position_in(self.wrapped(), byte)));
        match place.and_then(|place| self.blamed(place, calls)).and_then(|blamed| blamed.instead) {
            Some(Instead { old, new }) => format!("{sentence}: write `{new}` instead of `{old}`"),
            None => sentence,
        }
    }

    /// What to write where it awaits an array of promises.
    pub(super) fn awaited_array(&self) -> Option<String> {
        nothing::awaited_array(self.wrapped())
    }

    /// It in the function that it runs in, as it was written.
    pub(super) fn wrapped(&self) -> &str {
        &self.reading.wrapped
    }

    /// What was assumed of it.
    pub(super) fn assumptions(&self) -> &[Assumption] {
        &self.reading.assumptions
    }

    /// A place in the JavaScript as a place in the program.
    pub(super) fn position(&self, position: Position) -> Position {
        let Some(map) = &self.map else { return self.reading.position(position) };
        map.lookup_token(position.line.saturating_sub(1), position.column.saturating_sub(1)).map_or(position, |token| {
            self.reading.position(Position { line: token.get_src_line() + 1, column: token.get_src_col() + 1 })
        })
    }
}

/// Refuses a program whose brackets are nested deeper than parsers bear. Brackets in strings and comments count as well:
/// this is a limit, not a grammar.
fn check_nesting(source: &str, nesting_max: usize) -> Result<(), SyntaxError> {
    let mut depth = 0_usize;
    for (place, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > nesting_max {
            let message = format!("brackets are nested deeper than {nesting_max} levels: split the expression");
            return Err(SyntaxError::at(position_in(source, place), message));
        }
    }
    Ok(())
}

/// Refuses a program with many type assertions (`<T><T>x`) or comparisons (`a < b < c`, `a < b, c < d`) in a row. The parser takes
/// each for the head of a function or for the arguments of a type first: so many take it the square of their number, and
/// assertions with brackets between them twice as long for each. Text that looks alike counts as well, and has never so many.
fn check_angle_brackets(source: &str) -> Result<(), SyntaxError> {
    const IN_A_ROW_MAX: usize = 200;
    const WITH_BRACKETS_MAX: usize = 16;
    const COMPARISONS_IN_A_ROW_MAX: usize = 1_000;
    let (mut in_a_row, mut with_brackets, mut compared) = (0, 0, 0);
    let mut place = source.find('<').unwrap_or(0);
    for part in source.split('<').skip(1) {
        place += part.len() + 1;
        let before_next = part.trim_ascii_end();
        let asserted = before_next.trim_end_matches(|c: char| c == '(' || c.is_ascii_whitespace());
        let is_type = |text: &str| {
            !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c.is_whitespace() || "_$.,|&[]".contains(c))
        };
        if asserted.strip_suffix('>').is_some_and(is_type) {
            in_a_row += 1;
            with_brackets += usize::from(asserted.len() < before_next.len());
        } else {
            (in_a_row, with_brackets) = (0, 0);
        }
        compared = if is_type(asserted) { compared + 1 } else { 0 };
        let refused = if compared > COMPARISONS_IN_A_ROW_MAX {
            "too many comparisons in a row: split them into statements"
        } else if in_a_row > IN_A_ROW_MAX || with_brackets > WITH_BRACKETS_MAX {
            "too many type assertions in a row: assert once, with `as`"
        } else {
            continue;
        };
        return Err(SyntaxError::at(position_in(source, place.min(source.len())), refused.to_owned()));
    }
    Ok(())
}

struct Stripped {
    code: String,
    map: Option<String>,
}

fn strip(wrapped: &str, mode: Mode) -> Result<Stripped, String> {
    let map = Lrc::new(SourceMap::default());
    let handler = Handler::with_emitter(false, false, Box::new(Silent));
    let source_map = matches!(mode, Mode::Transform);
    let options = Options { module: Some(false), parser: syntax(), mode, source_map, ..Options::default() };
    HANDLER
        .set(&handler, || swc_ts_fast_strip::operate(&map, &handler, wrapped.to_owned(), options))
        .map(|output| Stripped { code: output.code, map: output.map })
        .map_err(|error| match error.code {
            ErrorCode::UnsupportedSyntax => {
                "the program uses TypeScript that cannot be erased: write it as JavaScript".to_owned()
            }
            _ => error.message,
        })
}

/// Diagnostics are made from the parser's errors, not from what the stripper prints.
struct Silent;

impl swc_common::errors::Emitter for Silent {
    fn emit(&mut self, _: &mut swc_common::errors::DiagnosticBuilder<'_>) {}
}

#[cfg(test)]
mod tests {
    use super::super::syntax::{PREFIX, SUFFIX};
    use super::*;

    #[track_caller]
    fn javascript_of(source: &str) -> String {
        let program = Program::new(source, 100).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        program.javascript
    }

    #[track_caller]
    fn check_refused(source: &str, message: &str, line: u32, column: u32) {
        match Program::new(source, 100) {
            Err(error) => {
                assert!(error.message.contains(message), "{source}: {}", error.message);
                assert_eq!(error.position, Some(Position { line, column }), "{source}");
            }
            Ok(program) => panic!("{source} became {}", program.javascript),
        }
    }

    #[test]
    fn types_become_blanks() {
        let javascript = javascript_of("const a: number = 1;\nreturn a as unknown;");
        assert_eq!(javascript, format!("{PREFIX}const a         = 1;\nreturn a           ;{SUFFIX}"));
    }

    /// What stripping would make of a program that is found to have no types.
    #[track_caller]
    fn check_types(source: &str, has_types: bool) {
        let program = Program::new(source, 100).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        assert_eq!(program.reading.has_types, has_types, "{source}");
        let stripped = GLOBALS.set(&Globals::new(), || strip(program.wrapped(), Mode::StripOnly));
        if !has_types {
            assert_eq!(stripped.ok().map(|stripped| stripped.code).as_deref(), Some(&*program.javascript), "{source}");
        }
    }

    #[test]
    fn javascript_is_taken_as_it_stands() {
        for source in [
            "",
            "return 1 + 1",
            "const { a, b: [c = 2, ...d], ...e } = await github.list_issues({ owner: 'x', state: `open` });\nreturn a < b && c > d",
            "for (const x of [1, 2]) { label: while (true) { if (x) continue; break label } }",
            "async function f({ a }, [b], c = 1, ...d) { try { return a?.b?.(c) ?? d } catch { return null } finally { await g() } }\nfunction* g() { yield* [] }\nreturn f({}, [])",
            "const o = { get a() { return 1 }, set a(x) {}, async b() {}, *c() {}, [`d`]: 1, e }, e = (x, { y } = {}) => x, as = 1, type = 2, satisfies = 3\nreturn o.a ? as : type",
            "switch (1) { case 1: return tag`a${1}`; default: throw new Error('no', { cause: /x/u }) }",
            "let x; x ||= 1; x **= 2; delete x?.y; void 0; return typeof x, new Map([[1n, { ...x }]])",
        ] {
            check_types(source, false);
        }
    }

    #[test]
    fn every_kind_of_type_is_found() {
        for source in [
            "const a: number = 1",
            "let a!: number",
            "declare const a; return 1",
            "declare function f(); return 1",
            "function f(a?) { return a } return f()",
            "function f(this) { return 1 } return f()",
            "function f(); function f(a) { return a } return f()",
            "const f = (a?) => a; return f()",
            "const f = (a): string => a; return f()",
            "const f = <T,>(a) => a; return f(1)",
            "return new Map<string, number>()",
            "return f<number>(1)",
            "return tag<number>`x`",
            "const g = f<number>; return g",
            "return (1 as unknown)",
            "return [1] as const",
            "return { a: 1 } satisfies object",
            "return <number>1",
            "return a!.b",
            "interface A { a: number } return 1",
            "type A = number; return 1",
            "enum A { B } return A.B",
            "namespace A { export const b = 1 } return A.b",
            "class A { private a = 1 } return new A()",
            "return class { constructor(readonly a) {} }",
            "const o = { f(a: number) { return a }, get b(): number { return 1 } }; return o",
            "try { f() } catch (error: unknown) { return error }",
            "for (const a of (b as number[])) {}",
            "const { a }: { a: number } = b; return a",
        ] {
            check_types(source, true);
        }
    }

    #[test]
    fn an_enum_is_transformed_and_positions_are_mapped() {
        let program = Program::new("enum Colour { Red }\nthrow new Error(String(Colour.Red));", 100).ok();
        let program = program.as_ref().map(|program| {
            let line = program.javascript.lines().position(|line| line.contains("throw")).unwrap_or(0);
            let column = program.javascript.lines().nth(line).and_then(|text| text.find("new Error")).unwrap_or(0);
            let position =
                Position { line: u32::try_from(line + 1).unwrap_or(0), column: u32::try_from(column + 1).unwrap_or(0) };
            program.position(position)
        });
        assert_eq!(program, Some(Position { line: 2, column: 7 }));
    }

    #[test]
    fn a_program_that_closes_the_wrapper_is_refused() {
        for source in
            ["}); more(); (async () => {", "})(); (async () => {", "}, async () => {", "}); (() => {", "} async function f() {"]
        {
            assert!(Program::new(source, 100).is_err(), "{source}");
        }
    }

    #[test]
    fn a_syntax_error_has_its_place() {
        check_refused("const a = ;", "xpression expected", 1, 11);
        check_refused("\n\n  let = = 1", "", 3, 9);
    }

    #[test]
    fn deep_nesting_is_refused_and_its_edge_is_not() {
        let nested = |depth: usize| format!("return {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Program::new(&nested(100), 100).is_ok());
        check_refused(&nested(101), "nested deeper than 100 levels", 1, 108);
    }

    #[test]
    fn many_type_assertions_in_a_row_are_refused_and_the_edge_is_not() {
        for (unit, closing, edge) in [("<any>", "", 200), ("<any> (", ")", 16), ("<a.b[] | c>\n", "", 200)] {
            let program = |count: usize| format!("return {}1{}", unit.repeat(count), closing.repeat(count));
            assert!(Program::new(&program(edge), 500).is_ok(), "{unit}");
            let refused = Program::new(&program(edge + 2), 500).err().map(|error| error.message).unwrap_or_default();
            assert!(refused.contains("type assertions in a row"), "{unit}: {refused}");
        }
    }

    #[test]
    fn many_comparisons_in_a_row_are_refused_and_the_edge_is_not() {
        for comparison in ["a < ", "a < b,\n", "a.b<c|"] {
            let refused = |count: usize| check_angle_brackets(&comparison.repeat(count)).err().map(|error| error.message);
            assert_eq!(refused(1_000), None, "{comparison}");
            assert!(refused(1_002).is_some_and(|message| message.contains("comparisons in a row")), "{comparison}");
        }
    }

    #[test]
    fn angle_brackets_in_texts_and_comparisons_are_fine() {
        let table = "<td></td>".repeat(500);
        let page = "<div>text<br><br>".repeat(500);
        let compared = "a < b && b > c; ".repeat(500);
        for source in [format!("return `{table}{page}`"), compared, "f<A<B<C>>>(x); ".repeat(500)] {
            assert!(Program::new(&source, 100).is_ok(), "{source:.40}");
        }
    }

    #[test]
    fn a_comment_at_the_end_and_an_empty_program_are_fine() {
        assert!(javascript_of("return 1 // done").ends_with("// done\n})"));
        assert_eq!(javascript_of(""), format!("{PREFIX}{SUFFIX}"));
    }
}
