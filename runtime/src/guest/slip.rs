//! The one small change that makes a text a program: a bracket that is missing or too many, a comma, a quote, a word of another language.
//!
//! Nothing is run but what was written. What is found here is said, and only if the text with the change is a program to the parser.

use isolet_snapshots::stack::Position;
use swc_common::{GLOBALS, Globals};

use super::brackets::{self, Open};
use super::lacking_async::byte_of;
use super::syntax::{self, SyntaxError, position_in};

/// The longest text that is looked at, bytes: each change is parsed.
const TEXT_BYTES_MAX: usize = 16 << 10;
/// The longest part of a program that a message repeats, bytes.
const SHOWN_BYTES_MAX: usize = 80;
/// Brackets that were left open which are looked at, quotes of one line, and places where one may be missing.
const OPEN_MAX: usize = 4;
const QUOTES_MAX: usize = 6;
const ENDS_MAX: usize = 8;
/// Words of other languages, and what they are in this one.
const WORDS: [(&str, &str); 4] = [("and", "&&"), ("or", "||"), ("is", "==="), ("not", "!")];
/// Words that no variable can be called.
const RESERVED: [&str; 18] = [
    "case",
    "class",
    "default",
    "delete",
    "enum",
    "export",
    "function",
    "import",
    "in",
    "interface",
    "new",
    "package",
    "private",
    "public",
    "static",
    "switch",
    "this",
    "with",
];

/// A change of a text.
struct Change {
    /// What is replaced, bytes, and by what.
    from: usize,
    to: usize,
    new: String,
    /// What is wrong.
    why: String,
    how: How,
}

/// How a change is told.
enum How {
    /// `write ... instead of ...`.
    Instead,
    /// `remove it`, said of the first byte of what is replaced.
    Remove,
    /// `end with ...`.
    End,
    /// `write ... instead of each ...`: all of them, of which the change replaces the whole text.
    Each { old: String, new: String },
}

/// The error, if one small change of the text undoes it.
pub(super) fn found(text: &str, error: &SyntaxError) -> Option<SyntaxError> {
    // What ends the function around it may be meant so, and of Markdown only a part is the program.
    let is_plain = text.len() <= TEXT_BYTES_MAX && !error.message.contains("closes the function") && !text.contains("```");
    let position = error.position.filter(|_| is_plain)?;
    let place = byte_of(text, position)?;
    // The end of the function around the program is no place in it.
    let position = if place < text.len() { position } else { position_in(text, text.trim_end().len()) };
    let is_open_text = error.message.contains("Unterminated string");
    GLOBALS.set(&Globals::new(), || {
        let mut changes = if is_open_text { quotes(text, place) } else { brackets_and_marks(text, place) };
        changes.extend(apostrophes(text, place));
        changes.extend(words(text, place));
        changes.into_iter().filter(|change| change.makes_a_program(text)).find_map(|change| change.said(text, position))
    })
}

impl Change {
    fn new(from: usize, to: usize, new: impl Into<String>, why: impl Into<String>) -> Self {
        Self { from, to, new: new.into(), why: why.into(), how: How::Instead }
    }

    fn told(self, how: How) -> Self {
        Self { how, ..self }
    }

    fn makes_a_program(&self, text: &str) -> bool {
        let (Some(before), Some(after)) = (text.get(..self.from), text.get(self.to..)) else { return false };
        let changed = [before, &self.new, after].concat();
        syntax::function_body(&syntax::wrapped(&changed)).is_ok()
    }

    /// The error with what to do.
    fn said(&self, text: &str, position: Position) -> Option<SyntaxError> {
        let Self { from, new, why, .. } = self;
        let (position, remedy) = match &self.how {
            How::Instead => {
                let (old, new) = self.shown(text)?;
                (position, format!("write `{new}` instead of `{old}`"))
            }
            How::Remove => (position_in(text, *from), "remove it".to_owned()),
            How::End => (position_in(text, text.trim_end().len()), format!("end with `{}`", new.trim())),
            How::Each { old, new } => (position, format!("write `{new}` instead of each `{old}`")),
        };
        Some(SyntaxError::at(position, format!("{why}: {remedy}")))
    }

