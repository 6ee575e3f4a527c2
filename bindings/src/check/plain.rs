//! Schemas that are surely checked whole, as most are: they need not be read before they are used.

use serde_json::Value;

use crate::keywords::{self, Holds};

/// The most schemas in a plain one, and the most levels.
const SCHEMAS_MAX: usize = 1_000;
const LEVELS_MAX: usize = 30;

/// Words, which no check reads.
const WORDS: [&str; 7] = ["title", "description", "default", "examples", "format", "deprecated", "$schema"];

/// Whether nothing in `schema` is unchecked, as can be seen without reading it: no pattern, no reference, nothing out of the ordinary.
pub(super) fn is_plain(schema: &Value) -> bool {
    let mut left = SCHEMAS_MAX;
    is_plain_within(schema, LEVELS_MAX, &mut left)
}

fn is_plain_within(schema: &Value, levels: usize, left: &mut usize) -> bool {
    let members = match schema {
        Value::Bool(_) => return true,
        Value::Object(members) if levels > 0 && *left > 0 => members,
        _ => return false,
    };
    *left -= 1;
    let mut is_part_plain = |part: &Value| is_plain_within(part, levels - 1, left);
    members.iter().all(|(name, value)| match keywords::find(name) {
        Some(keyword) if keyword.is_plain => match (keyword.holds, value) {
            (Holds::Kinds, Value::String(word)) => is_kind(word),
            (Holds::Kinds, Value::Array(words)) => {
                !words.is_empty() && words.iter().all(|word| word.as_str().is_some_and(is_kind))
            }
            (Holds::SchemaMap, Value::Object(parts)) => parts.values().all(&mut is_part_plain),
            (Holds::Schema, part) => is_part_plain(part),
            (Holds::Schemas, Value::Array(parts)) => !parts.is_empty() && parts.iter().all(&mut is_part_plain),
            (Holds::Names, Value::Array(names)) => names.iter().all(Value::is_string),
            (Holds::Count, Value::Number(count)) => count.is_u64(),
            (Holds::Anything, _)
            | (Holds::Literals, Value::Array(_))
            | (Holds::Number, Value::Number(_))
            | (Holds::Flag, Value::Bool(_)) => true,
            _ => false,
        },
        Some(_) => false,
        None => WORDS.contains(&name.as_str()),
    })
}

fn is_kind(word: &str) -> bool {
    matches!(word, "string" | "number" | "integer" | "boolean" | "null" | "object" | "array")
}
