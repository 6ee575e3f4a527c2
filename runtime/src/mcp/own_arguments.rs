//! The arguments of the faces' own tools, as clients and models send them.
//!
//! Nothing is changed anywhere by one of these arguments, unlike by those of a user's tools. So what can be read in one way is read so: a number in
//! quotes, a list as JSON text, `null` and numbers below 1 as what was left out. What is no argument is left out too, and said.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// What transports and agent frameworks add to the arguments of any tool.
const OF_TRANSPORTS: [&str; 8] = ["_meta", "action", "chatInput", "id", "language", "sessionId", "tool", "toolCallId"];
/// Unknown members that are named.
const UNKNOWN_SHOWN_MAX: usize = 4;
const NAME_CHARACTERS_MAX: usize = 64;
/// The longest number or list of names, bytes of JSON: a tree is made of it.
const SMALL_BYTES_MAX: usize = 64 << 10;

/// The arguments of a call of `tool`.
pub(super) struct OwnArguments<'text> {
    tool: &'static str,
    known: &'static [&'static str],
    members: Vec<(&'static str, &'text RawValue)>,
    unknown: Vec<String>,
}

impl<'text> OwnArguments<'text> {
    /// Reads JSON text. `known`: the names of all arguments of `tool`.
    ///
    /// # Errors
    ///
    /// What a model is told where the text is no object.
    pub(super) fn read(tool: &'static str, known: &'static [&'static str], text: &'text str) -> Result<Self, String> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let read = Known(known).deserialize(&mut deserializer).and_then(|read| deserializer.end().map(|()| read));
        let (members, unknown) = read.map_err(|error| format!("the arguments of `{tool}` cannot be used: {error}"))?;
        Ok(Self { tool, known, members, unknown })
    }

    /// A text that there has to be.
    ///
    /// # Errors
    ///
    /// What a model is told where it is missing, or no text.
    pub(super) fn needed_text(&self, name: &str) -> Result<String, String> {
        match self.raw(name) {
            Some(raw) => serde_json::from_str(raw).map_err(|_| self.is_no(name, "a text", raw)),
            None => {
                let instead = self.left_out().map(|left_out| format!(": {left_out}")).unwrap_or_default();
                Err(format!("`{}` wants `{name}`, a text{instead}", self.tool))
            }
        }
    }

    /// A number from 1 on; none if it is left out or less.
    ///
    /// # Errors
    ///
    /// What a model is told where it is no whole number.
    pub(super) fn count(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(raw) = self.raw(name) else { return Ok(None) };
        let is_none = || self.is_no(name, "a whole number", raw);
        let number = match self.small(raw).ok_or_else(is_none)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.fract() == 0.0).ok_or_else(is_none)?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is too large is the largest")]
        let count = number as u64;
        Ok((count > 0).then_some(count))
    }

    /// A list of texts: as one, as JSON text of one, or as a text alone.
    ///
    /// # Errors
    ///
    /// What a model is told where it is nothing of that.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        let Some(raw) = self.raw(name) else { return Ok(Vec::new()) };
        let is_none = || self.is_no(name, "a list of texts", raw);
        match self.small(raw).ok_or_else(is_none)? {
            Value::Array(elements) => {
                let text = |element: Value| if let Value::String(text) = element { Some(text) } else { None };
                elements.into_iter().map(text).collect::<Option<_>>().ok_or_else(is_none)
            }
            Value::String(text) if text.trim().is_empty() => Ok(Vec::new()),
            Value::String(text) => Ok(serde_json::from_str(&text).unwrap_or_else(|_| vec![text])),
            _ => Err(is_none()),
        }
    }

    /// The JSON text of an argument, if there is one that is not `null`.
    pub(super) fn raw(&self, name: &str) -> Option<&'text str> {
        let raw = self.members.iter().rfind(|(known, _)| *known == name).map(|(_, raw)| raw.get());
        raw.filter(|raw| *raw != "null")
    }

    /// What was left out because it is no argument of this tool.
    pub(super) fn left_out(&self) -> Option<String> {
        let names: Vec<String> = self.unknown.iter().map(|name| format!("`{name}`")).collect();
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        let are = if names.len() == 1 { "is no argument" } else { "are no arguments" };
        (!names.is_empty())
            .then(|| format!("{} {are} of `{}` and left out; it takes {}", names.join(", "), self.tool, known.join(", ")))
    }

    fn small(&self, raw: &str) -> Option<Value> {
        (raw.len() <= SMALL_BYTES_MAX).then(|| serde_json::from_str(raw).ok()).flatten()
    }

    fn is_no(&self, name: &str, wanted: &str, raw: &str) -> String {
        let came: String = raw.chars().take(NAME_CHARACTERS_MAX).collect();
        format!("`{name}` of `{}` is {wanted}, came {came}", self.tool)
    }
}

