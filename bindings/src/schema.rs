//! JSON Schema to types: 2020-12, 2019-09, draft-07 and OpenAPI's `nullable`, in one bounded walk.
//!
//! The walk visits at most [`NODES_MAX`] schemas, [`DEPTH_MAX`] deep, and meets types within [`FUEL`]; beyond that everything is
//! `unknown`. A schema that refers to itself becomes a named type.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::annotation;
use crate::comment::string_literal;
use crate::defaults::Direction;
use crate::definition::Tool;
use crate::pattern;
use crate::reference::{References, Resource, address};
use crate::shape::{Alternative, ArrayShape, Kind, Property, Rest, Type};
use crate::words::{Kinds, kinds};

/// The most schemas that are visited for one tool.
const NODES_MAX: usize = 20_000;

/// The most levels of schemas within schemas, references followed.
const DEPTH_MAX: usize = 64;

/// The most pairs of alternatives that are met for one tool.
const FUEL: usize = 50_000;

/// The most declared properties of an object that are shown.
const PROPERTIES_MAX: usize = 1_000;

/// The most `dependentRequired` of an object that are shown: each may double its alternatives.
const DEPENDENCIES_MAX: usize = 3;

/// The most forms of keys of an object.
const PATTERNS_MAX: usize = 16;

/// The most first items of an array that are shown one by one.
const PREFIX_LENGTH_MAX: usize = 100;

/// The most bytes of a property's name, or of a literal.
const LITERAL_BYTES_MAX: usize = 512;

/// Keywords that say something by whole schemas, beside those of objects and arrays.
const COMBINATORS: &[&str] =
    &["allOf", "anyOf", "oneOf", "not", "if", "dependentRequired", "dependencies", "dependentSchemas", "contains"];

/// Keywords of objects, and of arrays: any of them describes that kind.
const OBJECT_KEYWORDS: &[&str] =
    &["properties", "required", "additionalProperties", "patternProperties", "propertyNames", "unevaluatedProperties"];
const ARRAY_KEYWORDS: &[&str] = &["items", "prefixItems", "maxItems", "unevaluatedItems"];

/// The types of one tool.
#[derive(Debug)]
pub(crate) struct ToolTypes {
    /// Its arguments: always an object.
    pub(crate) input: Type,
    /// Its result as the guest gets it, if the server says.
    pub(crate) output: Option<Type>,
    /// Its recursive types, which [`Alternative::Named`] counts.
    pub(crate) definitions: Vec<Definition>,
    /// What other types are called in the schemas.
    pub(crate) names: Vec<(Type, String)>,
}

/// A recursive type.
#[derive(Debug)]
pub(crate) struct Definition {
    /// What its schema is called; not an identifier, not unique.
    pub(crate) name: String,
    pub(crate) value: Type,
}

impl ToolTypes {
    /// The types of `tool`.
    pub(crate) fn of(tool: &Tool) -> Self {
        let mut definitions = Vec::new();
        let mut names = Vec::new();
        let any_object = Type::object(Vec::new(), Rest::Values(Type::Unknown));
        let input = Walk::over(tool.input_schema(), Direction::ToServer, &mut definitions, &mut names)
            .root(&[], &format!("{}_input", tool.name()));
        let input = as_object(input, &definitions).unwrap_or_else(|| any_object.clone());
        let output = tool.output_schema().map(|schema| {
            let path: &[&str] = if tool.unwraps_result() { &["properties", "result"] } else { &[] };
            Walk::over(schema, Direction::FromServer, &mut definitions, &mut names)
                .root(path, &format!("{}_output", tool.name()))
        });
        break_circles(&mut definitions);
        Self { input, output: output.filter(|output| *output != Type::Unknown && !output.is_never()), definitions, names }
    }
}

