//! What an operation answers when it succeeds, as the schema of a tool's result.

use serde_json::{Map, Value, json};

use crate::body::MEDIA_TYPES_MAX;
use crate::parameter::is_json;
use crate::reference;
use crate::schema::{Collector, Direction};

/// The most responses that are looked at.
const RESPONSES_MAX: usize = 100;

/// The most answers that are told apart.
const ANSWERS_MAX: usize = 4;

/// The `outputSchema` of `operation`, if it answers in JSON or in text, and what to accept.
pub(crate) fn of(document: &Value, operation: &Value) -> (Option<Value>, String) {
    let answers: Vec<Described<'_>> = successes(document, operation).into_iter().map(described).collect();
    let media = answers.iter().find_map(|answer| if let Described::Json(name, _) = answer { Some(*name) } else { None });
    let accept = match media {
        Some(name) if name != "application/json" => format!("{name}, application/json;q=0.9, */*;q=0.1"),
        _ => "application/json, */*;q=0.1".to_owned(),
    };
    // Where one may be anything all of them are: nothing is collected that would be thrown away.
    let is_known = answers.len() <= ANSWERS_MAX && answers.iter().all(Described::is_known);
    let says_something = answers.iter().any(|answer| !matches!(answer, Described::Nothing));
    if !is_known || !says_something {
        return (None, accept);
    }
    let mut collector = Collector::new(document, Direction::Answer);
    let mut alternatives: Vec<Value> = Vec::new();
    for answer in answers {
        let alternative = match answer {
            Described::Nothing => json!({ "type": "null" }),
            Described::Json(_, schema) => schema.map_or(Value::Bool(true), |schema| collector.take(inner(document, schema))),
            Described::Text => json!({ "type": "string" }),
            Described::Other => Value::Bool(true),
        };
        if !alternatives.contains(&alternative) {
            alternatives.push(alternative);
        }
    }
    let is_anything = alternatives.iter().any(|alternative| *alternative == Value::Bool(true) || *alternative == json!({}));
    ((!is_anything).then(|| schema(alternatives, collector.definitions())), accept)
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
        responses.take(RESPONSES_MAX).filter(|(status, _)| status.len() == 3 && status.starts_with('2')).collect();
    found.sort_by_key(|(status, _)| *status);
    found.into_iter().filter_map(|(_, response)| reference::resolve(document, response).ok()).collect()
}

enum Described<'a> {
    Nothing,
    Json(&'a str, Option<&'a Value>),
    Text,
    Other,
}

impl Described<'_> {
    fn is_known(&self) -> bool {
        !matches!(self, Self::Json(_, None) | Self::Other)
    }
}

fn described(response: &Value) -> Described<'_> {
    let Some(content) = response.get("content").and_then(Value::as_object).filter(|content| !content.is_empty()) else {
        return Described::Nothing;
    };
    if let Some((media, described)) = content.iter().take(MEDIA_TYPES_MAX).find(|(media, _)| is_json(media)) {
        return Described::Json(media, described.get("schema"));
    }
    // `*/*` is what generators write that have not been told: it is JSON nearly always.
    if let Some(described) = content.get("*/*") {
        return Described::Json("application/json", described.get("schema"));
    }
    if content.keys().take(MEDIA_TYPES_MAX).all(|media| media.starts_with("text/")) {
        Described::Text
    } else {
        Described::Other
    }
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
