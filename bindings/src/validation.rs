//! Values against a tool's schemas, on the host, before and after a call.
//!
//! The validator is the `jsonschema` crate without resolvers (nothing is fetched) and with the linear-time `regex` engine. Patterns
//! that this engine does not have are not checked; neither are values for which a schema would be too much work
//! ([`crate::expansion`]), nor schemas that cannot be compiled. The upstream server checks its arguments itself in any case.

use std::fmt;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use crate::check::{CHECK_STEPS_MAX, Check, Verdict};
use crate::{expansion, json, search};

/// The most violations that are reported for one value.
const VIOLATIONS_MAX: usize = 8;

/// The most characters of a value in a message.
const VALUE_LENGTH_MAX: usize = 60;

/// The most bytes of a compiled pattern.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The most bytes of a pattern.
const PATTERN_LENGTH_MAX: usize = 1_000;

/// One way in which a value does not match its schema. `Display` is one line: where, what was expected and what came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The JSON pointer of the wrong part, empty for the whole.
    pub pointer: String,
    /// What was expected there, what came, and the way out.
    pub message: String,
}

impl Violation {
    /// Arguments that are no object.
    pub(crate) fn no_object() -> Self {
        let message = "expected an object with the arguments: write `tool({ name: value })`".to_owned();
        Self { pointer: String::new(), message }
    }

    /// A value that was too much work to check.
    pub(crate) fn excessive() -> Self {
        let message = "is too much work to check against its schema: send less, or split it over several calls".to_owned();
        Self { pointer: String::new(), message }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{pointer}: {}", self.message)
    }
}

/// A compiled schema.
#[derive(Debug)]
pub(crate) struct Checker {
    /// None where the schema cannot be compiled, or is too much work.
    validator: Option<Validator>,
    /// The levels of a value that are within bounds.
    depth_max: usize,
}

impl Checker {
    /// Compiles `schema`.
    pub(crate) fn of(schema: &Value) -> Self {
        let depth_max = expansion::depth_max(schema);
        if depth_max == 0 {
            return Self { validator: None, depth_max };
        }
        let dialect = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
        let draft = [
            ("draft-07", Draft::Draft7),
            ("draft-06", Draft::Draft6),
            ("draft-04", Draft::Draft4),
            ("2019-09", Draft::Draft201909),
        ]
        .into_iter()
        .find(|(name, _)| dialect.contains(name))
        .map_or(Draft::Draft202012, |(_, draft)| draft);
        let options = jsonschema::options()
            .with_draft(draft)
            .should_validate_formats(false)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX));
        let schema = Prepared::of(schema);
        Self { validator: options.build(&schema.0).ok(), depth_max }
    }

    /// `value` against the schema.
    pub(crate) fn check(&self, value: &Value, steps_max: u64) -> Check {
        let steps = CHECK_STEPS_MAX.min(steps_max);
        let violations = self.violations(value);
        Check { verdict: if violations.is_empty() { Verdict::Matches } else { Verdict::Differs(violations) }, steps }
    }

    /// How `value` violates the schema.
    pub(crate) fn violations(&self, value: &Value) -> Vec<Violation> {
        match &self.validator {
            Some(validator) if self.depth_max == usize::MAX || json::depth(value, self.depth_max) <= self.depth_max => {
                validator.iter_errors(value).take(VIOLATIONS_MAX).map(|error| violation(&error)).collect()
            }
            _ => Vec::new(),
        }
    }
}

/// A schema as the validator takes it.
struct Prepared(Value);

impl Prepared {
    /// `schema` without its dialect, with OpenAPI's `nullable` said in JSON Schema, without patterns that have no linear engine.
    fn of(schema: &Value) -> Self {
        let mut prepared = schema.clone();
        if let Value::Object(members) = &mut prepared {
            members.shift_remove("$schema");
        }
        prepare(&mut prepared);
        Self(prepared)
    }
}

