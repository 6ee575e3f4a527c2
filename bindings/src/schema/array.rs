//! What a schema says of arrays.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::literal::{PREFIX_LENGTH_MAX, whole};
use super::unsaid::unevaluated;
use super::walk::{Place, Walk};
use crate::shape::{Alternative, ArrayShape, ValueType};

impl<'schema> Walk<'schema, '_> {
    pub(super) fn array(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> ValueType {
        let (first, rest) = match (members.get("prefixItems"), members.get("items")) {
            (Some(Value::Array(prefix)), items) => (prefix.as_slice(), items),
            (_, Some(Value::Array(prefix))) => (prefix.as_slice(), members.get("additionalItems")),
            (_, items) => (&[] as &[Value], items),
        };
        let count = |keyword: &str| members.get(keyword).and_then(whole).and_then(|count| usize::try_from(count).ok());
        let length_max = count("maxItems").unwrap_or(usize::MAX);
        let mut prefix = Vec::new();
        let rest = rest.or_else(|| unevaluated(members, "unevaluatedItems"));
        let mut rest_type = rest.map_or(ValueType::Unknown, |schema| self.convert(schema, place.below()));
        for schema in first.iter().take(PREFIX_LENGTH_MAX) {
            let item = self.convert(schema, place.below());
            if item.is_never() {
                rest_type = ValueType::NEVER;
                break;
            }
            prefix.push(item);
        }
        if first.len() > PREFIX_LENGTH_MAX && !rest_type.is_never() {
            rest_type = ValueType::Unknown;
        }
        if prefix.len() >= length_max {
            prefix.truncate(length_max);
            rest_type = ValueType::NEVER;
        }
        let required = count("minItems").unwrap_or(0);
        ValueType::one(Alternative::Array(Arc::new(ArrayShape::new(prefix, required, rest_type))))
    }
}