    /// What is replaced and what replaces it, with enough of its line that it is found again.
    fn shown(&self, text: &str) -> Option<(String, String)> {
        let line = text.get(..self.from)?.rfind('\n').map_or(0, |end| end + 1);
        let before = text.get(line..self.from)?;
        // A message parts its sentences by these, and quotes in backticks.
        let cut = ["`", "; ", " | "].iter().filter_map(|mark| before.rfind(mark).map(|at| at + mark.len())).max().unwrap_or(0);
        let kept = before.get(cut..)?.trim_start();
        let mut skipped = kept.len().saturating_sub(SHOWN_BYTES_MAX);
        // A name is shown whole, or not at all.
        while skipped > 0
            && skipped < kept.len()
            && (!kept.is_char_boundary(skipped) || kept[skipped..].starts_with(is_of_name))
        {
            skipped += 1;
        }
        let kept = &kept[skipped..];
        let old = format!("{kept}{}", text.get(self.from..self.to)?);
        let new = format!("{kept}{}", self.new);
        let is_word = |text: &str| {
            !text.trim().is_empty()
                && text.len() <= 2 * SHOWN_BYTES_MAX
                && ["`", "; ", " | ", "\n"].iter().all(|mark| !text.contains(mark))
        };
        (is_word(&old) && is_word(&new)).then_some((old, new))
    }
}

/// Brackets, commas and other marks that are missing, too many, or others than those that are written here.
fn brackets_and_marks(text: &str, place: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    let end = text.get(..place).map_or(0, |before| before.trim_end().len());
    let whole = text.trim_end().len();
    let open = brackets::left_open(text);
    changes.extend(
        open.iter().rev().filter(|open| open.bracket == '{').take(OPEN_MAX).filter_map(|open| before_the_next(text, open)),
    );
    for (closing, opening) in [(')', '('), (']', '['), ('}', '{')] {
        if closing != '}' || end < whole {
            changes.push(Change::new(end, end, closing, format!("a `{opening}` is not closed")));
        }
    }
    changes.push(Change::new(whole, whole, "\n}", "a `{` is not closed").told(How::End));
    changes.push(Change::new(whole, whole, "\n});", "a `(` and a `{` are not closed").told(How::End));
    let next = text.get(place..).and_then(|rest| rest.chars().next());
    let last = text.trim_end_matches(|c: char| c.is_whitespace() || c == ';').char_indices().next_back();
    for (at, bracket) in next.map(|next| (place, next)).into_iter().chain(last) {
        if matches!(bracket, ')' | ']' | '}' | ',') {
            changes.push(Change::new(at, at + 1, "", format!("there is a `{bracket}` too many")).told(How::Remove));
        }
    }
    if text.get(..end).is_some_and(|before| !brackets::left_open(before).is_empty()) {
        changes.push(Change::new(end, end, ",", "a comma is missing"));
    }
    if next == Some(';') {
        changes.push(Change::new(place, place + 1, ",", "what stands in brackets is parted by commas"));
    }
    if next == Some('{') {
        changes.push(Change::new(place, place, "=> ", "the arrow of a function is missing"));
    }
    changes.extend(equals_signs(text, place));
    changes.extend(condition(text, place));
    changes
}

/// A `}` before the first line after an open `{` that is indented no further than its own.
fn before_the_next(text: &str, open: &Open) -> Option<Change> {
    let indentation = |line: &str| line.len() - line.trim_start().len();
    let start = text[..open.place].rfind('\n').map_or(0, |end| end + 1);
    let own = indentation(text[start..].lines().next()?);
    let mut at = start;
    for (number, line) in text[start..].split_inclusive('\n').enumerate() {
        let written = line.trim();
        if number > 0 && !written.is_empty() && indentation(line) <= own && !written.starts_with(['}', ')', ']']) {
            let from = at + indentation(line);
            let head = written.find(['`', ';', '|']).unwrap_or(written.len()).min(SHOWN_BYTES_MAX);
            let head = written.get(..head)?.trim_end_matches(of_a_cut_name(written, head));
            let why = format!("the `{{` of line {} is not closed", position_in(text, open.place).line);
            return (!head.is_empty()).then(|| Change::new(from, from + head.len(), format!("}} {head}"), why));
        }
        at += line.len();
    }
    None
}

/// What is trimmed off the head of a line that was cut at `end`: nothing if it was not cut within a name.
fn of_a_cut_name(line: &str, end: usize) -> impl Fn(char) -> bool {
    let is_cut = line.get(end..).is_some_and(|rest| rest.starts_with(is_of_name));
    move |character| is_cut && is_of_name(character)
}

