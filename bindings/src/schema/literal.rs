//! The types of single values: `const`, `enum`.

use std::sync::Arc;

use serde_json::Value;

use crate::comment::string_literal;
use crate::shape::{Alternative, ArrayShape, LiteralKind, Property, Rest, ValueType};
use crate::wide_integer;

/// The most first items of an array that are shown one by one.
pub(super) const PREFIX_LENGTH_MAX: usize = 100;

/// The most bytes of a property's name, or of a literal.
pub(super) const LITERAL_BYTES_MAX: usize = 512;

/// The type of exactly this value; of its kind, where TypeScript has no literal for it.
pub(super) fn literal(value: &Value) -> ValueType {
    if let Some(text) = wide_integer::digits_of(value) {
        // Beyond 2^53 a double is not one integer but several: it comes and goes as the text of its digits.
        let text = Alternative::Literal(LiteralKind::String, string_literal(&text).into());
        return ValueType::Union(vec![Alternative::Number, text]);
    }
    ValueType::one(match value {
        Value::Null => Alternative::Null,
        Value::Bool(value) => Alternative::Literal(LiteralKind::Boolean, if *value { "true" } else { "false" }.into()),
        Value::Number(number) => match whole(value) {
            Some(whole) => Alternative::Literal(LiteralKind::Integer, whole.to_string().into()),
            None => match number.as_f64() {
                Some(number) if number.fract() != 0.0 => Alternative::Literal(LiteralKind::Number, number.to_string().into()),
                _ => Alternative::Number,
            },
        },
        Value::String(text) if text.len() > LITERAL_BYTES_MAX => Alternative::String,
        Value::String(text) => Alternative::Literal(LiteralKind::String, string_literal(text).into()),
        Value::Array(items) if items.len() > PREFIX_LENGTH_MAX => {
            Alternative::Array(Arc::new(ArrayShape::new(Vec::new(), 0, ValueType::Unknown)))
        }
        Value::Array(items) => {
            Alternative::Array(Arc::new(ArrayShape::new(items.iter().map(literal).collect(), items.len(), ValueType::NEVER)))
        }
        Value::Object(members) => {
            let is_cut = members.keys().any(|name| name.len() > LITERAL_BYTES_MAX);
            let members = members.iter().filter(|(name, _)| name.len() <= LITERAL_BYTES_MAX);
            let property = |(name, value): (&String, &Value)| Property {
                name: Arc::from(name.as_str()),
                value: literal(value),
                is_required: true,
                note: None,
            };
            return ValueType::object(
                members.map(property).collect(),
                if is_cut { Rest::Values(ValueType::Unknown) } else { Rest::Closed },
            );
        }
    })
}

/// The integer that `value` is, `1.0` too.
pub(super) fn whole(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and the fraction is 0")]
    let from_double = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_u64().map(|_| i64::MAX)).or_else(|| value.as_f64().and_then(from_double))
}