/// The objects of `input`, which arguments always are.
fn as_object(input: Type, definitions: &[Definition]) -> Option<Type> {
    let input = match input.alternatives() {
        [Alternative::Named(place)] if !matches!(definitions[*place].value.alternatives(), [Alternative::Object(_)]) => {
            definitions[*place].value.clone()
        }
        _ => input,
    };
    let is_object =
        |alternative: &Alternative| matches!(alternative, Alternative::Object(_) | Alternative::Named(_) | Alternative::All(_));
    let objects: Vec<Alternative> = input.alternatives().iter().filter(|alternative| is_object(alternative)).cloned().collect();
    if objects.is_empty() && !input.is_never() { None } else { Some(Type::Union(objects)) }
}

/// Where the walk stands with a schema that may be referred to.
enum State {
    /// It is being converted; if it was referred to meanwhile, as this definition.
    Active {
        name: String,
        definition: Option<usize>,
    },
    Done(Type),
}

struct Walk<'schema, 'tool> {
    document: &'schema Value,
    direction: Direction,
    references: References<'schema>,
    is_draft_07: bool,
    states: HashMap<usize, State>,
    definitions: &'tool mut Vec<Definition>,
    names: &'tool mut Vec<(Type, String)>,
    nodes: usize,
    fuel: usize,
    /// Whether something was left out that may evaluate properties or items, so that `unevaluated*` cannot be said.
    leaves_out: bool,
}

/// A schema in the walk.
#[derive(Clone, Copy)]
struct Place<'a> {
    resource: Resource,
    depth: usize,
    /// What the schema is called: a property's name, a definition's key.
    name: &'a str,
}

impl Place<'_> {
    fn below(self) -> Self {
        Self { depth: self.depth + 1, ..self }
    }
}

impl<'schema, 'tool> Walk<'schema, 'tool> {
    fn over(
        document: &'schema Value,
        direction: Direction,
        definitions: &'tool mut Vec<Definition>,
        names: &'tool mut Vec<(Type, String)>,
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
    fn root(&mut self, path: &[&str], name: &str) -> Type {
        let schema = path.iter().try_fold(self.document, |schema, segment| schema.get(segment)).unwrap_or(self.document);
        let resource = self.references.resource_at(self.document, References::ROOT);
        self.convert(schema, Place { resource, depth: 0, name })
    }

    /// The type of `schema`.
    fn convert(&mut self, schema: &'schema Value, place: Place<'_>) -> Type {
        let Value::Object(members) = schema else {
            return if *schema == Value::Bool(false) { Type::NEVER } else { Type::Unknown };
        };
        self.nodes += 1;
        if members.is_empty() || place.depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Type::Unknown;
        }
        if !self.references.has_any {
            return self.convert_members(members, place);
        }
        let key = address(schema);
        match self.states.get_mut(&key) {
            Some(State::Done(done)) => return done.clone(),
            Some(State::Active { name, definition }) => {
                let definition = *definition.get_or_insert_with(|| {
                    self.definitions.push(Definition { name: std::mem::take(name), value: Type::Unknown });
                    self.definitions.len() - 1
                });
                return Type::one(Alternative::Named(definition));
            }
            None => {}
        }
        self.states.insert(key, State::Active { name: title(members).unwrap_or(place.name).to_owned(), definition: None });
        let place = Place { resource: self.references.resource_at(schema, place.resource), ..place };
        let mut converted = self.convert_members(members, place);
        if let Some(State::Active { definition: Some(definition), .. }) = self.states.get(&key) {
            self.definitions[*definition].value = without_itself(converted, *definition);
            converted = Type::one(Alternative::Named(*definition));
        }
        self.states.insert(key, State::Done(converted.clone()));
        converted
    }

