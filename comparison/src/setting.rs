//! What is compared.

use std::fmt;
use std::sync::Arc;

use isolet::Scope;
use isolet::mcp::{Configuration, UpstreamOptions};

/// Comments of a program that are searched for.
const QUESTIONS_MAX: usize = 3;

/// Makes the tool host of one session.
pub type Hosts<Host> = Arc<dyn Fn() -> Host + Send + Sync>;

/// What is compared.
#[expect(clippy::exhaustive_structs, reason = "whoever compares makes it")]
pub struct Setting<Host> {
    /// The tools, in both ways.
    pub scope: Scope,
    /// What calls them: asked once for each time that a task is done, so that one that writes can be given a fresh start.
    pub hosts: Hosts<Host>,
    /// Servers that are measured as children that speak MCP over standard input and output.
    pub servers: Configuration,
    /// How those servers are started.
    pub options: UpstreamOptions,
    /// What is done on each face. Each task's calls are made four times: in a rehearsal, in code mode, in classic mode, and through `call_tool`.
    pub tasks: Vec<Task>,
    /// How often each start is measured; servers at most [`Setting::SERVER_RUNS_MAX`] times. At least 1.
    pub runs: usize,
    /// Is told what is measured next.
    pub progress: Arc<dyn Fn(&str) + Send + Sync>,
}

impl<Host> Setting<Host> {
    /// The most starts of one server: each takes up to some seconds.
    pub const SERVER_RUNS_MAX: usize = 5;
}

impl<Host> fmt::Debug for Setting<Host> {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Setting").field("scope", &self.scope).field("runs", &self.runs).finish_non_exhaustive()
    }
}

/// Something to be done, as the program that does it.
#[expect(clippy::exhaustive_structs, reason = "a name and a program")]
#[derive(Clone, Debug)]
pub struct Task {
    /// What it is called in the tables.
    pub name: String,
    /// The body of an async function, in TypeScript. The words of its comments are what the agent searches for.
    pub program: String,
}

impl Task {
    /// What the agent searches for, one after the other: the program's comments that have a line of their own, or else the name.
    pub(crate) fn questions(&self) -> Vec<String> {
        let comments = self.program.lines().filter_map(|line| line.trim().strip_prefix("//"));
        let mut questions: Vec<String> = comments
            .map(|comment| comment.trim().to_owned())
            .filter(|comment| !comment.is_empty())
            .take(QUESTIONS_MAX)
            .collect();
        if questions.is_empty() {
            questions.push(self.name.clone());
        }
        questions
    }
}
