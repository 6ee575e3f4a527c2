//! Made-up arguments that match a schema: as plain as possible, checked by whoever uses them.

use serde_json::{Map, Value, json};

/// The most levels that are filled in beyond what is required.
const FULL_DEPTH_MAX: usize = 3;

/// The most levels at all.
const DEPTH_MAX: usize = 12;

/// Arguments for the tool whose `inputSchema` this is: all of them, or those that it needs.
pub(crate) fn arguments(schema: &Value, is_full: bool) -> Map<String, Value> {
    let sampler = Sampler { root: schema, is_full };
    match sampler.value(schema, 0) {
        Some(Value::Object(arguments)) => arguments,
        _ => Map::new(),
    }
}

struct Sampler<'a> {
    root: &'a Value,
    is_full: bool,
}

impl Sampler<'_> {
    fn value(&self, schema: &Value, depth: usize) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        let schema = self.merged(schema, depth)?;
        if let Some(value) = schema.get("const") {
            return Some(value.clone());
        }
        if let Some(value) =
            schema.get("enum").and_then(Value::as_array).and_then(|values| values.iter().find(|value| !value.is_null()))
        {
            return Some(value.clone());
        }
        let names: Vec<&str> = match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ if schema.contains_key("properties") => vec!["object"],
            _ if schema.contains_key("items") => vec!["array"],
            _ => vec!["string"],
        };
        match *names.iter().find(|name| **name != "null").unwrap_or(&"null") {
            "object" => self.object(&schema, depth),
            "array" => self.array(&schema, depth),
            "integer" => Some(integer(number(&schema))),
            "number" => Some(json!(number(&schema))),
            "boolean" => Some(json!(true)),
            "null" => Some(Value::Null),
            _ => Some(Value::String(text(&schema))),
        }
    }

    /// `schema` with what it refers to and what it consists of put together; of alternatives the first that is not `null`.
    fn merged(&self, schema: &Value, depth: usize) -> Option<Map<String, Value>> {
        if depth > 3 * DEPTH_MAX {
            return None;
        }
        let mut members = match schema {
            Value::Object(members) => members.clone(),
            Value::Bool(true) => Map::new(),
            _ => return None,
        };
        let mut parts = Vec::new();
        if let Some(Value::String(reference)) = members.remove("$ref") {
            parts.push(self.root.pointer(reference.strip_prefix('#')?)?.clone());
        }
        if let Some(Value::Array(all)) = members.remove("allOf") {
            parts.extend(all);
        }
        for keyword in ["oneOf", "anyOf"] {
            if let Some(Value::Array(alternatives)) = members.remove(keyword) {
                parts.extend(alternatives.into_iter().find(|alternative| alternative.get("type") != Some(&json!("null"))));
            }
        }
        for part in parts {
            for (keyword, value) in self.merged(&part, depth + 3)? {
                match (keyword.as_str(), members.get_mut(&keyword)) {
                    ("properties", Some(Value::Object(own))) => own.extend(value.as_object().cloned().unwrap_or_default()),
                    ("required", Some(Value::Array(own))) => own.extend(value.as_array().cloned().unwrap_or_default()),
                    (_, Some(_)) => {}
                    (_, None) => {
                        members.insert(keyword, value);
                    }
                }
            }
        }
        Some(members)
    }

    fn object(&self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let mut made = Map::new();
        for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_required = required.contains(&name.as_str());
            if is_required || (self.is_full && depth < FULL_DEPTH_MAX) {
                match self.value(property, depth + 1) {
                    Some(value) => drop(made.insert(name.clone(), value)),
                    None if is_required => return None,
                    None => {}
                }
            }
        }
        Some(Value::Object(made))
    }

    fn array(&self, schema: &Map<String, Value>, depth: usize) -> Option<Value> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(1).max(1);
        let item = match schema.get("items") {
            Some(items) => self.value(items, depth + 1)?,
            None => json!("a"),
        };
        let items = (0..least.min(100)).map(|at| match &item {
            Value::String(text) if at > 0 && schema.get("uniqueItems").is_some() => json!(format!("{text}{at}")),
            Value::Number(number) if at > 0 => json!(number.as_i64().unwrap_or(0) + i64::try_from(at).unwrap_or(0)),
            item => item.clone(),
        });
        Some(items.collect())
    }
}

/// The number as it is written without a fraction.
fn integer(number: f64) -> Value {
    format!("{:.0}", number.ceil()).parse::<i64>().map_or(json!(1), Value::from)
}

fn number(schema: &Map<String, Value>) -> f64 {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let step = bound("multipleOf").filter(|step| *step > 0.0).unwrap_or(1.0);
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound + step));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound - step));
    let wished = match (least, most) {
        (Some(least), _) if least > 1.0 => least,
        (_, Some(most)) if most < 1.0 => most,
        _ => 1.0,
    };
    (wished / step).ceil() * step
}

fn text(schema: &Map<String, Value>) -> String {
    let word = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
    let made = match word("format").unwrap_or_default() {
        "date-time" => "2024-05-06T07:08:09Z",
        "date" => "2024-05-06",
        "time" => "07:08:09Z",
        "duration" => "P1D",
        "uuid" => "01234567-89ab-4def-8123-456789abcdef",
        "email" | "idn-email" => "someone@example.com",
        "uri" | "url" | "iri" | "uri-reference" => "https://example.com/a",
        "hostname" => "example.com",
        "ipv4" => "192.0.2.1",
        "ipv6" => "2001:db8::1",
        "byte" => "aGk=",
        "password" => "password",
        _ => "",
    };
    if !made.is_empty() {
        return made.to_owned();
    }
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1).clamp(1, 10_000);
    let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
    let candidates = ["abc", "a", "1", "12345", "ABC", "abcdefgh", "2024-05-06", "en", "US", "EUR"];
    let fits = |text: &&str| (least..=most).contains(&(text.len() as u64));
    match candidates.into_iter().find(fits) {
        Some(text) if word("pattern").is_none() => text.to_owned(),
        _ => "a".repeat(usize::try_from(least).unwrap_or(1)),
    }
}
