//! Schemas of the document become one JSON Schema (2020-12) that stands by itself: what it refers to lies in its `$defs`.
//!
//! OpenAPI 3.0's own words (`nullable`, an `exclusiveMinimum` that is true) are said as JSON Schema says them; what a request must not send
//! (`readOnly`) or an answer does not have (`writeOnly`) is left out, and so are examples. Everything is bounded: what lies beyond is "anything".

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::{Map, Value, json};

use crate::excerpt::beginning;
use crate::reference;

/// The most values that one tool's schema has.
const VALUES_MAX: usize = 12_000;

/// The most bytes of one tool's schema, as they are counted here: names and texts.
const BYTES_MAX: usize = 192 << 10;

/// The most levels of schemas within schemas, references not followed.
const DEPTH_MAX: usize = 40;

/// The most values of an `enum`; a longer one is left out, and its type stays.
const ENUM_MAX: usize = 500;

/// The most characters of a description.
const DESCRIPTION_LENGTH_MAX: usize = 2_000;

/// Keywords that are kept as they are, if their value is of that kind.
const NUMBERS: &[&str] = &["multipleOf", "minimum", "maximum"];
const COUNTS: &[&str] =
    &["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"];
const TEXTS: &[&str] = &["title", "format", "pattern", "contentEncoding", "contentMediaType"];
const FLAGS: &[&str] = &["deprecated", "uniqueItems", "readOnly", "writeOnly"];
const SCHEMAS: &[&str] = &[
    "items",
    "contains",
    "additionalProperties",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "not",
    "if",
    "then",
    "else",
];
const SCHEMA_LISTS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
const SCHEMA_MAPS: &[&str] = &["properties", "patternProperties", "dependentSchemas"];

/// Which way the described value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Answer,
}

