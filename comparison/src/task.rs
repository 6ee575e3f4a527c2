//! One task, done by a scripted agent in both modes: as one program, and as the calls that the program made, one by one.
//!
//! In code mode the agent searches and reads the types of the tools that it needs, as far as both are offered: where the description of
//! `run_code` says everything, they are not. Then it runs the program. In classic mode it calls tools
//! and reads every result. Which calls it makes is taken from the program's run; a model that asks for several at once would need
//! fewer round trips, and would read as much.

use std::collections::HashMap;

use anyhow::Context as _;
use isolet::mcp::Mode;
use isolet::{Config, Runtime, ScopedTool, ToolHost};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::client::{Answer, Client, Connection, Size};
use crate::context::definitions;
use crate::recording_host::{Recorded, Recording, RecordingHost};
use crate::setting::{Setting, Task};

/// What a task cost in both modes.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct TaskCost {
    /// The task's name.
    pub name: String,
    /// Tool calls that reached the host.
    pub calls: usize,
    /// In code mode.
    pub code: Side,
    /// In classic mode.
    pub classic: Side,
    /// Why the program did not return, if it did not.
    pub failure: Option<String>,
    /// Calls that did not end in classic mode as they did in the program.
    pub calls_that_differ: usize,
}

/// What a task cost in one mode.
#[non_exhaustive]
#[derive(Clone, Debug, Default, Serialize)]
pub struct Side {
    /// How often the model is asked to go on after a call.
    pub round_trips: usize,
    /// Tokens of the definitions that are in the context all the time.
    pub definition_tokens: usize,
    /// Tokens that the model writes: names and arguments.
    pub written_tokens: usize,
    /// Tokens of results that the model reads.
    pub read_tokens: usize,
    /// Bytes of results that the model reads.
    pub read_bytes: usize,
    /// Time at the host, milliseconds: without the model's.
    pub host_ms: f64,
}

impl Side {
    /// Everything that has been in the context at the end.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.definition_tokens + self.written_tokens + self.read_tokens
    }

    fn begin(definitions: Size) -> Self {
        Self { definition_tokens: definitions.tokens, ..Self::default() }
    }

    fn add(&mut self, answer: &Answer) {
        self.round_trips += 1;
        self.written_tokens += answer.written.tokens;
        self.read_tokens += answer.read.tokens;
        self.read_bytes += answer.read.bytes;
        self.host_ms += answer.duration.as_secs_f64() * 1000.0;
    }
}

/// Does the task in both modes.
pub(crate) async fn measure<Host: ToolHost>(setting: &Setting<Host>, task: &Task) -> anyhow::Result<TaskCost> {
    let runtime = Runtime::new(Config::default())?;
    // Where nothing can be forked the run is spawned: what that costs is another table.
    let _ = runtime.prepare(&setting.scope).await;
    let (code, calls, failure) = as_program(setting, &runtime, task).await?;
    let (classic, calls_that_differ) = as_calls(setting, &runtime, &calls).await?;
    Ok(TaskCost { name: task.name.clone(), calls: calls.len(), code, classic, failure, calls_that_differ })
}

/// Finds tools, runs the program, and reads, as far as the face offers it, the types of the tools that it called: a model does that before, which costs the same.
async fn as_program<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    task: &Task,
) -> anyhow::Result<(Side, Vec<Recorded>, Option<String>)> {
    let recording = Recording::default();
    let host = RecordingHost::new((setting.hosts)(), recording.clone());
    let session = runtime.session(setting.scope.clone(), host);
    let client = Client::open(&session, Mode::Code, Connection::Channel).await?;
    let mut side = Side::begin(definitions(&client).await?);
    let offered: Vec<String> = client.list().await?.iter().map(|tool| tool.name.to_string()).collect();
    let offers = |tool: &str| offered.iter().any(|offered| offered == tool);
    if offers("search_tools") {
        side.add(&client.call("search_tools", object("query", task.question())).await?);
    }
    let ran = client.call("run_code", object("code", task.program.as_str())).await?;
    side.add(&ran);
    let calls = recording.calls();
    let mut paths: Vec<&str> = calls.iter().map(|call| call.path.as_str()).collect();
    paths.sort_unstable();
    paths.dedup();
    if offers("get_types") {
        side.add(&client.call("get_types", object("tools", paths)).await?);
    }
    client.close().await?;
    Ok((side, calls, ran.is_error.then_some(ran.text)))
}

/// Makes the calls one by one, and counts those that end otherwise than they did in the program.
async fn as_calls<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    calls: &[Recorded],
) -> anyhow::Result<(Side, usize)> {
    let session = runtime.session(setting.scope.clone(), (setting.hosts)());
    let client = Client::open(&session, Mode::Classic, Connection::Channel).await?;
    let listed = client.list().await?;
    // The list is in the scope's order.
    let names: HashMap<&str, (&ScopedTool, &str)> =
        setting.scope.tools().iter().zip(&listed).map(|(tool, listed)| (tool.path(), (tool, &*listed.name))).collect();
    let mut side = Side::begin(definitions(&client).await?);
    let mut calls_that_differ = 0;
    for call in calls {
        let (tool, name) = names.get(call.path.as_str()).with_context(|| format!("`{}` is not listed", call.path))?;
        let mut arguments = call.arguments.clone();
        arguments.retain(|argument, _| !tool.is_pinned(argument));
        let answer = client.call(name, arguments).await?;
        calls_that_differ += usize::from(answer.is_error == call.is_answered);
        side.add(&answer);
    }
    client.close().await?;
    Ok((side, calls_that_differ))
}

fn object(name: &str, value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), value.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_searches_for_the_words_of_the_first_comment_or_the_name() {
        let question =
            |program: &str| Task { name: "weekly report".to_owned(), program: program.to_owned() }.question().to_owned();
        assert_eq!(question("\n// what moved\n// and what did not\nreturn 1"), "what moved");
        assert_eq!(question("return 1"), "weekly report");
    }
}
