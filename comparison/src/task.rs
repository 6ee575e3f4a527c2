//! One task, done by a scripted agent on each face.
//!
//! A rehearsal, which nobody counts, says which calls the task is. Then an agent does it anew on each face, with a tool host of its own: as a program,
//! as MCP tools called one by one, and through `call_tool`. Which calls it makes it takes from the rehearsal; whether it may make them yet is a matter of
//! what the face has told it ([`crate::agent`]).

use std::time::Duration;

use anyhow::Context as _;
use isolet::mcp::{Mode, classic_name};
use isolet::{Config, End, Runtime, ToolHost};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::agent::{Agent, needs_of, object};
use crate::client::Client;
use crate::context::definitions;
use crate::need::Need;
use crate::recording_host::{Recorded, Recording, RecordingHost};
use crate::setting::{Setting, Task};
use crate::side::Side;

/// How long answers of the rehearsal are kept back: a program has asked for all by then that it asks for at once.
const ANSWER_DELAY: Duration = Duration::from_millis(30);

/// What a task cost on each face.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct TaskCost {
    /// The task's name.
    pub name: String,
    /// Tool calls that reached the host.
    pub calls: usize,
    /// The fewest round trips in which a model that calls tools one by one can make them, where it asks for all at once that do not wait for another one.
    pub waves: usize,
    /// Tools of the task that do not say what they give. A model that takes such a result apart in a program has to look at one first, which is a round
    /// trip that is not counted here.
    pub tools_without_output: usize,
    /// In code mode.
    pub code: Side,
    /// In classic mode.
    pub classic: Side,
    /// On the face of search.
    pub search: Side,
    /// As a program where both code mode and the classic tools are listed.
    pub both: Side,
    /// Why the program did not return, if it did not.
    pub failure: Option<String>,
    /// Calls that did not end in classic mode as they did in the program.
    pub calls_that_differ: usize,
}

impl TaskCost {
    /// Does `task` on each face. The setting's own tasks are not looked at.
    ///
    /// # Errors
    ///
    /// When a guest process cannot be started, or a face does not answer.
    pub async fn measure<Host: ToolHost>(setting: &Setting<Host>, task: &Task) -> anyhow::Result<Self> {
        let runtime = Runtime::new(Config::default())?;
        // Where nothing can be forked the run is spawned: what that costs is another table.
        let _ = runtime.prepare(&setting.scope).await;
        let (calls, failed) = rehearse(setting, &runtime, task).await?;
        let needs = needs_of(calls.iter().filter_map(|call| Some(Need::of(setting.scope.find(&call.path)?, &call.arguments))));
        let (code, ran, failure) = as_program(setting, &runtime, task, &needs).await?;
        let (classic, calls_that_differ) = as_calls(setting, &runtime, &calls).await?;
        let search = through_search(setting, &runtime, task, &calls, &needs).await?;
        let without_output =
            |need: &&Need| setting.scope.find(&need.path).is_some_and(|tool| tool.definition().output_schema().is_none());
        Ok(Self {
            name: task.name.clone(),
            calls: calls.len(),
            waves: calls.last().map_or(0, |last| last.wave + 1),
            tools_without_output: needs.iter().filter(without_output).count(),
            both: Side { definition_tokens: definitions_of_both(setting, &runtime).await?, ..ran },
            code,
            classic,
            search,
            failure: failure.or(failed),
            calls_that_differ,
        })
    }
}

/// The calls of the task, and why its program did not return.
async fn rehearse<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    task: &Task,
) -> anyhow::Result<(Vec<Recorded>, Option<String>)> {
    let recording = Recording::default();
    let host = RecordingHost::new((setting.hosts)(), recording.clone()).delayed(ANSWER_DELAY);
    let outcome = runtime.session(setting.scope.clone(), host).run(&task.program).await?;
    let failure = (!matches!(outcome.end, End::Returned(_))).then(|| outcome.message());
    Ok((recording.calls(), failure))
}

/// What it cost in code mode, what of that was the run, and why no program returned.
async fn as_program<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    task: &Task,
    needs: &[Need],
) -> anyhow::Result<(Side, Side, Option<String>)> {
    let session = runtime.session(setting.scope.clone(), (setting.hosts)());
    let mut agent = Agent::open(&session, Mode::Code).await?;
    agent.learn(needs, &task.questions()).await?;
    let learned = agent.side.clone();
    let failure = agent.run(&task.program).await?;
    let side = agent.close().await?;
    Ok((side.clone(), side.after(&learned), failure))
}

/// Makes the calls one by one, and counts those that end otherwise than they did in the program.
async fn as_calls<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    calls: &[Recorded],
) -> anyhow::Result<(Side, usize)> {
    let session = runtime.session(setting.scope.clone(), (setting.hosts)());
    let mut agent = Agent::open(&session, Mode::Classic).await?;
    let mut calls_that_differ = 0;
    for call in calls {
        let tool = setting.scope.find(&call.path).with_context(|| format!("`{}` is not listed", call.path))?;
        let answer = agent.call(&classic_name(tool.server(), tool.name()), open_arguments(setting, call)).await?;
        calls_that_differ += usize::from(answer.is_error == call.is_answered);
    }
    Ok((agent.close().await?, calls_that_differ))
}

/// Finds the tools, and makes the calls one by one through `call_tool`.
async fn through_search<Host: ToolHost>(
    setting: &Setting<Host>,
    runtime: &Runtime,
    task: &Task,
    calls: &[Recorded],
    needs: &[Need],
) -> anyhow::Result<Side> {
    let session = runtime.session(setting.scope.clone(), (setting.hosts)());
    let mut agent = Agent::open(&session, Mode::Search).await?;
    agent.learn(needs, &task.questions()).await?;
    for call in calls {
        let mut arguments = object("tool", call.path.as_str());
        arguments.insert("arguments".to_owned(), json!(open_arguments(setting, call)));
        agent.call("call_tool", arguments).await?;
    }
    agent.close().await
}

/// The arguments of a call that a caller gives.
fn open_arguments<Host>(setting: &Setting<Host>, call: &Recorded) -> Map<String, Value> {
    let mut arguments = call.arguments.clone();
    if let Some(tool) = setting.scope.find(&call.path) {
        arguments.retain(|argument, _| !tool.is_pinned(argument));
    }
    arguments
}

/// Tokens of the definitions where code mode and the classic tools are listed.
async fn definitions_of_both<Host: ToolHost>(setting: &Setting<Host>, runtime: &Runtime) -> anyhow::Result<usize> {
    let session = runtime.session(setting.scope.clone(), (setting.hosts)());
    let client = Client::open(&session, Mode::Both).await?;
    let size = definitions(&client).await?;
    client.close().await?;
    Ok(size.tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_searches_for_the_words_of_the_comments_or_the_name() {
        let questions = |program: &str| Task { name: "weekly report".to_owned(), program: program.to_owned() }.questions();
        assert_eq!(questions("\n// what moved\n// and what did not\nreturn 1"), ["what moved", "and what did not"]);
        assert_eq!(questions("return 1"), ["weekly report"]);
    }
}
