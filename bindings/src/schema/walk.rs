//! The walk over the schemas of one document, each converted once, and how they refer to one another.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::literal::literal;
use super::recursion::{RecursiveType, without_itself};
use super::unsaid::closed;
use crate::defaults::Direction;
use crate::keywords::{self, Says};
use crate::reference::{References, Resource, address};
use crate::shape::{Alternative, ValueType};
use crate::wide_integer::{has_wide_format, is_wide};
use crate::words::{TypeKeyword, kinds};

/// The most schemas that are visited for one tool.
const NODES_MAX: usize = 20_000;

/// The most levels of schemas within schemas, references followed.
const DEPTH_MAX: usize = 64;

/// The most pairs of alternatives that are met for one tool.
const FUEL: usize = 50_000;

/// Where the walk stands with a schema that may be referred to.
enum State {
    /// It is being converted; if it was referred to meanwhile, as this definition.
    Active {
        name: String,
        definition: Option<usize>,
    },
    Done(ValueType),
}

/// A walk over the schemas of one document.
pub(super) struct Walk<'schema, 'tool> {
    document: &'schema Value,
    pub(super) direction: Direction,
    pub(super) references: References<'schema>,
    is_draft_07: bool,
    states: HashMap<usize, State>,
    definitions: &'tool mut Vec<RecursiveType>,
    names: &'tool mut Vec<(ValueType, String)>,
    nodes: usize,
    pub(super) fuel: usize,
    /// Whether something was left out that may evaluate properties or items, so that `unevaluated*` cannot be said.
    pub(super) leaves_out: bool,
}

/// A schema in the walk.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) resource: Resource,
    pub(super) depth: usize,
    /// What the schema is called: a property's name, a definition's key.
    pub(super) name: &'a str,
}