/// Reads the members of an object that have one of these names, and the first names of the others.
struct Known(&'static [&'static str]);

impl<'text> DeserializeSeed<'text> for Known {
    type Value = (Vec<(&'static str, &'text RawValue)>, Vec<String>);

    fn deserialize<D: Deserializer<'text>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'text> Visitor<'text> for Known {
    type Value = (Vec<(&'static str, &'text RawValue)>, Vec<String>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of arguments")
    }

    fn visit_map<A: MapAccess<'text>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut unknown) = (Vec::new(), Vec::new());
        while let Some(name) = map.next_key::<String>()? {
            match self.0.iter().find(|known| **known == name) {
                Some(known) => {
                    if members.iter().any(|(other, _)| other == known) {
                        return Err(A::Error::custom(format_args!("`{known}` is there twice")));
                    }
                    members.push((*known, map.next_value()?));
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    if unknown.len() < UNKNOWN_SHOWN_MAX && !OF_TRANSPORTS.contains(&name.as_str()) {
                        unknown.push(name.chars().take(NAME_CHARACTERS_MAX).collect());
                    }
                }
            }
        }
        Ok((members, unknown))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    const KNOWN: &[&str] = &["query", "limit", "names"];

    fn read(text: &str) -> OwnArguments<'_> {
        OwnArguments::read("find", KNOWN, text).unwrap()
    }

    #[test]
    fn a_count_is_read_where_there_is_one_reading() {
        for (json, expected) in [
            ("5", Some(5)),
            ("5.0", Some(5)),
            ("\"5\"", Some(5)),
            ("\" 5.0 \"", Some(5)),
            ("null", None),
            ("0", None),
            ("-1", None),
            ("1e300", Some(u64::MAX)),
        ] {
            assert_eq!(read(&format!(r#"{{"limit": {json}}}"#)).count("limit"), Ok(expected), "{json}");
        }
        assert_eq!(read("{}").count("limit"), Ok(None));
        for json in ["1.5", "true", "[1]", "{}", "\"many\"", "\"\"", "\"NaN\""] {
            let error = read(&format!(r#"{{"limit": {json}}}"#)).count("limit").unwrap_err();
            assert_eq!(error, format!("`limit` of `find` is a whole number, came {json}"));
        }
    }

    #[test]
    fn texts_are_a_list_or_what_plainly_means_one() {
        for (json, expected) in [
            (r#"["a", "b"]"#, &["a", "b"][..]),
            (r#""[\"a\", \"b\"]""#, &["a", "b"]),
            (r#""a.b""#, &["a.b"]),
            (r#""""#, &[]),
            ("null", &[]),
            ("[]", &[]),
        ] {
            assert_eq!(read(&format!(r#"{{"names": {json}}}"#)).texts("names").unwrap(), expected, "{json}");
        }
        assert_eq!(read("{\"names\": [1]}").texts("names").unwrap_err(), "`names` of `find` is a list of texts, came [1]");
    }

    #[test]
    fn what_is_no_argument_is_left_out_and_said_unless_transports_add_it() {
        assert_eq!(read(r#"{"query": "a", "toolCallId": "1", "_meta": {}}"#).left_out(), None);
        let arguments = read(r#"{"querry": "a", "deep": [[[]]]}"#);
        let left_out = "`querry`, `deep` are no arguments of `find` and left out; it takes `query`, `limit`, `names`";
        assert_eq!(arguments.left_out().as_deref(), Some(left_out));
        assert_eq!(arguments.needed_text("query").unwrap_err(), format!("`find` wants `query`, a text: {left_out}"));
        assert_eq!(read(r#"{"query": 7}"#).needed_text("query").unwrap_err(), "`query` of `find` is a text, came 7");
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for text in ["[]", "7", "", "{", r#"{"limit": 1, "limit": 2}"#] {
            let error = OwnArguments::read("find", KNOWN, text).err().unwrap();
            assert!(error.starts_with("the arguments of `find` cannot be used: "), "{error}");
        }
    }
}
