//! A scope as TypeScript declarations.

use serde_json::Value;

use crate::scope::ScopedTool;

/// What [`crate::Scope::types`] gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Types {
    /// The declarations, after a line that says how complete they are.
    pub text: String,
    /// Whether every tool is there in full.
    pub coverage: Coverage,
    /// How each server is covered, in the order of the namespaces.
    pub servers: Vec<ServerCoverage>,
}

/// Whether declarations show every tool of a scope in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// All tools in full.
    Complete,
    /// Some tools are shortened or left out.
    Partial,
}

/// How many tools of a server are shown in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCoverage {
    /// The namespace.
    pub namespace: String,
    /// Tools in full.
    pub full: usize,
    /// Tools as a signature and one line.
    pub compact: usize,
    /// Tools that are not shown; they can be searched for and called.
    pub omitted: usize,
}

/// The full declarations of `tools`, which are sorted by namespace.
pub(crate) fn declarations<'a>(tools: impl Iterator<Item = &'a ScopedTool>) -> String {
    let mut text = String::new();
    let mut open = None;
    for tool in tools {
        if open != Some(tool.namespace()) {
            if open.is_some() {
                text.push_str("}\n");
            }
            text.push_str(&format!("declare namespace {} {{\n", tool.namespace()));
            open = Some(tool.namespace());
        }
        if let Some(description) = tool.description() {
            text.push_str(&format!("/** {} */\n", comment(description)));
        }
        text.push_str(&format!("function {};\n", signature(tool)));
    }
    if open.is_some() {
        text.push_str("}\n");
    }
    text
}

/// The declaration of a tool without `function`.
pub(crate) fn signature(tool: &ScopedTool) -> String {
    let result = match tool.definition().output_schema() {
        Some(schema) if tool.unwraps_result() => schema.pointer("/properties/result").map_or_else(|| "unknown".to_owned(), of_schema),
        Some(schema) => of_schema(schema),
        None => "unknown".to_owned(),
    };
    let schema = tool.definition().input_schema();
    let optional = if schema.get("required").and_then(Value::as_array).is_none_or(Vec::is_empty) { "?" } else { "" };
    format!("{}(args{optional}: {}): Promise<{result}>", tool.identifier(), of_arguments(schema, tool))
}

fn of_arguments(schema: &Value, tool: &ScopedTool) -> String {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return "Record<string, unknown>".to_owned() };
    members(schema, properties.iter().filter(|(name, _)| !tool.is_pinned(name)))
}

fn members<'a>(schema: &Value, properties: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    let required: Vec<&str> = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let member = |(name, schema): (&String, &Value)| {
        let optional = if required.contains(&name.as_str()) { "" } else { "?" };
        let name = if crate::name::is_word(name) { name.clone() } else { literal(name) };
        format!("{name}{optional}: {}", of_schema(schema))
    };
    format!("{{ {} }}", properties.map(member).collect::<Vec<_>>().join("; "))
}

fn of_schema(schema: &Value) -> String {
    if let Some(values) = schema.get("enum").and_then(Value::as_array) {
        if values.iter().all(Value::is_string) && !values.is_empty() {
            return values.iter().filter_map(Value::as_str).map(literal).collect::<Vec<_>>().join(" | ");
        }
        return "unknown".to_owned();
    }
    let has_combinator = ["anyOf", "oneOf", "allOf", "$ref", "not", "if", "const", "nullable"].iter().any(|word| schema.get(word).is_some());
    match schema.get("type").and_then(Value::as_str) {
        _ if has_combinator => "unknown".to_owned(),
        Some("string") => "string".to_owned(),
        Some("number" | "integer") => "number".to_owned(),
        Some("boolean") => "boolean".to_owned(),
        Some("null") => "null".to_owned(),
        Some("array") => format!("Array<{}>", schema.get("items").map_or_else(|| "unknown".to_owned(), of_schema)),
        Some("object") => match schema.get("properties").and_then(Value::as_object) {
            Some(properties) if schema.get("additionalProperties").is_none_or(Value::is_boolean) => members(schema, properties.iter()),
            _ => "Record<string, unknown>".to_owned(),
        },
        _ => "unknown".to_owned(),
    }
}

/// A string literal in ASCII.
pub(crate) fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(character @ (' '..='~')) if !matches!(character, '"' | '\\' | '<') => literal.push(character),
            Some(character @ ('"' | '\\')) => literal.extend(['\\', character]),
            _ => literal.push_str(&format!("\\u{unit:04x}")),
        }
    }
    literal.push('"');
    literal
}

/// Text that cannot leave a comment.
pub(crate) fn comment(text: &str) -> String {
    let printable = |character: char| if matches!(character, ' '..='~') && !matches!(character, '*' | '<' | '@' | '`' | '/') { character } else { ' ' };
    let text: String = text.chars().take(1000).map(printable).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
