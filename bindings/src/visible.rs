//! Text of strangers where people read it, in a log, on a terminal, in an error: shown, never obeyed.
//!
//! A program, a server and a client write what they like. Printed as it is, a line feed makes a line of its own in a log, a control character is a
//! command to a terminal, and a mark of direction turns what follows around. So whatever is foreign goes through here first: what is not seen
//! becomes an escape that is (`\u{202e}`), and what is too long is cut. All that comes out goes in again unchanged, so it may be done twice.
//!
//! Colours (`ESC [ 31 m`) are dropped, because programs colour their ordinary messages and nothing is hidden by it.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_general_category::{GeneralCategory, get_general_category};

/// The most characters of one foreign text in a message.
pub const CHARACTERS_MAX: usize = 2000;

/// What stands where a text was cut.
const CUT: &str = "...";

/// `text` as one line of at most [`CHARACTERS_MAX`] characters: for logs and errors.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    line_within(text, CHARACTERS_MAX)
}

/// `text` as one line of at most `characters_max` characters, and `...` where it was longer.
#[must_use]
pub fn line_within(text: &str, characters_max: usize) -> Cow<'_, str> {
    shown(text, characters_max, |_| false)
}

/// `text` with its line feeds and tabs, whole: for what a terminal is to show line by line.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    shown(text, usize::MAX, |character| matches!(character, '\n' | '\t'))
}

/// `json`, a JSON text, with what is not seen in its strings as `\u202e`: the same value to a program, and harmless on a terminal.
#[must_use]
pub fn json(json: &str) -> Cow<'_, str> {
    let mut seen = Seen::default();
    if json.chars().all(|character| seen.is(character) || is_layout(character)) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 16);
    let mut seen = Seen::default();
    for character in json.chars() {
        // JSON has no invisible character outside of its strings, except for its layout.
        if seen.is(character) || is_layout(character) {
            shown.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(shown)
}

/// Whether a reader sees `character` wherever it stands; a space counts.
#[must_use]
pub fn is_visible(character: char) -> bool {
    if character.is_ascii() {
        return matches!(character, ' '..='~');
    }
    // Fillers and selectors that are letters or marks by category, and blank all the same.
    let is_blank = matches!(character, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}');
    !is_blank
        && !matches!(
            get_general_category(character),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::LineSeparator
                | GeneralCategory::ParagraphSeparator
                | GeneralCategory::SpaceSeparator
                | GeneralCategory::PrivateUse
                | GeneralCategory::Surrogate
                | GeneralCategory::Unassigned
        )
}

fn is_layout(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\t')
}

/// What is seen in a text that is read from its beginning: beside what always is, wide spaces, and the joiners and selectors that make
/// one picture or letter of what stands before them.
#[derive(Default)]
struct Seen {
    /// Whether a joiner or selector here belongs to a character before it.
    is_joinable: bool,
}

impl Seen {
    fn is(&mut self, character: char) -> bool {
        let is_joiner = matches!(character, '\u{200c}' | '\u{200d}' | '\u{fe0e}' | '\u{fe0f}');
        if is_joiner && self.is_joinable {
            // A heart in colour and joined to the next has two, and no text has three.
            self.is_joinable = matches!(character, '\u{fe0e}' | '\u{fe0f}');
            return true;
        }
        self.is_joinable = !character.is_ascii() && is_visible(character);
        is_visible(character) || get_general_category(character) == GeneralCategory::SpaceSeparator
    }
}

fn shown(text: &str, characters_max: usize, is_kept: impl Fn(char) -> bool) -> Cow<'_, str> {
    let mut seen = Seen::default();
    if fits(text, characters_max) && text.chars().all(|character| seen.is(character) || is_kept(character)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut left = characters_max;
    let mut seen = Seen::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("\u{1b}[").and_then(after_colour) {
            rest = after;
            continue;
        }
        rest = &rest[character.len_utf8()..];
        let before = shown.len();
        if seen.is(character) || is_kept(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
        let Some(still_left) = left.checked_sub(shown[before..].chars().count()) else {
            shown.truncate(before);
            shown.push_str(CUT);
            break;
        };
        left = still_left;
    }
    Cow::Owned(shown)
}

/// Whether `text` is no longer than what is left of a text that was cut.
fn fits(text: &str, characters_max: usize) -> bool {
    text.len() <= characters_max || {
        let most = if text.ends_with(CUT) { characters_max.saturating_add(CUT.len()) } else { characters_max };
        text.chars().nth(most).is_none()
    }
}

/// What follows a colour whose beginning, `ESC [`, stood before `text`.
fn after_colour(text: &str) -> Option<&str> {
    text.trim_start_matches(|character: char| character.is_ascii_digit() || matches!(character, ';' | ':')).strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_for_a_terminal_becomes_text() {
        assert_eq!(line("\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\r"), r"\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}31m\r");
        assert_eq!(lines("a\tb\nc\r\u{85}"), "a\tb\nc\\r\\u{85}");
        assert_eq!(
            line("\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}"),
            r"\u{202e}\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}"
        );
    }

    #[test]
    fn a_line_stays_one_line() {
        assert_eq!(line("a\n2026-01-01T00:00:00Z  INFO forged"), r"a\n2026-01-01T00:00:00Z  INFO forged");
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["say \"hi\" \\ `x`", "é😀 ❤️ 👩‍💻 日本語\u{3000}文", "می‌خواهم", "a\u{a0}b"] {
            assert!(matches!(line(text), Cow::Borrowed(_)), "{text}");
            assert_eq!(json(text), text);
        }
    }

    #[test]
    fn nothing_hides_behind_a_joiner() {
        assert_eq!(line("a\u{200d}b\u{fe0f}"), r"a\u{200d}b\u{fe0f}");
        assert_eq!(line("❤\u{fe0f}\u{200d}\u{fe0f}\u{200d}"), "❤\u{fe0f}\u{200d}\\u{fe0f}\\u{200d}");
    }

    #[test]
    fn colours_are_dropped_and_nothing_else_is() {
        assert_eq!(line("\u{1b}[1;33mwarn\u{1b}[0m: x\u{1b}[m"), "warn: x");
        assert_eq!(line("\u{1b}[1;33"), r"\u{1b}[1;33");
    }

    #[test]
    fn a_text_up_to_the_maximum_is_whole_and_a_longer_one_is_cut() {
        assert_eq!(line_within("12345", 5), "12345");
        assert_eq!(line_within("123456", 5), "12345...");
        assert_eq!(line_within("äöüßé", 5), "äöüßé");
        assert_eq!(line_within("1234\u{7}", 5), "1234...", "an escape is never cut in two");
    }

    #[test]
    fn a_json_text_keeps_its_value() {
        let value = serde_json::json!({"a\u{202e}": ["\u{9b}31m", "x\u{e0041}", "tab\there"]});
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = json(&text);
            assert!(shown.chars().all(|character| character == '\n' || is_visible(character)), "{shown}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).ok().as_ref(), Some(&value));
        }
    }

    proptest! {
        #[test]
        fn what_comes_out_is_harmless_and_stays_as_it_is(text in any::<String>(), characters_max in 0_usize..50) {
            let once = line_within(&text, characters_max);
            prop_assert!(!once.chars().any(|character| character.is_control()));
            prop_assert!(once.chars().count() <= characters_max + 3);
            prop_assert_eq!(line_within(&once, characters_max), once.clone());
            let kept = lines(&text);
            prop_assert_eq!(lines(&kept), kept.clone());
        }
    }
}