/// Collects the schema of one tool's arguments, or of its result.
pub(crate) struct Collector<'a> {
    document: &'a Value,
    direction: Direction,
    /// What is referred to, by its reference: its name in `$defs`.
    names: HashMap<&'a str, String>,
    /// Those names, and how often each was wished.
    taken: HashSet<String>,
    wishes: HashMap<String, usize>,
    waiting: VecDeque<&'a str>,
    definitions: Map<String, Value>,
    values: usize,
    bytes: usize,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(document: &'a Value, direction: Direction) -> Self {
        Self {
            document,
            direction,
            names: HashMap::new(),
            taken: HashSet::new(),
            wishes: HashMap::new(),
            waiting: VecDeque::new(),
            definitions: Map::new(),
            values: VALUES_MAX,
            bytes: BYTES_MAX,
        }
    }

    /// `schema` as JSON Schema; what it refers to waits for [`Collector::definitions`].
    pub(crate) fn take(&mut self, schema: &'a Value) -> Value {
        self.schema(schema, 0)
    }

    /// Everything that was referred to, and what that refers to: the `$defs`.
    pub(crate) fn definitions(mut self) -> Map<String, Value> {
        while let Some(reference) = self.waiting.pop_front() {
            let schema = reference::find(self.document, reference).map_or(Value::Bool(true), |schema| self.schema(schema, 0));
            if let Some(name) = self.names.get(reference) {
                self.definitions.insert(name.clone(), schema);
            }
        }
        self.definitions
    }

    fn schema(&mut self, schema: &'a Value, depth: usize) -> Value {
        let anything = Value::Bool(true);
        if depth > DEPTH_MAX || !self.pays(1, 0) {
            return anything;
        }
        let members = match schema {
            Value::Bool(admits) => return Value::Bool(*admits),
            Value::Object(members) => members,
            _ => return anything,
        };
        let mut made = Map::new();
        if let Some(Value::String(reference)) = members.get("$ref") {
            match self.name(reference) {
                Some(name) => made.insert("$ref".to_owned(), Value::String(format!("#/$defs/{name}"))),
                None => return anything,
            };
        }
        self.say(members, &mut made);
        for keyword in SCHEMAS {
            if let Some(inner @ (Value::Object(_) | Value::Bool(_))) = members.get(*keyword) {
                made.insert((*keyword).to_owned(), self.schema(inner, depth + 1));
            }
        }
        for keyword in SCHEMA_LISTS {
            let Some(Value::Array(list)) = members.get(*keyword) else { continue };
            let mut schemas = Vec::new();
            for inner in list {
                if self.values == 0 {
                    break;
                }
                schemas.push(self.schema(inner, depth + 1));
            }
            if !schemas.is_empty() {
                made.insert((*keyword).to_owned(), Value::Array(schemas));
            }
        }
        for keyword in SCHEMA_MAPS {
            if let Some(Value::Object(map)) = members.get(*keyword) {
                let mut schemas = Map::new();
                for (name, inner) in map {
                    if !self.pays(1, name.len()) {
                        break;
                    }
                    if *keyword == "properties" && self.is_left_out(inner) {
                        continue;
                    }
                    schemas.insert(name.clone(), self.schema(inner, depth + 1));
                }
                made.insert((*keyword).to_owned(), Value::Object(schemas));
            }
        }
        self.require(members, &mut made);
        nullable(members, made)
    }

    /// The words that hold no schema.
    fn say(&mut self, members: &Map<String, Value>, made: &mut Map<String, Value>) {
        types(members, made);
        for keyword in NUMBERS.iter().chain(COUNTS) {
            let is_right = |value: &&Value| if COUNTS.contains(keyword) { value.is_u64() } else { value.is_number() };
            if let Some(value) = members.get(*keyword).filter(is_right) {
                made.insert((*keyword).to_owned(), value.clone());
            }
        }
        exclusive(members, made, "exclusiveMinimum", "minimum");
        exclusive(members, made, "exclusiveMaximum", "maximum");
        for keyword in TEXTS {
            if let Some(Value::String(text)) = members.get(*keyword)
                && self.pays(0, text.len())
            {
                made.insert((*keyword).to_owned(), Value::String(text.clone()));
            }
        }
        if let Some(Value::String(text)) = members.get("description") {
            let text = beginning(text, DESCRIPTION_LENGTH_MAX);
            if self.pays(0, text.len()) {
                made.insert("description".to_owned(), json!(text));
            }
        }
        for keyword in FLAGS {
            if members.get(*keyword) == Some(&Value::Bool(true)) {
                made.insert((*keyword).to_owned(), Value::Bool(true));
            }
        }
        for keyword in ["enum", "const", "default"] {
            self.literal(members, made, keyword);
        }
    }

    fn literal(&mut self, members: &Map<String, Value>, made: &mut Map<String, Value>, keyword: &str) {
        let Some(value) = members.get(keyword) else { return };
        let is_right = match value {
            Value::Array(values) if keyword == "enum" => !values.is_empty() && values.len() <= ENUM_MAX,
            _ => keyword != "enum",
        };
        let mut room = self.bytes;
        if is_right && fits(value, &mut room) && self.pays(1, self.bytes - room) {
            made.insert(keyword.to_owned(), value.clone());
        }
    }

    /// `required`, without what is left out.
    fn require(&self, members: &Map<String, Value>, made: &mut Map<String, Value>) {
        let Some(Value::Array(names)) = members.get("required") else { return };
        let is_kept = |name: &str| {
            let property = members.get("properties").and_then(|properties| properties.get(name));
            property.is_none_or(|property| !self.is_left_out(property))
        };
        let mut kept: Vec<&str> = names.iter().take(ENUM_MAX).filter_map(Value::as_str).filter(|name| is_kept(name)).collect();
        kept.sort_unstable();
        kept.dedup();
        if !kept.is_empty() {
            made.insert("required".to_owned(), json!(kept));
        }
    }

    /// Whether a property is for the other direction.
    fn is_left_out(&self, property: &Value) -> bool {
        let keyword = match self.direction {
            Direction::Request => "readOnly",
            Direction::Answer => "writeOnly",
        };
        property.get(keyword) == Some(&Value::Bool(true))
    }

    /// The name in `$defs` of what `reference` points to; `None` if it is not in the document or beyond what is kept.
    fn name(&mut self, reference: &'a str) -> Option<String> {
        if let Some(name) = self.names.get(reference) {
            return Some(name.clone());
        }
        reference::find(self.document, reference).filter(|_| self.pays(1, reference.len()))?;
        let last = reference.rsplit('/').next().unwrap_or_default();
        let plain: String =
            last.chars().map(|c| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' }).take(80).collect();
        let name = self.free(plain);
        self.names.insert(reference, name.clone());
        self.waiting.push_back(reference);
        Some(name)
    }

    /// `wished`, or with a number behind it where another has that.
    fn free(&mut self, wished: String) -> String {
        let mut name = wished.clone();
        while name.is_empty() || self.taken.contains(&name) {
            let count = self.wishes.entry(wished.clone()).or_insert(1);
            *count += 1;
            name = format!("{wished}_{count}");
        }
        self.taken.insert(name.clone());
        name
    }

    /// Takes from the budget; `false` once it is spent.
    fn pays(&mut self, values: usize, bytes: usize) -> bool {
        if self.values < values || self.bytes < bytes {
            return false;
        }
        self.values -= values;
        self.bytes -= bytes;
        true
    }
}

