//! One server of a client's file, as it will stand in ours: the same entry, whose paths are absolute since it moves to another folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use isolet::mcp::{Configuration, ConfigurationError, Variables};
use isolet::with_causes;
use serde_json::{Map, Value, json};

use crate::shell_word::quoted;

/// How many variables an entry may need.
const VARIABLES_MAX: usize = 64;

/// The members that are paths.
const PATHS: [&str; 3] = ["cwd", "envFile", "openapi"];

/// What becomes of an entry.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// It is switched off there.
    Off,
    /// It cannot be used, and why.
    Wrong(String),
    Entry(Imported),
}

/// An entry that is taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Imported {
    pub(super) entry: Value,
    /// The variables of the environment that it takes and does not name itself: they have to be allowed.
    pub(super) variables: BTreeSet<String>,
    /// What may have been meant otherwise.
    pub(super) warnings: Vec<String>,
}

impl Found {
    /// What becomes of `entry`, in a file of `folder`.
    pub(super) fn of(name: &str, entry: Value, folder: &Path) -> Self {
        let says = |member: &str, value: bool| entry.get(member).and_then(Value::as_bool) == Some(value);
        if says("disabled", true) || says("enabled", false) {
            return Self::Off;
        }
        let entry = moved(entry, folder);
        let (mut variables, mut environment) = (BTreeSet::new(), BTreeMap::new());
        // What they are matters to nobody here: nothing is started, and nothing of them is shown.
        while environment.len() < VARIABLES_MAX {
            let allowed = Variables::allowing(variables.iter().cloned()).with_environment(environment.clone());
            let text = json!({ "mcpServers": { name: entry } }).to_string();
            let read = match Configuration::parse_with(&text, &allowed) {
                Ok(read) => read,
                Err(error) => return Self::Wrong(with_causes(&error)),
            };
            match read.refused().next().map(|(_, error)| &**error) {
                None => {
                    let warnings = read.warnings().map(ToString::to_string).collect();
                    return Self::Entry(Imported { entry, variables, warnings });
                }
                Some(ConfigurationError::Variable { name, .. }) if !variables.contains(name) => {
                    variables.insert(name.clone());
                    environment.insert(name.clone(), "x".to_owned());
                }
                // One that it names itself has to be set, and not to be allowed.
                Some(ConfigurationError::NotSet { name, .. }) if !environment.contains_key(name) => {
                    environment.insert(name.clone(), "x".to_owned());
                }
                Some(error) => return Self::Wrong(with_causes(error)),
            }
        }
        Self::Wrong(format!("it takes more than {VARIABLES_MAX} variables"))
    }
}

/// The entry with the paths that were relative to the folder of its file.
fn moved(mut entry: Value, folder: &Path) -> Value {
    let absolute = |path: &mut Value, is_path: fn(&str) -> bool| {
        if let Some(text) = path.as_str().filter(|text| is_path(text)) {
            *path = folder.join(text).display().to_string().into();
        }
    };
    let Some(members) = entry.as_object_mut() else { return entry };
    for name in PATHS {
        if let Some(path) = members.get_mut(name) {
            absolute(path, |text| !text.contains("://") && !text.starts_with("${"));
        }
    }
    // A command without a folder is looked for on the path.
    let is_command = |text: &str| text.contains('/') && !text.starts_with("${");
    match members.get_mut("command") {
        Some(Value::Object(whole)) => {
            if let Some(path) = whole.get_mut("path") {
                absolute(path, is_command);
            }
        }
        Some(command) => absolute(command, is_command),
        None => {}
    }
    entry
}

