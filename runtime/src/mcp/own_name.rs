//! A tool that is called by its own name where it is no MCP tool: the answer is the call that does what was meant.

use isolet_bindings::{Scope, ScopedTool};
use serde_json::value::RawValue;

use super::classic_name::classic_name;

/// The most bytes of arguments that are written into the answer.
const ARGUMENTS_BYTES_MAX: usize = 4_096;

/// The tool of `scope` that is called `name` in programs (`github.list_issues`) or by classic clients (`github__list_issues`).
pub(super) fn meant<'scope>(scope: &'scope Scope, name: &str) -> Option<&'scope ScopedTool> {
    let is_called = |tool: &&ScopedTool| {
        classic_name(tool.server(), tool.name()) == name
            || name.strip_prefix(tool.namespace()).and_then(|rest| rest.strip_prefix("__")) == Some(tool.identifier())
    };
    scope.find(name).or_else(|| scope.tools().iter().find(is_called))
}

/// What a model is told that called `tool` by `name` where only programs call it.
pub(super) fn program_for(tool: &ScopedTool, name: &str, arguments: &str) -> String {
    let (path, arguments) = (tool.path(), shown(arguments));
    format!(
        "`{name}` is a function in the programs of `run_code`, not a tool of its own: call `run_code` with this `code`:\nreturn await {path}({arguments});"
    )
}

/// What a model is told that called `tool` by `name` where `call_tool` calls it.
pub(super) fn call_for(tool: &ScopedTool, name: &str, arguments: &str) -> String {
    let (path, arguments) = (tool.path(), shown(arguments));
    format!("`{name}` is not a tool of its own: call `call_tool` with this:\n{{\"tool\":\"{path}\",\"arguments\":{arguments}}}")
}

/// The arguments as they came, if they are an object that is short enough to be said again.
fn shown(arguments: &str) -> &str {
    let is_object = arguments.trim_start().starts_with('{') && serde_json::from_str::<&RawValue>(arguments).is_ok();
    if is_object && arguments.len() <= ARGUMENTS_BYTES_MAX { arguments.trim() } else { "{ /* its arguments */ }" }
}
