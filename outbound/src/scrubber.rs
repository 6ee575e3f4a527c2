//! Takes secrets out of what a server says, in whichever form it repeats them, before anything else sees it.
//!
//! What this does not find: a part of a secret alone (less than half of a long one), one with something in its middle (line breaks of MIME, spaces between
//! the digits of hexadecimal), one that was encrypted, hashed, compressed, reversed or encoded twice, and whatever a server that wants to tell
//! it thinks of. It is for servers that repeat what they were sent, in an error message or a page for debugging: a hostile server *has* the
//! credential, and needs no program to use it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::{Map, Value};

use crate::json_tokens::{Token, tokens};
use crate::secret::Secret;
use crate::secret_forms::{Form, forms};

/// What stands where a secret was.
pub const SCRUBBED: &str = "[configured value]";

/// The bytes of a form that are searched for: its first and its last ones. Where they are found, the rest of the form is compared.
const WINDOW_BYTES: usize = 32;

/// The secrets that went out to one server, and what takes them out of what comes back. Cheap to clone.
///
/// The texts of the forms are wiped with the last clone; the search itself keeps up to 32 bytes at both ends of each, which are not.
///
/// ```
/// use isolet_outbound::{Scrubber, Secret};
///
/// let scrubber = Scrubber::of([Secret::new("canary-7f3a9c")?]);
/// assert_eq!(scrubber.text("no such key: canary-7f3a9c"), "no such key: [configured value]");
/// assert_eq!(scrubber.text("Y2FuYXJ5LTdmM2E5Yw=="), "[configured value]w==");
/// # Ok::<(), isolet_outbound::ShortSecret>(())
/// ```
#[derive(Clone, Default)]
pub struct Scrubber(Option<Arc<Search>>);

struct Search {
    /// None if none could be made: then everything is taken out.
    automaton: Option<AhoCorasick>,
    /// For each pattern, the form that it is of, and where in it.
    patterns: Vec<(usize, usize)>,
    forms: Vec<Form>,
}

impl Scrubber {
    /// Takes out these secrets.
    #[must_use]
    pub fn of(secrets: impl IntoIterator<Item = Secret>) -> Self {
        let mut all: Vec<Form> = Vec::new();
        for secret in secrets {
            all.extend(forms(secret.expose()));
        }
        if all.is_empty() {
            return Self::default();
        }
        let (mut windows, mut patterns): (Vec<&[u8]>, _) = (Vec::new(), Vec::new());
        for (place, form) in all.iter().enumerate() {
            let bytes = form.as_bytes();
            let last = bytes.len().saturating_sub(WINDOW_BYTES);
            for start in if last == 0 { vec![0] } else { vec![0, last] } {
                windows.push(&bytes[start..bytes.len().min(start + WINDOW_BYTES)]);
                patterns.push((place, start));
            }
        }
        let mut builder = AhoCorasick::builder();
        let builder = builder.ascii_case_insensitive(true).kind(Some(AhoCorasickKind::ContiguousNFA));
        let automaton = builder.build(&windows).ok();
        Self(Some(Arc::new(Search { automaton, patterns, forms: all })))
    }

