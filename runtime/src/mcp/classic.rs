//! The classic face: one MCP tool for each tool of the scope, definitions and results as their servers gave them.
//!
//! A call takes the same way as one of a program: [`Caller::answer`], and a record.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use isolet_bindings::{ScopedTool, ToolError, ToolErrorCode, ToolReply};
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, MetaObject, ResultType};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};

use super::answer::{Answer, Said, is_modern};
use super::classic_name::classic_name;
use super::heartbeat;
use super::lossless;
use super::options::ServeOptions;
use crate::host::call::{Caller, Request};
use crate::host::reply_check::Check;
use crate::host::session::{CALLS_WAITING_MAX, Parts};

/// Where a result says the code of its error.
const ERROR_META: &str = "io.isolet/error";

/// The tools of one session, by their names.
pub(super) struct Classic {
    session: Arc<Parts>,
    caller: Arc<Caller>,
    /// The index of each tool in the scope.
    by_name: HashMap<String, u32>,
    calls: AtomicU32,
    heartbeat: Duration,
}

impl Classic {
    pub(super) fn new(session: Arc<Parts>, options: &ServeOptions) -> Self {
        let by_name = session.scope.tools().iter().map(|tool| (name_of(tool), tool.index())).collect();
        Self { caller: session.caller(), session, by_name, calls: AtomicU32::new(0), heartbeat: options.heartbeat }
    }

    /// The definition of each tool, in the order of the scope.
    pub(super) fn definitions(&self) -> impl Iterator<Item = Value> {
        self.session.scope.tools().iter().map(definition)
    }

    /// Calls a tool with `arguments`, JSON text. The fault of the tool or its arguments is a result that says so, for the model; a name that this user has not is
    /// an error of the protocol.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let index = *self.by_name.get(name).ok_or_else(|| unknown_tool(name))?;
        let tool = self.session.scope.tool(index).ok_or_else(|| unknown_tool(name))?;
        Ok(self.call_tool(tool, arguments.to_owned(), context).await)
    }

    /// Whether a tool is listed by `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Calls `tool`, one of the scope's.
    pub(super) async fn call_tool(
        &self,
        tool: &ScopedTool,
        arguments: String,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let result = heartbeat::beating(self.answer(tool.index(), arguments, context), context, self.heartbeat).await;
        response(tool, result, context).into()
    }

    /// What the call came to, and its record. A cancelled one has no answer, and is an error for the client.
    async fn answer(
        &self,
        index: u32,
        arguments: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<ToolReply, ToolError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mut record = self.caller.record(number, index, 0, arguments.len());
        let result = tokio::select! {
            result = self.reply(number, index, arguments, context) => result,
            () = context.ct.cancelled() => {
                return Err(ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled"));
            }
        };
        match &result {
            Ok(reply) => {
                record.answer(reply.as_json().len(), None);
                match Check::of(&self.caller, index, reply.clone()) {
                    Check::Done(warnings) => record.close(warnings),
                    // The client does not wait for it.
                    Check::Aside(check) => {
                        let (caller, wall_max) = (Arc::clone(&self.caller), self.session.limits().wall_max);
                        tokio::spawn(async move {
                            match tokio::time::timeout(wall_max, check.warnings(caller)).await {
                                Ok(warnings) => record.close(warnings),
                                Err(_) => record.close_unchecked("it did not come to an end in time"),
                            }
                        });
                    }
                }
            }
            Err(error) => {
                record.answer(error.message.len(), Some(error));
                record.close(Vec::new());
            }
        }
        result
    }

    /// The tool's reply, unless the clock ends the call first: it is cancelled at its next await. Checking the arguments is a part of it.
    async fn reply(
        &self,
        number: u32,
        index: u32,
        arguments: String,
        context: &RequestContext<RoleServer>,
    ) -> Result<ToolReply, ToolError> {
        let wall_max = self.session.limits().wall_max;
        let busy = |message: String| Err(ToolError::new(ToolErrorCode::RateLimited, message));
        let Ok(_admitted) = self.session.calls_admitted.try_acquire() else {
            return busy(format!("busy: {CALLS_WAITING_MAX} calls of this session are already waiting: call again later"));
        };
        let Some(held) = self.session.calls_held.try_hold(arguments.len()) else {
            return busy("busy: the arguments of calls that are under way take too much memory: call again later".to_owned());
        };
        let _place = self.session.calls_in_flight.acquire().await.map_err(|error| ToolError::failed(error.to_string()))?;
        if let Some(answer) = Answer::of(context) {
            // Many may have waited for a place since there was room for what they bring.
            answer.room().await;
        }
        let answer = Arc::clone(&self.caller).answer(Request { number, index, arguments, held });
        // The time counts from here: one that waits for its turn is not late.
        tokio::time::timeout(wall_max, answer).await.unwrap_or_else(|_| {
            let message = format!("the tool did not answer within {wall_max:?}: it may still have done its work");
            Err(ToolError::new(ToolErrorCode::TimedOut, message))
        })
    }
}

