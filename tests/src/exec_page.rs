//! `docs/exec.md`, line by line: every example is a message by the schema, and what the page says that the program answers it does answer.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value, json};

use crate::exec_caller::Caller;

const PAGE: &str = include_str!("../../docs/exec.md");
const SCHEMA: &str = include_str!("../../server/schemas/exec.json");

/// Members that are another time another.
const VOLATILE: [&str; 8] = ["types", "version", "duration_ms", "wall_ms", "cpu_ms", "host_cpu_ms", "heap_bytes", "origin"];

/// The schema of all messages, of which one is asked for by its name.
struct Schema(Value);

impl Schema {
    fn read() -> Result<Self> {
        let mut schema: Value = serde_json::from_str(SCHEMA)?;
        schema["$defs"]["outcome"] = serde_json::from_str(isolet::Outcome::json_schema())?;
        Ok(Self(schema))
    }

    /// `message` is what is called `name`.
    fn check(&self, name: &str, message: &Value) -> Result<()> {
        let mut schema = self.0.clone();
        let members = schema.as_object_mut().context("the schema is an object")?;
        members.remove("anyOf");
        members.insert("$ref".to_owned(), format!("#/$defs/{name}").into());
        let validator = jsonschema::draft202012::new(&schema).map_err(|error| anyhow::anyhow!("{name}: {error}"))?;
        let wrong: Vec<String> = validator.iter_errors(message).map(|error| error.to_string()).collect();
        ensure!(wrong.is_empty(), "{message} is no `{name}`: {}", wrong.join("; "));
        Ok(())
    }
}

pub(crate) async fn every_example_is_true() -> Result<()> {
    let schema = Schema::read()?;
    let mut caller = Caller::silent()?;
    let mut methods: HashMap<String, String> = HashMap::new();
    let mut shown = Map::new();
    for line in PAGE.lines() {
        if let Some(sent) = line.strip_prefix("→ ") {
            let message: Value = serde_json::from_str(sent).with_context(|| sent.to_owned())?;
            schema.check("to_program", &message)?;
            if let (Some(method), true) = (message["method"].as_str(), message.get("id").is_some()) {
                methods.insert(message["id"].to_string(), method.replace('/', "_"));
                shown.insert(method.to_owned(), json!(true));
            }
            caller.write(format!("{sent}\n").as_bytes()).await?;
        } else if let Some(expected) = line.strip_prefix("← ") {
            let expected: Value = serde_json::from_str(expected).with_context(|| expected.to_owned())?;
            let is_it = |message: &Value| message["id"] == expected["id"] && message["method"] == expected["method"];
            let message = caller.find(is_it).await.with_context(|| expected.to_string())?;
            for message in [&expected, &message] {
                schema.check("to_caller", message)?;
                if let (Some(result), Some(method)) = (message.get("result"), methods.get(&message["id"].to_string())) {
                    schema.check(&format!("{method}_result"), result)?;
                }
            }
            same(&expected, &message, "").with_context(|| format!("expected {expected}, and it said {message}"))?;
            if let Some(method) = expected["method"].as_str() {
                shown.insert(method.to_owned(), json!(true));
            }
        }
    }
    for method in [
        "initialize",
        "scope/open",
        "types",
        "run",
        "cancel",
        "scope/close",
        "shutdown",
        "tool/call",
        "tool/cancelled",
        "run/console",
        "run/called",
        "run/answered",
        "warning",
    ] {
        ensure!(shown.contains_key(method), "the page has no example of `{method}`");
    }
    ensure!(caller.next().await?.is_none(), "it says more than the page does");
    let (status, errors) = caller.end().await?;
    ensure!(status.success() && errors.is_empty(), "{status}: {errors}");
    Ok(())
}

/// The same members and values; of what is another time another, the same kind. A run's own name is another each time too.
fn same(expected: &Value, found: &Value, name: &str) -> Result<()> {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            let names = |map: &Map<String, Value>| {
                let mut names: Vec<String> = map.keys().cloned().collect();
                names.sort();
                names
            };
            ensure!(names(expected) == names(found), "`{name}` has other members: {:?}", names(found));
            expected.iter().try_for_each(|(name, member)| same(member, &found[name], name))
        }
        (Value::Array(expected), Value::Array(found)) => {
            ensure!(expected.len() == found.len(), "`{name}` has {} members", found.len());
            expected.iter().zip(found).try_for_each(|(expected, found)| same(expected, found, name))
        }
        (Value::String(expected), Value::String(found)) if name == "run" && expected.len() == 32 => {
            ensure!(found.len() == 32, "`{name}` is {found}");
            Ok(())
        }
        _ if VOLATILE.contains(&name) => {
            ensure!(std::mem::discriminant(expected) == std::mem::discriminant(found), "`{name}` is {found}");
            Ok(())
        }
        _ => {
            ensure!(expected == found, "`{name}` is {found}");
            Ok(())
        }
    }
}
