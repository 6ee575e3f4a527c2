//! A JSON-RPC message as far as it is read at the border: its members stay the text that they came in.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// The longest `id` that is taken from a peer and sent back to it, bytes.
pub const ID_BYTES_MAX: usize = 256;

/// A message of any kind. However deep its members are, reading it takes no stack.
#[derive(Debug, Deserialize)]
pub struct Envelope<'text> {
    #[serde(borrow, default)]
    jsonrpc: Option<&'text RawValue>,
    /// Who waits for its answer, or whose answer it is; also when it is `null`.
    #[serde(borrow, default, deserialize_with = "present")]
    pub id: Option<&'text RawValue>,
    #[serde(borrow, default)]
    method: Option<&'text RawValue>,
    /// The parameters; none for `null` too.
    #[serde(borrow, default)]
    pub params: Option<&'text RawValue>,
    /// The result; also when it is `null`.
    #[serde(borrow, default, deserialize_with = "present")]
    pub result: Option<&'text RawValue>,
    /// Why there is no result.
    #[serde(borrow, default)]
    pub error: Option<&'text RawValue>,
}

impl<'text> Envelope<'text> {
    /// Whether it says that it is JSON-RPC 2.0.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.jsonrpc.is_some_and(|version| version.get() == "\"2.0\"")
    }

    /// Its method, if that is a text; whether it has any.
    #[must_use]
    pub fn method(&self) -> (Option<Cow<'text, str>>, bool) {
        (self.method.and_then(text_in), self.method.is_some())
    }
}

/// Reads a JSON object. (serde would take an array for the fields of a struct, one by one.)
///
/// # Errors
///
/// When it is something else, or no JSON.
pub fn object<'text, T: Deserialize<'text>>(text: &'text str) -> Result<T, serde_json::Error> {
    if text.trim_start().starts_with('{') {
        serde_json::from_str(text)
    } else {
        Err(serde::de::Error::custom("expected a JSON object"))
    }
}

/// A member that is there, also when it is `null`.
///
/// # Errors
///
/// When it is no JSON.
pub fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The text that `json` is, if it is one.
#[must_use]
pub fn text_in(json: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Text<'text>(#[serde(borrow)] Cow<'text, str>);

    serde_json::from_str::<Text<'_>>(json.get()).ok().map(|Text(text)| text)
}

/// The whole number that `json` says, as a number or as a text: servers answer `"7"` and `7.0` to 7.
#[must_use]
pub fn number_in(json: &RawValue) -> Option<i64> {
    if json.get().len() > ID_BYTES_MAX {
        return None;
    }
    if let Some(text) = text_in(json) {
        return text.trim().parse().ok();
    }
    if let Ok(number) = json.get().parse() {
        return Some(number);
    }
    let number: f64 = json.get().parse().ok()?;
    // Beyond 2^53 it would be another one.
    let is_whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    is_whole.then_some(number as i64)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_number_is_read_however_it_is_written() {
        let read = |json: &str| number_in(&RawValue::from_string(json.to_owned()).unwrap());
        for json in ["7", "\"7\"", "7.0", "0.7e1", "\" 7\""] {
            assert_eq!(read(json), Some(7), "{json}");
        }
        for json in ["7.5", "\"7.0x\"", "1e300", "null", "true", "[7]", "\"\"", "18446744073709551616"] {
            assert_eq!(read(json), None, "{json}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"id":1,"method":"x","params":{}{}}}"#, "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(object::<Envelope<'_>>(&deep).unwrap().id.unwrap().get(), "1");
    }

    #[test]
    fn a_null_is_no_id_and_not_the_lack_of_one() {
        assert_eq!(object::<Envelope<'_>>(r#"{"id":null}"#).unwrap().id.unwrap().get(), "null");
        assert!(object::<Envelope<'_>>("{}").unwrap().id.is_none());
        assert!(object::<Envelope<'_>>("[1]").is_err());
    }
}
