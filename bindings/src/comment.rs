//! Text of strangers in TypeScript: the two functions through which every string literal and every comment goes.
//!
//! Names, descriptions and schemas come from servers that nobody here wrote. In generated text they are string literals in ASCII, or
//! comments that cannot end early, cannot be taken for a directive, and hide nothing.

use crate::visible::is_visible;

/// The most characters of one line in a comment; longer ones are broken.
const LINE_LENGTH_MAX: usize = 400;

/// A string literal: JSON's syntax, ASCII only, without `<`.
pub(crate) fn string_literal(text: &str) -> String {
    use std::fmt::Write as _;

    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => literal.extend(['\\', character]),
            ' '..='~' if character != '<' => literal.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(literal, "\\u{unit:04x}").expect("a string takes every write");
                }
            }
        }
    }
    literal.push('"');
    literal
}

/// `text` as one line that is safe in a comment, at most `length_max` characters.
pub(crate) fn line(text: &str, length_max: usize) -> String {
    let mut words = String::new();
    let mut length = 0;
    let seen = seen_of(text, length_max);
    for word in seen.split_whitespace() {
        length += word.chars().count() + 1;
        if length > length_max + 1 {
            words.push_str("...");
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
    inert(words)
}

/// `text` with its line breaks, safe in a comment, at most `length_max` characters. Blank lines and indentation go.
pub(crate) fn block(text: &str, length_max: usize) -> String {
    let mut block = String::new();
    let mut left = length_max;
    let seen = seen_of(text, length_max);
    for line in seen.split('\n') {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let mut width = 0;
        for word in line.split_whitespace() {
            let length = word.chars().count() + 1;
            if length > left {
                block.push_str(" ...");
                return inert(block);
            }
            left -= length;
            let separator = if block.is_empty() {
                ""
            } else if width == 0 || width + length > LINE_LENGTH_MAX {
                width = 0;
                "\n"
            } else {
                " "
            };
            width += length;
            block.push_str(separator);
            block.push_str(word);
        }
    }
    inert(block)
}

/// The first sentence of `text`, on one line, at most `length_max` characters.
pub(crate) fn first_sentence(text: &str, length_max: usize) -> String {
    let beginning = text.trim_start().lines().next().unwrap_or_default();
    let end = beginning.match_indices(['.', '!', '?']).map(|(end, _)| end + 1).find(|end| {
        let is_end = beginning[*end..].chars().next().is_none_or(char::is_whitespace);
        is_end && *end > 12 && !beginning[..*end].ends_with("e.g.") && !beginning[..*end].ends_with("i.e.")
    });
    line(&beginning[..end.unwrap_or(beginning.len())], length_max)
}

/// What can be seen of `text`, a little more than `length_max` characters of it: escape sequences and what is invisible become a
/// space, every line break one `\n`, words beyond [`LINE_LENGTH_MAX`] are broken.
fn seen_of(text: &str, length_max: usize) -> String {
    let mut seen = String::new();
    let mut characters = text.chars().take(length_max.saturating_mul(4)).peekable();
    let mut count = 0;
    let mut word = 0;
    while let Some(character) = characters.next() {
        if count > length_max + 64 {
            break;
        }
        count += 1;
        let shown = match character {
            '\u{1b}' => {
                if characters.next_if_eq(&'[').is_some() {
                    while characters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
                    characters.next_if(|next| matches!(next, '@'..='~'));
                }
                ' '
            }
            '\r' => {
                characters.next_if_eq(&'\n');
                '\n'
            }
            '\n' => '\n',
            _ if is_visible(character) => character,
            _ => ' ',
        };
        word = if shown.is_whitespace() { 0 } else { word + 1 };
        seen.push(shown);
        if word == LINE_LENGTH_MAX {
            seen.push(' ');
            word = 0;
        }
    }
    seen
}

/// `text` with everything broken that means something in a comment of TypeScript, in HTML or in Markdown.
fn inert(text: String) -> String {
    let is_suspect = |byte: u8| matches!(byte, b'*' | b'/' | b'<' | b'>' | b'@' | b'#' | b'`');
    if !text.bytes().any(is_suspect) {
        return text;
    }
    let mut inert = String::with_capacity(text.len() + 8);
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let last = inert.chars().next_back();
        let is_line_start = inert.is_empty() || last == Some('\n') || inert.ends_with("\n* ");
        let next = characters.peek().copied();
        match character {
            '`' => inert.push('\''),
            '@' | '#' if is_line_start || starts_directive(&characters) => {}
            '/' if last == Some('*') || (is_line_start && next == Some('/')) => inert.extend([' ', '/']),
            '/' if last == Some('/') && is_comment_start(&inert) => inert.extend([' ', '/']),
            '*' if last == Some('/') => inert.extend([' ', '*']),
            '<' if next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')) => {
                inert.extend(['<', ' '])
            }
            '>' if last == Some('-') => inert.extend([' ', '>']),
            _ => inert.push(character),
        }
    }
    inert
}