impl Place<'_> {
    pub(super) fn below(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'schema, 'tool> Walk<'schema, 'tool> {
    pub(super) fn over(
        document: &'schema Value,
        direction: Direction,
        definitions: &'tool mut Vec<RecursiveType>,
        names: &'tool mut Vec<(ValueType, String)>,
    ) -> Self {
        let dialect = document.get("$schema").and_then(Value::as_str).unwrap_or_default();
        Self {
            document,
            direction,
            references: References::of(document),
            is_draft_07: dialect.contains("draft-07") || dialect.contains("draft-06") || dialect.contains("draft-04"),
            states: HashMap::new(),
            definitions,
            names,
            nodes: 0,
            fuel: FUEL,
            leaves_out: false,
        }
    }

    /// The type of the document, or of the schema at `path` in it.
    pub(super) fn root(&mut self, path: &[&str], name: &str) -> ValueType {
        let schema = path.iter().try_fold(self.document, |schema, segment| schema.get(segment)).unwrap_or(self.document);
        let resource = self.references.resource_at(self.document, References::ROOT);
        self.convert(schema, Place { resource, depth: 0, name })
    }

    /// The type of `schema`.
    pub(super) fn convert(&mut self, schema: &'schema Value, place: Place<'_>) -> ValueType {
        let Value::Object(members) = schema else {
            return if *schema == Value::Bool(false) { ValueType::NEVER } else { ValueType::Unknown };
        };
        self.nodes += 1;
        if members.is_empty() || place.depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return ValueType::Unknown;
        }
        if !self.references.has_any {
            return self.convert_members(members, place);
        }
        let key = address(schema);
        match self.states.get_mut(&key) {
            Some(State::Done(done)) => return done.clone(),
            Some(State::Active { name, definition }) => {
                let definition = *definition.get_or_insert_with(|| {
                    self.definitions.push(RecursiveType { name: std::mem::take(name), value: ValueType::Unknown });
                    self.definitions.len() - 1
                });
                return ValueType::one(Alternative::Named(definition));
            }
            None => {}
        }
        self.states.insert(key, State::Active { name: title(members).unwrap_or(place.name).to_owned(), definition: None });
        let place = Place { resource: self.references.resource_at(schema, place.resource), ..place };
        let mut converted = self.convert_members(members, place);
        if let Some(State::Active { definition: Some(definition), .. }) = self.states.get(&key) {
            self.definitions[*definition].value = without_itself(converted, *definition);
            converted = ValueType::one(Alternative::Named(*definition));
        }
        self.states.insert(key, State::Done(converted.clone()));
        converted
    }

    fn convert_members(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> ValueType {
        let was_leaving_out = std::mem::replace(&mut self.leaves_out, false);
        let mut converted = if self.is_draft_07 && members.contains_key("$ref") {
            ValueType::Unknown
        } else {
            self.own_keywords(members, place)
        };
        if let Some(Value::String(reference)) = members.get("$ref").or_else(|| members.get("$recursiveRef")) {
            let referred = self.refer(reference, place);
            converted = self.meet(converted, referred);
        }
        if members.contains_key("$dynamicRef") {
            self.leaves_out = true;
        }
        let has_combinator = says_any(members, &[Says::Combination]);
        if has_combinator && !(self.is_draft_07 && members.contains_key("$ref")) {
            converted = self.combinators(converted, members, place);
        }
        if members.get("unevaluatedProperties") == Some(&Value::Bool(false))
            && let Some(names) = self.evaluated(members, place.resource, 0)
        {
            converted = closed(converted, if self.leaves_out { &names } else { &[] });
        }
        let is_nullable = members.get("nullable") == Some(&Value::Bool(true));
        if is_nullable
            && !["type", "enum", "const"].iter().any(|keyword| members.contains_key(*keyword))
            && converted != ValueType::Unknown
        {
            converted = converted.or(ValueType::one(Alternative::Null));
        }
        self.leaves_out |= was_leaving_out;
        converted
    }

    fn refer(&mut self, reference: &str, place: Place<'_>) -> ValueType {
        let Some((schema, resource)) = self.references.resolve(reference, place.resource) else {
            self.leaves_out = true;
            return ValueType::Unknown;
        };
        let name = reference.rsplit(['/', '#']).find(|segment| !segment.is_empty()).unwrap_or(place.name);
        let referred = self.convert(schema, Place { resource, depth: place.depth + 1, name });
        if !matches!(referred.alternatives(), [] | [Alternative::Named(_) | Alternative::String]) {
            self.names.push((referred.clone(), name.to_owned()));
        }
        referred
    }

    /// The values of both types, recursive ones opened where they are known.
    pub(super) fn meet(&mut self, one: ValueType, two: ValueType) -> ValueType {
        match (&one, &two) {
            (ValueType::Unknown, _) => two,
            (_, ValueType::Unknown) => one,
            _ => self.opened(one).and(&self.opened(two), &mut self.fuel),
        }
    }

    /// `named` with its recursive alternatives replaced by what they stand for, if they are finished.
    fn opened(&self, named: ValueType) -> ValueType {
        let is_open = |alternative: &Alternative| match alternative {
            Alternative::Named(place) => self.definitions[*place].value != ValueType::Unknown,
            _ => false,
        };
        if !named.alternatives().iter().any(is_open) {
            return named;
        }
        ValueType::any_of(named.alternatives().iter().map(|alternative| match alternative {
            Alternative::Named(place) if is_open(alternative) => self.definitions[*place].value.clone(),
            other => ValueType::one(other.clone()),
        }))
    }

    /// What `type`, `enum`, `const` and the keywords of objects and arrays say.
    fn own_keywords(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> ValueType {
        let said = members.get("type").map(|said| kinds(said, members.get("nullable")));
        let converted = if let Some(TypeKeyword::Only(kinds)) = said {
            let types: Vec<ValueType> = kinds.iter().map(|kind| self.of_kind(kind, members, place)).collect();
            ValueType::any_of(types)
        } else if said == Some(TypeKeyword::Unknown) {
            ValueType::Unknown
        } else if says_any(members, &[Says::Objects, Says::Arrays]) {
            let types: Vec<ValueType> = ["object", "array", "string", "number", "boolean", "null"]
                .iter()
                .map(|kind| self.of_kind(kind, members, place))
                .collect();
            ValueType::any_of(types)
        } else {
            ValueType::Unknown
        };
        let literals = match (members.get("const"), members.get("enum")) {
            (Some(value), _) => literal(value),
            (None, Some(Value::Array(values))) => ValueType::any_of(values.iter().map(literal)),
            (None, _) => return converted,
        };
        converted.and(&literals, &mut self.fuel)
    }

    fn of_kind(&mut self, kind: &str, members: &'schema Map<String, Value>, place: Place<'_>) -> ValueType {
        match kind {
            "null" => ValueType::one(Alternative::Null),
            "boolean" => ValueType::one(Alternative::Boolean),
            // Such integers come as texts of their digits where JavaScript would round them, and are given back so.
            "integer" if is_wide(members) => ValueType::Union(vec![Alternative::Number, Alternative::String]),
            "number" if has_wide_format(members) => ValueType::Union(vec![Alternative::Number, Alternative::String]),
            "integer" => ValueType::one(Alternative::Integer),
            "number" => ValueType::one(Alternative::Number),
            "string" => ValueType::one(Alternative::String),
            "array" => self.array(members, place),
            _ => self.object(members, place),
        }
    }
}

/// The schema's `title`, if it could be a type's name.
fn title(members: &Map<String, Value>) -> Option<&str> {
    members
        .get("title")
        .and_then(Value::as_str)
        .filter(|title| title.len() <= 40 && title.chars().all(|c| c.is_ascii_alphanumeric()) && !title.is_empty())
}

/// Whether `members` has a keyword that is about one of `what`.
fn says_any(members: &Map<String, Value>, what: &[Says]) -> bool {
    members.keys().filter_map(|name| keywords::find(name)).any(|keyword| what.contains(&keyword.says))
}