/// `{ owner = "acme" }` with colons.
fn equals_signs(text: &str, place: usize) -> Option<Change> {
    let before = text.get(..=place.min(text.len().checked_sub(1)?))?;
    let from = before.rfind('{')?;
    let to = from + text.get(from..)?.find(['}', '\n'])? + 1;
    let object = text.get(from..to)?;
    let mut written = String::with_capacity(object.len() + 8);
    let mut quote = None;
    for (at, character) in object.char_indices() {
        let beside = [object[..at].chars().next_back(), object[at + character.len_utf8()..].chars().next()];
        let is_alone = character == '=' && !beside.iter().flatten().any(|c| matches!(c, '=' | '!' | '<' | '>'));
        if matches!(character, '\'' | '"' | '`') && quote.is_none_or(|quote| quote == character) {
            quote = quote.xor(Some(character));
        }
        if is_alone && quote.is_none() {
            written.truncate(written.trim_end().len());
            written.push(':');
        } else {
            written.push(character);
        }
    }
    (written != object).then(|| Change::new(from, to, written, "members of an object are written with a colon"))
}

/// `if x > 1 {` with parentheses.
fn condition(text: &str, place: usize) -> Option<Change> {
    let start = text.get(..place)?.rfind('\n').map_or(0, |end| end + 1);
    let line = text.get(start..)?.lines().next()?;
    let keyword = ["if ", "while ", "for "].iter().find_map(|word| line.find(word).map(|at| at + word.len()))?;
    let end = line.trim_end().strip_suffix('{')?.trim_end().len();
    let inside = line.get(keyword..end)?;
    let new = format!("({inside})");
    Some(Change::new(start + keyword, start + end, new, "what is asked stands in parentheses"))
}

/// The quote that ends a text which begins at `place`: before what may stand after it on its line, or at the end of that.
fn quotes(text: &str, place: usize) -> Vec<Change> {
    let Some(quote) = text.get(place..).and_then(|rest| rest.chars().next()).filter(|quote| matches!(quote, '\'' | '"')) else {
        return Vec::new();
    };
    let line = text[place..].lines().next().unwrap_or_default().trim_end();
    let first = line.trim_end_matches([')', ']', '}', ';', ',', ' ']).len().max(1);
    let why = "a text in quotes is not closed on its line";
    (first..=line.len()).take(ENDS_MAX).map(|end| Change::new(place + end, place + end, quote, why)).collect()
}

/// A text in quotes that has an apostrophe: in the other quotes.
fn apostrophes(text: &str, place: usize) -> Vec<Change> {
    let Some(before) = text.get(..place) else { return Vec::new() };
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let line = text[start..].lines().next().unwrap_or_default();
    let mut changes = Vec::new();
    for (quote, other) in [('\'', '"'), ('"', '\'')] {
        let all: Vec<usize> = line.match_indices(quote).map(|(at, _)| at).take(QUOTES_MAX).collect();
        for (first, from) in all.iter().enumerate() {
            for to in all.iter().skip(first + 2).rev() {
                let inside = &line[from + 1..*to];
                if start + from < place && place <= start + to + 1 && !inside.contains(other) {
                    let why = "the quote ends the text that it stands in";
                    changes.push(Change::new(start + from, start + to + 1, format!("{other}{inside}{other}"), why));
                }
            }
        }
    }
    changes
}

/// Words of other languages, names that no variable can have, and comments of other languages.
fn words(text: &str, place: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    let Some((before, after)) = text.split_at_checked(place) else { return changes };
    let length = |text: &str| text.find(|character| !is_of_name(character)).unwrap_or(text.len());
    let word = &after[..length(after)];
    let earlier = before.trim_end();
    let from = earlier
        .rfind(|character| !is_of_name(character))
        .map_or(0, |at| at + earlier[at..].chars().next().map_or(1, char::len_utf8));
    for (at, word) in [(place, word), (from, &earlier[from..])] {
        if let Some((word, new)) = WORDS.iter().find(|(known, _)| *known == word) {
            let to = at + word.len();
            // `!` stands right before what it turns round.
            let to = if *new == "!" { to + (text[to..].len() - text[to..].trim_start().len()) } else { to };
            changes.push(Change::new(at, to, *new, format!("there is no `{word}`")));
        }
        if RESERVED.contains(&word) {
            let each = How::Each { old: word.to_owned(), new: format!("{word}_") };
            let why = format!("`{word}` is a word of the language and no name");
            changes.push(Change::new(0, text.len(), with_each(text, word, &format!("{word}_")), why).told(each));
        }
    }
    let comments = text.lines().filter(|line| line.trim_start().starts_with("# ")).count();
    if comments > 0 && comments == text.matches("# ").count() {
        let each = How::Each { old: "# ".to_owned(), new: "// ".to_owned() };
        changes.push(Change::new(0, text.len(), text.replace("# ", "// "), "a comment begins with `//`").told(each));
    }
    changes
}

