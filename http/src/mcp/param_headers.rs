//! Arguments of a classic call that its tool wants in the header too (`x-mcp-header` in its schema, since 2026-07-28): whoever routes by the field is not
//! told something else than the tool.

use axum::http::HeaderMap;
use isolet::Scope;
use isolet::mcp::{ClassicNames, classic_names};
use serde_json::Value;

use super::headers::{decoded, one};
use super::message::Params;
use super::message_refusal::MessageRefusal;

/// What the name of a field begins with.
const PREFIX: &str = "mcp-param-";
/// The deepest argument that is looked for.
const DEPTH_MAX: usize = 16;

/// The fields of a call of a tool of `scope`, by one of these names, say what its arguments say.
///
/// # Errors
///
/// A field that is missing, or that says something else.
pub(super) fn check(
    headers: &HeaderMap,
    scope: &Scope,
    names: ClassicNames,
    params: &Params<'_>,
) -> Result<(), MessageRefusal> {
    let Some(name) = &params.name else { return Ok(()) };
    let all = classic_names(scope.tools().iter().map(|tool| (tool.server(), tool.name())), names);
    let Some((tool, _)) = scope.tools().iter().zip(&all).find(|(_, other)| *other == name) else { return Ok(()) };
    let mut wanted = Vec::new();
    collect(tool.definition().raw().pointer("/inputSchema/properties"), &mut Vec::new(), &mut wanted);
    if wanted.is_empty() {
        return Ok(());
    }
    // What they are if they are no object, the tool's schema says.
    let arguments = params.arguments.and_then(|arguments| serde_json::from_str(arguments.get()).ok()).unwrap_or(Value::Null);
    for (path, field) in wanted.iter().filter(|(path, _)| path.first().is_none_or(|argument| !tool.is_pinned(argument))) {
        let argument = path.iter().try_fold(&arguments, |value, key| value.get(key)).and_then(text_of);
        let field = format!("{PREFIX}{}", field.to_ascii_lowercase());
        let said = one(headers, &field)?;
        let is_right = match (&argument, said) {
            (None, None) => true,
            (Some(argument), Some(said)) => {
                decoded(said).as_deref().unwrap_or(said) == argument || is_same_number(said, argument)
            }
            _ => false,
        };
        if !is_right {
            return Err(MessageRefusal::mismatch(format!("`{field}` is not what the arguments say of `{}`", path.join("."))));
        }
    }
    Ok(())
}

/// The arguments below `properties` that are wanted in the header, each with its path and the name of its field.
fn collect<'s>(properties: Option<&'s Value>, path: &mut Vec<&'s str>, wanted: &mut Vec<(Vec<&'s str>, &'s str)>) {
    if path.len() > DEPTH_MAX {
        return;
    }
    for (name, schema) in properties.and_then(Value::as_object).into_iter().flatten() {
        path.push(name);
        if let Some(field) = schema.get("x-mcp-header").and_then(Value::as_str).filter(|field| !field.is_empty()) {
            wanted.push((path.clone(), field));
        }
        collect(schema.get("properties"), path, wanted);
        path.pop();
    }
}

/// What stands in the field for an argument.
fn text_of(argument: &Value) -> Option<String> {
    match argument {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(argument.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether both are one number, however they are written.
fn is_same_number(one: &str, other: &str) -> bool {
    one.parse::<f64>().is_ok_and(|one| other.parse::<f64>().is_ok_and(|other| one == other))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use axum::http::HeaderName;
    use isolet::{Catalog, Grants};
    use serde_json::json;

    use super::super::message::Message;
    use super::*;

    #[test]
    fn a_field_says_what_the_argument_says_or_is_not_there() {
        let schema = json!({ "type": "object", "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "nested": { "type": "object", "properties": { "n": { "type": "integer", "x-mcp-header": "N" } } },
            "plain": { "type": "string" },
        }});
        let catalog = Catalog::load([("db", vec![json!({ "name": "query", "inputSchema": schema })])]).unwrap();
        let check_in = |grants: Grants, arguments: Value, headers: &[(&str, &str)], is_right: bool| {
            let text = json!({ "id": 1, "method": "tools/call", "params": { "name": "db__query", "arguments": arguments } })
                .to_string();
            let message = Message::read(&text).unwrap();
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
            let scope = catalog.scope(&grants).unwrap();
            let checked = check(&map, &scope, ClassicNames::OfServer, &message.params().unwrap());
            assert_eq!(checked.is_ok(), is_right, "{text} {headers:?}");
        };
        let check = |arguments: Value, headers: &[(&str, &str)], is_right: bool| {
            check_in(Grants::new().allow("*"), arguments, headers, is_right);
        };
        let (eu, n) = (("mcp-param-region", "eu"), ("mcp-param-n", "7"));
        check(json!({ "region": "eu", "nested": { "n": 7 }, "plain": "x" }), &[eu, n], true);
        check(json!({ "region": "eu", "nested": { "n": 7.0 } }), &[eu, n], true);
        check(json!({ "region": "eu" }), &[("mcp-param-region", "=?base64?ZXU=?=")], true);
        check(json!({ "plain": "x" }), &[], true);
        check(json!({ "region": "eu" }), &[], false);
        check(json!({ "region": "us" }), &[eu], false);
        check(json!({}), &[eu], false);
        check(json!({ "region": "eu" }), &[eu, eu], false);
        check(json!({ "region": "eu", "nested": { "n": 8 } }), &[eu, n], false);
        // What the deployment fixes is not the client's to say.
        check_in(Grants::new().allow("*").pin("db.query", "region", "eu"), json!({}), &[], true);
    }
}
