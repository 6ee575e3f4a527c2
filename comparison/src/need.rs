//! What has to be known of a tool before it can be called in one way: its path, the names of the arguments, and the words that its schema lists.

use std::collections::BTreeSet;

use isolet::ScopedTool;
use serde_json::{Map, Value};

/// What a call needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    /// `github.list_issues`.
    pub(crate) path: String,
    /// The names of arguments, at every depth at which the schema names them.
    pub(crate) names: BTreeSet<String>,
    /// Those of the texts given that the schema lists: nobody guesses `in_progress`.
    pub(crate) listed: BTreeSet<String>,
}

impl Need {
    /// What calls of `tool` with these arguments need.
    pub(crate) fn of(tool: &ScopedTool, arguments: &Map<String, Value>) -> Self {
        let mut said = Said::default();
        said.read(tool.definition().input_schema());
        let mut need = Self { path: tool.path().to_owned(), names: BTreeSet::new(), listed: BTreeSet::new() };
        for (name, value) in arguments.iter().filter(|(name, _)| !tool.is_pinned(name)) {
            need.names.insert(name.clone());
            need.add(value, &said);
        }
        need
    }

    /// What both need, which are calls of the same tool.
    pub(crate) fn merge(&mut self, other: Self) {
        self.names.extend(other.names);
        self.listed.extend(other.listed);
    }

    fn add(&mut self, value: &Value, said: &Said) {
        match value {
            Value::String(text) if said.texts.contains(text) => drop(self.listed.insert(text.clone())),
            Value::Array(items) => items.iter().for_each(|item| self.add(item, said)),
            Value::Object(members) => {
                for (name, value) in members {
                    if said.names.contains(name) {
                        self.names.insert(name.clone());
                    }
                    self.add(value, said);
                }
            }
            _ => {}
        }
    }
}

/// The names and the texts of a schema.
#[derive(Default)]
struct Said {
    names: BTreeSet<String>,
    texts: BTreeSet<String>,
}

impl Said {
    fn read(&mut self, schema: &Value) {
        match schema {
            Value::Array(schemas) => schemas.iter().for_each(|schema| self.read(schema)),
            Value::Object(members) => {
                for (keyword, said) in members {
                    match (keyword.as_str(), said) {
                        ("properties", Value::Object(properties)) => {
                            self.names.extend(properties.keys().cloned());
                            properties.values().for_each(|schema| self.read(schema));
                        }
                        ("enum", Value::Array(texts)) => {
                            self.texts.extend(texts.iter().filter_map(Value::as_str).map(str::to_owned));
                        }
                        ("const", Value::String(text)) => drop(self.texts.insert(text.clone())),
                        ("default" | "examples" | "description", _) => {}
                        _ => self.read(said),
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use isolet::{Catalog, Grants};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_call_needs_the_names_that_its_schema_has_and_the_words_that_it_lists() {
        let schema = json!({
            "type": "object",
            "properties": {
                "state": { "enum": ["open", "closed"] }, "tenant": {}, "title": { "type": "string" },
                "where": { "type": "object", "properties": { "owner": {} }, "additionalProperties": true },
            },
        });
        let tool = json!({ "name": "list", "inputSchema": schema });
        let grants = Grants::new().allow("*").pin("a.list", "tenant", json!(1));
        let scope = Catalog::load([("a", vec![tool])]).unwrap().scope(&grants).unwrap();
        let arguments = json!({ "state": "open", "title": "free", "tenant": 1, "where": { "owner": "closed", "x-y": 1 } });
        let need = Need::of(&scope.tools()[0], arguments.as_object().unwrap());
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!((need.names, need.listed), (set(&["owner", "state", "title", "where"]), set(&["closed", "open"])));
    }
}