/// `text` with another word in the place of each `word`.
fn with_each(text: &str, word: &str, new: &str) -> String {
    let mut written = String::with_capacity(text.len() + 16);
    let mut end = 0;
    for (from, _) in text.match_indices(word) {
        let to = from + word.len();
        if !text[..from].ends_with(|c| is_of_name(c) || c == '.') && !text[to..].starts_with(is_of_name) {
            written.push_str(&text[end..from]);
            written.push_str(new);
            end = to;
        }
    }
    written.push_str(&text[end..]);
    written
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::program::Program;

    #[track_caller]
    fn check(text: &str, message: &str, line: u32) {
        let error = Program::new(text, 100).err().unwrap_or_default();
        assert_eq!(error.message, message, "{text}");
        assert_eq!(error.position.map(|position| position.line), Some(line), "{text}");
    }

    #[test]
    fn a_bracket_that_is_missing_or_too_many_is_said() {
        check(
            "const a = await b.c({};\nreturn a;",
            "a `(` is not closed: write `const a = await b.c({})` instead of `const a = await b.c({}`",
            1,
        );
        check("const a = [1, 2;\nreturn a", "a `[` is not closed: write `const a = [1, 2]` instead of `const a = [1, 2`", 1);
        check(
            "const a = f(b => b > 1\nreturn a",
            "a `(` is not closed: write `const a = f(b => b > 1)` instead of `const a = f(b => b > 1`",
            2,
        );
        check("return f({ a: 1 }));", "there is a `)` too many: remove it", 1);
        check("if (a) { return 1; }}", "there is a `}` too many: remove it", 1);
        check("a.forEach((b) => {\n  f(b);\n", "a `(` and a `{` are not closed: end with `});`", 2);
        check("if (a) {\n  f();\nreturn a;", "the `{` of line 1 is not closed: write `} return a` instead of `return a`", 3);
    }

    #[test]
    fn marks_that_are_others_here_are_said() {
        check("return f({ a: 1 b: 2 })", "a comma is missing: write `return f({ a: 1,` instead of `return f({ a: 1`", 1);
        check(
            "return f({ a: 1; b: 2 })",
            "what stands in brackets is parted by commas: write `return f({ a: 1,` instead of `return f({ a: 1;`",
            1,
        );
        check("if a > 1 {\n  f();\n}", "what is asked stands in parentheses: write `if (a > 1)` instead of `if a > 1`", 1);
        check("if (a and b) { f(); }", "there is no `and`: write `if (a &&` instead of `if (a and`", 1);
        check("# all of them\nreturn 1", "a comment begins with `//`: write `// ` instead of each `# `", 1);
    }

    #[test]
    fn quotes_and_names_are_said() {
        check(
            "return f(\"a);",
            "a text in quotes is not closed on its line: write `return f(\"a\"` instead of `return f(\"a`",
            1,
        );
        check(
            "return 'it's b'",
            "the quote ends the text that it stands in: write `return \"it's b\"` instead of `return 'it's b'`",
            1,
        );
        check(
            "const new = 1;\nreturn new;",
            "`new` is a word of the language and no name: write `new_` instead of each `new`",
            1,
        );
    }

    #[test]
    fn what_no_one_change_undoes_is_as_the_parser_says() {
        let of = |text: &str| Program::new(text, 100).err().unwrap_or_default().message;
        assert!(of("const a = ;").contains("xpression expected"), "{}", of("const a = ;"));
        let long = format!("const a = [1;{}", " ".repeat(TEXT_BYTES_MAX));
        assert!(!of(&long).contains("is not closed"), "{}", of(&long));
    }
}
