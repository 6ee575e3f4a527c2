//! The face of search: `search_tools` and `call_tool`, for clients that want neither programs nor long lists.
//!
//! A call takes the same way as one of the classic face, and has the same result.

use std::sync::Arc;

use isolet_bindings::TokenBudget;
use rmcp::model::CallToolResponse;
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Value, json};

use super::classic::{Classic, unknown_tool};
use super::options::ServeOptions;
use super::own_arguments::OwnArguments;
use super::{own_name, tool_search};
use crate::host::session::Parts;

/// The face of search for one session.
pub(super) struct SearchFace {
    session: Arc<Parts>,
    classic: Classic,
    index_tokens_max: usize,
    /// What is said beside the tools.
    remarks: String,
}

/// What `call_tool` takes. What is no argument of it is refused: a `dryRun` beside `arguments` would be lost.
const CALL_ARGUMENTS: &[&str] = &["tool", "arguments"];

impl SearchFace {
    /// What a client tells its model about this server.
    pub(super) const INSTRUCTIONS: &str = "\
The user's tools are behind two tools. `search_tools` with a few words finds some, best first, each as the TypeScript signature of what it takes and gives. \
`call_tool` calls one: `{\"tool\": \"github.list_issues\", \"arguments\": {\"state\": \"open\"}}`.";

    pub(super) fn new(session: Arc<Parts>, options: &ServeOptions, remarks: &str) -> Self {
        let classic = Classic::new(Arc::clone(&session), options);
        Self { classic, session, index_tokens_max: options.index_tokens_max, remarks: remarks.to_owned() }
    }

    /// The definitions of both tools, with what there is to be found.
    pub(super) fn definitions(&self) -> [Value; 2] {
        let index = self.session.scope.names(TokenBudget::new(self.index_tokens_max)).text;
        [
            tool_search::definition("Finds tools that `call_tool` can call; gives their signatures, best first."),
            json!({
                "name": "call_tool",
                "title": "Call a tool",
                "description": format!("Calls one of the user's tools and gives its result. The tools:\n{index}{}", self.remarks),
                "inputSchema": {
                    "type": "object",
                    "properties": {
                        "tool": { "type": "string", "description": "Its path, such as `github.create_issue`." },
                        "arguments": { "type": "object", "description": "What its signature takes." },
                    },
                    "required": ["tool"],
                    "additionalProperties": false,
                },
            }),
        ]
    }

    /// Calls one of both tools; says how a tool of the scope is called.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let refused = |text: String| Ok(tool_search::refused(text).into());
        let scope = &self.session.scope;
        match name {
            "search_tools" => tool_search::answer(scope, arguments).map_or_else(refused, |result| Ok(result.into())),
            "call_tool" => {
                let (tool, arguments) = match call_of(arguments) {
                    Ok(call) => call,
                    Err(text) => return refused(text),
                };
                match own_name::meant(scope, &tool) {
                    Some(tool) => Ok(self.classic.call_tool(tool, arguments, None, context).await),
                    None => refused(no_tool(&tool, &scope.nearest(&tool))),
                }
            }
            _ => match own_name::meant(scope, name) {
                Some(tool) => refused(own_name::call_for(tool, name, arguments)),
                None => Err(unknown_tool(name)),
            },
        }
    }
}

/// The tool that `call_tool` is to call, and its arguments: an object, or the JSON text of one.
fn call_of(arguments: &str) -> Result<(String, String), String> {
    let call = OwnArguments::read("call_tool", CALL_ARGUMENTS, arguments)?;
    let tool = call.needed_text("tool")?;
    if let Some(left_out) = call.left_out() {
        return Err(format!("{left_out}: what the tool takes stands in `arguments`"));
    }
    let raw = call.raw("arguments").unwrap_or("{}");
    let text: Option<String> = serde_json::from_str(raw).ok();
    Ok((tool, text.filter(|text| text.trim_start().starts_with('{')).unwrap_or_else(|| raw.to_owned())))
}

/// One text for a tool that is not there and for one that this user may not call.
fn no_tool(path: &str, nearest: &[String]) -> String {
    let path: String = path.chars().take(200).collect();
    if nearest.is_empty() {
        return format!("there is no tool `{path}`: find one with `search_tools`");
    }
    format!("there is no tool `{path}`: the nearest are {}", nearest.join(", "))
}
