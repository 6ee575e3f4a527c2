//! Arguments that do not match a tool's schema and plainly mean some that do.
//!
//! What is changed is little, and listed: an integral float is an integer, a text of digits beyond 2^53 is the integer that a program got as
//! that text, members that transports add are dropped where the schema is closed, and a null is absence where the operator trusts the tool
//! to change nothing. Anything else might change what the call does.

use serde_json::{Map, Number, Value};

use crate::call::Arguments;
use crate::exact_integers::{ExactIntegers, below};
use crate::wide_integer::{SAFE_INTEGER_MAX, has_wide_format};

/// What transports and frameworks add to arguments, whatever the tool.
const OF_TRANSPORTS: [&str; 8] =
    ["_meta", "action", "chatInput", "sessionId", "toolCallId", "tool_call_id", "toolUseId", "tool_use_id"];
/// How deep arguments are looked at.
const DEPTH_MAX: usize = 16;
/// References that are followed from one schema.
const REFERENCES_MAX: usize = 8;
/// Forms of one value that are looked at, and how deep they may be in one another.
const FORMS_MAX: usize = 256;
const FORMS_DEPTH_MAX: usize = 4;
/// The most digits of an integer: with all of them it is a number for every reader of JSON.
const DIGITS_MAX: usize = 300;

/// Whether a member may be one that transports add.
pub(crate) fn is_of_transports(name: &str) -> bool {
    OF_TRANSPORTS.contains(&name)
}

/// Arguments as they were meant, and what was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Coerced {
    /// What is to be checked; integers beyond 64 bits are rounded in it.
    pub arguments: Map<String, Value>,
    /// What was changed, a sentence each.
    pub notes: Vec<String>,
    /// Those integers, to the last digit.
    exact: ExactIntegers,
}

impl Coerced {
    /// What is to be sent: the same, with every digit.
    #[must_use]
    pub fn sent(&self) -> Arguments {
        Arguments::exactly(&self.arguments, &self.exact)
    }

    /// What `arguments` mean to this schema, if anything has to be changed for it.
    pub(crate) fn of(schema: &Value, arguments: &Map<String, Value>, null_is_absence: bool) -> Option<Self> {
        let mut coercion = Coercion { root: schema, null_is_absence, notes: Vec::new(), exact: ExactIntegers::new() };
        let arguments = coercion.object("", &[schema], arguments, DEPTH_MAX);
        let Coercion { notes, exact, .. } = coercion;
        (!notes.is_empty()).then_some(Self { arguments, notes, exact })
    }
}

struct Coercion<'s> {
    root: &'s Value,
    null_is_absence: bool,
    notes: Vec<String>,
    exact: ExactIntegers,
}