    fn convert_members(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
        let was_leaving_out = std::mem::replace(&mut self.leaves_out, false);
        let mut converted =
            if self.is_draft_07 && members.contains_key("$ref") { Type::Unknown } else { self.own_keywords(members, place) };
        if let Some(Value::String(reference)) = members.get("$ref").or_else(|| members.get("$recursiveRef")) {
            let referred = self.refer(reference, place);
            converted = self.meet(converted, referred);
        }
        if members.contains_key("$dynamicRef") {
            self.leaves_out = true;
        }
        let has_combinator = members.keys().any(|keyword| COMBINATORS.contains(&keyword.as_str()));
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
            && converted != Type::Unknown
        {
            converted = converted.or(Type::one(Alternative::Null));
        }
        self.leaves_out |= was_leaving_out;
        converted
    }

    fn refer(&mut self, reference: &str, place: Place<'_>) -> Type {
        let Some((schema, resource)) = self.references.resolve(reference, place.resource) else {
            self.leaves_out = true;
            return Type::Unknown;
        };
        let name = reference.rsplit(['/', '#']).find(|segment| !segment.is_empty()).unwrap_or(place.name);
        let referred = self.convert(schema, Place { resource, depth: place.depth + 1, name });
        if !matches!(referred.alternatives(), [] | [Alternative::Named(_) | Alternative::String]) {
            self.names.push((referred.clone(), name.to_owned()));
        }
        referred
    }

    /// The values of both types, recursive ones opened where they are known.
    fn meet(&mut self, one: Type, two: Type) -> Type {
        match (&one, &two) {
            (Type::Unknown, _) => two,
            (_, Type::Unknown) => one,
            _ => self.opened(one).and(&self.opened(two), &mut self.fuel),
        }
    }

    /// `named` with its recursive alternatives replaced by what they stand for, if they are finished.
    fn opened(&self, named: Type) -> Type {
        let is_open = |alternative: &Alternative| match alternative {
            Alternative::Named(place) => self.definitions[*place].value != Type::Unknown,
            _ => false,
        };
        if !named.alternatives().iter().any(is_open) {
            return named;
        }
        Type::any_of(named.alternatives().iter().map(|alternative| match alternative {
            Alternative::Named(place) if is_open(alternative) => self.definitions[*place].value.clone(),
            other => Type::one(other.clone()),
        }))
    }

    /// What `type`, `enum`, `const` and the keywords of objects and arrays say.
    fn own_keywords(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
        let said = members.get("type").map(|said| kinds(said, members.get("nullable")));
        let converted = if let Some(Kinds::Only(kinds)) = said {
            let types: Vec<Type> = kinds.iter().map(|kind| self.of_kind(kind, members, place)).collect();
            Type::any_of(types)
        } else if said == Some(Kinds::Unknown) {
            Type::Unknown
        } else if members
            .keys()
            .any(|keyword| OBJECT_KEYWORDS.contains(&keyword.as_str()) || ARRAY_KEYWORDS.contains(&keyword.as_str()))
        {
            let types: Vec<Type> = ["object", "array", "string", "number", "boolean", "null"]
                .iter()
                .map(|kind| self.of_kind(kind, members, place))
                .collect();
            Type::any_of(types)
        } else {
            Type::Unknown
        };
        let literals = match (members.get("const"), members.get("enum")) {
            (Some(value), _) => literal(value),
            (None, Some(Value::Array(values))) => Type::any_of(values.iter().map(literal)),
            (None, _) => return converted,
        };
        converted.and(&literals, &mut self.fuel)
    }

    fn of_kind(&mut self, kind: &str, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
        match kind {
            "null" => Type::one(Alternative::Null),
            "boolean" => Type::one(Alternative::Boolean),
            "integer" => Type::one(Alternative::Integer),
            "number" => Type::one(Alternative::Number),
            "string" => Type::one(Alternative::String),
            "array" => self.array(members, place),
            _ => self.object(members, place),
        }
    }

