//! What a schema says to a reader: its description, and the constraints that a type cannot express.

use serde_json::Value;

use crate::comment;

/// The most characters of a property's note.
const NOTE_LENGTH_MAX: usize = 1_000;

/// The most characters of a value (a default, a pattern) in a note.
const VALUE_LENGTH_MAX: usize = 100;

/// Keywords that are told as facts.
const CONSTRAINTS: &[&str] = &[
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "uniqueItems",
    "format",
    "pattern",
];

/// The note on the property `name` with this schema, clean for a comment. `referred` is the schema that its `$ref` means.
///
/// Said once: a title that repeats the name, and a default that the description already has, are left out.
pub(crate) fn note(name: &str, schema: &Value, referred: Option<&Value>) -> Option<String> {
    let text = |schema: &Value, keyword: &str| {
        schema.get(keyword).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(str::to_owned)
    };
    let mut words = text(schema, "description")
        .or_else(|| text(referred?, "description"))
        .or_else(|| text(schema, "title").filter(|title| !says_the_same(title, name)))
        .unwrap_or_default();
    if let Some(each) =
        schema.get("items").and_then(|items| text(items, "description")).filter(|each| !words.contains(each.as_str()))
    {
        words = if words.is_empty() { each } else { format!("{words} Each: {each}") };
    }
    let mut facts = Vec::new();
    if schema.get("deprecated") == Some(&Value::Bool(true)) {
        facts.push("deprecated".to_owned());
    }
    facts.extend(constraints(only_branch(schema), &words));
    facts.extend(branches(schema));
    facts.extend(default(schema, &words));
    let note = match (words.trim(), facts.is_empty()) {
        ("", true) => return None,
        ("", false) => facts.join(", "),
        (words, true) => words.to_owned(),
        (words, false) => format!("{words} ({})", facts.join(", ")),
    };
    let note = comment::line(&note, NOTE_LENGTH_MAX);
    if note.is_empty() { None } else { Some(note) }
}

/// Whether `title` is `name` in other letters: `User ID` for `user_id`.
fn says_the_same(title: &str, name: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    letters(title) == letters(name)
}

/// The one branch of `anyOf: [T, null]`, which carries the constraints; else the schema itself.
fn only_branch(schema: &Value) -> &Value {
    let Some(Value::Array(branches)) = schema.get("anyOf").or_else(|| schema.get("oneOf")) else { return schema };
    let mut others = branches.iter().filter(|branch| branch.get("type").and_then(Value::as_str) != Some("null"));
    match (others.next(), others.next()) {
        (Some(only), None) => only,
        _ => schema,
    }
}

/// The constraints of `schema`, in short words; what `words` says already is left out.
fn constraints(schema: &Value, words: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let is_constraint = |keyword: &String| CONSTRAINTS.contains(&keyword.as_str());
    if !schema.as_object().is_some_and(|members| members.keys().any(is_constraint)) {
        return facts;
    }
    let number =
        |keyword: &str| schema.get(keyword).filter(|bound| bound.is_number() && !is_no_bound(bound)).map(Value::to_string);
    // Draft 4 has a boolean here, which says what the other bound is.
    let is_open = |keyword: &str| schema.get(keyword) == Some(&Value::Bool(true));
    let (is_open_below, is_open_above) = (is_open("exclusiveMinimum"), is_open("exclusiveMaximum"));
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) if !is_open_below && !is_open_above => facts.push(format!("{least}..{most}")),
        (least, most) => {
            facts.extend(least.map(|least| format!("{} {least}", if is_open_below { ">" } else { ">=" })));
            facts.extend(most.map(|most| format!("{} {most}", if is_open_above { "<" } else { "<=" })));
        }
    }
    facts.extend(number("exclusiveMinimum").map(|bound| format!("> {bound}")));
    facts.extend(number("exclusiveMaximum").map(|bound| format!("< {bound}")));
    facts.extend(number("multipleOf").filter(|step| step != "1").map(|step| format!("multiple of {step}")));
    for (least, most, unit) in
        [("minLength", "maxLength", "chars"), ("minItems", "maxItems", "items"), ("minProperties", "maxProperties", "entries")]
    {
        match (number(least), number(most)) {
            (Some(least), Some(most)) if least == most => facts.push(format!("{least} {unit}")),
            (Some(least), Some(most)) => facts.push(format!("{least}..{most} {unit}")),
            (Some(least), None) if least != "0" => facts.push(format!("{least}+ {unit}")),
            (None, Some(most)) => facts.push(format!("up to {most} {unit}")),
            _ => {}
        }
    }
    if schema.get("uniqueItems") == Some(&Value::Bool(true)) {
        facts.push("unique".to_owned());
    }
    let text = |keyword: &str| schema.get(keyword).and_then(Value::as_str).filter(|text| text.len() <= VALUE_LENGTH_MAX);
    facts.extend(
        text("format").filter(|format| !words.to_ascii_lowercase().contains(&format.to_ascii_lowercase())).map(str::to_owned),
    );
    facts.extend(text("pattern").filter(|pattern| !words.contains(pattern)).and_then(expression));
    facts
}