/// Prepares a schema and those in it; JSON is at most 128 levels deep here.
fn prepare(schema: &mut Value) {
    let members = match schema {
        Value::Object(members) => members,
        Value::Array(schemas) => return schemas.iter_mut().for_each(prepare),
        _ => return,
    };
    if members.get("nullable") == Some(&Value::Bool(true)) {
        match members.get_mut("type") {
            Some(Value::Array(kinds)) => kinds.push(Value::from("null")),
            Some(kind @ Value::String(_)) if *kind != "null" => *kind = Value::Array(vec![kind.clone(), Value::from("null")]),
            _ => {}
        }
        if let Some(Value::Array(kinds)) = members.get_mut("type") {
            kinds.dedup();
        }
    }
    if members.get("pattern").and_then(Value::as_str).is_some_and(|pattern| !is_linear(pattern)) {
        members.shift_remove("pattern");
    }
    if let Some(Value::Object(patterns)) = members.get_mut("patternProperties") {
        let count = patterns.len();
        patterns.retain(|pattern, _| is_linear(pattern));
        if patterns.len() < count {
            members.shift_remove("additionalProperties");
            members.shift_remove("unevaluatedProperties");
        }
    }
    for (keyword, value) in members {
        match (keyword.as_str(), value) {
            ("const" | "enum" | "default" | "examples" | "example", _) => {}
            (
                "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" | "dependencies",
                Value::Object(schemas),
            ) => {
                schemas.values_mut().for_each(prepare);
            }
            (_, value) => prepare(value),
        }
    }
}

/// Whether the linear-time engine has `pattern`.
fn is_linear(pattern: &str) -> bool {
    let schema = Value::Object(Map::from_iter([("pattern".to_owned(), Value::from(pattern))]));
    let options = jsonschema::options().with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX));
    pattern.len() <= PATTERN_LENGTH_MAX && options.build(&schema).is_ok()
}

fn violation(error: &ValidationError<'_>) -> Violation {
    let pointer = error.instance_path().to_string();
    let came = excerpt(error.instance());
    let message = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            match misspelt(name, error.instance()) {
                Some(given) => format!("`{name}` is missing: write `{name}` in place of `{given}`"),
                None => format!("`{name}` is missing: add it"),
            }
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("expected {expected}, came {} {came}{}", kind_of(error.instance()), conversion(&expected, error.instance()))
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!(
                "expected no property {}: remove it",
                unexpected.iter().take(4).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            )
        }
        ValidationErrorKind::Enum { options } => {
            let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
            let nearest = error
                .instance()
                .as_str()
                .map(|came| search::nearest(options.iter().filter_map(Value::as_str), came))
                .unwrap_or_default();
            let listed = options.iter().take(12).map(excerpt).collect::<Vec<_>>().join(", ");
            let hint = nearest.first().map_or_else(String::new, |nearest| format!(": write \"{nearest}\""));
            format!("expected one of {listed}{}, came {came}{hint}", if options.len() > 12 { ", ..." } else { "" })
        }
        ValidationErrorKind::Constant { expected_value } => format!("expected {}, came {came}", excerpt(expected_value)),
        ValidationErrorKind::Pattern { pattern } => {
            format!("expected text that matches /{}/, came {came}", pattern.chars().take(100).collect::<String>())
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let nearest = context.iter().min_by_key(|errors| errors.len()).and_then(|errors| errors.first());
            match nearest.map(violation) {
                Some(nearest) => format!("none of its forms matches {came}; the nearest wants at {nearest}"),
                None => format!("none of its forms matches {came}"),
            }
        }
        ValidationErrorKind::FalseSchema => format!("expected nothing here, came {came}: remove it"),
        _ => error.to_string().chars().take(300).collect(),
    };
    Violation { pointer, message }
}

/// A property of `given` that looks like the missing `name`.
fn misspelt<'v>(name: &str, given: &'v Value) -> Option<&'v str> {
    let names = given.as_object()?.keys().map(String::as_str);
    names
        .map(|given| (strsim::jaro_winkler(given, name), given))
        .filter(|(score, _)| *score > 0.85)
        .max_by(|one, two| one.0.total_cmp(&two.0))
        .map(|(_, given)| given)
}

