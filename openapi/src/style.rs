//! How a value is written into a path, a query, a header or a cookie: OpenAPI's styles, which are RFC 6570's and a few more.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// All but RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// With `allowReserved`: reserved ones stay too, but those that would end the value (`&`, `#`, and `+`, which would be read as a space).
const RESERVED: &AsciiSet = &UNRESERVED
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'[')
    .remove(b']')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The styles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Form,
    Simple,
    Label,
    Matrix,
    SpaceDelimited,
    PipeDelimited,
    DeepObject,
}

impl Style {
    pub(crate) fn of(name: &str) -> Option<Self> {
        Some(match name {
            "form" => Self::Form,
            "simple" => Self::Simple,
            "label" => Self::Label,
            "matrix" => Self::Matrix,
            "spaceDelimited" => Self::SpaceDelimited,
            "pipeDelimited" => Self::PipeDelimited,
            "deepObject" => Self::DeepObject,
            _ => return None,
        })
    }
}

/// How one parameter, or one field of a form, is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Notation {
    pub(crate) style: Style,
    pub(crate) explode: bool,
    pub(crate) allow_reserved: bool,
}

impl Notation {
    pub(crate) fn new(style: Style, explode: Option<bool>, allow_reserved: bool) -> Self {
        Self { style, explode: explode.unwrap_or(style == Style::Form || style == Style::DeepObject), allow_reserved }
    }

    fn encode<'text>(self, text: &'text str) -> Cow<'text, str> {
        utf8_percent_encode(text, if self.allow_reserved { RESERVED } else { UNRESERVED }).into()
    }

    /// `value` in a path: encoded, with what the style puts before it.
    pub(crate) fn path(self, name: &str, value: &Value) -> String {
        let name = utf8_percent_encode(name, UNRESERVED).to_string();
        let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        match (self.style, value) {
            (Style::Label, Value::Array(_) | Value::Object(_)) if self.explode => {
                format!(".{}", self.joined(value, ".", encode))
            }
            (Style::Label, _) => format!(".{}", self.joined(value, ",", encode)),
            (Style::Matrix, Value::Array(items)) if self.explode => {
                items.iter().map(|item| format!(";{name}={}", encode(&text(item)))).collect()
            }
            (Style::Matrix, Value::Object(_)) if self.explode => format!(";{}", self.joined(value, ";", encode)),
            (Style::Matrix, _) => match self.joined(value, ",", encode) {
                empty if empty.is_empty() => format!(";{name}"),
                joined => format!(";{name}={joined}"),
            },
            _ => self.joined(value, ",", encode),
        }
    }

    /// `value` in a header field: not encoded.
    pub(crate) fn header(self, value: &Value) -> String {
        self.joined(value, ",", str::to_owned)
    }

    /// `value` in a query, a form or a cookie, as pairs whose names and values are encoded.
    pub(crate) fn pairs(self, name: &str, value: &Value) -> Vec<(String, String)> {
        let encoded = utf8_percent_encode(name, UNRESERVED).to_string();
        let encode = |text: &str| self.encode(text).into_owned();
        let delimiter = match self.style {
            Style::SpaceDelimited => "%20",
            Style::PipeDelimited => "%7C",
            _ => ",",
        };
        match value {
            Value::Array(items) if self.style == Style::DeepObject => {
                let each = items.iter().enumerate();
                each.flat_map(|(at, item)| {
                    deep(&format!("{name}{}", if item.is_object() { format!("[{at}]") } else { "[]".to_owned() }), item)
                })
                .collect()
            }
            Value::Object(_) if self.style == Style::DeepObject => deep(name, value),
            Value::Array(items) if self.explode => items.iter().map(|item| (encoded.clone(), encode(&text(item)))).collect(),
            Value::Object(members) if self.explode => members
                .iter()
                .map(|(key, value)| (utf8_percent_encode(key, UNRESERVED).to_string(), encode(&text(value))))
                .collect(),
            _ => vec![(encoded, Self { explode: false, ..self }.joined(value, delimiter, encode))],
        }
    }

    /// How many bytes `value` becomes under `name` in any of these, roughly and before encoding: what repeats a name for each item can make
    /// a terabyte of a megabyte, so this is asked first.
    pub(crate) fn length(self, name: &str, value: &Value) -> usize {
        match value {
            Value::Array(_) | Value::Object(_) if self.style == Style::DeepObject => deep_length(name.len(), value),
            Value::Array(items) if self.explode => total(items.iter().map(|item| name.len() + PAIR_BYTES + length(item))),
            value => name.len() + PAIR_BYTES + length(value),
        }
    }

    /// Items, or keys and values, one after the other; a lone value as it is.
    fn joined(self, value: &Value, delimiter: &str, encode: impl Fn(&str) -> String) -> String {
        match value {
            Value::Array(items) => items.iter().map(|item| encode(&text(item))).collect::<Vec<_>>().join(delimiter),
            Value::Object(members) => {
                let between = if self.explode { "=" } else { delimiter };
                let pairs = members.iter().map(|(key, value)| format!("{}{between}{}", encode(key), encode(&text(value))));
                pairs.collect::<Vec<_>>().join(delimiter)
            }
            lone => encode(&text(lone)),
        }
    }
}

