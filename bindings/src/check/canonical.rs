//! One text for all JSON values that are equal: `1` and `1.0`, objects whatever the order of their members.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::meter::{Exhausted, Meter, steps};
use super::number;

/// What it takes to write one value, and one byte of a text or a key.
const VALUE_STEPS: u64 = 60;
const BYTE_STEPS: u64 = 3;

/// The text of `value`.
pub(super) fn text(value: &Value, meter: &mut Meter) -> Result<String, Exhausted> {
    let mut text = String::new();
    write(value, &mut text, meter)?;
    Ok(text)
}

fn write(value: &Value, text: &mut String, meter: &mut Meter) -> Result<(), Exhausted> {
    meter.spend(VALUE_STEPS)?;
    match value {
        Value::Null => text.push('n'),
        Value::Bool(value) => text.push(if *value { 't' } else { 'f' }),
        Value::Number(value) => {
            let written = match number::whole(value) {
                Some(whole) => write!(text, "{whole}"),
                None => write!(text, "{value}"),
            };
            written.expect("a string takes every write");
        }
        Value::String(value) => write_string(value, text, meter)?,
        Value::Array(items) => {
            text.push('[');
            for item in items {
                write(item, text, meter)?;
                text.push(',');
            }
            text.push(']');
        }
        Value::Object(members) => write_object(members, text, meter)?,
    }
    Ok(())
}

fn write_object(members: &Map<String, Value>, text: &mut String, meter: &mut Meter) -> Result<(), Exhausted> {
    let count = steps(members.len());
    // Sorting compares each key with some others.
    let key_bytes: usize = members.keys().map(String::len).sum();
    meter.spend((count * VALUE_STEPS + steps(key_bytes)) * u64::from(count.checked_ilog2().unwrap_or(0) + 1))?;
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    text.push('{');
    for (key, member) in members {
        write_string(key, text, meter)?;
        write(member, text, meter)?;
        text.push(',');
    }
    text.push('}');
    Ok(())
}

/// Writes a string with its length, so that no text runs into what follows.
fn write_string(value: &str, text: &mut String, meter: &mut Meter) -> Result<(), Exhausted> {
    meter.spend(BYTE_STEPS * steps(value.len()))?;
    write!(text, "\"{}:{value}", value.len()).expect("a string takes every write");
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::json;

    use super::*;

    fn of(value: &Value) -> String {
        text(value, &mut Meter::new(u64::MAX)).unwrap()
    }

    #[test]
    fn equal_values_have_one_text_and_others_do_not() {
        assert_eq!(of(&json!({"a": 1, "b": [2.0, "x"]})), of(&json!({"b": [2, "x"], "a": 1.0})));
        let different = [
            json!(null),
            json!(false),
            json!(0),
            json!("0"),
            json!(0.5),
            json!([]),
            json!([[]]),
            json!([[], []]),
            json!({}),
            json!({"a": {}}),
            json!([["a", "b"]]),
            json!([["a"], "b"]),
            json!(["a,\"1:b"]),
            json!(["a", "b"]),
            json!({"a": "b"}),
            json!({"a\"1:b": 1}),
        ];
        for (place, one) in different.iter().enumerate() {
            assert!(different[place + 1..].iter().all(|other| of(one) != of(other)), "{one}");
        }
    }

    #[test]
    fn a_large_value_is_given_up() {
        let items = Value::Array(vec![json!("x"); 1_000]);
        assert_eq!(text(&items, &mut Meter::new(1_000)), Err(Exhausted));
    }
}
