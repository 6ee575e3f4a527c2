//! What the keywords say that hold whole schemas: `allOf`, `anyOf`, `if`, dependencies, `not`.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::literal::LITERAL_BYTES_MAX;
use super::object::PROPERTIES_MAX;
use super::refusal::{except, other_kinds};
use super::unsaid::with_possible;
use super::walk::{Place, Walk};
use crate::pattern;
use crate::reference::Resource;
use crate::shape::{Alternative, LiteralKind, Property, Rest, ValueType};

/// The most `dependentRequired` of an object that are shown: each may double its alternatives.
const DEPENDENCIES_MAX: usize = 3;

impl<'schema> Walk<'schema, '_> {
    /// What the keywords that hold whole schemas say, beside `converted`.
    pub(super) fn combinators(
        &mut self,
        mut converted: ValueType,
        members: &'schema Map<String, Value>,
        place: Place<'_>,
    ) -> ValueType {
        if let Some(Value::Array(schemas)) = members.get("allOf") {
            for schema in schemas {
                let part = self.convert(schema, place.below());
                converted = self.meet(converted, part);
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(schemas)) = members.get(keyword) {
                let mut branches: Vec<ValueType> = schemas.iter().map(|schema| self.convert(schema, place.below())).collect();
                keep_literals(schemas, &mut branches);
                converted = self.meet_branches(converted, ValueType::any_of(branches));
            }
        }
        if let Some(condition) = members.get("if") {
            self.leaves_out = true;
            if let (Some(then), Some(otherwise)) = (members.get("then"), members.get("else")) {
                let condition = self.convert(condition, place.below());
                let then = self.convert(then, place.below());
                let then = self.meet(condition, then);
                let otherwise = self.convert(otherwise, place.below());
                converted = self.meet_branches(converted, then.or(otherwise));
            }
        }
        if let Some(Value::Object(dependencies)) = members.get("dependentRequired").or_else(|| members.get("dependencies"))
            && dependencies.len() <= DEPENDENCIES_MAX
        {
            for branches in dependencies
                .iter()
                .map(|(trigger, needed)| dependency(trigger, needed))
                .collect::<Option<Vec<_>>>()
                .into_iter()
                .flatten()
            {
                converted = self.meet_branches(converted, branches);
            }
        }
        if ["if", "dependentSchemas", "dependencies"].iter().any(|keyword| members.contains_key(*keyword)) {
            converted = with_possible(converted, &conditional_names(members));
        }
        if ["dependentSchemas", "dependencies", "contains"].iter().any(|keyword| members.contains_key(*keyword)) {
            self.leaves_out = true;
        }
        match members.get("not") {
            Some(refused) => except(converted, refused),
            None => converted,
        }
    }

    /// The names of all properties that `members`, or schemas beside it, may evaluate; none if they may evaluate any.
    pub(super) fn evaluated(
        &self,
        members: &'schema Map<String, Value>,
        resource: Resource,
        depth: usize,
    ) -> Option<Vec<&'schema str>> {
        let evaluates_any = |keyword: &str| members.get(keyword).is_some_and(|schema| *schema != Value::Bool(false));
        if depth > 16 || ["additionalProperties", "patternProperties", "$dynamicRef"].into_iter().any(evaluates_any) {
            return None;
        }
        if depth > 0 && evaluates_any("unevaluatedProperties") {
            return None;
        }
        let mut names: Vec<&str> = members
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|schemas| schemas.keys())
            .map(String::as_str)
            .collect();
        let mut beside: Vec<(&Value, Resource)> = Vec::new();
        for (keyword, value) in members {
            match (keyword.as_str(), value) {
                ("allOf" | "anyOf" | "oneOf", Value::Array(schemas)) => {
                    beside.extend(schemas.iter().map(|schema| (schema, resource)))
                }
                ("if" | "then" | "else", schema) => beside.push((schema, resource)),
                ("dependentSchemas" | "dependencies", Value::Object(schemas)) => {
                    beside.extend(schemas.values().map(|schema| (schema, resource)))
                }
                ("$ref" | "$recursiveRef", Value::String(reference)) => {
                    beside.push(self.references.resolve(reference, resource)?)
                }
                _ => {}
            }
        }
        for (schema, resource) in beside {
            if let Value::Object(members) = schema {
                names.extend(self.evaluated(members, resource, depth + 1)?);
            }
            if names.len() > PROPERTIES_MAX {
                return None;
            }
        }
        Some(names)
    }

    /// `converted` and one of `branches`: met one by one, or written as an intersection where that is much shorter.
    fn meet_branches(&mut self, converted: ValueType, branches: ValueType) -> ValueType {
        let (ValueType::Union(base), ValueType::Union(branch_alternatives)) = (&converted, &branches) else {
            return self.meet(converted, branches);
        };
        let [Alternative::Object(shape)] = base.as_slice() else { return self.meet(converted, branches) };
        let objects: Vec<Alternative> =
            branch_alternatives.iter().filter(|branch| matches!(branch, Alternative::Object(_))).cloned().collect();
        let is_plain = branch_alternatives.iter().all(|branch| !matches!(branch, Alternative::Named(_) | Alternative::All(_)));
        let is_closed = matches!(shape.rest, Rest::Closed);
        let declares_more = |branch: &Alternative| matches!(branch, Alternative::Object(more) if !matches!(more.rest, Rest::Unsaid) || more.properties.iter().any(|property| !shape.properties.iter().any(|known| known.name == property.name)));
        if is_plain && objects.len() > 1 && shape.properties.len() > 2 && !(is_closed && objects.iter().any(declares_more)) {
            let branches = ValueType::Union(objects);
            let met = converted.and(&branches, &mut self.fuel);
            if met.weight() > converted.weight() + branches.weight() + 2 && met.alternatives().len() > 1 {
                return ValueType::one(Alternative::All([converted, branches].into()));
            }
            return met;
        }
        self.meet(converted, branches)
    }
}