impl<'s> Coercion<'s> {
    /// `schemas`: all that this object, at `pointer`, has to match, or may.
    fn object(
        &mut self,
        pointer: &str,
        schemas: &[&'s Value],
        object: &Map<String, Value>,
        depth: usize,
    ) -> Map<String, Value> {
        let forms = self.forms(schemas);
        let mut coerced = Map::new();
        for (name, value) in object {
            let mut known: Vec<&Value> = forms.iter().filter_map(|form| form.get("properties")?.get(name)).collect();
            let others = || forms.iter().filter_map(|form| form.get("additionalProperties"));
            if known.is_empty() {
                known.extend(others().filter(|schema| schema.is_object()));
            }
            if known.is_empty() {
                let is_closed = others().any(|schema| *schema == Value::Bool(false));
                if is_closed && is_of_transports(name) {
                    self.notes.push(format!("`{name}` is no argument of the tool and was left out"));
                } else {
                    coerced.insert(name.clone(), value.clone());
                }
                continue;
            }
            let is_required = forms.iter().filter_map(|form| form.get("required")?.as_array()).flatten().any(|one| one == name);
            if value.is_null() && self.null_is_absence && !is_required && !self.admits(&known, "null") {
                self.notes.push(format!("`{name}` was null and was left out"));
                continue;
            }
            let pointer = below(pointer, name);
            coerced.insert(name.clone(), self.value(name, &pointer, &known, value, depth.saturating_sub(1)));
        }
        coerced
    }

    fn value(&mut self, name: &str, pointer: &str, schemas: &[&'s Value], value: &Value, depth: usize) -> Value {
        match value {
            _ if depth == 0 => value.clone(),
            Value::Object(object) => Value::Object(self.object(pointer, schemas, object, depth)),
            Value::Array(items) => {
                let forms = self.forms(schemas);
                let known = |place: usize| forms.iter().filter_map(move |form| item_schema(form, place)).collect::<Vec<_>>();
                let items = items.iter().enumerate();
                items
                    .map(|(place, item)| self.value(name, &below(pointer, &place.to_string()), &known(place), item, depth - 1))
                    .collect()
            }
            Value::Number(number) => self.number(schemas, number).map_or_else(
                || value.clone(),
                |integer| {
                    self.notes.push(format!("`{name}`: {number} was sent as the integer {integer}"));
                    Value::Number(integer)
                },
            ),
            Value::String(text) => self.integer_of(schemas, text).map_or_else(
                || value.clone(),
                |integer| {
                    self.notes.push(format!("`{name}`: the text of digits was sent as the integer {text}"));
                    if integer.is_f64() {
                        self.exact.insert(pointer.to_owned(), text.clone());
                    }
                    Value::Number(integer)
                },
            ),
            Value::Null | Value::Bool(_) => value.clone(),
        }
    }

    /// The integer that a float is, where an integer is wanted.
    fn number(&self, schemas: &[&'s Value], number: &Number) -> Option<Number> {
        let float = number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0)?;
        #[expect(clippy::cast_precision_loss, reason = "it is exact up to there")]
        let is_safe = float.abs() <= SAFE_INTEGER_MAX as f64;
        #[expect(clippy::cast_possible_truncation, reason = "it is an integer within the range")]
        (is_safe && self.admits(schemas, "integer")).then(|| Number::from(float as i64))
    }

    /// The integer whose digits a text is, beyond those that are numbers of JavaScript; rounded where it has more than 64 bits.
    fn integer_of(&self, schemas: &[&'s Value], text: &str) -> Option<Number> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let is_integer = !digits.is_empty() && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
        let is_beyond =
            is_integer && digits.parse::<u64>().map_or(digits.len() <= DIGITS_MAX, |value| value > SAFE_INTEGER_MAX);
        if !is_beyond || self.admits(schemas, "string") {
            return None;
        }
        let of_64_bits = text.parse::<u64>().map(Number::from).or_else(|_| text.parse::<i64>().map(Number::from)).ok();
        let integer = of_64_bits.or_else(|| Number::from_f64(text.parse().ok()?))?;
        (self.admits(schemas, "integer") || self.admits_wide(schemas, &integer)).then_some(integer)
    }

    /// Whether one of `schemas` is of numbers with a format of such integers, or lists this one.
    fn admits_wide(&self, schemas: &[&'s Value], integer: &Number) -> bool {
        let is_it = |value: &Value| value.as_number() == Some(integer);
        self.forms(schemas).iter().any(|form| {
            (form.as_object().is_some_and(has_wide_format) && is_of(form, "number"))
                || form.get("const").is_some_and(is_it)
                || form.get("enum").and_then(Value::as_array).is_some_and(|listed| listed.iter().any(is_it))
        })
    }

    /// Whether one of `schemas` says in so many words that a value may be of this kind.
    fn admits(&self, schemas: &[&'s Value], kind: &str) -> bool {
        self.forms(schemas).iter().any(|form| is_of(form, kind))
    }

    /// The schemas, what they refer to, and their forms.
    fn forms(&self, schemas: &[&'s Value]) -> Vec<&'s Value> {
        let mut forms = Vec::new();
        let mut waiting: Vec<(&Value, usize)> = schemas.iter().rev().map(|schema| (*schema, 0)).collect();
        while let Some((schema, depth)) = waiting.pop() {
            if forms.len() >= FORMS_MAX {
                break;
            }
            let schema = self.referred(schema);
            forms.push(schema);
            if depth < FORMS_DEPTH_MAX {
                let listed = ["anyOf", "oneOf", "allOf"].iter().filter_map(|keyword| schema.get(keyword)?.as_array()).flatten();
                waiting.extend(listed.map(|form| (form, depth + 1)));
            }
        }
        forms
    }

    fn referred(&self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..REFERENCES_MAX {
            let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
            let Some(meant) = reference.and_then(|pointer| self.root.pointer(pointer)) else { break };
            schema = meant;
        }
        schema
    }
}

/// Whether `schema` says in so many words that a value may be of this kind.
fn is_of(schema: &Value, kind: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(only)) => only == kind,
        Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
        _ => false,
    }
}

/// What `schema` says of the item at `place`.
fn item_schema(schema: &Value, place: usize) -> Option<&Value> {
    let (items, first) = (schema.get("items"), schema.get("prefixItems"));
    let first = first.or(items).and_then(Value::as_array);
    first.and_then(|first| first.get(place)).or_else(|| items.filter(|items| items.is_object()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(arguments: Value, null_is_absence: bool, expected: Option<(Value, &[&str])>) {
        let schema = json!({
            "type": "object", "additionalProperties": false, "required": ["id"],
            "properties": {
                "id": { "type": "integer" }, "name": { "type": "string" }, "either": { "type": ["integer", "string"] },
                "maybe": { "anyOf": [{ "type": "string" }, { "type": "null" }] }, "list": { "type": "array", "items": { "$ref": "#/$defs/row" } },
            },
            "$defs": { "row": { "type": "object", "properties": { "count": { "type": "integer" } } } },
        });
        let Value::Object(arguments) = arguments else { unreachable!("arguments are an object") };
        let coerced = Coerced::of(&schema, &arguments, null_is_absence);
        let found = coerced.as_ref().map(|coerced| (Value::Object(coerced.arguments.clone()), coerced.notes.join("; ")));
        assert_eq!(found, expected.map(|(value, notes)| (value, notes.join("; "))));
    }

    #[test]
    fn an_integral_float_is_an_integer_and_another_is_not() {
        check(json!({ "id": 5000.0 }), false, Some((json!({ "id": 5000 }), &["`id`: 5000.0 was sent as the integer 5000"])));
        check(json!({ "id": 1.5, "name": 2.0 }), false, None);
        let nested = json!({ "id": 1, "list": [{ "count": 2.0 }] });
        check(nested, false, Some((json!({ "id": 1, "list": [{ "count": 2 }] }), &["`count`: 2.0 was sent as the integer 2"])));
    }

    #[test]
    fn digits_beyond_the_safe_integers_are_the_integer_and_fewer_stay_a_text() {
        let note = "`id`: the text of digits was sent as the integer 9007199254740993";
        check(json!({ "id": "9007199254740993" }), false, Some((json!({ "id": 9_007_199_254_740_993_u64 }), &[note])));
        check(json!({ "id": "9007199254740991", "either": "9007199254740993", "name": "9007199254740993" }), false, None);
        check(json!({ "id": "9".repeat(301) }), false, None);
        check(json!({ "id": "-" }), false, None);
    }

    #[test]
    fn digits_are_the_integer_wherever_a_schema_speaks_of_integers() {
        let wide = json!("9007199254740993");
        let integer = json!({ "type": "integer" });
        for (schema, is_sent) in [
            (integer.clone(), true),
            (json!({ "type": ["integer", "null"] }), true),
            (json!({ "anyOf": [{ "anyOf": [integer, { "type": "boolean" }] }, { "type": "null" }] }), true),
            (json!({ "type": "number", "format": "int64" }), true),
            (json!({ "enum": [9_007_199_254_740_993_u64] }), true),
            (json!({ "enum": [7] }), false),
            (json!({ "type": "number" }), false),
            (json!({ "type": ["integer", "string"] }), false),
            (json!({}), false),
        ] {
            for (container, value) in [
                (json!({ "properties": { "v": schema } }), json!({ "v": wide })),
                (json!({ "additionalProperties": schema }), json!({ "v": wide })),
                (json!({ "properties": { "v": { "items": schema } } }), json!({ "v": [wide] })),
                (json!({ "properties": { "v": { "prefixItems": [schema] } } }), json!({ "v": [wide] })),
            ] {
                let arguments = value.as_object().cloned().unwrap_or_default();
                let coerced = Coerced::of(&container, &arguments, false).map(|coerced| Value::Object(coerced.arguments));
                let sent = coerced.map(|sent| {
                    sent.to_string().contains(":9007199254740993") || sent.to_string().contains("[9007199254740993")
                });
                assert_eq!(sent, is_sent.then_some(true), "{container}");
            }
        }
    }

    #[test]
    fn an_integer_of_any_length_is_sent_to_the_last_digit() {
        let schema = json!({ "type": "object", "properties": { "id": { "type": "integer" }, "a/b": { "items": { "type": "integer" } } } });
        for digits in ["18446744073709551616", "-9223372036854775809", &"123456789".repeat(30)] {
            let arguments = json!({ "id": digits, "a/b": ["9007199254740993", digits, 1] });
            let coerced = arguments.as_object().and_then(|arguments| Coerced::of(&schema, arguments, false));
            let sent = coerced.as_ref().map(|coerced| coerced.sent().as_json().to_owned());
            assert_eq!(sent, Some(format!(r#"{{"id":{digits},"a/b":[9007199254740993,{digits},1]}}"#)));
            assert!(coerced.is_some_and(|coerced| coerced.notes[0].ends_with(digits)));
        }
    }

    #[test]
    fn what_transports_add_is_dropped_and_nothing_else() {
        let note = "`toolCallId` is no argument of the tool and was left out";
        check(json!({ "id": 1, "toolCallId": "c" }), false, Some((json!({ "id": 1 }), &[note])));
        check(json!({ "id": 1, "dryRun": true }), false, None);
    }

    #[test]
    fn a_null_is_absence_where_the_tool_is_trusted_and_null_is_no_value() {
        check(json!({ "id": 1, "name": null }), true, Some((json!({ "id": 1 }), &["`name` was null and was left out"])));
        check(json!({ "id": null, "maybe": null }), true, None);
        check(json!({ "id": 1, "name": null }), false, None);
    }
}