/// Whether what follows a `@` or `#` would make it a directive to a compiler or a debugger.
fn starts_directive(following: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    let word: String = following.clone().skip_while(|c| c.is_whitespace()).take(10).collect();
    let word = word.to_ascii_lowercase();
    word.starts_with("ts-") || word.starts_with("source") || word.starts_with("jsx") || word.starts_with("preserve")
}

/// Whether the two slashes at the end of `text` begin a line.
fn is_comment_start(text: &str) -> bool {
    text.strip_suffix('/').and_then(|text| text.trim_end_matches([' ', '/']).chars().next_back()).is_none_or(|c| c == '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(line(text, 100), expected);
    }

    #[test]
    fn plain_text_is_kept() {
        check(
            "Lists issues, 10 < n <= 100 (see https://example.org/a).",
            "Lists issues, 10 < n <= 100 (see https://example.org/a).",
        );
        check("caf\u{e9} \u{65e5}\u{672c}", "caf\u{e9} \u{65e5}\u{672c}");
    }

    #[test]
    fn a_comment_cannot_be_ended_or_begun() {
        check("a */ b /* c", "a * / b / * c");
        check("*\u{200b}/ x", "* / x");
        check("**//**/", "** // ** /");
        check("a **/*/ b", "a ** / * / b");
    }

    #[test]
    fn directives_tags_and_fences_are_broken() {
        check("@ts-ignore @deprecated x", "ts-ignore @deprecated x");
        check("x @ts-nocheck //# sourceMappingURL=data:", "x ts-nocheck // sourceMappingURL=data:");
        check("<script>alert(1)</script><!-- x -->", "< script>alert(1)< /script>< !-- x -- >");
        check("```ts `x`", "'''ts 'x'");
    }

    #[test]
    fn what_is_hidden_is_gone() {
        check("a\u{202e}b\u{e0041}c\u{feff}d\u{2028}e\u{fe0f}f", "a b c d e f");
        check("\u{1b}[31mred\u{1b}[0m", "red");
        check("a\rb\r\nc\td", "a b c d");
    }

    #[test]
    fn a_text_is_cut_at_its_length_and_not_before() {
        assert_eq!(line("one two three", 13), "one two three");
        assert_eq!(line("one two three", 12), "one two...");
        assert!(block(&"x".repeat(5000), 5000).lines().all(|line| line.len() <= LINE_LENGTH_MAX + " ...".len()));
        assert_eq!(block("a\n\n   b\nc", 100), "a\nb\nc");
        assert_eq!(block("aa bb", 5), "aa ...");
    }

    #[test]
    fn a_first_sentence_ends_at_its_full_stop() {
        assert_eq!(first_sentence("Lists the issues. Then more.", 80), "Lists the issues.");
        assert_eq!(first_sentence("Version 1.2 of a thing, e.g. this one\nnext", 80), "Version 1.2 of a thing, e.g. this one");
    }

    #[test]
    fn a_literal_is_ascii() {
        assert_eq!(string_literal("a\"\\\n<\u{e9}\u{1f600}"), r#""a\"\\\u000a\u003c\u00e9\ud83d\ude00""#);
    }
}