/// The properties that schemas under a condition mention: what they say is not said by a type, that they exist is.
fn conditional_names(members: &Map<String, Value>) -> Vec<&str> {
    let conditional = ["if", "then", "else"].iter().filter_map(|keyword| members.get(*keyword));
    let dependent = ["dependentSchemas", "dependencies"].iter().filter_map(|keyword| members.get(*keyword)?.as_object());
    let dependent = dependent.flatten().map(|(_, schema)| schema);
    let mut names: Vec<&str> = Vec::new();
    for schema in conditional.chain(dependent) {
        names.extend(
            schema
                .get("properties")
                .and_then(Value::as_object)
                .into_iter()
                .flat_map(|schemas| schemas.keys())
                .map(String::as_str),
        );
        names.extend(schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str));
    }
    names.truncate(PROPERTIES_MAX);
    names
}

/// Gives a string branch the form of its pattern where other branches are string literals, which a plain `string` would swallow.
fn keep_literals(schemas: &[Value], branches: &mut [ValueType]) {
    let is_literal = |alternative: &Alternative| matches!(alternative, Alternative::Literal(LiteralKind::String, _));
    if !branches.iter().any(|branch| branch.alternatives().iter().any(is_literal)) {
        return;
    }
    for (schema, branch) in schemas.iter().zip(branches) {
        let template = schema.get("pattern").and_then(Value::as_str).and_then(pattern::template);
        if let (Some(template), [Alternative::String]) = (template, branch.alternatives()) {
            *branch = ValueType::one(Alternative::Literal(LiteralKind::String, template.into()));
        }
    }
}

/// Either there is no property `trigger`, or all that it needs are there too.
fn dependency(trigger: &str, needed: &Value) -> Option<ValueType> {
    let needed: Vec<&str> = needed.as_array()?.iter().filter_map(Value::as_str).collect();
    if needed.is_empty() || needed.iter().chain([&trigger]).any(|name| name.len() > LITERAL_BYTES_MAX) {
        return None;
    }
    let property =
        |name: &str, value: ValueType, is_required: bool| Property { name: Arc::from(name), value, is_required, note: None };
    let names: Vec<&str> = needed.into_iter().filter(|name| *name != trigger).collect();
    let all = |value: ValueType, is_required: bool| {
        let others = names.iter().map(|name| property(name, ValueType::Unknown, is_required));
        ValueType::object(std::iter::once(property(trigger, value, is_required)).chain(others).collect(), Rest::Unsaid)
    };
    let (without, with) = (all(ValueType::NEVER, false), all(ValueType::Unknown, true));
    Some(ValueType::any_of([without, with, other_kinds()]))
}