/// How to turn a value into what was expected, where that is clear.
fn conversion(expected: &str, came: &Value) -> String {
    match (expected, came) {
        ("number" | "integer", Value::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => {
            format!(": write {text} without quotes")
        }
        ("string", Value::Number(number)) => format!(": write \"{number}\""),
        ("array", Value::String(_) | Value::Number(_)) => ": put it in an array".to_owned(),
        _ => String::new(),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The beginning of `value` as JSON; large ones are not serialised as a whole.
fn excerpt(value: &Value) -> String {
    let text = match value {
        Value::String(text) => Value::String(text.chars().take(VALUE_LENGTH_MAX).collect()).to_string(),
        Value::Array(items) => return format!("[{} items]", items.len()),
        Value::Object(members) => {
            let names: Vec<String> = members.keys().take(6).map(|name| name.chars().take(24).collect()).collect();
            return format!("{{{}{}}}", names.join(", "), if members.len() > 6 { ", ..." } else { "" });
        }
        scalar => scalar.to_string(),
    };
    text.chars().take(VALUE_LENGTH_MAX + 2).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, value: &Value, expected: &[&str]) {
        let violations: Vec<String> = Checker::of(schema).violations(value).iter().map(ToString::to_string).collect();
        assert_eq!(violations, expected);
    }

    #[test]
    fn messages_say_where_what_and_the_way_out() {
        let schema = json!({"type": "object", "required": ["owner"], "additionalProperties": false, "properties": {
            "owner": {"type": "string"}, "limit": {"type": "integer"}, "state": {"enum": ["open", "closed"]}}});
        check(&schema, &json!({"owner": "a", "limit": 3, "state": "open"}), &[]);
        check(
            &schema,
            &json!({"owner": "a", "limit": "3"}),
            &["/limit: expected integer, came string \"3\": write 3 without quotes"],
        );
        check(&schema, &json!({"owner": 7}), &["/owner: expected string, came number 7: write \"7\""]);
        check(
            &schema,
            &json!({"owner": "a", "state": "opne"}),
            &["/state: expected one of \"open\", \"closed\", came \"opne\": write \"open\""],
        );
        let violations = Checker::of(&schema).violations(&json!({"ownr": "a"}));
        let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
        assert!(violations.contains(&"/: `owner` is missing: write `owner` in place of `ownr`".to_owned()), "{violations:?}");
        assert!(violations.contains(&"/: expected no property `ownr`: remove it".to_owned()), "{violations:?}");
    }

    #[test]
    fn nullable_admits_null_and_enum_still_decides() {
        check(&json!({"type": "string", "nullable": true}), &Value::Null, &[]);
        check(
            &json!({"type": "string", "nullable": true, "enum": ["a"]}),
            &Value::Null,
            &["/: expected one of \"a\", came null"],
        );
        check(&json!({"type": "string"}), &Value::Null, &["/: expected string, came null null"]);
    }

    #[test]
    fn a_pattern_without_a_linear_engine_is_not_checked_and_the_rest_is() {
        let schema = json!({"properties": {"a": {"pattern": "^(?=x)(.*)\\1$", "type": "string"}, "b": {"pattern": "^x+$"}}});
        check(&schema, &json!({"a": "y", "b": "x"}), &[]);
        check(&schema, &json!({"a": 1}), &["/a: expected string, came number 1: write \"1\""]);
        check(&schema, &json!({"b": "y"}), &["/b: expected text that matches /^x+$/, came \"y\""]);
    }

    #[test]
    fn what_cannot_be_compiled_or_is_elsewhere_admits_everything() {
        check(&json!({"$ref": "https://example.org/schema"}), &json!(1), &[]);
        check(&json!({"type": 7}), &json!(1), &[]);
    }

    #[test]
    fn hostile_values_and_patterns_take_no_time() {
        let items: Vec<Value> = (0..100_000).map(|item| json!([item])).collect();
        check(&json!({"uniqueItems": true}), &Value::Array(items), &[]);
        check(&json!({"pattern": "^(a+)+$"}), &json!("a".repeat(50_000)), &[]);
        let twice = json!({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [
            {"required": ["x"], "properties": {"a": {"$ref": "#/$defs/n"}}}, {"required": ["y"], "properties": {"a": {"$ref": "#/$defs/n"}}}]}}});
        let mut deep = json!({"x": 1});
        for _ in 0..100 {
            deep = json!({"a": deep, "x": 1, "y": 1});
        }
        check(&twice, &deep, &[]);
    }
}
