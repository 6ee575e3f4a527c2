//! What an application grants one user for one request; a [`crate::Scope`] is made from it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Which tools of a catalog a user may call, and how they look. Nothing is allowed by default.
///
/// Tools are addressed as `server.tool`, both as they call themselves (raw, not the identifiers of the isolate). A pattern of
/// [`Grants::allow`] and [`Grants::deny`] is a glob over that text: `*` is any run of characters, dots and slashes included, `?` one
/// character, `[ab]` and `{a,b}` alternatives, `\` escapes. It is case-sensitive and must match the whole. Denial wins.
///
/// ```
/// use isolet_bindings::{Catalog, Grants};
/// use serde_json::json;
///
/// let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
/// let catalog = Catalog::load([("github", vec![tool("list-issues"), tool("delete_repo")])])?;
/// let grants = Grants::new().allow("github.*").deny("github.delete_*").rename("github.list-issues", "list_issues");
/// let scope = catalog.scope(&grants)?;
/// assert_eq!(scope.tools()[0].path(), "github.list_issues");
/// assert_eq!(scope.tools().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grants {
    pub(crate) allowed: Vec<String>,
    pub(crate) denied: Vec<String>,
    pub(crate) identifiers: BTreeMap<String, String>,
    pub(crate) descriptions: BTreeMap<String, String>,
    pub(crate) pins: BTreeMap<String, Map<String, Value>>,
}

impl Grants {
    /// Grants nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows the tools that match `pattern`.
    #[must_use]
    pub fn allow(mut self, pattern: impl Into<String>) -> Self {
        self.allowed.push(pattern.into());
        self
    }

    /// Denies the tools that match `pattern`, whatever allows them.
    #[must_use]
    pub fn deny(mut self, pattern: impl Into<String>) -> Self {
        self.denied.push(pattern.into());
        self
    }

    /// Calls `tool` (`server.tool`, exactly) `identifier` in the isolate. A tool that has this name by itself gets a suffixed one.
    #[must_use]
    pub fn rename(mut self, tool: impl Into<String>, identifier: impl Into<String>) -> Self {
        self.identifiers.insert(tool.into(), identifier.into());
        self
    }

    /// Describes `tool` (`server.tool`, exactly) with `text` in place of its server's words.
    #[must_use]
    pub fn describe(mut self, tool: impl Into<String>, text: impl Into<String>) -> Self {
        self.descriptions.insert(tool.into(), text.into());
        self
    }

    /// Fixes one argument of `tool` (`server.tool`, exactly): it vanishes from the types and from what the guest may say, and each
    /// call gets `value` on the host.
    #[must_use]
    pub fn pin(mut self, tool: impl Into<String>, argument: impl Into<String>, value: impl Into<Value>) -> Self {
        self.pins.entry(tool.into()).or_default().insert(argument.into(), value.into());
        self
    }
}
