//! Required properties that may be left out: those with a default, in what a program sends.
//!
//! Generators list them as required (they describe the value once the default is in it), and their servers take calls without them. It
//! is never filled in here: what is left out is sent left out, so the server's default holds.

use serde_json::Value;

use crate::words::{TypeKeyword, kinds};

/// Whose values a schema is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Arguments, which a server completes.
    ToServer,
    /// Results, which are complete: what is required is there.
    FromServer,
}

impl Direction {
    /// Whether a required property with this schema may be left out. `referred` is the schema that its `$ref` means.
    pub(crate) fn may_leave_out(self, schema: &Value, referred: Option<&Value>) -> bool {
        let has_default = |schema: &Value| match schema.get("default") {
            None => false,
            // A null is a keyword that is not there, as some serialisers write it; only where null is a value, it is one.
            Some(Value::Null) => admits_null(schema),
            Some(_) => true,
        };
        self == Self::ToServer && (has_default(schema) || referred.is_some_and(has_default))
    }
}

/// Whether `schema` says by itself, or in one of its forms, that null is a value.
fn admits_null(schema: &Value) -> bool {
    let says_null = |schema: &Value| {
        let nullable = schema.get("nullable");
        let said = schema.get("type").map(|said| kinds(said, nullable));
        match said {
            Some(TypeKeyword::Only(kinds)) => kinds.contains(&"null"),
            _ => nullable == Some(&Value::Bool(true)),
        }
    };
    let forms = ["anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
    says_null(schema) || forms.into_iter().any(says_null)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, expected: bool) {
        assert_eq!(Direction::ToServer.may_leave_out(schema, None), expected, "{schema}");
        assert!(!Direction::FromServer.may_leave_out(schema, None), "{schema}");
    }

    #[test]
    fn a_default_is_one_whatever_its_value_is() {
        for default in [json!(false), json!(0), json!(""), json!([]), json!({})] {
            check(&json!({"default": default}), true);
        }
        check(&json!({"type": "string"}), false);
        check(&json!(true), false);
        check(&json!("default"), false);
    }

    #[test]
    fn a_null_is_a_default_where_null_is_a_value() {
        check(&json!({"type": "string", "default": null}), false);
        check(&json!({"default": null}), false);
        check(&json!({"type": ["string", "null"], "default": null}), true);
        check(&json!({"type": "string", "nullable": true, "default": null}), true);
        check(&json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}), true);
        check(&json!({"anyOf": [{"type": "string"}, {"type": "number"}], "default": null}), false);
    }

    #[test]
    fn the_default_of_what_is_referred_to_counts() {
        assert!(Direction::ToServer.may_leave_out(&json!({"$ref": "#/$defs/a"}), Some(&json!({"default": 1}))));
        assert!(!Direction::FromServer.may_leave_out(&json!({"$ref": "#/$defs/a"}), Some(&json!({"default": 1}))));
    }
}
