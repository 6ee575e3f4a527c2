//! What a schema leaves unsaid of properties and items, and what other keywords make of it.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::literal::LITERAL_BYTES_MAX;
use crate::shape::{Alternative, Property, Rest, ValueType};

/// `converted` with every object closed of which nothing is said about other properties; `names` may be there too.
pub(super) fn closed(converted: ValueType, names: &[&str]) -> ValueType {
    map_unsaid(converted, |mut properties| {
        properties.retain(|property| !property.value.is_never());
        add_possible(&mut properties, names);
        ValueType::object(properties, Rest::Closed)
    })
}

/// `converted` with `names` as optional properties of every object of which nothing is said about other properties.
pub(super) fn with_possible(converted: ValueType, names: &[&str]) -> ValueType {
    map_unsaid(converted, |mut properties| {
        // An object without declared properties admits any already.
        if !properties.is_empty() {
            add_possible(&mut properties, names);
        }
        ValueType::object(properties, Rest::Unsaid)
    })
}

fn add_possible(properties: &mut Vec<Property>, names: &[&str]) {
    let mut known: HashSet<Arc<str>> = properties.iter().map(|property| Arc::clone(&property.name)).collect();
    for name in names.iter().filter(|name| name.len() <= LITERAL_BYTES_MAX) {
        if known.insert(Arc::from(*name)) {
            properties.push(Property { name: Arc::from(*name), value: ValueType::Unknown, is_required: false, note: None });
        }
    }
}

/// `converted` with every object changed of which nothing is said about other properties.
fn map_unsaid(converted: ValueType, change: impl Fn(Vec<Property>) -> ValueType) -> ValueType {
    let ValueType::Union(alternatives) = converted else { return ValueType::Unknown };
    ValueType::any_of(alternatives.into_iter().map(|alternative| match alternative {
        Alternative::Object(shape) if shape.rest == Rest::Unsaid => change(shape.properties.clone()),
        other => ValueType::one(other),
    }))
}

/// The schema of an `unevaluated*` keyword where nothing beside it can evaluate anything: there it is as good as `additional*`.
pub(super) fn unevaluated<'schema>(members: &'schema Map<String, Value>, keyword: &str) -> Option<&'schema Value> {
    let beside =
        ["allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "$recursiveRef", "if", "dependentSchemas", "contains", "not"];
    members.get(keyword).filter(|_| !beside.iter().any(|keyword| members.contains_key(*keyword)))
}

/// Whether nothing is said about properties that are declared by no keyword.
pub(super) fn additional_is_unsaid(members: &Map<String, Value>) -> bool {
    !members.contains_key("additionalProperties") && unevaluated(members, "unevaluatedProperties").is_none()
}
