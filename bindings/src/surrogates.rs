//! Half a surrogate pair in JSON text: what cuts a text between the two halves of an emoji leaves, and what no Unicode text can hold.
//!
//! JSON can write it (`"\ud83d"`), JavaScript and Python do, and Rust refuses the whole text for it. So it is replaced before anything is read, as a
//! decoder of UTF-8 would do it: by U+FFFD.

use std::borrow::Cow;

/// `json` with `\ufffd` for every escape that is half of a surrogate pair; borrowed where there is none, as there nearly always is.
///
/// The length stays. What is no JSON is passed through as it is, but for such escapes.
///
/// ```
/// use isolet_bindings::without_half_surrogates;
///
/// assert_eq!(without_half_surrogates(r#"["\ud83d", "\ud83d\ude00"]"#), r#"["\ufffd", "\ud83d\ude00"]"#);
/// ```
#[must_use]
pub fn without_half_surrogates(json: &str) -> Cow<'_, str> {
    let mut mended = Cow::Borrowed(json);
    for place in (Halves { json, from: 0 }) {
        // Six ASCII characters for six.
        mended.to_mut().replace_range(place..place + ESCAPE_BYTES, "\\ufffd");
    }
    mended
}

/// `\ud83d`.
const ESCAPE_BYTES: usize = 6;

/// The places of the escapes that are half of a pair.
struct Halves<'text> {
    json: &'text str,
    from: usize,
}

impl Iterator for Halves<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let place = self.from + self.json.get(self.from..)?.find('\\')?;
            let Some(unit) = unit_at(self.json, place) else {
                // Another escape, `\\` among them: its second character begins none.
                self.from = place + 1 + self.json[place + 1..].chars().next().map_or(0, char::len_utf8);
                continue;
            };
            self.from = place + ESCAPE_BYTES;
            match unit {
                0xd800..=0xdbff if unit_at(self.json, self.from).is_some_and(|next| matches!(next, 0xdc00..=0xdfff)) => {
                    self.from += ESCAPE_BYTES;
                }
                0xd800..=0xdfff => return Some(place),
                _ => {}
            }
        }
    }
}

/// The UTF-16 unit that the escape at `place` stands for, if there is one.
fn unit_at(json: &str, place: usize) -> Option<u16> {
    let digits = json.get(place..place.checked_add(ESCAPE_BYTES)?)?.strip_prefix("\\u")?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        assert_eq!(without_half_surrogates(json), expected);
    }

    #[test]
    fn a_half_is_replaced_wherever_it_stands() {
        check(r#""\ud83d""#, r#""\ufffd""#);
        check(r#""\uDE00x\uD83D""#, r#""\ufffdx\ufffd""#);
        check(r#"{"\ud83d":"\ud83d\ud83d\ude00"}"#, r#"{"\ufffd":"\ufffd\ud83d\ude00"}"#);
        check(r#""\ud83d\n\ude00""#, r#""\ufffd\n\ufffd""#);
    }

    #[test]
    fn a_pair_and_what_only_looks_like_an_escape_stay() {
        for json in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\u00e9\\""#, r#""\ud83""#, "\\", "\\\u{e9}", "é\\u"] {
            assert!(matches!(without_half_surrogates(json), Cow::Borrowed(_)), "{json}");
        }
        check(r#""\\\ud83d""#, r#""\\\ufffd""#);
        check("\\é\\ud83d", "\\é\\ufffd");
    }

    proptest! {
        #[test]
        fn what_javascript_writes_can_be_read(units in proptest::collection::vec(prop_oneof![0xd700_u16..0xe100, 0x5c_u16..0x78], 0..30)) {
            // As `JSON.stringify` writes it: what is no half as it is, with quotes and backslashes escaped.
            let text: String = char::decode_utf16(units.iter().copied())
                .map(|read| match read {
                    Ok(character) => { let quoted = serde_json::to_string(&character).unwrap(); quoted[1..quoted.len() - 1].to_owned() }
                    Err(half) => format!("\\u{:04x}", half.unpaired_surrogate()),
                })
                .collect();
            let json = format!("\"{text}\"");
            let mended = without_half_surrogates(&json);
            prop_assert_eq!(serde_json::from_str::<String>(&mended).unwrap(), String::from_utf16_lossy(&units));
        }

        #[test]
        fn any_text_is_taken(text in any::<String>()) {
            let _ = without_half_surrogates(&text);
        }
    }
}
