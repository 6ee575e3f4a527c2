//! What stands for the tools of a server that are not known before its user has authorized it: one tool, whose call asks the user.

use std::sync::Arc;

use serde_json::json;

use crate::definition::Tool;

/// The name of the tool that stands for all tools of a server until its user has authorized it.
pub const AUTHORIZE: &str = "authorize";

/// One such server.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) namespace: String,
    pub(crate) tool: Arc<Tool>,
}

impl StandIn {
    /// What stands for the tools of `server`, which programs know as `namespace`.
    pub(crate) fn of(server: &str, namespace: String) -> Option<Self> {
        let description = "The user has not authorized this server yet, so its tools are not known. A call of this, or of any other name in this namespace, \
            fails with the code `authorization_required` and says what to ask the user for; afterwards the server's own tools are here.";
        let definition = json!({ "name": AUTHORIZE, "description": description, "inputSchema": { "type": "object" } });
        let (tool, _) = Tool::new(&Arc::from(server), definition, &mut 0).ok()?;
        Some(Self { namespace, tool: Arc::new(tool.called(AUTHORIZE.to_owned())) })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Value, json};

    use crate::{Catalog, Grants, Scope};

    fn scope(grants: &Grants) -> Scope {
        let tool = |name: &str| -> Value { json!({"name": name, "inputSchema": {"type": "object"}}) };
        let catalog = Catalog::load([("files", vec![tool("read")])]).unwrap();
        catalog.expecting(["files", "my-mail", "slow"]).asking(["my-mail", "files"]).scope(grants).unwrap()
    }

    #[test]
    fn a_server_that_asks_is_there_with_a_namespace_that_is_open() {
        let scope = scope(&Grants::new().allow("*"));
        let paths: Vec<&str> = scope.tools().iter().map(crate::ScopedTool::path).collect();
        assert_eq!(paths, ["files.read", "my_mail.authorize"]);
        assert!(scope.is_open("my_mail") && !scope.is_open("files") && !scope.is_open("slow"));
        let manifest = serde_json::to_string(scope.manifest()).unwrap();
        assert!(manifest.ends_with(r#"{"name":"my_mail","tools":["authorize"],"is_open":true}]"#), "{manifest}");
        let known = Catalog::load([
            ("files", vec![json!({"name": "read", "inputSchema": {"type": "object"}})]),
            ("my-mail", vec![json!({"name": "authorize", "inputSchema": {"type": "object"}})]),
        ]);
        let known = known.unwrap().scope(&Grants::new().allow("*")).unwrap();
        assert_ne!(known.hash(), scope.hash(), "the isolates differ");
    }

    #[test]
    fn who_may_call_none_of_its_tools_is_not_asked() {
        for (grants, is_there) in [
            (Grants::new().allow("files.*"), false),
            (Grants::new().allow("*").deny("my-mail.*"), false),
            (Grants::new().allow("files.*").allow("my-mail.send"), true),
            (Grants::new().allow("files.*").allow("my_mail.*"), true),
        ] {
            let scope = scope(&grants);
            assert_eq!(scope.has_namespace("my_mail"), is_there);
            assert!(scope.warnings().is_empty(), "{:?}", scope.warnings());
        }
    }
}
