//! Integers that JavaScript rounds: where a schema says that there may be such, a program gets them as texts of their digits, and gives them
//! back so.

use serde_json::{Map, Value};

/// The largest integer up to which every one is a number of JavaScript.
pub(crate) const SAFE_INTEGER_MAX: u64 = (1 << 53) - 1;
/// Formats of integers of 64 bits and more.
const FORMATS: [&str; 6] = ["int64", "uint64", "int128", "uint128", "long", "bigint"];

/// Whether `schema`, one of integers, says that they may be beyond those that JavaScript holds to the last digit: by its format, by a bound, or by
/// one that it lists.
pub(crate) fn is_wide(schema: &Map<String, Value>) -> bool {
    let mut listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().chain(schema.get("const"));
    has_wide_format(schema)
        || listed.any(|value| digits_of(value).is_some())
        || ["minimum", "maximum"].iter().any(|bound| is_beyond(schema.get(*bound), 0.0))
        || ["exclusiveMinimum", "exclusiveMaximum"].iter().any(|bound| is_beyond(schema.get(*bound), 1.0))
}

/// Whether `schema` has a format of integers that JavaScript may round.
pub(crate) fn has_wide_format(schema: &Map<String, Value>) -> bool {
    schema.get("format").and_then(Value::as_str).is_some_and(|format| FORMATS.contains(&format))
}

/// The digits of an integer that JavaScript may round.
pub(crate) fn digits_of(value: &Value) -> Option<String> {
    let is_beyond = match (value.as_u64(), value.as_i64()) {
        (Some(positive), _) => positive > SAFE_INTEGER_MAX,
        (None, Some(negative)) => negative.unsigned_abs() > SAFE_INTEGER_MAX,
        (None, None) => false,
    };
    is_beyond.then(|| value.to_string())
}

/// `beside`: by how much the bound is beside the last integer that it admits.
fn is_beyond(bound: Option<&Value>, beside: f64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "it is exact up to there")]
    let safe = SAFE_INTEGER_MAX as f64;
    bound.and_then(Value::as_f64).is_some_and(|bound| bound.abs() - beside > safe)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_wide_by_its_format_or_by_a_bound_beyond_two_to_the_53rd() {
        for (schema, expected) in [
            (json!({}), false),
            (json!({ "format": "int32" }), false),
            (json!({ "format": "int64" }), true),
            (json!({ "format": "uint64" }), true),
            (json!({ "minimum": -9_007_199_254_740_991_i64, "maximum": 9_007_199_254_740_991_i64 }), false),
            (json!({ "maximum": 9_007_199_254_740_992_i64 }), true),
            (json!({ "exclusiveMaximum": 9_007_199_254_740_992_i64 }), false),
            (json!({ "exclusiveMaximum": u64::MAX }), true),
            (json!({ "minimum": i64::MIN }), true),
            (json!({ "minimum": "9223372036854775807" }), false),
            (json!({ "enum": [1, -9_007_199_254_740_993_i64] }), true),
            (json!({ "const": 9_007_199_254_740_991_i64 }), false),
        ] {
            let schema = schema.as_object().cloned().unwrap_or_default();
            assert_eq!(is_wide(&schema), expected, "{schema:?}");
        }
    }
}
