//! How much work a schema can make of a value: schemas come from servers, arguments from guests, and both may be hostile.
//!
//! A validator follows each reference each time it meets one. Forty `$defs` that each refer twice to the next are 2^40 steps, and a
//! recursive schema that descends twice into the same part of a value doubles the work with each of the value's levels.

use std::collections::HashMap;

use serde_json::Value;

use crate::reference::{References, Resource, address};

/// The most schemas that one value may be checked against, references written out.
const SCHEMAS_MAX: usize = 50_000;

/// The most steps that a recursive schema may take for a nested value.
const STEPS_MAX: f64 = 1e6;

/// The levels of a value that `schema` can be asked about within bounds: `usize::MAX` for most, 0 for a schema that is too much work
/// in any case.
pub(crate) fn depth_max(schema: &Value) -> usize {
    let references = References::of(schema);
    if !references.has_any {
        return usize::MAX;
    }
    let mut walk = Walk { references, active: HashMap::new(), visited: 0, descents: 1 };
    walk.visit(schema, References::ROOT, &mut Vec::new());
    match (walk.visited > SCHEMAS_MAX, walk.descents) {
        (true, _) => 0,
        (false, 0 | 1) => usize::MAX,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "between 1 and 20"
        )]
        (false, descents) => (STEPS_MAX.ln() / (descents as f64).ln()) as usize,
    }
}

struct Walk<'schema> {
    references: References<'schema>,
    /// The schemas that are being visited, with what their visit has found of references back to them: how many, by the way into
    /// the value.
    active: HashMap<usize, (usize, HashMap<String, usize>)>,
    visited: usize,
    /// The most references back to one schema by the same way into the value.
    descents: usize,
}

impl<'schema> Walk<'schema> {
    /// Visits `schema`, which applies to the part of the value that `way` leads to.
    fn visit(&mut self, schema: &'schema Value, resource: Resource, way: &mut Vec<&'schema str>) {
        let Value::Object(members) = schema else { return };
        self.visited += 1;
        if self.visited > SCHEMAS_MAX || way.len() > 256 {
            self.visited = SCHEMAS_MAX + 1;
            return;
        }
        let resource = self.references.resource_at(schema, resource);
        let key = address(schema);
        if let Some((start, back)) = self.active.get_mut(&key) {
            let count = back.entry(way[*start..].join("/")).or_insert(0);
            *count += 1;
            self.descents = self.descents.max(*count);
            return;
        }
        self.active.insert(key, (way.len(), HashMap::new()));
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("$ref" | "$recursiveRef" | "$dynamicRef", Value::String(reference)) => {
                    if let Some((schema, resource)) = self.references.resolve(reference, resource) {
                        // A reference is a level of this walk, so that chains of them end.
                        way.push("");
                        self.visit(schema, resource, way);
                        way.pop();
                    }
                }
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    schemas.iter().for_each(|schema| self.visit(schema, resource, way))
                }
                ("not" | "if" | "then" | "else", schema) => self.visit(schema, resource, way),
                ("dependentSchemas" | "dependencies", Value::Object(schemas)) => {
                    schemas.values().for_each(|schema| self.visit(schema, resource, way))
                }
                ("properties", Value::Object(schemas)) => {
                    schemas.iter().for_each(|(name, schema)| self.descend(name, schema, resource, way))
                }
                ("patternProperties", Value::Object(schemas)) => {
                    schemas.values().for_each(|schema| self.descend("*", schema, resource, way))
                }
                ("prefixItems" | "items", Value::Array(schemas)) => {
                    schemas.iter().for_each(|schema| self.descend("*", schema, resource, way))
                }
                (
                    "items"
                    | "contains"
                    | "additionalItems"
                    | "additionalProperties"
                    | "unevaluatedItems"
                    | "unevaluatedProperties",
                    schema,
                ) => {
                    self.descend("*", schema, resource, way);
                }
                _ => {}
            }
        }
        self.active.remove(&key);
    }

    fn descend(&mut self, key: &'schema str, schema: &'schema Value, resource: Resource, way: &mut Vec<&'schema str>) {
        way.push(key);
        self.visit(schema, resource, way);
        way.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_tree_may_be_of_any_depth() {
        assert_eq!(depth_max(&json!({"type": "object"})), usize::MAX);
        let filter = json!({"$ref": "#/$defs/f", "$defs": {"f": {"properties": {
            "and": {"items": {"$ref": "#/$defs/f"}}, "or": {"items": {"$ref": "#/$defs/f"}}, "not": {"$ref": "#/$defs/f"}}}}});
        assert_eq!(depth_max(&filter), usize::MAX);
    }

    #[test]
    fn a_schema_that_descends_twice_is_bounded() {
        let node = json!({"$ref": "#/$defs/n", "$defs": {"n": {"anyOf": [
            {"properties": {"a": {"$ref": "#/$defs/n"}}}, {"properties": {"a": {"$ref": "#/$defs/n"}}}]}}});
        assert_eq!(depth_max(&node), 19);
    }

    #[test]
    fn an_exponential_schema_is_refused() {
        let mut defs = serde_json::Map::new();
        for level in 0..40 {
            let next = json!({"$ref": format!("#/$defs/d{}", level + 1)});
            defs.insert(format!("d{level}"), json!({"allOf": [next, next]}));
        }
        assert_eq!(depth_max(&json!({"$ref": "#/$defs/d0", "$defs": defs})), 0);
    }
}
