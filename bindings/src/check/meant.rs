//! Which missing property came under a name that the schema does not have: another word for it, or the only name that is left over.
//!
//! Names that are nearly alike are found letter by letter where they are missed; these are not alike.

use serde_json::Value;

use super::violation::{self, Violation, kind_of};
use crate::coercion;
use crate::nearest::is_other_word_for;

/// The most members that are looked at.
const GIVEN_MAX: usize = 100;

/// Says in `violations`, of an object with the members `given`, under which names missing properties came. The value of a member may not be known.
pub(crate) fn say_names(schema: &Value, given: &[(&str, Option<&Value>)], violations: &mut [Violation]) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let admits_others =
        schema.get("patternProperties").is_some() || schema.get("additionalProperties").is_some_and(Value::is_object);
    if admits_others || given.len() > GIVEN_MAX {
        return;
    }
    let is_left_over = |name: &str| !properties.contains_key(name) && !coercion::is_of_transports(name);
    let left_over: Vec<_> = given.iter().filter(|(name, _)| is_left_over(name)).collect();
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let is_missed =
        |name: &&str| violations.iter().any(|one| one.pointer.is_empty() && one.message == violation::missing_plainly(name));
    let missed: Vec<&str> = required.filter(is_missed).collect();
    for name in &missed {
        let takes = |value: &Value| properties.get(*name).is_none_or(|schema| fits(schema, value));
        let only = (missed.len() == 1).then_some(left_over.as_slice()).and_then(|left_over| <[_; 1]>::try_from(left_over).ok());
        let mut others = left_over.iter().filter(|(given, _)| is_other_word_for(given, name));
        let other = others.next().filter(|_| others.next().is_none()).copied();
        let Some((given, _)) = other.or(only.map(|[only]| only)).filter(|(_, value)| value.is_none_or(takes)) else {
            continue;
        };
        for one in violations.iter_mut().filter(|one| one.pointer.is_empty()) {
            if one.message == violation::missing_plainly(name) {
                one.message = violation::missing_under(name, given);
            } else if one.message == violation::unexpected_plainly(&[*given]) {
                one.message = violation::unexpected_for(given, name);
            }
        }
    }
}

/// Whether a value is of a type that a schema names.
fn fits(schema: &Value, value: &Value) -> bool {
    let kind = kind_of(value);
    let is_kind = |name: &str| name == kind || (name == "integer" && kind == "number");
    match schema.get("type") {
        Some(Value::String(name)) => is_kind(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is_kind),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(required: &[&str], is_closed: bool, given: &Value, expected: &[&str]) {
        let schema = json!({"required": required, "additionalProperties": !is_closed, "properties": {
            "path": {"type": "string"}, "destination": {"type": "string"}, "count": {"type": "integer"}}});
        let given: Vec<_> = given.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), Some(value))).collect();
        let message = |message: String| Violation { pointer: String::new(), message };
        let missed = required.iter().filter(|name| given.iter().all(|(given, _)| given != *name));
        let mut violations: Vec<Violation> = missed.map(|name| message(violation::missing_plainly(name))).collect();
        let unknown: Vec<&str> =
            given.iter().map(|(name, _)| *name).filter(|name| schema["properties"].get(name).is_none()).collect();
        violations.extend((is_closed && !unknown.is_empty()).then(|| message(violation::unexpected_plainly(&unknown))));
        say_names(&schema, &given, &mut violations);
        let messages: Vec<&str> = violations.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(messages, expected, "{given:?}");
    }

    #[test]
    fn the_only_name_that_is_left_over_is_the_property_that_is_missing() {
        let renamed = "`path` is missing: write `path` in place of `where`";
        check(&["path"], false, &json!({"where": "/a", "count": 1}), &[renamed]);
        check(&["path"], true, &json!({"where": "/a"}), &[renamed, "expected no property `where`: write `path` in its place"]);
        check(&["path"], false, &json!({"where": 7}), &["`path` is missing: add it"]);
        check(&["path"], false, &json!({"where": "/a", "how": "b"}), &["`path` is missing: add it"]);
        check(&["path"], false, &json!({"toolCallId": "a"}), &["`path` is missing: add it"]);
        check(&["path", "count"], false, &json!({"where": "a"}), &["`path` is missing: add it", "`count` is missing: add it"]);
    }

    #[test]
    fn another_word_for_it_is_the_property_however_many_are_missing() {
        let renamed = [
            "`path` is missing: write `path` in place of `file`",
            "`destination` is missing: write `destination` in place of `to`",
        ];
        check(&["path", "destination"], false, &json!({"to": "/b", "file": "/a"}), &renamed);
        check(&["path"], false, &json!({"file": "/a", "filename": "b"}), &["`path` is missing: add it"]);
    }
}
