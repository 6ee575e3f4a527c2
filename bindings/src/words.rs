//! The words of `type`, as real definitions have them.

use serde_json::Value;

/// What a `type` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TypeKeyword {
    /// Nothing: any value may come.
    Any,
    /// Values of these kinds, by JSON Schema's words.
    Only(Vec<&'static str>),
    /// What is no word for a kind: it is not known which values may come.
    Unknown,
}

/// The kinds that `said`, the value of `type`, means. `nullable` is OpenAPI's, which adds null.
pub(crate) fn kinds(said: &Value, nullable: Option<&Value>) -> TypeKeyword {
    let words: &[Value] = match said {
        Value::Null => return TypeKeyword::Any,
        Value::Array(words) if !words.is_empty() => words,
        word => std::slice::from_ref(word),
    };
    let mut kinds = Vec::new();
    for word in words {
        let kind = if word.is_null() { Some("null") } else { word.as_str().and_then(kind) };
        match kind {
            Some("any") => return TypeKeyword::Any,
            Some(kind) if kinds.contains(&kind) => {}
            Some(kind) => kinds.push(kind),
            None => return TypeKeyword::Unknown,
        }
    }
    if nullable == Some(&Value::Bool(true)) && !kinds.contains(&"null") {
        kinds.push("null");
    }
    TypeKeyword::Only(kinds)
}

/// JSON Schema's word for `word`: its own in any case (Google writes `STRING`), those of Python, and `any` of older drafts.
fn kind(word: &str) -> Option<&'static str> {
    let kind = match word.to_ascii_lowercase().as_str() {
        "null" | "none" | "nonetype" => "null",
        "boolean" | "bool" => "boolean",
        "integer" | "int" => "integer",
        "number" | "float" | "double" => "number",
        "string" | "str" => "string",
        "array" | "list" | "tuple" => "array",
        "object" | "dict" => "object",
        "any" => "any",
        _ => return None,
    };
    Some(kind)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn words_of_other_languages_are_read_and_others_are_not_guessed() {
        let check = |said: Value, expected: TypeKeyword| assert_eq!(kinds(&said, None), expected, "{said}");
        check(json!("string"), TypeKeyword::Only(vec!["string"]));
        check(json!(["STRING", "null"]), TypeKeyword::Only(vec!["string", "null"]));
        check(json!(["int", "Integer"]), TypeKeyword::Only(vec!["integer"]));
        check(json!("any"), TypeKeyword::Any);
        check(json!(["string", "any"]), TypeKeyword::Any);
        check(json!(null), TypeKeyword::Any);
        check(json!(["string", null]), TypeKeyword::Only(vec!["string", "null"]));
        for unknown in [json!("date"), json!(7), json!([]), json!(["string", 7]), json!({"a": 1})] {
            check(unknown, TypeKeyword::Unknown);
        }
        assert_eq!(kinds(&json!("string"), Some(&json!(true))), TypeKeyword::Only(vec!["string", "null"]));
    }
}