/// What a pair costs besides its name and its value.
const PAIR_BYTES: usize = 8;

fn total(lengths: impl Iterator<Item = usize>) -> usize {
    lengths.fold(0, usize::saturating_add)
}

/// The bytes of `value` as text or as JSON, roughly.
fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len() + 2,
        Value::Array(items) => total(items.iter().map(|item| length(item) + 1)),
        Value::Object(members) => total(members.iter().map(|(key, value)| key.len() + 4 + length(value))),
        _ => 4,
    }
}

fn deep_length(name: usize, value: &Value) -> usize {
    match value {
        Value::Object(members) => total(members.iter().map(|(key, value)| deep_length(name + key.len() + 2, value))),
        Value::Array(items) => total(items.iter().map(|item| deep_length(name + PAIR_BYTES, item))),
        lone => name + PAIR_BYTES + length(lone),
    }
}

/// Whether a text in `value` has a control character.
pub(crate) fn has_control(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(char::is_control),
        Value::Array(items) => items.iter().any(has_control),
        Value::Object(members) => members.iter().any(|(key, value)| key.contains(char::is_control) || has_control(value)),
        _ => false,
    }
}

/// `name[key][key]=value`; an array within is its name again for each item.
fn deep(name: &str, value: &Value) -> Vec<(String, String)> {
    match value {
        Value::Object(members) => members.iter().flat_map(|(key, value)| deep(&format!("{name}[{key}]"), value)).collect(),
        Value::Array(items) => items.iter().flat_map(|item| deep(name, item)).collect(),
        lone => {
            let encode = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
            // Servers look for the brackets as they are.
            let name = encode(name).replace("%5B", "[").replace("%5D", "]");
            vec![(name, encode(&text(lone)))]
        }
    }
}