    fn array(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
        let (first, rest) = match (members.get("prefixItems"), members.get("items")) {
            (Some(Value::Array(prefix)), items) => (prefix.as_slice(), items),
            (_, Some(Value::Array(prefix))) => (prefix.as_slice(), members.get("additionalItems")),
            (_, items) => (&[] as &[Value], items),
        };
        let count = |keyword: &str| members.get(keyword).and_then(whole).and_then(|count| usize::try_from(count).ok());
        let length_max = count("maxItems").unwrap_or(usize::MAX);
        let mut prefix = Vec::new();
        let rest = rest.or_else(|| unevaluated(members, "unevaluatedItems"));
        let mut rest_type = rest.map_or(Type::Unknown, |schema| self.convert(schema, place.below()));
        for schema in first.iter().take(PREFIX_LENGTH_MAX) {
            let item = self.convert(schema, place.below());
            if item.is_never() {
                rest_type = Type::NEVER;
                break;
            }
            prefix.push(item);
        }
        if first.len() > PREFIX_LENGTH_MAX && !rest_type.is_never() {
            rest_type = Type::Unknown;
        }
        if prefix.len() >= length_max {
            prefix.truncate(length_max);
            rest_type = Type::NEVER;
        }
        let required = count("minItems").unwrap_or(0);
        Type::one(Alternative::Array(Arc::new(ArrayShape::new(prefix, required, rest_type))))
    }

