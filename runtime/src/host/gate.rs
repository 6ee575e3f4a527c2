//! The point where a call is authorised: the only way from a program, or from a classic MCP client, to a tool.
//!
//! A guest names nothing: it sends an index and JSON text. The index is resolved in the scope of that run; what the scope
//! does not hold does not exist. Arguments are parsed once, validated, and what was validated is what is sent (SECURITY.md
//! S-40, S-41, S-44).

use std::time::Duration;

use isolet_bindings::{Scope, ScopedTool, ToolCall, ToolError, ToolErrorCode};
use serde_json::{Map, Value};

use super::outcome::{CallEnd, CallRecord};

/// The index of `tools.search`, which the host answers by itself.
const SEARCH: u32 = 0x7fff_ffff;
/// The index of `tools.describe`.
const DESCRIBE: u32 = 0x7fff_fffe;
/// The most hits that a search gives.
const HITS_MAX: usize = 50;

/// A call that may be made.
pub(crate) enum Authorised<'scope> {
    /// Of a tool.
    Tool(&'scope ScopedTool, ToolCall),
    /// Of the scope itself; its path and its answer.
    Scope(&'static str, Value),
}

/// Resolves, authorises and validates one call. The error is what the program gets, with the path if it names a tool.
pub(crate) fn authorise<'scope>(
    scope: &'scope Scope,
    call: u32,
    index: u32,
    arguments: &str,
    argument_bytes_max: usize,
) -> Result<Authorised<'scope>, (Option<&'scope ScopedTool>, ToolError)> {
    match index {
        SEARCH => return Ok(Authorised::Scope("tools.search", search(scope, arguments))),
        DESCRIBE => return Ok(Authorised::Scope("tools.describe", describe(scope, arguments))),
        _ => {}
    }
    let tool = scope.tool(index).ok_or_else(|| (None, ToolError::unknown_tool()))?;
    let arguments = checked_arguments(tool, arguments, argument_bytes_max).map_err(|error| (Some(tool), error))?;
    let call = ToolCall::new(tool.server(), tool.name(), tool.path(), arguments, call);
    Ok(Authorised::Tool(tool, call))
}

fn checked_arguments(tool: &ScopedTool, text: &str, bytes_max: usize) -> Result<Map<String, Value>, ToolError> {
    if text.len() > bytes_max {
        let message = format!(
            "the arguments of `{}` have {} bytes, the limit is {bytes_max}: send less at a time",
            tool.path(),
            text.len()
        );
        return Err(ToolError::new(ToolErrorCode::TooLarge, message));
    }
    let invalid = |message: String| ToolError::new(ToolErrorCode::InvalidArguments, message);
    let arguments: Value = serde_json::from_str(text)
        .map_err(|error| invalid(format!("the arguments of `{}` are not JSON: {error}", tool.path())))?;
    let Value::Object(arguments) = arguments else {
        let kind = match arguments {
            Value::Array(_) => "an array",
            Value::Null => "null",
            _ => "a single value",
        };
        return Err(invalid(format!("`{}` takes one object with named arguments, not {kind}", tool.path())));
    };
    let arguments = Value::Object(tool.with_pinned(arguments));
    if let Err(violations) = tool.validate_arguments(&arguments) {
        let violations: Vec<String> = violations.iter().map(ToString::to_string).collect();
        return Err(invalid(format!("the arguments of `{}` do not match its schema: {}", tool.path(), violations.join("; "))));
    }
    match arguments {
        Value::Object(arguments) => Ok(arguments),
        _ => Err(invalid("the arguments are no object".to_owned())),
    }
}

/// A record of a call that has no answer yet.
pub(crate) fn record_of(
    authorised: &Result<Authorised<'_>, (Option<&ScopedTool>, ToolError)>,
    line: u32,
    argument_bytes: usize,
) -> CallRecord {
    let (path, server, tool) = match authorised {
        Ok(Authorised::Tool(tool, _)) | Err((Some(tool), _)) => (tool.path(), tool.server(), tool.name()),
        Ok(Authorised::Scope(path, _)) => (*path, "", ""),
        Err((None, _)) => ("?", "", ""),
    };
    CallRecord {
        path: path.to_owned(),
        server: server.to_owned(),
        tool: tool.to_owned(),
        line,
        argument_bytes,
        reply_bytes: 0,
        duration: Duration::ZERO,
        end: CallEnd::Cancelled,
        warnings: Vec::new(),
    }
}

fn search(scope: &Scope, arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let limit = arguments.get("limit").and_then(Value::as_u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10);
    serde_json::to_value(scope.search(query, limit.min(HITS_MAX))).unwrap_or_default()
}

fn describe(scope: &Scope, arguments: &str) -> Value {
    let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
    // `tools.describe("a.b", "c.d")` and `tools.describe(["a.b", "c.d"])` alike.
    let paths = arguments.get("paths").and_then(Value::as_array).into_iter().flatten();
    let paths = paths.flat_map(|path| path.as_array().map_or(std::slice::from_ref(path), Vec::as_slice));
    Value::String(scope.describe(paths.filter_map(Value::as_str)))
}
