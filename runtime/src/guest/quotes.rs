//! Typographic quotes in the place of those of the language: “text” for "text".

use std::ops::Range;

use swc_common::Span;
use swc_ecma_ast::Str;
use swc_ecma_visit::{Visit, VisitWith};

use super::syntax::Tree;

const DOUBLE: [char; 4] = ['“', '”', '„', '‟'];
const SINGLE: [char; 4] = ['‘', '’', '‚', '‛'];

/// A text whose typographic quotes are straight wherever they seem to begin and end a string.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Straightened {
    /// As many UTF-16 units as before, line by line.
    pub(super) text: String,
    /// What has to be the strings, with their quotes: bytes of the new text.
    strings: Vec<Range<usize>>,
}

impl Straightened {
    /// Straightens `text`. None if there is nothing to straighten, or no straight quote that can stand there.
    pub(super) fn of(text: &str) -> Option<Self> {
        let straightened = Self { text: String::with_capacity(text.len()), strings: Vec::new() };
        let straightened = Scan { rest: text, straightened, templates: Vec::new() }.end()?;
        (!straightened.strings.is_empty()).then_some(straightened)
    }

    /// Whether the parser has found a string wherever quotes were straightened: none of them was in a text or a comment.
    pub(super) fn is_borne_out_by<Item: VisitWith<Strings>>(&self, tree: &Tree<Item>) -> bool {
        let mut strings = Strings::default();
        tree.items.iter().for_each(|item| item.visit_with(&mut strings));
        let mut found: Vec<_> = strings.spans.into_iter().map(|span| tree.bytes(span)).collect();
        found.sort_unstable_by_key(|bytes| bytes.start);
        self.strings.iter().all(|bytes| {
            let place = found.binary_search_by_key(&bytes.start, |found| found.start);
            place.is_ok_and(|place| found.get(place) == Some(bytes))
        })
    }
}

/// The strings of a program.
#[derive(Default)]
pub(super) struct Strings {
    spans: Vec<Span>,
}

impl Visit for Strings {
    fn visit_str(&mut self, string: &Str) {
        self.spans.push(string.span);
    }
}

/// Goes through a program roughly: it knows strings, templates and comments, and no regular expressions. What it takes wrongly for
/// a string, the parser does not.
struct Scan<'text> {
    rest: &'text str,
    straightened: Straightened,
    /// How many brackets are open in each `${` that is open.
    templates: Vec<usize>,
}

impl Scan<'_> {
    /// Goes to the end.
    fn end(mut self) -> Option<Straightened> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                '/' if self.rest.starts_with("//") => self.keep_through("\n"),
                '/' if self.rest.starts_with("/*") => self.keep_through("*/"),
                '"' | '\'' => self.keep_string(next),
                '`' => self.keep_template(),
                '{' => {
                    self.templates.iter_mut().next_back().into_iter().for_each(|open| *open += 1);
                    self.keep(1);
                }
                '}' => match self.templates.last_mut() {
                    Some(0) => {
                        self.templates.pop();
                        self.keep_template();
                    }
                    Some(open) => {
                        *open -= 1;
                        self.keep(1);
                    }
                    None => self.keep(1),
                },
                _ if DOUBLE.contains(&next) => self.straighten(DOUBLE, ['"', '\''])?,
                _ if SINGLE.contains(&next) => self.straighten(SINGLE, ['\'', '"'])?,
                _ => self.keep(next.len_utf8()),
            }
        }
        Some(self.straightened)
    }

    /// Takes so many bytes as they are.
    fn keep(&mut self, bytes: usize) {
        let (kept, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.straightened.text.push_str(kept);
        self.rest = rest;
    }

    fn keep_through(&mut self, end: &str) {
        self.keep(self.rest.find(end).map_or(self.rest.len(), |place| place + end.len()));
    }

    /// Takes a string with straight quotes; at the end of its line it ends at the latest.
    fn keep_string(&mut self, quote: char) {
        let end = self.rest.char_indices().skip(1).scan(false, |is_escaped, (place, character)| {
            let ends = !*is_escaped && (character == quote || character == '\n');
            *is_escaped = character == '\\' && !*is_escaped;
            Some((ends, place + character.len_utf8()))
        });
        let end = end.into_iter().find_map(|(ends, place)| ends.then_some(place));
        self.keep(end.unwrap_or(self.rest.len()));
    }

    /// Takes the text of a template, from the backtick or the bracket before it through the one after it.
    fn keep_template(&mut self) {
        let mut place = 1;
        while let Some(next) = self.rest.get(place..).and_then(|rest| rest.chars().next()) {
            place += next.len_utf8();
            match next {
                '\\' => place += self.rest.get(place..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8),
                '`' => return self.keep(place),
                '$' if self.rest.get(place..).is_some_and(|rest| rest.starts_with('{')) => {
                    self.templates.push(0);
                    return self.keep(place + 1);
                }
                _ => {}
            }
        }
        self.keep(place);
    }

    /// Takes what is between two typographic quotes as a string, in whichever of `straight` it does not have.
    fn straighten(&mut self, typographic: [char; 4], straight: [char; 2]) -> Option<()> {
        let mut within = self.rest.chars();
        within.next();
        let within = within.as_str();
        let (string, _) = within.split_once(typographic)?;
        let quote = straight.into_iter().find(|quote| !string.contains(*quote))?;
        if string.contains('\n') {
            return None;
        }
        let start = self.straightened.text.len();
        self.straightened.text.extend([quote]);
        self.straightened.text.push_str(string);
        self.straightened.text.extend([quote]);
        self.straightened.strings.push(start..self.straightened.text.len());
        let closing = within.get(string.len()..)?;
        self.rest = closing.get(closing.chars().next()?.len_utf8()..)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::syntax;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let straightened = Straightened::of(text).map(|straightened| straightened.text);
        assert_eq!(straightened.as_deref(), expected, "{text}");
    }

    #[test]
    fn quotes_around_strings_become_straight() {
        check("f(“a”, ‘b’, „c“)", Some("f(\"a\", 'b', \"c\")"));
        check("f(“it’s”, ‘say \"x\"’, “say \"x\"”)", Some("f(\"it’s\", 'say \"x\"', 'say \"x\"')"));
    }

    #[test]
    fn quotes_in_strings_templates_and_comments_stay() {
        check("// it’s “x”\n/* “y”\n ’ */ f(\"a “b”\", 'c\\'’', `d ’ ${e} “`)", None);
        check("`a ${f({ b: “c” })} ’` + ‘d’", Some("`a ${f({ b: \"c\" })} ’` + 'd'"));
    }

    #[test]
    fn a_quote_without_its_other_half_or_with_both_straight_ones_is_left() {
        check("f(“a)", None);
        check("f(“a\n”)", None);
        check("f(“a's \"b\"”)", None);
    }

    #[test]
    fn what_the_parser_takes_for_no_string_is_not_borne_out() {
        let is_borne_out = |text: &str| {
            let straightened = Straightened::of(text)?;
            let tree = syntax::function_body(&syntax::wrapped(&straightened.text)).ok()?;
            Some(straightened.is_borne_out_by(&tree))
        };
        assert_eq!(is_borne_out("return /x/.test(“a”)"), Some(true));
        assert_eq!(is_borne_out("return { [‘a’]: “b” } as { c: ‘d’ }"), Some(true));
        assert_eq!(is_borne_out("return /\"/.test(\"” + x + “\")"), Some(false));
    }
}
