//! The function that lacks its `async`: the innermost one around an `await` that the parser did not take for one.
//!
//! A text with such an `await` has no tree. With another word of one operand and as many letters in its place it has one, in which every part stands
//! where it stands in the text.

use isolet_snapshots::stack::Position;
use swc_common::{GLOBALS, Globals, Spanned as _};
use swc_ecma_ast::{ArrowExpr, ClassMethod, Function};
use swc_ecma_visit::{Visit, VisitWith};

use super::syntax;

const AWAIT: &str = "await";
const OTHER_WORD: &str = "void ";
/// Places where a text may lack an `async`.
const PLACES_MAX: usize = 32;
/// The longest beginning of a function that is told, bytes.
const HEAD_BYTES_MAX: usize = 100;

/// Whether what the parser did not expect stands after `await`.
pub(super) fn is_to_blame(text: &str, position: Position) -> bool {
    await_before(text, position).is_some()
}

/// How the function around that `await` begins, up to its body: `(issue) =>`.
pub(super) fn head(text: &str, position: Position) -> Option<String> {
    let place = await_before(text, position)?;
    let mut other = text.to_owned();
    other.replace_range(place..place + AWAIT.len(), OTHER_WORD);
    let function = GLOBALS.set(&Globals::new(), || {
        for _ in 0..PLACES_MAX {
            match syntax::function_body(&syntax::wrapped(&other)) {
                Ok(tree) => {
                    let mut functions = Functions::default();
                    tree.items.iter().for_each(|item| item.visit_with(&mut functions));
                    let functions =
                        functions.0.into_iter().map(|(whole, body, is_async)| (tree.bytes(whole), tree.bytes(body), is_async));
                    let around = functions.filter(|(_, body, _)| body.contains(&place));
                    return around.min_by_key(|(whole, ..)| whole.len());
                }
                Err(error) => {
                    let place = await_before(&other, error.position?)?;
                    other.replace_range(place..place + AWAIT.len(), OTHER_WORD);
                }
            }
        }
        None
    });
    let (whole, body, is_async) = function?;
    let head = text.get(whole.start..body.start)?.trim_end();
    let is_plain = !is_async && !head.is_empty() && head.len() <= HEAD_BYTES_MAX && !head.contains(['\n', '`']);
    is_plain.then(|| head.to_owned())
}

/// The `await` that stands right before a place, by its first byte.
fn await_before(text: &str, position: Position) -> Option<usize> {
    let before = text.get(..byte_of(text, position)?)?.trim_end();
    before.ends_with(AWAIT).then(|| before.len() - AWAIT.len())
}

/// The byte at a place, whose column counts units of UTF-16.
pub(super) fn byte_of(text: &str, position: Position) -> Option<usize> {
    let line = usize::try_from(position.line).ok()?.checked_sub(1)?;
    let mut left = usize::try_from(position.column).ok()?.saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    for (byte, character) in text.get(start..)?.char_indices() {
        if left == 0 {
            return Some(start + byte);
        }
        left = left.saturating_sub(character.len_utf16());
    }
    Some(text.len())
}

/// Functions: all of each, its body, and whether it is async.
#[derive(Default)]
struct Functions(Vec<(swc_common::Span, swc_common::Span, bool)>);

impl Visit for Functions {
    fn visit_arrow_expr(&mut self, arrow: &ArrowExpr) {
        self.0.push((arrow.span, arrow.body.span(), arrow.is_async));
        arrow.visit_children_with(self);
    }

    fn visit_function(&mut self, function: &Function) {
        if let Some(body) = &function.body {
            self.0.push((function.span, body.span(), function.is_async));
        }
        function.visit_children_with(self);
    }

    fn visit_class_method(&mut self, method: &ClassMethod) {
        if let Some(body) = method.function.body.as_ref().filter(|_| !method.is_static && method.accessibility.is_none()) {
            self.0.push((method.span, body.span(), method.function.is_async));
            body.visit_with(self);
        } else {
            method.visit_children_with(self);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let error = GLOBALS.set(&Globals::new(), || syntax::function_body(&syntax::wrapped(text)).err());
        let position = error.and_then(|error| error.position).unwrap_or(Position { line: 0, column: 0 });
        assert_eq!(head(text, position).as_deref(), expected, "{text}");
    }

    #[test]
    fn the_innermost_function_around_the_await_is_named() {
        check("const f = (x) => {\n  return await x.y();\n};", Some("(x) =>"));
        check("function fill(a, b) {\n  await x.y({ a });\n  await x.z({ b });\n}", Some("function fill(a, b)"));
        check("const o = { read(name: string) { const é = 1; return await x.y(); } };", Some("read(name: string)"));
        check("class A { read(name: string) {\n return await x.y(); } }", Some("read(name: string)"));
        check("return x.y().then((found) => {\n  const [first] = found;\n  const page = await x.z();\n});", Some("(found) =>"));
    }

    #[test]
    fn nothing_is_named_where_another_fault_is_or_none() {
        check("const a = ;", None);
        check("const f = (x) => { await x.y(; };", None);
        check("return await x.y();", None);
    }
}
