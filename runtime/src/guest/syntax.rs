//! The text of a program as the parser sees it: the body of one function, or a module; and places in it.
//!
//! A program is wrapped into one function, the wrapped text is parsed, and anything but exactly one function is refused:
//! otherwise `}); more(); (() => {` would close the wrapper (ENGINE.md §6.3).

use std::ops::Range;

use crate::contract::facts::Said;
use isolet_snapshots::stack::Position;
use swc_common::sync::Lrc;
use swc_common::{BytePos, FileName, SourceMap, Span, Spanned as _};
use swc_ecma_ast::{ArrowFunctionBody, Expr, ModuleItem, Script, Stmt};
use swc_ecma_parser::{PResult, Parser, StringInput, Syntax, TsSyntax, lexer::Lexer};

/// Before the program, on its first line.
pub(super) const PREFIX: &str = "\"use strict\";(async () => {";
/// After the program, on a line of its own: a comment may be its last line.
pub(super) const SUFFIX: &str = "\n})";

/// A program that is not well formed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) message: String,
    /// In the program, not in the wrapped text.
    pub(super) position: Option<Position>,
    /// What the host is to say of it.
    pub(super) said: Option<Box<Said>>,
}

impl SyntaxError {
    /// One that the guest says all of.
    pub(super) fn at(position: Position, message: String) -> Self {
        Self { message, position: Some(position), said: None }
    }

    /// What the host is told: as of any other error that a program throws.
    pub(super) fn facts(&self) -> String {
        serde_json::json!({ "name": "SyntaxError", "message": self.message }).to_string()
    }
}

/// What the parser made of a text, statement by statement.
pub(super) struct Tree<Item> {
    pub(super) items: Vec<Item>,
    /// Where the program begins.
    first: BytePos,
}

impl<Item> Tree<Item> {
    /// Where a part of the tree stands in the program, bytes.
    pub(super) fn bytes(&self, span: Span) -> Range<usize> {
        let place = |position: BytePos| position.0.saturating_sub(self.first.0) as usize;
        place(span.lo)..place(span.hi)
    }
}

/// The program in the function that it runs in.
pub(super) fn wrapped(program: &str) -> String {
    [PREFIX, program, SUFFIX].concat()
}

/// Parses a wrapped program and refuses anything but one async function that begins and ends where the wrapper does. Gives the
/// statements of that function.
pub(super) fn function_body(wrapped: &str) -> Result<Tree<Stmt>, SyntaxError> {
    let (parsed, start) = parsed(wrapped, |parser| parser.parse_script());
    let at = |position: BytePos| in_program(position_in(wrapped, (position.0.saturating_sub(start.0)) as usize));
    let script = parsed.map_err(|error| SyntaxError::at(at(error.span().lo), error.kind().msg().into_owned()))?;
    let end = BytePos(start.0.saturating_add(u32::try_from(wrapped.len()).unwrap_or(u32::MAX)));
    let items = inside_wrapper(script, start, end).map_err(|span| {
        let message = "the program closes the function that it runs in: brackets do not match".to_owned();
        SyntaxError::at(at(span.lo), message)
    })?;
    Ok(Tree { items, first: BytePos(start.0 + prefix_bytes()) })
}

/// Parses a text as what stands in parentheses, if that is what it can be: a function without a name is no statement.
pub(super) fn in_parentheses(text: &str) -> Option<Tree<Stmt>> {
    let Tree { items, first } = function_body(&wrapped(&format!("({text}\n)"))).ok()?;
    Some(Tree { items, first: BytePos(first.0 + 1) })
}

/// Parses a text as a module, if it is one.
pub(super) fn module(text: &str) -> Option<Tree<ModuleItem>> {
    let (parsed, start) = parsed(text, |parser| parser.parse_module());
    Some(Tree { items: parsed.ok()?.body, first: start })
}

/// What the parser makes of a text that it finds no fault with, and where the text begins.
fn parsed<Parsed>(text: &str, parse: impl FnOnce(&mut Parser<Lexer<'_>>) -> PResult<Parsed>) -> (PResult<Parsed>, BytePos) {
    let map = SourceMap::default();
    let file = map.new_source_file(Lrc::new(FileName::Anon), text.to_owned());
    let lexer = Lexer::new(Syntax::Typescript(syntax()), swc_ecma_ast::EsVersion::latest(), StringInput::from(&*file), None);
    let mut parser = Parser::new_from(lexer);
    let parsed = parse(&mut parser);
    let mut passed_over = parser.take_errors().into_iter();
    let parsed = match parsed {
        Ok(parsed) => passed_over.next().map_or(Ok(parsed), Err),
        // A text that is not closed on its line is the cause of what is found after it.
        Err(error) => Err(passed_over.find(|earlier| earlier.kind().msg().contains("Unterminated string")).unwrap_or(error)),
    };
    (parsed, file.start_pos)
}

/// The statements inside the one function of the wrapper, or the part of the script that is not inside it.
fn inside_wrapper(script: Script, start: BytePos, end: BytePos) -> Result<Vec<Stmt>, Span> {
    let outside = script.body.get(2).map_or(script.span, |statement| statement.span());
    let Ok([Stmt::Expr(_directive), Stmt::Expr(function)]) = <[Stmt; 2]>::try_from(script.body) else { return Err(outside) };
    let span = function.span;
    let Expr::Paren(parenthesised) = *function.expr else { return Err(span) };
    let Expr::Arrow(arrow) = *parenthesised.expr else { return Err(span) };
    let body = arrow.body.span();
    let is_whole = body.lo.0 + 1 == start.0 + prefix_bytes() && body.hi.0 + 1 == end.0 && arrow.is_async;
    match *arrow.body {
        ArrowFunctionBody::FunctionBody(function) if is_whole => Ok(function.stmts),
        _ => Err(body),
    }
}

fn prefix_bytes() -> u32 {
    u32::try_from(PREFIX.len()).unwrap_or(0)
}

pub(super) fn syntax() -> TsSyntax {
    TsSyntax { decorators: true, ..TsSyntax::default() }
}

/// A place in the wrapped text as a place in the program: the first line is shifted.
pub(super) fn in_program(Position { line, column }: Position) -> Position {
    let shift = if line == 1 { prefix_bytes() } else { 0 };
    Position { line, column: column.saturating_sub(shift).max(1) }
}

/// The place of a byte, column in UTF-16 units.
pub(super) fn position_in(text: &str, byte: usize) -> Position {
    let before = &text.as_bytes()[..byte.min(text.len())];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = String::from_utf8_lossy(&before[line_start..]).encode_utf16().count() + 1;
    Position { line: u32::try_from(line).unwrap_or(0), column: u32::try_from(column).unwrap_or(0) }
}