/// Takes the bytes of `value` from `room`, roughly those of its text; `false` as soon as there are not enough.
fn fits(value: &Value, room: &mut usize) -> bool {
    let bytes = match value {
        Value::String(text) => text.len() + 2,
        Value::Number(_) => 8,
        _ => 4,
    };
    let Some(rest) = room.checked_sub(bytes) else { return false };
    *room = rest;
    match value {
        Value::Array(items) => items.iter().all(|item| fits(item, room)),
        Value::Object(members) => members.iter().all(|(key, value)| match room.checked_sub(key.len() + 3) {
            Some(rest) => {
                *room = rest;
                fits(value, room)
            }
            None => false,
        }),
        _ => true,
    }
}

/// `type`, as far as it is one of JSON Schema's.
fn types(members: &Map<String, Value>, made: &mut Map<String, Value>) {
    const KNOWN: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];
    let is_known = |name: &Value| name.as_str().is_some_and(|name| KNOWN.contains(&name));
    match members.get("type") {
        Some(name) if is_known(name) => {
            made.insert("type".to_owned(), name.clone());
        }
        Some(Value::Array(names)) if !names.is_empty() && names.len() <= KNOWN.len() && names.iter().all(is_known) => {
            made.insert("type".to_owned(), Value::Array(names.clone()));
        }
        _ => {}
    }
}

/// 3.0 says `exclusiveMinimum: true` beside `minimum`, JSON Schema the number itself.
fn exclusive(members: &Map<String, Value>, made: &mut Map<String, Value>, keyword: &str, bound: &str) {
    match members.get(keyword) {
        Some(number) if number.is_number() => {
            made.insert(keyword.to_owned(), number.clone());
        }
        Some(Value::Bool(true)) => {
            if let Some(number) = made.remove(bound) {
                made.insert(keyword.to_owned(), number);
            }
        }
        _ => {}
    }
}

