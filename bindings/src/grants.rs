//! What an application grants one user for one request; a [`crate::Scope`] is made from it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::name;

/// What means something else in a pattern than itself.
pub(crate) const WILDCARDS: &[char] = &['*', '?', '[', ']', '{', '}', '\\'];

/// Which tools of a catalog a user may call, and how they look. Nothing is allowed by default.
///
/// A tool is addressed as `server.tool`, by the names that both give themselves (raw), or by the path that a guest writes
/// ([`crate::ScopedTool::path`]), as catalogs make it: a rename changes no address. A pattern of [`Grants::allow`] and [`Grants::deny`] is such an
/// address or a glob: `*` is any run of characters, dots and slashes included, `?` one character, `[ab]` and `{a,b}` alternatives, `\`
/// escapes. It is case-sensitive and must match the whole.
///
/// Denial wins, and it is wide: a deny matches the raw name, any path that is or may be shown, renamed or not, with the suffix that tells it from
/// another and without (`get_sum_73fbf2` and `get_sum`). So does the name of a pin within its server, new names aside: whatever tools come and go
/// beside one, what is fixed stays fixed. An allow is narrow: as a glob it matches raw names, and else it must be the raw name or the exact path. What matched nothing is in [`crate::Scope::warnings`].
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
    pub(crate) trusted: Vec<String>,
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

    /// Calls `tool` (its address, exactly) `identifier` in the isolate. A tool that would have this name gets a suffixed one.
    #[must_use]
    pub fn rename(mut self, tool: impl Into<String>, identifier: impl Into<String>) -> Self {
        self.identifiers.insert(tool.into(), identifier.into());
        self
    }

    /// Describes `tool` (its address, exactly) with `text` in place of its server's words.
    #[must_use]
    pub fn describe(mut self, tool: impl Into<String>, text: impl Into<String>) -> Self {
        self.descriptions.insert(tool.into(), text.into());
        self
    }

    /// Fixes one argument of `tool` (its address, exactly): it vanishes from the types and from what the guest may say, and each
    /// call gets `value` on the host.
    #[must_use]
    pub fn pin(mut self, tool: impl Into<String>, argument: impl Into<String>, value: impl Into<Value>) -> Self {
        self.pins.entry(tool.into()).or_default().insert(argument.into(), value.into());
        self
    }

    /// Trusts the tools that match `pattern`, as [`Grants::allow`] matches, to change nothing, whatever their annotations say: a `null` for an
    /// optional argument of theirs is taken as its absence. Grants nothing by itself.
    #[must_use]
    pub fn trust_read_only(mut self, pattern: impl Into<String>) -> Self {
        self.trusted.push(pattern.into());
        self
    }

    /// Whether a server with this id is denied as a whole, by a pattern that is one of its names and `.*`: there is no need to ask it.
    #[must_use]
    pub fn denies_server(&self, server: &str) -> bool {
        let others = name::other_names(server);
        let is_named = |denied: &str| denied == server || others.iter().any(|name| name == denied);
        self.denied.iter().filter_map(|pattern| pattern.strip_suffix(".*")).any(is_named)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use super::*;
    use crate::{Catalog, ScopedTool};

    #[test]
    fn what_a_tool_says_of_itself_grants_and_trusts_nothing() {
        let harmless = json!({"readOnlyHint": true, "destructiveHint": false, "openWorldHint": false});
        let tool = |name: &str, hints: &Value| json!({"name": name, "inputSchema": {"type": "object"}, "annotations": hints});
        let catalog = Catalog::load([("s", vec![tool("harmless", &harmless), tool("silent", &json!({}))])]).unwrap();
        let names = |grants: &Grants, is_wanted: fn(&&ScopedTool) -> bool| -> Vec<String> {
            let scope = catalog.scope(grants).unwrap();
            scope.tools().iter().filter(is_wanted).map(|tool| tool.name().to_owned()).collect()
        };
        assert_eq!(names(&Grants::new().allow("s.silent"), |_| true), ["silent"]);
        let all = Grants::new().allow("*");
        assert_eq!(names(&all, |tool| tool.is_trusted_read_only()), Vec::<String>::new());
        assert_eq!(names(&all.clone().trust_read_only("s.silent"), |tool| tool.is_trusted_read_only()), ["silent"]);
        let scope = catalog.scope(&all).unwrap();
        let listed = scope.find("s.harmless").unwrap().definition();
        assert_eq!(listed.annotations(), Some(&harmless), "what it says is passed on");
    }
}