    /// Whether there is nothing to take out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// `text` without the secrets.
    #[must_use]
    pub fn text<'text>(&self, text: &'text str) -> Cow<'text, str> {
        let Some(search) = &self.0 else { return Cow::Borrowed(text) };
        let found = search.find(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut clean, mut end) = (String::with_capacity(text.len()), 0);
        for place in found {
            clean.push_str(&text[end..place.start]);
            clean.push_str(SCRUBBED);
            end = place.end;
        }
        clean.push_str(&text[end..]);
        Cow::Owned(clean)
    }

    /// JSON text without the secrets, which is JSON again: strings are read as what they say, however they are escaped, and a number that is a secret
    /// becomes a string.
    #[must_use]
    pub fn json<'json>(&self, json: &'json str) -> Cow<'json, str> {
        // An escape may hide a letter; only those of this kind can.
        let is_plain = !json.contains("\\u") && !json.contains("\\/");
        if self.is_empty() || is_plain && matches!(self.text(json), Cow::Borrowed(_)) {
            return Cow::Borrowed(json);
        }
        let (mut clean, mut is_changed) = (String::with_capacity(json.len()), false);
        for token in tokens(json) {
            match self.token(&token) {
                Some(changed) => {
                    clean.push_str(&changed);
                    is_changed = true;
                }
                None => clean.push_str(token.text()),
            }
        }
        if is_changed { Cow::Owned(clean) } else { Cow::Borrowed(json) }
    }

    /// What a token becomes that has a secret in it.
    fn token(&self, token: &Token<'_>) -> Option<String> {
        match *token {
            Token::String(quoted) => {
                let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
                if !inner.contains('\\') {
                    return self.changed(inner).map(|inner| format!("\"{inner}\""));
                }
                match serde_json::from_str::<String>(quoted) {
                    // What JSON says, and what stands there for whoever does not read it as JSON.
                    Ok(said) => {
                        let said = self.changed(&said).or_else(|| self.changed(inner).map(|_| SCRUBBED.to_owned()));
                        said.map(|said| Value::from(said).to_string())
                    }
                    Err(_) => self.changed(inner).map(|_| format!("\"{SCRUBBED}\"")),
                }
            }
            Token::Word(word) => self.changed(word).map(|_| format!("\"{SCRUBBED}\"")),
            Token::Between(_) => None,
        }
    }

    /// `text` without the secrets, if there are any in it.
    fn changed(&self, text: &str) -> Option<String> {
        match self.text(text) {
            Cow::Owned(changed) => Some(changed),
            Cow::Borrowed(_) => None,
        }
    }

    /// Takes the secrets out of a value: out of its strings, its keys, and its numbers.
    pub fn value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Some(changed) = self.changed(text) {
                    *text = changed;
                }
            }
            Value::Number(number) => {
                if self.changed(&number.to_string()).is_some() {
                    *value = SCRUBBED.into();
                }
            }
            Value::Array(values) => values.iter_mut().for_each(|value| self.value(value)),
            Value::Object(members) => {
                members.values_mut().for_each(|value| self.value(value));
                if members.keys().any(|key| self.changed(key).is_some()) {
                    let members = std::mem::take(members).into_iter();
                    let members: Map<_, _> = members.map(|(key, value)| (self.text(&key).into_owned(), value)).collect();
                    *value = Value::Object(members);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }
}

impl Search {
    /// Where secrets are, in order, apart from each other, at the borders of characters.
    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let Some(automaton) = &self.automaton else { return std::iter::once(0..text.len()).collect() };
        let mut found: Vec<Range<usize>> = Vec::new();
        for hit in automaton.find_overlapping_iter(text) {
            let Some(place) = self.whole(text.as_bytes(), hit.pattern().as_usize(), hit.range()) else { continue };
            found.push(floor(text, place.start)..ceiling(text, place.end));
        }
        found.sort_by_key(|place| place.start);
        let mut apart: Vec<Range<usize>> = Vec::new();
        for place in found {
            match apart.last_mut() {
                Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
                _ => apart.push(place),
            }
        }
        apart
    }

    /// As much of a form as stands around the part of it that was found; nothing if that is less than half of it.
    fn whole(&self, text: &[u8], pattern: usize, hit: Range<usize>) -> Option<Range<usize>> {
        let (form, start) = self.patterns.get(pattern)?;
        let form = self.forms.get(*form)?.as_bytes();
        let same = |(one, other): &(&u8, &u8)| one.eq_ignore_ascii_case(other);
        let before = text.get(..hit.start)?.iter().rev().zip(form.get(..*start)?.iter().rev()).take_while(same).count();
        let after = text.get(hit.end..)?.iter().zip(form.get(start + hit.len()..)?).take_while(same).count();
        let place = hit.start - before..hit.end + after;
        (place.len() * 2 >= form.len()).then_some(place)
    }
}

fn floor(text: &str, mut place: usize) -> usize {
    while !text.is_char_boundary(place) {
        place -= 1;
    }
    place
}

