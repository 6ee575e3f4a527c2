//! What an isolate installs for a scope: names, in the order of the tool indices. No schema, no description, nothing of any user.

use serde::Serialize;

use crate::hash::ContentHash;

/// The namespaces of a scope, each with its tools. Serialises as
/// `[{"name": "github", "tools": ["create_issue", ...], "aliases": [[0, "create-issue"], ...]}, ...]`.
///
/// Tool indices are implicit: consecutive from 0, namespace after namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Manifest {
    /// The namespaces, in order.
    pub namespaces: Vec<Namespace>,
}

/// One server of a scope, as a global of the isolate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// The identifier of the global.
    pub name: String,
    /// The identifiers of its tools.
    pub tools: Vec<String>,
    /// Places of `tools`, and what these are called too: what their server calls them, where that is no identifier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<(usize, String)>,
}

impl Manifest {
    /// The hash of all names.
    pub(crate) fn hash(&self) -> ContentHash {
        let mut parts = Vec::new();
        for namespace in &self.namespaces {
            parts.extend([namespace.name.clone(), String::new()]);
            parts.extend(namespace.tools.iter().cloned());
            for (place, alias) in &namespace.aliases {
                parts.extend([String::new(), place.to_string(), alias.clone()]);
            }
        }
        ContentHash::of(parts.iter().map(String::as_bytes))
    }
}