/// One text for a tool that is not there and for one that this user may not call.
pub(super) fn unknown_tool(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no tool `{name}`: see `tools/list`"), None)
}

fn name_of(tool: &ScopedTool) -> String {
    classic_name(tool.server(), tool.name())
}

/// The definition as its server gave it, with what this deployment says: its name here, its description, and without fixed arguments.
fn definition(tool: &ScopedTool) -> Value {
    let mut definition = tool.definition().raw().clone();
    let Some(members) = definition.as_object_mut() else { return definition };
    members.insert("name".to_owned(), name_of(tool).into());
    if let Some(description) = tool.description() {
        members.insert("description".to_owned(), description.into());
    }
    let schema = members.entry("inputSchema").or_insert_with(|| json!({ "type": "object" }));
    if let Some(schema) = schema.as_object_mut() {
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|argument, _| !tool.is_pinned(argument));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|argument| !argument.as_str().is_some_and(|argument| tool.is_pinned(argument)));
        }
    }
    definition
}

/// What the client gets: the whole result where there is one, else one that is made from the value.
fn response(tool: &ScopedTool, result: Result<ToolReply, ToolError>, context: &RequestContext<RoleServer>) -> CallToolResult {
    let whole = match &result {
        Ok(reply) => reply.result(),
        Err(error) => error.result(),
    };
    if let Some(response) = whole.and_then(|whole| whole_response(whole, context)) {
        return response;
    }
    match result {
        Ok(reply) => {
            let whole = result_of_value(tool, &reply);
            whole_response(&whole, context).unwrap_or_else(|| CallToolResult::success(vec![ContentBlock::text(whole)]))
        }
        Err(error) => {
            let mut result = CallToolResult::error(vec![ContentBlock::text(error.message)]);
            let facts = json!({ "code": error.code.as_str(), "retryable": error.retryable });
            result.meta = Some(MetaObject(Map::from_iter([(ERROR_META.to_owned(), facts)])));
            result
        }
    }
}

/// The result `whole`: as it is over a line, in rmcp's types over a channel. None if it is no result at all.
fn whole_response(whole: &str, context: &RequestContext<RoleServer>) -> Option<CallToolResult> {
    let Some(answer) = Answer::of(context) else {
        return serde_json::from_str(whole).ok().map(typed);
    };
    answer.say(Said::Result(lossless::result_text(whole, is_modern(context))?));
    Some(CallToolResult::success(Vec::new()))
}

/// A result in rmcp's types, which may lose something of it.
fn typed(whole: Value) -> CallToolResult {
    let is_error = whole.get("isError").and_then(Value::as_bool);
    let mut result = serde_json::from_value(whole.clone()).unwrap_or_else(|_| {
        let mut result = CallToolResult::success(vec![ContentBlock::text(whole.to_string())]);
        result.is_error = is_error;
        result
    });
    result.result_type = Some(ResultType::COMPLETE);
    result
}

/// The result of a host that knows values only, JSON text: structured where the tool declares its output, a text otherwise.
fn result_of_value(tool: &ScopedTool, reply: &ToolReply) -> String {
    let value = reply.as_json();
    let text_block = |text: &str| json!({ "type": "text", "text": text });
    if tool.definition().output_schema().is_none() {
        let block = match serde_json::from_str::<String>(value) {
            Ok(text) => text_block(&text),
            Err(_) => text_block(value),
        };
        return format!(r#"{{"content":[{block}],"isError":false}}"#);
    }
    let output = if tool.unwraps_result() { format!(r#"{{"result":{value}}}"#) } else { value.to_owned() };
    format!(r#"{{"content":[{}],"structuredContent":{output},"isError":false}}"#, text_block(&output))
}
