//! What an operation answers when it succeeds, as the schema of a tool's result.

use serde_json::{Map, Value, json};

use crate::parameter::is_json;
use crate::reference;
use crate::schema::{Collector, Direction};

/// The most different answers that are told apart.
const ANSWERS_MAX: usize = 4;

/// The `outputSchema` of `operation`, if it answers in JSON or in text, and what to accept.
pub(crate) fn of(document: &Value, operation: &Value) -> (Option<Value>, String) {
    let mut collector = Collector::new(document, Direction::Answer);
    let mut alternatives: Vec<Value> = Vec::new();
    let mut media = None;
    let mut is_whole = true;
    for response in successes(document, operation) {
        let alternative = match described(response) {
            Described::Nothing => json!({ "type": "null" }),
            Described::Json(name, schema) => {
                media.get_or_insert(name);
                match schema {
                    Some(schema) => collector.take(inner(document, schema)),
                    None => Value::Bool(true),
                }
            }
            Described::Text => json!({ "type": "string" }),
            Described::Other => Value::Bool(true),
        };
        is_whole &= alternative != Value::Bool(true) && alternative != json!({}) && alternatives.len() < ANSWERS_MAX;
        if !alternatives.contains(&alternative) {
            alternatives.push(alternative);
        }
    }
    let accept = match media {
        Some(name) if name != "application/json" => format!("{name}, application/json;q=0.9, */*;q=0.1"),
        _ => "application/json, */*;q=0.1".to_owned(),
    };
    let says_something = is_whole && alternatives.iter().any(|alternative| *alternative != json!({ "type": "null" }));
    (says_something.then(|| schema(alternatives, collector.definitions())), accept)
}

/// The schema of all alternatives, of which a result that is no object lies in `result`, by fastmcp's convention.
fn schema(mut alternatives: Vec<Value>, definitions: Map<String, Value>) -> Value {
    let value = if alternatives.len() == 1 { alternatives.remove(0) } else { json!({ "anyOf": alternatives }) };
    let mut schema = match value {
        Value::Object(members) if is_object(&members) => {
            let mut whole = Map::from_iter([("type".to_owned(), json!("object"))]);
            whole.extend(members);
            whole
        }
        value => {
            let wrapped = json!({ "type": "object", "properties": { "result": value }, "required": ["result"], "x-fastmcp-wrap-result": true });
            wrapped.as_object().cloned().unwrap_or_default()
        }
    };
    if !definitions.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(definitions));
    }
    Value::Object(schema)
}

fn is_object(members: &Map<String, Value>) -> bool {
    match members.get("type") {
        Some(name) => name == "object",
        None => members.contains_key("properties") && !members.contains_key("$ref"),
    }
}

/// The schema that a chain of references leads to, so that an object is one at the root, where protocols look for it.
fn inner<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema.as_object() {
        Some(members) if members.len() == 1 => reference::resolve(document, schema).unwrap_or(schema),
        _ => schema,
    }
}

/// The responses of all 2xx, the lowest first; `2XX` last.
fn successes<'a>(document: &'a Value, operation: &'a Value) -> Vec<&'a Value> {
    let responses = operation.get("responses").and_then(Value::as_object).into_iter().flatten();
    let mut found: Vec<(&String, &Value)> =
        responses.filter(|(status, _)| status.len() == 3 && status.starts_with('2')).collect();
    found.sort_by_key(|(status, _)| *status);
    found.into_iter().filter_map(|(_, response)| reference::resolve(document, response).ok()).collect()
}

enum Described<'a> {
    Nothing,
    Json(&'a str, Option<&'a Value>),
    Text,
    Other,
}

fn described(response: &Value) -> Described<'_> {
    let Some(content) = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) else {
        return Described::Nothing;
    };
    if let Some((media, described)) = content.iter().find(|(media, _)| is_json(media)) {
        return Described::Json(media, described.get("schema"));
    }
    // `*/*` is what generators write that have not been told: it is JSON nearly always.
    if let Some((_, described)) = content.iter().find(|(media, _)| media.as_str() == "*/*") {
        return Described::Json("application/json", described.get("schema"));
    }
    if content.keys().all(|media| media.starts_with("text/")) { Described::Text } else { Described::Other }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(responses: &Value, expected: Option<&Value>) {
        let document = json!({"components": {"schemas": {
            "Pet": {"type": "object", "properties": {"name": {"type": "string"}, "mate": {"$ref": "#/components/schemas/Pet"}}},
            "Pets": {"type": "array", "items": {"$ref": "#/components/schemas/Pet"}}
        }, "responses": {"Pet": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Pet"}}}}}}});
        assert_eq!(of(&document, &json!({ "responses": responses })).0.as_ref(), expected, "{responses}");
    }

    fn pet() -> Value {
        json!({"type": "object", "properties": {"name": {"type": "string"}, "mate": {"$ref": "#/$defs/Pet"}}})
    }

    fn with_pet(mut schema: Value) -> Value {
        schema["$defs"] = json!({ "Pet": pet() });
        schema
    }

    #[test]
    fn an_object_is_the_result_itself() {
        let json_of = |schema: Value| json!({"content": {"application/json; charset=utf-8": {"schema": schema}}});
        check(&json!({"200": json_of(json!({"$ref": "#/components/schemas/Pet"}))}), Some(&with_pet(pet())));
        check(
            &json!({"201": {"$ref": "#/components/responses/Pet"}, "404": json_of(json!({"type": "string"}))}),
            Some(&with_pet(pet())),
        );
    }

    #[test]
    fn anything_else_is_wrapped() {
        let wrapped = |schema: Value| json!({"type": "object", "properties": {"result": schema}, "required": ["result"], "x-fastmcp-wrap-result": true});
        let json_of = |schema: Value| json!({"content": {"application/vnd.x+json": {"schema": schema}}});
        let pets = json!({"type": "array", "items": {"$ref": "#/$defs/Pet"}});
        check(&json!({"2XX": json_of(json!({"$ref": "#/components/schemas/Pets"}))}), Some(&with_pet(wrapped(pets))));
        check(
            &json!({"200": json_of(json!({"type": "integer"})), "204": {"description": "none"}}),
            Some(&wrapped(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}))),
        );
        check(&json!({"200": {"content": {"text/plain": {}}}}), Some(&wrapped(json!({"type": "string"}))));
    }

    #[test]
    fn what_is_not_said_is_unknown() {
        for responses in [
            json!({}),
            json!({"204": {"description": "none"}}),
            json!({"200": {"content": {"application/json": {}}}}),
            json!({"200": {"content": {"application/json": {"schema": {}}}}}),
            json!({"200": {"content": {"image/png": {}}}}),
            json!({"default": {"content": {"application/json": {"schema": {"type": "string"}}}}}),
        ] {
            check(&responses, None);
        }
    }
}
