//! The classic face: one MCP tool for each tool of the scope, definitions and results as their servers gave them.
//!
//! A call takes the same way as one of a program: [`Caller::answer`], and a record.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use isolet_bindings::{Asker, Listener, ScopedTool, ToolError, ToolErrorCode, ToolReply};
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock, MetaObject};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer};
use serde_json::{Map, Value, json};

use super::answer::{Answer, is_modern, said};
use super::classic_name::{ClassicNames, classic_names};
use super::client_asker;
use super::hearing::{Gravity, Hearing};
use super::lossless;
use super::options::ServeOptions;
use crate::host::asked_time;
use crate::host::call::{Caller, Request};
use crate::host::gate::Target;
use crate::host::held::Held;
use crate::host::session::{CALLS_WAITING_MAX, Parts};

/// Where a result says the code of its error.
const ERROR_META: &str = "io.isolet/error";

/// The tools of one session, by their names.
pub(super) struct Classic {
    session: Arc<Parts>,
    caller: Arc<Caller>,
    /// What each tool of the scope is called.
    names: Vec<String>,
    /// The index of each tool in the scope.
    by_name: HashMap<String, u32>,
    /// How prompts are called.
    naming: ClassicNames,
    calls: AtomicU32,
    heartbeat: Duration,
}

impl Classic {
    pub(super) fn new(session: Arc<Parts>, options: &ServeOptions) -> Self {
        let tools = session.scope.tools();
        let names = classic_names(tools.iter().map(|tool| (tool.server(), tool.name())), options.names);
        let by_name = names.iter().cloned().zip(tools.iter().map(ScopedTool::index)).collect();
        let (calls, heartbeat, naming) = (AtomicU32::new(0), options.heartbeat, options.names);
        Self { caller: session.caller(), session, names, by_name, naming, calls, heartbeat }
    }

    /// Whether there are servers that may have resources or prompts for this user.
    pub(super) fn has_servers(&self) -> bool {
        !self.caller.servers().is_empty()
    }