    fn object(&mut self, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
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
        let rest = if is_cut { Rest::Values(Type::Unknown) } else { self.rest(members, place) };
        for name in &required {
            let is_new = || {
                properties.iter().rev().take_while(|property| property.note.is_none()).all(|property| &*property.name != *name)
            };
            if name.len() <= LITERAL_BYTES_MAX && !declared.is_some_and(|schemas| schemas.contains_key(*name)) && is_new() {
                let value = if is_cut { Type::Unknown } else { rest.value_of(name) };
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
            return Type::NEVER;
        }
        let (properties, rest) = with_key_names(properties, rest, &is_required, members);
        Type::object(properties, rest)
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
            let value = if patterns.len() < PATTERNS_MAX { self.convert(schema, place.below()) } else { Type::Unknown };
            match pattern::keys(pattern) {
                Some(pattern) if patterns.len() < PATTERNS_MAX => patterns.push((pattern, value)),
                _ if additional_is_unsaid(members) => others = Some(Type::Unknown),
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

    /// What the keywords that hold whole schemas say, beside `converted`.
    fn combinators(&mut self, mut converted: Type, members: &'schema Map<String, Value>, place: Place<'_>) -> Type {
        if let Some(Value::Array(schemas)) = members.get("allOf") {
            for schema in schemas {
                let part = self.convert(schema, place.below());
                converted = self.meet(converted, part);
            }
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(Value::Array(schemas)) = members.get(keyword) {
                let mut branches: Vec<Type> = schemas.iter().map(|schema| self.convert(schema, place.below())).collect();
                keep_literals(schemas, &mut branches);
                converted = self.meet_branches(converted, Type::any_of(branches));
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
    fn evaluated(&self, members: &'schema Map<String, Value>, resource: Resource, depth: usize) -> Option<Vec<&'schema str>> {
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
    fn meet_branches(&mut self, converted: Type, branches: Type) -> Type {
        let (Type::Union(base), Type::Union(branch_alternatives)) = (&converted, &branches) else {
            return self.meet(converted, branches);
        };
        let [Alternative::Object(shape)] = base.as_slice() else { return self.meet(converted, branches) };
        let objects: Vec<Alternative> =
            branch_alternatives.iter().filter(|branch| matches!(branch, Alternative::Object(_))).cloned().collect();
        let is_plain = branch_alternatives.iter().all(|branch| !matches!(branch, Alternative::Named(_) | Alternative::All(_)));
        let is_closed = matches!(shape.rest, Rest::Closed);
        let declares_more = |branch: &Alternative| matches!(branch, Alternative::Object(more) if !matches!(more.rest, Rest::Unsaid) || more.properties.iter().any(|property| !shape.properties.iter().any(|known| known.name == property.name)));
        if is_plain && objects.len() > 1 && shape.properties.len() > 2 && !(is_closed && objects.iter().any(declares_more)) {
            let branches = Type::Union(objects);
            let met = converted.and(&branches, &mut self.fuel);
            if met.weight() > converted.weight() + branches.weight() + 2 && met.alternatives().len() > 1 {
                return Type::one(Alternative::All([converted, branches].into()));
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
fn keep_literals(schemas: &[Value], branches: &mut [Type]) {
    let is_literal = |alternative: &Alternative| matches!(alternative, Alternative::Literal(Kind::String, _));
    if !branches.iter().any(|branch| branch.alternatives().iter().any(is_literal)) {
        return;
    }
    for (schema, branch) in schemas.iter().zip(branches) {
        let template = schema.get("pattern").and_then(Value::as_str).and_then(pattern::template);
        if let (Some(template), [Alternative::String]) = (template, branch.alternatives()) {
            *branch = Type::one(Alternative::Literal(Kind::String, template.into()));
        }
    }
}

/// Either there is no property `trigger`, or all that it needs are there too.
fn dependency(trigger: &str, needed: &Value) -> Option<Type> {
    let needed: Vec<&str> = needed.as_array()?.iter().filter_map(Value::as_str).collect();
    if needed.is_empty() || needed.iter().chain([&trigger]).any(|name| name.len() > LITERAL_BYTES_MAX) {
        return None;
    }
    let property =
        |name: &str, value: Type, is_required: bool| Property { name: Arc::from(name), value, is_required, note: None };
    let names: Vec<&str> = needed.into_iter().filter(|name| *name != trigger).collect();
    let all = |value: Type, is_required: bool| {
        let others = names.iter().map(|name| property(name, Type::Unknown, is_required));
        Type::object(std::iter::once(property(trigger, value, is_required)).chain(others).collect(), Rest::Unsaid)
    };
    let (without, with) = (all(Type::NEVER, false), all(Type::Unknown, true));
    Some(Type::any_of([without, with, other_kinds()]))
}

/// All values but objects.
fn other_kinds() -> Type {
    let any_array = Alternative::Array(Arc::new(ArrayShape::new(Vec::new(), 0, Type::Unknown)));
    Type::Union(vec![any_array, Alternative::String, Alternative::Number, Alternative::Boolean, Alternative::Null])
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

/// `converted` without the values of `refused`, where that is one of the few things that TypeScript can say.
fn except(converted: Type, refused: &Value) -> Type {
    let members = match refused {
        Value::Bool(true) => return Type::NEVER,
        Value::Object(members) => members,
        _ => return converted,
    };
    let mut keywords = members.iter().filter(|(keyword, _)| !matches!(keyword.as_str(), "description" | "title" | "$comment"));
    let (Some((keyword, value)), None) = (keywords.next(), keywords.next()) else {
        return if members.is_empty() { Type::NEVER } else { converted };
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
        let every_kind = || Type::object(Vec::new(), Rest::Values(Type::Unknown)).or(other_kinds());
        let converted = if converted == Type::Unknown { every_kind() } else { converted };
        let stays = |alternative: &Alternative| !match alternative {
            Alternative::Null => is_excluded("null"),
            Alternative::Boolean | Alternative::Literal(Kind::Boolean, _) => is_excluded("boolean"),
            Alternative::Number | Alternative::Literal(Kind::Number, _) => is_excluded("number"),
            Alternative::Integer | Alternative::Literal(Kind::Integer, _) => is_excluded("integer") || is_excluded("number"),
            Alternative::String | Alternative::Literal(Kind::String, _) => is_excluded("string"),
            Alternative::Array(_) => is_excluded("array"),
            Alternative::Object(_) => is_excluded("object"),
            Alternative::Named(_) | Alternative::All(_) => false,
        };
        return Type::Union(converted.alternatives().iter().filter(|alternative| stays(alternative)).cloned().collect());
    }
    let scalars = excluded.iter().filter(|value| !value.is_object() && !value.is_array()).map(|value| literal(value));
    let scalars = Type::any_of(scalars);
    match converted {
        Type::Unknown => Type::Unknown,
        Type::Union(alternatives) => {
            let is_excluded = |alternative: &Alternative| {
                matches!(alternative, Alternative::Literal(..) | Alternative::Null)
                    && scalars.alternatives().contains(alternative)
            };
            Type::Union(alternatives.into_iter().filter(|alternative| !is_excluded(alternative)).collect())
        }
    }
}

/// The objects of `converted`, which must not have the property `name`.
fn without_property(converted: Type, name: &str) -> Type {
    let [Alternative::Object(shape)] = converted.alternatives() else { return converted };
    if name.len() > LITERAL_BYTES_MAX {
        return converted;
    }
    let mut properties = shape.properties.clone();
    match properties.iter_mut().find(|property| &*property.name == name) {
        Some(property) if property.is_required => return Type::NEVER,
        Some(property) => property.value = Type::NEVER,
        None => properties.push(Property { name: Arc::from(name), value: Type::NEVER, is_required: false, note: None }),
    }
    Type::object(properties, shape.rest.clone())
}

/// `converted` with every object closed of which nothing is said about other properties; `names` may be there too.
fn closed(converted: Type, names: &[&str]) -> Type {
    map_unsaid(converted, |mut properties| {
        properties.retain(|property| !property.value.is_never());
        add_possible(&mut properties, names);
        Type::object(properties, Rest::Closed)
    })
}

/// `converted` with `names` as optional properties of every object of which nothing is said about other properties.
fn with_possible(converted: Type, names: &[&str]) -> Type {
    map_unsaid(converted, |mut properties| {
        // An object without declared properties admits any already.
        if !properties.is_empty() {
            add_possible(&mut properties, names);
        }
        Type::object(properties, Rest::Unsaid)
    })
}

fn add_possible(properties: &mut Vec<Property>, names: &[&str]) {
    let mut known: std::collections::HashSet<Arc<str>> = properties.iter().map(|property| Arc::clone(&property.name)).collect();
    for name in names.iter().filter(|name| name.len() <= LITERAL_BYTES_MAX) {
        if known.insert(Arc::from(*name)) {
            properties.push(Property { name: Arc::from(*name), value: Type::Unknown, is_required: false, note: None });
        }
    }
}

/// `converted` with every object changed of which nothing is said about other properties.
fn map_unsaid(converted: Type, change: impl Fn(Vec<Property>) -> Type) -> Type {
    let Type::Union(alternatives) = converted else { return Type::Unknown };
    Type::any_of(alternatives.into_iter().map(|alternative| match alternative {
        Alternative::Object(shape) if shape.rest == Rest::Unsaid => change(shape.properties.clone()),
        other => Type::one(other),
    }))
}

/// The schema of an `unevaluated*` keyword where nothing beside it can evaluate anything: there it is as good as `additional*`.
fn unevaluated<'schema>(members: &'schema Map<String, Value>, keyword: &str) -> Option<&'schema Value> {
    let beside =
        ["allOf", "anyOf", "oneOf", "$ref", "$dynamicRef", "$recursiveRef", "if", "dependentSchemas", "contains", "not"];
    members.get(keyword).filter(|_| !beside.iter().any(|keyword| members.contains_key(*keyword)))
}

/// Whether nothing is said about properties that are declared by no keyword.
fn additional_is_unsaid(members: &Map<String, Value>) -> bool {
    !members.contains_key("additionalProperties") && unevaluated(members, "unevaluatedProperties").is_none()
}

/// The value of the definition `place`, in which it must not stand for itself.
fn without_itself(value: Type, place: usize) -> Type {
    let Type::Union(alternatives) = value else { return Type::Unknown };
    let mut others = Vec::new();
    for alternative in alternatives {
        match alternative {
            Alternative::Named(other) if other == place => {}
            Alternative::All(parts) => {
                let itself = Type::one(Alternative::Named(place));
                let rest: Vec<Type> = parts.iter().filter(|part| **part != itself).cloned().collect();
                match rest.as_slice() {
                    [] => return Type::Unknown,
                    [one] => others.push(one.clone()),
                    _ if rest.iter().any(|part| {
                        part.alternatives().iter().any(|inner| matches!(inner, Alternative::Named(_) | Alternative::All(_)))
                    }) =>
                    {
                        return Type::Unknown;
                    }
                    _ => others.push(Type::one(Alternative::All(rest.into()))),
                }
            }
            other => others.push(Type::one(other)),
        }
    }
    let value = Type::any_of(others);
    if value.is_never() { Type::Unknown } else { value }
}

/// Makes definitions `unknown` that stand for one another without an object or array between, which TypeScript refuses.
fn break_circles(definitions: &mut [Definition]) {
    fn stand_for(value: &Type, places: &mut Vec<usize>) {
        for alternative in value.alternatives() {
            match alternative {
                Alternative::Named(place) => places.push(*place),
                Alternative::All(parts) => parts.iter().for_each(|part| stand_for(part, places)),
                _ => {}
            }
        }
    }
    for place in 0..definitions.len() {
        let mut seen = Vec::new();
        let mut waiting = Vec::new();
        stand_for(&definitions[place].value, &mut waiting);
        while let Some(next) = waiting.pop() {
            if next == place {
                definitions[place].value = Type::Unknown;
                break;
            }
            if !seen.contains(&next) {
                seen.push(next);
                stand_for(&definitions[next].value, &mut waiting);
            }
        }
    }
}

/// The type of exactly this value; of its kind, where TypeScript has no literal for it.
fn literal(value: &Value) -> Type {
    Type::one(match value {
        Value::Null => Alternative::Null,
        Value::Bool(value) => Alternative::Literal(Kind::Boolean, if *value { "true" } else { "false" }.into()),
        Value::Number(number) => match whole(value) {
            // Beyond 2^53 a double is not one integer but several.
            Some(whole) if whole.unsigned_abs() < 1 << 53 => Alternative::Literal(Kind::Integer, whole.to_string().into()),
            Some(_) => Alternative::Integer,
            None => match number.as_f64() {
                Some(number) if number.fract() != 0.0 => Alternative::Literal(Kind::Number, number.to_string().into()),
                _ => Alternative::Number,
            },
        },
        Value::String(text) if text.len() > LITERAL_BYTES_MAX => Alternative::String,
        Value::String(text) => Alternative::Literal(Kind::String, string_literal(text).into()),
        Value::Array(items) if items.len() > PREFIX_LENGTH_MAX => {
            Alternative::Array(Arc::new(ArrayShape::new(Vec::new(), 0, Type::Unknown)))
        }
        Value::Array(items) => {
            Alternative::Array(Arc::new(ArrayShape::new(items.iter().map(literal).collect(), items.len(), Type::NEVER)))
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
            return Type::object(
                members.map(property).collect(),
                if is_cut { Rest::Values(Type::Unknown) } else { Rest::Closed },
            );
        }
    })
}

/// The integer that `value` is, `1.0` too.
fn whole(value: &Value) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked, and the fraction is 0")]
    let from_double = |number: f64| (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64);
    value.as_i64().or_else(|| value.as_u64().map(|_| i64::MAX)).or_else(|| value.as_f64().and_then(from_double))
}

/// The schema's `title`, if it could be a type's name.
fn title(members: &Map<String, Value>) -> Option<&str> {
    members
        .get("title")
        .and_then(Value::as_str)
        .filter(|title| title.len() <= 40 && title.chars().all(|c| c.is_ascii_alphanumeric()) && !title.is_empty())
}
