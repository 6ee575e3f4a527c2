//! What `not` refuses, where TypeScript can say it.

use std::sync::Arc;

use serde_json::Value;

use super::literal::{LITERAL_BYTES_MAX, literal};
use crate::shape::{Alternative, ArrayShape, LiteralKind, Property, Rest, ValueType};

/// `converted` without the values of `refused`, where that is one of the few things that TypeScript can say.
pub(super) fn except(converted: ValueType, refused: &Value) -> ValueType {
    let members = match refused {
        Value::Bool(true) => return ValueType::NEVER,
        Value::Object(members) => members,
        _ => return converted,
    };
    let mut keywords = members.iter().filter(|(keyword, _)| !matches!(keyword.as_str(), "description" | "title" | "$comment"));
    let (Some((keyword, value)), None) = (keywords.next(), keywords.next()) else {
        return if members.is_empty() { ValueType::NEVER } else { converted };
    };
    let excluded: Vec<&Value> = match (keyword.as_str(), value) {
        ("type", Value::String(_)) => vec![value],
        ("type" | "enum", Value::Array(values)) => values.iter().collect(),
        ("const", value) => vec![value],
        ("required", Value::Array(names)) => match names.as_slice() {
            [Value::String(name)] => return without_property(converted, name),
            _ => return converted,
        },
        _ => return converted,
    };
    if keyword == "type" {
        let is_excluded = |kind: &str| excluded.iter().any(|excluded| excluded.as_str() == Some(kind));
        let every_kind = || ValueType::object(Vec::new(), Rest::Values(ValueType::Unknown)).or(other_kinds());
        let converted = if converted == ValueType::Unknown { every_kind() } else { converted };
        let stays = |alternative: &Alternative| !match alternative {
            Alternative::Null => is_excluded("null"),
            Alternative::Boolean | Alternative::Literal(LiteralKind::Boolean, _) => is_excluded("boolean"),
            Alternative::Number | Alternative::Literal(LiteralKind::Number, _) => is_excluded("number"),
            Alternative::Integer | Alternative::Literal(LiteralKind::Integer, _) => {
                is_excluded("integer") || is_excluded("number")
            }
            Alternative::String | Alternative::Literal(LiteralKind::String, _) => is_excluded("string"),
            Alternative::Array(_) => is_excluded("array"),
            Alternative::Object(_) => is_excluded("object"),
            Alternative::Named(_) | Alternative::All(_) => false,
        };
        return ValueType::Union(converted.alternatives().iter().filter(|alternative| stays(alternative)).cloned().collect());
    }
    let scalars = excluded.iter().filter(|value| !value.is_object() && !value.is_array()).map(|value| literal(value));
    let scalars = ValueType::any_of(scalars);
    match converted {
        ValueType::Unknown => ValueType::Unknown,
        ValueType::Union(alternatives) => {
            let is_excluded = |alternative: &Alternative| {
                matches!(alternative, Alternative::Literal(..) | Alternative::Null)
                    && scalars.alternatives().contains(alternative)
            };
            ValueType::Union(alternatives.into_iter().filter(|alternative| !is_excluded(alternative)).collect())
        }
    }
}

/// The objects of `converted`, which must not have the property `name`.
fn without_property(converted: ValueType, name: &str) -> ValueType {
    let [Alternative::Object(shape)] = converted.alternatives() else { return converted };
    if name.len() > LITERAL_BYTES_MAX {
        return converted;
    }
    let mut properties = shape.properties.clone();
    match properties.iter_mut().find(|property| &*property.name == name) {
        Some(property) if property.is_required => return ValueType::NEVER,
        Some(property) => property.value = ValueType::NEVER,
        None => properties.push(Property { name: Arc::from(name), value: ValueType::NEVER, is_required: false, note: None }),
    }
    ValueType::object(properties, shape.rest.clone())
}

/// All values but objects.
pub(super) fn other_kinds() -> ValueType {
    let any_array = Alternative::Array(Arc::new(ArrayShape::new(Vec::new(), 0, ValueType::Unknown)));
    ValueType::Union(vec![any_array, Alternative::String, Alternative::Number, Alternative::Boolean, Alternative::Null])
}