impl Imported {
    /// What the server would be: the command that is run, or the address that is called. Of variables and header fields the names, never a value.
    pub(super) fn summary(&self) -> String {
        let member = |name: &str| self.entry.get(name);
        let url = ["url", "serverUrl", "httpUrl"].iter().find_map(|name| member(name)?.as_str());
        let names = |member: Option<&Value>| -> Vec<String> {
            member.and_then(Value::as_object).into_iter().flat_map(Map::keys).cloned().collect()
        };
        let (command, beside) = match member("command") {
            Some(Value::Object(whole)) => (whole.get("path").and_then(Value::as_str), Some(whole)),
            command => (command.and_then(Value::as_str), None),
        };
        let mut text = match (url, command) {
            (Some(url), _) => format!("calls {url}"),
            (None, command) => {
                let arguments = member("args").or_else(|| beside?.get("args")).and_then(Value::as_array);
                let words = arguments.into_iter().flatten().filter_map(Value::as_str);
                let words: Vec<String> = command.into_iter().chain(words).map(quoted).collect();
                format!("runs {}", words.join(" "))
            }
        };
        let headers = names(member("headers").or_else(|| member("http_headers")));
        let variables = names(member("env").or_else(|| beside?.get("env")));
        for (what, names) in [("header fields", headers), ("variables", variables)] {
            if !names.is_empty() {
                text.push_str(&format!(", with the {what} {}", names.join(", ")));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(entry: Value) -> Imported {
        match Found::of("a", entry, Path::new("/home/ada/.cursor")) {
            Found::Entry(imported) => imported,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_entry_stays_as_it_is_but_for_its_paths() {
        let entry = json!({ "command": "./run.sh", "cwd": "data", "envFile": "/etc/env", "args": ["./x"], "x": 1 });
        // The file of variables is read, and is not there.
        assert!(matches!(Found::of("a", entry, Path::new("/f")), Found::Wrong(why) if why.contains("/etc/env")));
        let imported = taken(json!({ "command": "./run.sh", "cwd": "data", "args": ["./x"], "env": { "A": null }, "x": 1 }));
        let expected = json!({ "command": "/home/ada/.cursor/./run.sh", "cwd": "/home/ada/.cursor/data", "args": ["./x"], "env": { "A": null }, "x": 1 });
        assert_eq!(imported.entry, expected);
        assert_eq!(taken(json!({ "command": "npx" })).entry, json!({ "command": "npx" }));
        let old = taken(json!({ "command": { "path": "bin/x", "args": ["a b"], "env": { "K": "secret" } } }));
        assert_eq!(old.summary(), "runs /home/ada/.cursor/bin/x 'a b', with the variables K");
    }

    #[test]
    fn the_variables_that_it_takes_are_found_and_no_value_is_shown() {
        let entry = json!({ "command": "npx", "args": ["-y", "it's"], "env": { "TOKEN": "${env:GITHUB}", "B": "${OTHER:-x}", "C": "canary", "OWN": "${OWN}" } });
        let imported = taken(entry);
        assert_eq!(imported.variables.iter().map(String::as_str).collect::<Vec<_>>(), ["GITHUB", "OTHER"]);
        assert_eq!(imported.summary(), r"runs npx -y 'it'\''s', with the variables TOKEN, B, C, OWN");
        let remote = taken(
            json!({ "type": "http", "serverUrl": "https://mcp.example.com/mcp", "headers": { "Authorization": "canary" } }),
        );
        assert_eq!(remote.summary(), "calls https://mcp.example.com/mcp, with the header fields Authorization");
    }

    #[test]
    fn what_is_off_or_cannot_be_used_is_not_taken() {
        let of = |entry: Value| Found::of("a", entry, Path::new("/"));
        assert_eq!(of(json!({ "command": "x", "disabled": true })), Found::Off);
        assert_eq!(of(json!({ "command": "x", "enabled": false })), Found::Off);
        for (entry, why) in [
            (json!({ "type": "sse", "url": "https://mcp.example.com/sse" }), "the older transport"),
            (json!({ "command": "x", "env": { "A": "${input:token}" } }), "${input:token}"),
            (json!({}), "no `command` and no `url`"),
            (json!(7), "wrong"),
        ] {
            assert!(matches!(of(entry.clone()), Found::Wrong(said) if said.contains(why)), "{entry}");
        }
    }
}
