//! Regular expressions that TypeScript can say: plain texts with anything, or digits, between them.

use crate::comment::string_literal;
use crate::shape::KeyPattern;

/// The most characters of a plain text in a pattern.
const TEXT_LENGTH_MAX: usize = 64;

/// The most texts of a pattern.
const TEXTS_MAX: usize = 16;

/// A pattern for keys that consists of plain texts and `.*`, as keys of that form.
pub(crate) fn keys(pattern: &str) -> Option<KeyPattern> {
    let is_plain =
        |text: &str| text.len() <= TEXT_LENGTH_MAX && text.chars().all(|c| c.is_alphanumeric() || "_-:/@ ".contains(c));
    let from_start = pattern.strip_prefix('^');
    let to_end = from_start.unwrap_or(pattern).strip_suffix('$');
    let middle = to_end.unwrap_or(from_start.unwrap_or(pattern));
    let mut texts: Vec<String> = middle.split(".*").map(str::to_owned).collect();
    if texts.len() > TEXTS_MAX || !texts.iter().all(|text| is_plain(text)) {
        return None;
    }
    if from_start.is_none() && texts.first().is_some_and(|first| !first.is_empty()) {
        texts.insert(0, String::new());
    }
    if to_end.is_none() && texts.last().is_some_and(|last| !last.is_empty()) {
        texts.push(String::new());
    }
    // One fixed key is a property, and no pattern that TypeScript takes.
    (texts.len() > 1).then_some(KeyPattern(texts))
}

/// Keys of this form, as TypeScript writes them.
pub(crate) fn key_type(pattern: &KeyPattern) -> String {
    if pattern.0.iter().all(String::is_empty) {
        return "string".to_owned();
    }
    let texts: Vec<String> = pattern.0.iter().map(|text| template_text(text)).collect();
    format!("`{}`", texts.join("${string}"))
}

/// A pattern for strings that consists of plain texts and fixed numbers of digits, as TypeScript writes it:
/// ``^\d{4}-\d{2}$`` is `` `${number}-${number}` ``.
pub(crate) fn template(pattern: &str) -> Option<String> {
    let mut rest = pattern.strip_prefix('^')?.strip_suffix('$')?;
    let mut template = String::from("`");
    let mut has_text = false;
    let mut digits = 0;
    while !rest.is_empty() {
        if let Some((count, after)) = digit_run(rest) {
            if digits == 0 {
                template.push_str("${number}");
            }
            digits += count;
            rest = after;
        } else {
            let escaped = rest.strip_prefix('\\');
            let character = escaped.unwrap_or(rest).chars().next()?;
            let is_plain = if escaped.is_some() {
                "-./:_".contains(character)
            } else {
                character.is_ascii_alphanumeric() || "-/:_ ,".contains(character)
            };
            if !is_plain {
                return None;
            }
            template.push(character);
            has_text = true;
            digits = 0;
            rest = &escaped.unwrap_or(rest)[1..];
            if rest.starts_with(['*', '+', '?', '{']) {
                return None;
            }
        }
        // More digits than a double has are no number to TypeScript.
        if digits > 15 || template.len() > TEXT_LENGTH_MAX * 4 {
            return None;
        }
    }
    template.push('`');
    (has_text && template.contains('$')).then_some(template)
}

/// The number of digits with which `pattern` begins, and what follows.
fn digit_run(pattern: &str) -> Option<(usize, &str)> {
    let rest = pattern.strip_prefix("\\d").or_else(|| pattern.strip_prefix("[0-9]"))?;
    if let Some(counted) = rest.strip_prefix('{') {
        let (count, after) = counted.split_once('}')?;
        let count = count.parse().ok().filter(|count| (1..=15).contains(count))?;
        return Some((count, after));
    }
    if rest.starts_with(['*', '+', '?']) { None } else { Some((1, rest)) }
}

/// `text` within a template literal.
fn template_text(text: &str) -> String {
    let literal = string_literal(text);
    literal[1..literal.len() - 1].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_keys_are_patterns_and_others_are_not() {
        let check = |pattern: &str, expected: Option<&str>| {
            assert_eq!(keys(pattern).map(|keys| key_type(&keys)).as_deref(), expected, "{pattern}")
        };
        check("^x-", Some("`x-${string}`"));
        check("_id$", Some("`${string}_id`"));
        check("f.*o", Some("`${string}f${string}o${string}`"));
        check(".*", Some("string"));
        check("^\u{e1}", Some("`\\u00e1${string}`"));
        check("^exact$", None);
        check("^[a-z]+$", None);
        check("a*", None);
        check("`${x}", None);
    }

    #[test]
    fn keys_match_their_pattern() {
        let keys = keys("^a.*b.*c$").expect("a pattern");
        assert!(keys.matches("abc") && keys.matches("a1b2c") && !keys.matches("acb") && !keys.matches("ac"));
    }

    #[test]
    fn fixed_digits_are_numbers_and_others_are_not() {
        let check = |pattern: &str, expected: Option<&str>| assert_eq!(template(pattern).as_deref(), expected, "{pattern}");
        check(r"^\d{4}-\d{2}-\d{2}$", Some("`${number}-${number}-${number}`"));
        check(r"^v[0-9]\.\d\d$", Some("`v${number}.${number}`"));
        check(r"^\d{4}$", None);
        check(r"^\d+-\d$", None);
        check(r"^-?\d{2}$", None);
        check(r"^\d{16}-x$", None);
        check(r"\d{4}-\d{2}", None);
        check(r"^a|b-\d$", None);
    }
}