    /// What calls take their way through.
    pub(super) fn caller(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// How prompts are called.
    pub(super) fn naming(&self) -> ClassicNames {
        self.naming
    }

    /// The definition of each tool, in the order of the scope.
    pub(super) fn definitions(&self) -> impl Iterator<Item = Value> {
        self.session.scope.tools().iter().zip(&self.names).map(|(tool, name)| definition(tool, name))
    }

    /// Calls a tool with `arguments`, JSON text. The fault of the tool or its arguments is a result that says so, for the model; a name that this user has not is
    /// an error of the protocol.
    pub(super) async fn call(
        &self,
        name: &str,
        arguments: &str,
        gravity: Option<Gravity>,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let index = *self.by_name.get(name).ok_or_else(|| unknown_tool(name))?;
        let tool = self.session.scope.tool(index).ok_or_else(|| unknown_tool(name))?;
        Ok(self.call_tool(tool, arguments.to_owned(), gravity, context).await)
    }

    /// Whether a tool is listed by `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Calls `tool`, one of the scope's; the client hears lines of the server's log from `gravity` on.
    pub(super) async fn call_tool(
        &self,
        tool: &ScopedTool,
        arguments: String,
        gravity: Option<Gravity>,
        context: &RequestContext<RoleServer>,
    ) -> CallToolResponse {
        let (hearing, listener) = Hearing::of(context, gravity);
        let asker = client_asker::of(context);
        let answer = self.answer(tool.index(), arguments, (listener, asker), context);
        let result = hearing.during(answer, self.heartbeat).await;
        response(tool, result, context).into()
    }

    /// What `work` gives, which this call is recorded as, and in which `asker` may be asked. A cancelled one has no answer, and is an error for the client.
    pub(super) async fn asked(
        &self,
        target: Target<'_>,
        bytes: usize,
        asker: Asker,
        context: &RequestContext<RoleServer>,
        work: impl Future<Output = Result<ToolReply, ToolError>>,
    ) -> Result<ToolReply, ToolError> {
        let number = self.next_number();
        let mut record = self.caller.record_of(target, number, 0, bytes);
        let work = self.in_turn(bytes, asker, context, |held| async move {
            let _held = held;
            work.await
        });
        let result = tokio::select! {
            result = work => result,
            () = context.ct.cancelled() => return Err(cancelled()),
        };
        record.answer(&result);
        record.close(Vec::new());
        result
    }

    fn next_number(&self) -> u32 {
        self.calls.fetch_add(1, Ordering::Relaxed).wrapping_add(1)
    }

    /// What the call came to, and its record. A cancelled one has no answer, and is an error for the client.
    async fn answer(
        &self,
        index: u32,
        arguments: String,
        (listener, asker): (Listener, Asker),
        context: &RequestContext<RoleServer>,
    ) -> Result<ToolReply, ToolError> {
        let number = self.next_number();
        let mut record = self.caller.record(number, index, 0, arguments.len());
        let reply = self.in_turn(arguments.len(), asker.clone(), context, |held| {
            Arc::clone(&self.caller).answer(Request { number, index, arguments, listener, asker, held })
        });
        let result = tokio::select! {
            result = reply => result,
            () = context.ct.cancelled() => return Err(cancelled()),
        };
        record.answer(&result);
        if let Ok(reply) = &result
            && let Some(check) = self.caller.check(&mut record, index, reply.clone())
        {
            // The client does not wait for it.
            let (caller, wall_max) = (Arc::clone(&self.caller), self.session.limits().wall_max);
            tokio::spawn(async move {
                match tokio::time::timeout(wall_max, caller.warnings(check)).await {
                    Ok(warnings) => record.close(warnings),
                    Err(_) => record.close_unchecked("it did not come to an end in time"),
                }
            });
        }
        result
    }

    /// What `work` comes to when its turn has come, unless the clock ends it first: it is cancelled at its next await. Checking the arguments is a part of
    /// it. It is given what it holds of this process's memory.
    async fn in_turn<Work: Future<Output = Result<ToolReply, ToolError>>>(
        &self,
        bytes: usize,
        asker: Asker,
        context: &RequestContext<RoleServer>,
        work: impl FnOnce(Held) -> Work,
    ) -> Result<ToolReply, ToolError> {
        let wall_max = self.session.limits().wall_max;
        let busy = |message: String| Err(ToolError::new(ToolErrorCode::RateLimited, message));
        let Ok(_admitted) = self.session.calls_admitted.try_acquire() else {
            return busy(format!("busy: {CALLS_WAITING_MAX} calls of this session are already waiting: call again later"));
        };
        let Some(held) = self.session.calls_held.try_hold(bytes) else {
            return busy("busy: the arguments of calls that are under way take too much memory: call again later".to_owned());
        };
        let _place = self.session.calls_in_flight.acquire().await.map_err(|error| ToolError::failed(error.to_string()))?;
        if let Some(answer) = Answer::of(context) {
            // Many may have waited for a place since there was room for what they bring.
            answer.room().await;
        }
        // The time counts from here, but for that in which somebody is asked: one that waits for its turn is not late.
        asked_time::within(&asker, wall_max, work(held)).await.unwrap_or_else(|| {
            let message = format!("the tool did not answer within {wall_max:?}: it may still have done its work");
            Err(ToolError::new(ToolErrorCode::TimedOut, message))
        })
    }
}

fn cancelled() -> ToolError {
    ToolError::new(ToolErrorCode::Cancelled, "the call was cancelled")
}

/// One text for a tool that is not there and for one that this user may not call.
pub(super) fn unknown_tool(name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("there is no tool `{name}`: see `tools/list`"), None)
}

/// The definition as its server gave it, with what this deployment says: its name here, its description, and without fixed arguments.
fn definition(tool: &ScopedTool, name: &str) -> Value {
    let mut definition = tool.definition().raw().clone();
    let Some(members) = definition.as_object_mut() else { return definition };
    members.insert("name".to_owned(), name.into());
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

/// The result `whole`, as it is. None if it is no result at all.
fn whole_response(whole: &str, context: &RequestContext<RoleServer>) -> Option<CallToolResult> {
    said(lossless::result_text(whole, is_modern(context))?, context, CallToolResult::success(Vec::new())).ok()
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