/// A lone value as text: strings as they are, what is within a value that cannot be written as JSON.
pub(crate) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The table of the OpenAPI Specification ("Style Examples"), row by row: empty, string, array, object.
    fn values() -> [Value; 4] {
        [json!(""), json!("blue"), json!(["blue", "black", "brown"]), json!({"R": 100, "G": 200, "B": 150})]
    }

    #[track_caller]
    fn path(style: Style, explode: bool, expected: [&str; 4]) {
        let notation = Notation::new(style, Some(explode), false);
        assert_eq!(values().map(|value| notation.path("color", &value)), expected);
    }

    #[track_caller]
    fn query(style: Style, explode: bool, expected: [&str; 4]) {
        let notation = Notation::new(style, Some(explode), false);
        let written = values().map(|value| {
            let pairs = notation.pairs("color", &value);
            pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
        });
        assert_eq!(written, expected);
    }

    #[test]
    fn paths_are_written_as_the_specification_has_them() {
        path(Style::Simple, false, ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]);
        path(Style::Simple, true, ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]);
        path(Style::Label, false, [".", ".blue", ".blue,black,brown", ".R,100,G,200,B,150"]);
        path(Style::Label, true, [".", ".blue", ".blue.black.brown", ".R=100.G=200.B=150"]);
        path(Style::Matrix, false, [";color", ";color=blue", ";color=blue,black,brown", ";color=R,100,G,200,B,150"]);
        path(Style::Matrix, true, [";color", ";color=blue", ";color=blue;color=black;color=brown", ";R=100;G=200;B=150"]);
    }

    #[test]
    fn queries_are_written_as_the_specification_has_them() {
        query(Style::Form, false, ["color=", "color=blue", "color=blue,black,brown", "color=R,100,G,200,B,150"]);
        query(Style::Form, true, ["color=", "color=blue", "color=blue&color=black&color=brown", "R=100&G=200&B=150"]);
        query(
            Style::SpaceDelimited,
            false,
            ["color=", "color=blue", "color=blue%20black%20brown", "color=R%20100%20G%20200%20B%20150"],
        );
        query(
            Style::PipeDelimited,
            false,
            ["color=", "color=blue", "color=blue%7Cblack%7Cbrown", "color=R%7C100%7CG%7C200%7CB%7C150"],
        );
        query(
            Style::DeepObject,
            true,
            ["color=", "color=blue", "color[]=blue&color[]=black&color[]=brown", "color[R]=100&color[G]=200&color[B]=150"],
        );
    }

    #[test]
    fn headers_are_simple_and_not_encoded() {
        let header = |explode| values().map(|value| Notation::new(Style::Simple, Some(explode), false).header(&value));
        assert_eq!(header(false), ["", "blue", "blue,black,brown", "R,100,G,200,B,150"]);
        assert_eq!(header(true), ["", "blue", "blue,black,brown", "R=100,G=200,B=150"]);
        assert_eq!(Notation::new(Style::Simple, None, false).header(&json!("a b/c")), "a b/c");
    }

    #[test]
    fn explode_is_what_the_specification_says_if_nobody_does() {
        for (style, explode) in [
            (Style::Form, true),
            (Style::DeepObject, true),
            (Style::Simple, false),
            (Style::Label, false),
            (Style::PipeDelimited, false),
        ] {
            assert_eq!(Notation::new(style, None, false).explode, explode);
        }
    }

    #[test]
    fn nothing_in_a_value_ends_it() {
        let hostile = json!("a/b?c&d#e=f+g h%2e,;\u{e9}\r\n");
        let encoded = "a%2Fb%3Fc%26d%23e%3Df%2Bg%20h%252e%2C%3B%C3%A9%0D%0A";
        assert_eq!(Notation::new(Style::Simple, None, false).path("x", &hostile), encoded);
        assert_eq!(Notation::new(Style::Form, None, false).pairs("a&b", &hostile), [("a%26b".to_owned(), encoded.to_owned())]);
        let reserved = Notation::new(Style::Form, None, true).pairs("x", &hostile);
        assert_eq!(reserved[0].1, "a/b?c%26d%23e=f%2Bg%20h%252e,;%C3%A9%0D%0A");
        let deep = Notation::new(Style::DeepObject, None, false).pairs("f", &json!({"a&b]": {"c": [1, 2]}}));
        assert_eq!(deep, [("f[a%26b]][c]".to_owned(), "1".to_owned()), ("f[a%26b]][c]".to_owned(), "2".to_owned())]);
    }

    #[test]
    fn values_within_values_are_json() {
        let pairs = Notation::new(Style::Form, None, false).pairs("x", &json!([{"a": 1}, true, null, 1.5]));
        let values: Vec<&str> = pairs.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["%7B%22a%22%3A1%7D", "true", "", "1.5"]);
    }

    #[test]
    fn what_is_written_is_hardly_longer_than_was_said_before() {
        let nested = json!({"a": [1, {"b": "c"}, ["d", null]], "e f": {"g": {"h": true}}, "i": "x".repeat(100)});
        for value in values().into_iter().chain([json!(null), json!([]), json!(vec![7; 100]), nested]) {
            for style in [Style::Form, Style::PipeDelimited, Style::DeepObject] {
                for explode in [false, true] {
                    let notation = Notation::new(style, Some(explode), true);
                    let pairs = notation.pairs("some-name", &value);
                    let written: usize = pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
                    // Encoding makes three of one.
                    let said = notation.length("some-name", &value);
                    assert!(written <= 3 * said, "{style:?} {explode} {value}: {written} and {said}");
                }
            }
        }
        let many = json!({ "k".repeat(1000): vec![1; 1000] });
        assert!(Notation::new(Style::DeepObject, None, false).length("n", &many) > 1_000_000);
        assert!(Notation::new(Style::Form, None, false).length("n", &many) < 10_000);
    }
}
