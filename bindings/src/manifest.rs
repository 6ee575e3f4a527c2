//! What an isolate installs for a scope: names, in the order of the tool indices. No schema, no description, nothing of any user.

use serde::Serialize;

use crate::hash::ContentHash;

/// The namespaces of a scope, each with its tools. Serialises as
/// `[{"name": "github", "tools": ["create_issue", ...], "aliases": [[0, "create-issue"], ...]}, ...]`, with `"is_open": true` where that is so.
///
/// Tool indices are implicit: consecutive from 0, namespace after namespace.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Manifest {
    /// The namespaces, in order.
    pub namespaces: Vec<Namespace>,
}

/// One server of a scope, as a global of the isolate.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Namespace {
    /// The identifier of the global.
    pub name: String,
    /// The identifiers of its tools.
    pub tools: Vec<String>,
    /// Indices into `tools`, and what these are called too: what their server calls them, where that is no identifier.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<(usize, String)>,
    /// Whether any other name in it is called as its only tool: what its server has is not known before the user has authorized it.
    #[serde(skip_serializing_if = "is_false")]
    pub is_open: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
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
            if namespace.is_open {
                parts.extend([String::new(), "open".to_owned()]);
            }
        }
        ContentHash::of(parts.iter().map(String::as_bytes))
    }
}
