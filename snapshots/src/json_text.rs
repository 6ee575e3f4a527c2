//! JSON text without halves of surrogate pairs.
//!
//! A string of JavaScript may hold half a pair. `JSON.stringify` writes it as an escape that is JSON and no Unicode, and readers
//! of JSON that keep to Unicode refuse the whole text. Where text leaves an isolate each half becomes U+FFFD, as it does wherever
//! such a string is written as UTF-8.

/// Replaces each escape of half a surrogate pair in JSON text by U+FFFD.
pub(crate) fn without_halves(text: String) -> String {
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return text;
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        whole.push_str(before);
        let kept = match surrogate(escape) {
            // A pair of escapes, which `JSON.rawJSON` passes on.
            Some(0xd800..=0xdbff) if matches!(escape.get(6..).and_then(surrogate), Some(0xdc00..=0xdfff)) => 12,
            Some(_) => {
                whole.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            None => escape.char_indices().nth(2).map_or(escape.len(), |(end, _)| end),
        };
        let (kept, after) = escape.split_at(kept);
        whole.push_str(kept);
        rest = after;
    }
    whole.push_str(rest);
    whole
}

/// The surrogate that an escape at the start of this text stands for.
fn surrogate(escape: &str) -> Option<u32> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    let unit = u32::from_str_radix(digits, 16).ok()?;
    (0xd800..=0xdfff).contains(&unit).then_some(unit)
}

#[cfg(test)]
mod tests {
    use super::without_halves;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(without_halves(text.to_owned()), expected);
        assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok(), "{expected}");
    }

    #[test]
    fn a_half_is_replaced_wherever_it_stands() {
        check(r#""\ud83d""#, "\"\u{fffd}\"");
        check(r#"{"a\udc00b":["\uDFFF","\\\ud800\n"]}"#, "{\"a\u{fffd}b\":[\"\u{fffd}\",\"\\\\\u{fffd}\\n\"]}");
    }

    #[test]
    fn halves_in_the_wrong_order_are_two() {
        check(r#""\ude00\ud83d""#, "\"\u{fffd}\u{fffd}\"");
        check(r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\"");
    }

    #[test]
    fn what_is_no_half_stays() {
        for text in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\\\\ud83d \u001f \uabcd""#, "\"\u{1f600}\"", "[1,null]"] {
            check(text, text);
        }
    }

    #[test]
    fn what_is_no_json_is_no_panic() {
        for text in ["\\", "\\u", "\\ud8", "\\ud83d\\", "\\ud83d\\u", "\\ud83dü\\uD8ü"] {
            without_halves(text.to_owned());
        }
    }
}