fn ceiling(text: &str, mut place: usize) -> usize {
    while !text.is_char_boundary(place) {
        place += 1;
    }
    place
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scrubber(...)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;

    const CANARY: &str = "canary/7f3a+9c";

    fn scrubber(secrets: &[&str]) -> Scrubber {
        Scrubber::of(secrets.iter().map(|secret| Secret::new(*secret).unwrap()))
    }

    /// The secret, as a server may repeat it, after `before`.
    fn echoes(secret: &str, before: &str) -> Vec<String> {
        let whole = format!("{before}{secret}!");
        let hex = |upper: bool| -> String {
            whole.bytes().map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") }).collect()
        };
        vec![
            whole.clone(),
            Value::from(whole.as_str()).to_string(),
            percent_encoding::utf8_percent_encode(&whole, percent_encoding::NON_ALPHANUMERIC).to_string(),
            percent_encoding::utf8_percent_encode(&whole, percent_encoding::NON_ALPHANUMERIC).to_string().to_lowercase(),
            hex(true),
            hex(false),
            STANDARD.encode(&whole),
            URL_SAFE_NO_PAD.encode(&whole),
        ]
    }

    /// Half of what is searched for: none of it may be left.
    fn rests(secret: &str) -> Vec<String> {
        let half = |echo: &String| {
            let length = echo.chars().count();
            echo.to_lowercase().chars().skip(length / 4).take(length / 2).collect()
        };
        echoes(secret, "").iter().map(half).collect()
    }

    #[test]
    fn a_secret_is_taken_out_in_each_encoding_at_each_alignment() {
        for secret in [CANARY, "12345678", "p\"ss\\word", "größer-als-acht", &"0123456789abcdefghij".repeat(50)] {
            let scrubber = scrubber(&[secret]);
            for before in ["", "a", "ab", "abc"] {
                for echo in echoes(secret, before) {
                    let said = scrubber.text(&echo);
                    assert!(said.contains(SCRUBBED), "{echo} became {said}");
                    let left = said.to_lowercase();
                    assert!(rests(secret).iter().all(|rest| !left.contains(rest)), "{echo} became {said}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let scrubber = scrubber(&[CANARY]);
        for text in ["", "canary", "a long text about canaries, 7f3a", "größe", "{\"a\":\"\\u00e9\"}"] {
            assert!(matches!(scrubber.text(text), Cow::Borrowed(_)), "{text}");
            assert!(matches!(scrubber.json(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(Scrubber::default().text(CANARY), CANARY);
    }

    #[test]
    fn the_head_that_all_tokens_of_an_issuer_share_stays() {
        let head = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IjEifQ";
        let token = format!("{head}.{}", "payload-and-signature".repeat(9));
        let scrubber = scrubber(&[&token]);
        let other = format!("{head}.of-another");
        assert_eq!(scrubber.text(&other), other);
        assert_eq!(scrubber.text(&token), SCRUBBED);
        // What broke off after most of it is found, and so is what begins late.
        assert_eq!(scrubber.text(&token[..token.len() - 20]), SCRUBBED);
        assert_eq!(scrubber.text(&token[20..]), SCRUBBED);
    }

    #[test]
    fn json_stays_json_however_a_secret_is_written_in_it() {
        let scrubber = scrubber(&[CANARY, "12345678"]);
        for (json, expected) in [
            (r#"{"a":"canary/7f3a+9c"}"#, r#"{"a":"[configured value]"}"#),
            (r#"{"a":"canary\/7f3a\u002b9c \n"}"#, r#"{"a":"[configured value] \n"}"#),
            (r#"{"\u0063anary/7f3a+9c":12345678}"#, r#"{"[configured value]":"[configured value]"}"#),
            (r#"[-12345678.5, "x\"y", 1]"#, r#"["[configured value]", "x\"y", 1]"#),
            (r#"{"text":"{\"token\":\"canary/7f3a+9c\"}"}"#, r#"{"text":"{\"token\":\"[configured value]\"}"}"#),
        ] {
            assert_eq!(scrubber.json(json), expected);
            serde_json::from_str::<Value>(&scrubber.json(json)).unwrap();
        }
    }

    #[test]
    fn a_value_is_cleaned_in_its_strings_keys_and_numbers() {
        let mut value = json!({"a": [CANARY, 12_345_678], CANARY: {"b": "x"}, "c": 1});
        scrubber(&[CANARY, "12345678"]).value(&mut value);
        assert_eq!(value, json!({"a": [SCRUBBED, SCRUBBED], SCRUBBED: {"b": "x"}, "c": 1}));
    }

    #[test]
    fn secrets_that_overlap_leave_nothing() {
        let scrubber = scrubber(&["abcdefgh", "efghijkl", "Bearer abcdefgh"]);
        assert_eq!(scrubber.text("-abcdefghijkl-"), "-[configured value]-");
        assert_eq!(scrubber.text("Bearer abcdefgh"), SCRUBBED);
        assert_eq!(scrubber.text("abcdefghabcdefgh."), "[configured value].");
    }
}