/// `pattern` as a regular expression of JavaScript, if it can stand in a comment as it is.
fn expression(pattern: &str) -> Option<String> {
    let mut expression = String::from("/");
    let mut is_escaped = false;
    for character in pattern.chars() {
        if character == '/' && !is_escaped {
            expression.push('\\');
        }
        is_escaped = character == '\\' && !is_escaped;
        expression.push(character);
    }
    expression.push('/');
    as_it_is(expression)
}

/// `fact` if a comment does not change it: what would mean something else is not said.
fn as_it_is(fact: String) -> Option<String> {
    (comment::line(&fact, usize::MAX / 8) == fact).then_some(fact)
}

/// Whether `bound` is where all safe integers end, which generators write for "any".
fn is_no_bound(bound: &Value) -> bool {
    bound.as_f64().is_some_and(|bound| bound.abs() >= 9_007_199_254_740_991.0)
}

/// What is said about single literals: `oneOf: [{const, description}]`.
fn branches(schema: &Value) -> Vec<String> {
    let Some(Value::Array(branches)) = schema.get("oneOf").or_else(|| schema.get("anyOf")) else { return Vec::new() };
    let fact = |branch: &Value| {
        let value = short(branch.get("const")?)?;
        let words = branch
            .get("description")
            .or_else(|| branch.get("title"))?
            .as_str()
            .filter(|words| !says_the_same(words, &value))?;
        Some(format!("{value}: {}", comment::line(words, VALUE_LENGTH_MAX)))
    };
    branches.iter().take(32).filter_map(fact).collect()
}

/// The default, unless `words` mentions one.
fn default(schema: &Value, words: &str) -> Option<String> {
    let default = schema.get("default").filter(|default| !default.is_null())?;
    let value = short(default)?;
    let is_said = words.to_ascii_lowercase().contains("default");
    if is_said { None } else { Some(format!("default {value}")) }
}

/// `value` as JSON, if that is short and can stand in a comment as it is.
fn short(value: &Value) -> Option<String> {
    if matches!(value, Value::Array(items) if items.len() > 10) || matches!(value, Value::Object(members) if members.len() > 10)
    {
        return None;
    }
    let text = serde_json::to_string(value).ok()?;
    if text.len() <= VALUE_LENGTH_MAX { as_it_is(text) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(schema: &Value, expected: Option<&str>) {
        assert_eq!(note("user_id", schema, None).as_deref(), expected);
    }

    #[test]
    fn a_title_that_repeats_the_name_is_not_said() {
        check(&json!({"title": "User ID"}), None);
        check(&json!({"title": "The owner"}), Some("The owner"));
    }

    #[test]
    fn constraints_follow_the_description() {
        check(&json!({"description": "Who.", "minimum": 1, "maximum": 100, "default": 10}), Some("Who. (1..100, default 10)"));
        check(&json!({"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}], "default": null}), Some("uuid"));
        check(
            &json!({"type": "string", "minLength": 2, "maxLength": 2, "pattern": "^[a-z]*/$"}),
            Some(r"2 chars, /^[a-z]*\/$/"),
        );
    }

    #[test]
    fn a_boolean_bound_of_draft_4_is_said_as_it_is_checked() {
        check(&json!({"minimum": 0, "exclusiveMinimum": true}), Some("> 0"));
        check(&json!({"minimum": 0, "exclusiveMinimum": false, "maximum": 9}), Some("0..9"));
        check(&json!({"minimum": 0, "maximum": 9, "exclusiveMaximum": true}), Some(">= 0, < 9"));
        check(&json!({"maximum": 9, "exclusiveMaximum": 8}), Some("<= 9, < 8"));
    }

    #[test]
    fn a_pattern_is_shown_as_it_is_or_not_at_all() {
        check(&json!({"pattern": "^a/b\\/c$"}), Some(r"/^a\/b\/c$/"));
        check(&json!({"pattern": "(?P<year>\\d{4})"}), None);
        check(&json!({"pattern": "(?<year>\\d{4})", "minLength": 4}), Some("4+ chars"));
        check(&json!({"pattern": "^`$"}), None);
        check(&json!({"pattern": "a  b"}), None);
        check(&json!({"pattern": "*/ PWNED_1 /*"}), Some(r"/*\/ PWNED_1 \/*/"));
        check(&json!({"default": "<b>"}), None);
    }

    #[test]
    fn a_default_is_said_once() {
        check(&json!({"description": "Who (default: 10)", "default": 10}), Some("Who (default: 10)"));
    }

    #[test]
    fn what_literals_mean_is_said() {
        check(&json!({"oneOf": [{"const": "a", "description": "all"}, {"const": "b"}]}), Some("\"a\": all"));
    }
}
