//! What a schema says of objects: their declared properties, and all others.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::literal::LITERAL_BYTES_MAX;
use super::unsaid::{additional_is_unsaid, unevaluated};
use super::walk::{Place, Walk};
use crate::annotation;
use crate::pattern;
use crate::shape::{Property, Rest, ValueType};

/// The most declared properties of an object that are shown.
pub(super) const PROPERTIES_MAX: usize = 1_000;

/// The most forms of keys of an object.
const PATTERNS_MAX: usize = 16;

impl<'schema> Walk<'schema, '_> {
    pub(super) fn object(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> ValueType {
        let required: Vec<&str> = match members.get("required") {
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).take(PROPERTIES_MAX).collect(),
            _ => Vec::new(),
        };
        let is_required = is_among(&required);
        let mut is_cut = false;
        let mut properties = Vec::new();
        let declared = members.get("properties").and_then(Value::as_object);
        if let Some(schemas) = declared {
            for (name, schema) in schemas {
                if name.len() > LITERAL_BYTES_MAX || properties.len() >= PROPERTIES_MAX {
                    is_cut = true;
                    continue;
                }
                let value = self.convert(schema, Place { depth: place.depth + 1, name, ..place });
                let referred = match schema.get("$ref") {
                    Some(Value::String(reference)) => {
                        self.references.resolve(reference, place.resource).map(|(schema, _)| schema)
                    }
                    _ => None,
                };
                let note = annotation::note(name, schema, referred).map(Arc::from);
                let is_required = is_required(name) && !self.direction.may_leave_out(schema, referred);
                if value.is_never() && !is_required && members.get("additionalProperties") == Some(&Value::Bool(false)) {
                    continue;
                }
                properties.push(Property { name: Arc::from(name.as_str()), value, is_required, note });
            }
        }
        let rest = if is_cut { Rest::Values(ValueType::Unknown) } else { self.rest(members, place) };
        for name in &required {
            let is_new = || {
                properties.iter().rev().take_while(|property| property.note.is_none()).all(|property| &*property.name != *name)
            };
            if name.len() <= LITERAL_BYTES_MAX && !declared.is_some_and(|schemas| schemas.contains_key(*name)) && is_new() {
                let value = if is_cut { ValueType::Unknown } else { rest.value_of(name) };
                properties.push(Property { name: Arc::from(*name), value, is_required: true, note: None });
            }
        }
        if let Rest::Patterns(patterns, _) = &rest {
            for property in &mut properties {
                for (_, value) in patterns.iter().filter(|(pattern, _)| pattern.matches(&property.name)) {
                    property.value = property.value.and(value, &mut self.fuel);
                }
            }
        }
        if properties.iter().any(|property| property.is_required && property.value.is_never()) {
            return ValueType::NEVER;
        }
        let (properties, rest) = with_key_names(properties, rest, &is_required, members);
        ValueType::object(properties, rest)
    }

    /// What `additionalProperties` and `patternProperties` say about other properties.
    fn rest(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> Rest {
        let additional = match members.get("additionalProperties").or_else(|| unevaluated(members, "unevaluatedProperties")) {
            None => Rest::Unsaid,
            Some(schema) => match self.convert(schema, place.below()) {
                values if values.is_never() => Rest::Closed,
                values => Rest::Values(values),
            },
        };
        let Some(Value::Object(schemas)) = members.get("patternProperties") else { return additional };
        let mut patterns = Vec::new();
        let mut others = match additional {
            Rest::Values(values) => Some(values),
            _ => None,
        };
        for (pattern, schema) in schemas {
            let value = if patterns.len() < PATTERNS_MAX { self.convert(schema, place.below()) } else { ValueType::Unknown };
            match pattern::keys(pattern) {
                Some(pattern) if patterns.len() < PATTERNS_MAX => patterns.push((pattern, value)),
                _ if additional_is_unsaid(members) => others = Some(ValueType::Unknown),
                _ => others = Some(others.map_or(value.clone(), |others| others.or(value))),
            }
        }
        match (patterns.is_empty(), others) {
            (false, others) => Rest::Patterns(patterns, others),
            (true, Some(others)) => Rest::Values(others),
            (true, None) if additional_is_unsaid(members) => Rest::Unsaid,
            (true, None) => Rest::Closed,
        }
    }
}

/// Whether a name is among `names`, which are few as a rule.
fn is_among<'n>(names: &'n [&'n str]) -> Box<dyn Fn(&str) -> bool + 'n> {
    if names.len() <= 16 {
        return Box::new(|name| names.contains(&name));
    }
    let set: std::collections::HashSet<&str> = names.iter().copied().collect();
    Box::new(move |name| set.contains(name))
}

/// Keys that `propertyNames` lists become properties; a `false` there closes the object.
fn with_key_names(
    properties: Vec<Property>,
    rest: Rest,
    is_required: &dyn Fn(&str) -> bool,
    members: &Map<String, Value>,
) -> (Vec<Property>, Rest) {
    let names = match members.get("propertyNames") {
        Some(Value::Bool(false)) if properties.is_empty() => return (properties, Rest::Closed),
        Some(names) if properties.iter().all(|property| property.is_required) => names,
        _ => return (properties, rest),
    };
    let (Some(Value::Array(keys)), Rest::Values(_) | Rest::Unsaid) = (names.get("enum"), &rest) else {
        return (properties, rest);
    };
    if keys.len() > 100 || !properties.iter().all(|property| is_required(&property.name)) {
        return (properties, rest);
    }
    let mut listed: Vec<Property> = Vec::new();
    for key in keys.iter().filter_map(Value::as_str).filter(|key| key.len() <= LITERAL_BYTES_MAX) {
        if listed.iter().all(|known| &*known.name != key) {
            listed.push(Property {
                name: Arc::from(key),
                value: rest.value_of(key),
                is_required: is_required(key),
                note: None,
            });
        }
    }
    (listed, Rest::Closed)
}
