//! A conversation of several turns over one session: the same calls as a program for each turn, or one by one.

use anyhow::Context as _;
use isolet::mcp::{Mode, classic_name};
use isolet::{Scope, ScopedTool, Session};
use serde_json::{Map, Value};

use crate::agent::{Agent, needs_of};
use crate::need::Need;
use crate::side::Side;

/// A turn: what a user asks, and the calls that do it.
#[expect(clippy::exhaustive_structs, reason = "whoever compares makes it")]
#[derive(Clone, Debug)]
pub struct Turn {
    /// The user's words: what the agent searches for where it has to.
    pub words: String,
    /// The body of an async function that makes the calls.
    pub program: String,
    /// The calls: server, the tool's name there, and the arguments.
    pub calls: Vec<(String, String, Map<String, Value>)>,
}

/// What a conversation cost, and what failed in it.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Conversation {
    /// What it cost: definitions once, whatever is written and read in all turns.
    pub cost: Side,
    /// Programs that did not return, and calls that failed: what was said of each.
    pub failures: Vec<String>,
}

impl Conversation {
    /// Makes all turns one after the other, as programs in [`Mode::Code`], and call by call in [`Mode::Classic`].
    ///
    /// # Errors
    ///
    /// When the session is lost, or a call is of a tool that is not in `scope`, which is the session's.
    pub async fn make(session: &Session, scope: &Scope, mode: Mode, turns: &[Turn]) -> anyhow::Result<Self> {
        let mut agent = Agent::open(session, mode).await?;
        let mut failures = Vec::new();
        for turn in turns.iter().filter(|turn| !turn.calls.is_empty()) {
            let mut calls = Vec::new();
            for (server, tool, arguments) in &turn.calls {
                calls.push((find(scope, server, tool)?, arguments));
            }
            if mode == Mode::Code {
                let needs = needs_of(calls.iter().map(|(tool, arguments)| Need::of(tool, arguments)));
                agent.learn(&needs, std::slice::from_ref(&turn.words)).await?;
                failures.extend(agent.run(&turn.program).await?);
                continue;
            }
            for (tool, arguments) in calls {
                let answer = agent.call(&classic_name(tool.server(), tool.name()), arguments.clone()).await?;
                failures.extend(answer.is_error.then_some(answer.text));
            }
        }
        Ok(Self { cost: agent.close().await?, failures })
    }
}

fn find<'scope>(scope: &'scope Scope, server: &str, tool: &str) -> anyhow::Result<&'scope ScopedTool> {
    let is_meant = |one: &&ScopedTool| one.server() == server && one.name() == tool;
    scope.tools().iter().find(is_meant).with_context(|| format!("`{server}` has no tool `{tool}`"))
}