/// 3.0 says `nullable: true`, JSON Schema that the type may be `null` too.
fn nullable(members: &Map<String, Value>, mut made: Map<String, Value>) -> Value {
    if members.get("nullable") != Some(&Value::Bool(true)) || made.is_empty() {
        return Value::Object(made);
    }
    if let Some(Value::Array(values)) = made.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
    let says_more = ["$ref", "allOf", "anyOf", "oneOf", "not", "const", "if"].iter().any(|keyword| made.contains_key(*keyword));
    match made.get("type") {
        Some(Value::String(name)) if !says_more => {
            let types = json!([name, "null"]);
            made.insert("type".to_owned(), types);
            Value::Object(made)
        }
        None if !says_more => Value::Object(made),
        _ => {
            // What is said to a reader is said of the whole.
            let mut whole = Map::new();
            for keyword in ["title", "description", "default", "deprecated"] {
                if let Some(value) = made.remove(keyword) {
                    whole.insert(keyword.to_owned(), value);
                }
            }
            whole.insert("anyOf".to_owned(), json!([made, { "type": "null" }]));
            Value::Object(whole)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(direction: Direction, schema: &Value, expected: &Value) {
        let document = json!({});
        assert_eq!(&Collector::new(&document, direction).take(schema), expected);
    }

    #[test]
    fn words_of_3_0_become_those_of_json_schema() {
        let check = |schema, expected| check(Direction::Answer, &schema, &expected);
        check(json!({"type": "string", "nullable": true}), json!({"type": ["string", "null"]}));
        check(json!({"type": "string", "nullable": false}), json!({"type": "string"}));
        check(
            json!({"type": "string", "enum": ["a"], "nullable": true}),
            json!({"type": ["string", "null"], "enum": ["a", null]}),
        );
        check(
            json!({"allOf": [{"type": "object"}], "nullable": true, "description": "d"}),
            json!({"description": "d", "anyOf": [{"allOf": [{"type": "object"}]}, {"type": "null"}]}),
        );
        check(json!({"minimum": 1, "exclusiveMinimum": true}), json!({"exclusiveMinimum": 1}));
        check(json!({"minimum": 1, "exclusiveMinimum": false}), json!({"minimum": 1}));
        check(json!({"exclusiveMaximum": 7}), json!({"exclusiveMaximum": 7}));
    }

    #[test]
    fn words_of_3_1_stay() {
        let schema = json!({
            "type": ["string", "null"], "const": "a", "prefixItems": [true], "patternProperties": {"^a": {"type": "string"}},
            "if": {"type": "string"}, "then": false, "not": {"type": "null"}, "unevaluatedProperties": false
        });
        check(Direction::Answer, &schema, &schema);
    }

    #[test]
    fn what_is_no_schema_is_anything_and_what_is_no_keyword_is_left_out() {
        let check = |schema, expected| check(Direction::Request, &schema, &expected);
        check(json!("string"), json!(true));
        check(json!({"type": "file", "example": 1, "xml": {}, "x-more": 1, "$id": "https://e.x"}), json!({}));
        check(json!({"type": ["string", 1], "required": true, "minLength": "1", "allOf": [], "properties": [1]}), json!({}));
    }

    #[test]
    fn each_direction_has_its_own_properties() {
        let schema = json!({
            "properties": {"id": {"readOnly": true}, "password": {"writeOnly": true}, "name": {}},
            "required": ["id", "password", "name"]
        });
        let request = json!({"properties": {"password": {"writeOnly": true}, "name": {}}, "required": ["name", "password"]});
        let answer = json!({"properties": {"id": {"readOnly": true}, "name": {}}, "required": ["id", "name"]});
        check(Direction::Request, &schema, &request);
        check(Direction::Answer, &schema, &answer);
    }

    #[test]
    fn what_is_referred_to_lies_in_definitions_and_may_be_circular() {
        let document = json!({"components": {"schemas": {
            "Node": {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}, "other": {"$ref": "#/else/Node"}}},
        }}, "else": {"Node": {"type": "string"}}});
        let schema = json!({"items": {"$ref": "#/components/schemas/Node"}, "not": {"$ref": "other.json#/x"}});
        let mut collector = Collector::new(&document, Direction::Answer);
        assert_eq!(collector.take(&schema), json!({"items": {"$ref": "#/$defs/Node"}, "not": true}));
        assert_eq!(
            Value::Object(collector.definitions()),
            json!({
                "Node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}, "other": {"$ref": "#/$defs/Node_2"}}},
                "Node_2": {"type": "string"}
            })
        );
    }

    #[test]
    fn a_huge_schema_is_cut_and_not_refused() {
        let wide: Map<String, Value> = (0..100_000).map(|number| (format!("p{number}"), json!({"type": "string"}))).collect();
        let mut deep = json!({"type": "string"});
        for _ in 0..100 {
            deep = json!({"items": deep});
        }
        let document = json!({});
        let schema = json!({"properties": {
            "wide": {"properties": wide}, "deep": deep, "long": {"type": "string", "enum": vec!["x"; 501]},
            "fat": {"type": "string", "description": "d".repeat(1 << 20)}
        }});
        let made = Collector::new(&document, Direction::Request).take(&schema);
        assert!(made.to_string().len() < 1 << 20);
        assert!(made["properties"]["wide"]["properties"].as_object().is_some_and(|wide| wide.len() > 1_000));
    }
}
