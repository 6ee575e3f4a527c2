//! What an isolate installs for a scope: names, in the order of the tool indices. No schema, no description, nothing of any user.

use serde::Serialize;

/// The namespaces of a scope, each with its tools. Serialises as `[{"name": "github", "tools": ["create_issue", ...]}, ...]`.
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
}
