//! Code mode and classic MCP on the same scope, for the same user, in one run: what each takes to start, what each puts into a
//! model's context, and what a task costs either way.
//!
//! ```text
//! Setting -> start_up ----\
//!         -> context ------+--> Comparison -> Display: the table; Serialize: JSON; page: HTML with charts
//!         -> task ---------/
//! ```
//!
//! `isolet compare` and the example `compare` are both this; it sits on the runtime as they do, and speaks MCP with the faces of a
//! session as any client would.

mod chart;
mod client;
mod context;
mod page;
mod recording_host;
mod start_up;
mod table;
mod task;

use std::fmt;
use std::sync::Arc;

use isolet::mcp::{Configuration, UpstreamOptions};
use isolet::{Scope, ToolHost};
use serde::Serialize;

pub use context::Context;
pub use recording_host::{Recorded, Recording, RecordingHost};
pub use start_up::{StartUp, Time};
pub use task::{Side, Task, TaskCost};

/// Makes the tool host of one session.
pub type Hosts<Host> = Arc<dyn Fn() -> Host + Send + Sync>;

/// What is compared.
pub struct Setting<Host> {
    /// The tools, in both ways.
    pub scope: Scope,
    /// What calls them: asked once for each mode of a task, so that a task that writes can be given a fresh start.
    pub hosts: Hosts<Host>,
    /// Servers that are measured as children that speak MCP over standard input and output.
    pub servers: Configuration,
    /// How those servers are started.
    pub options: UpstreamOptions,
    /// What is done in both ways. Each task's calls are made twice.
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

/// What was found.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The tools of the scope.
    pub tools: usize,
    /// From nothing to the first answer, one entry for each way.
    pub start_up: Vec<StartUp>,
    /// What is in the model's context before its first call, one entry for each way. The first one is `tools/list`.
    pub context: Vec<Context>,
    /// Each task in both modes.
    pub tasks: Vec<TaskCost>,
}

impl Comparison {
    /// Measures. Takes some seconds, and as long again as the servers need to start and the tasks to run.
    ///
    /// # Errors
    ///
    /// When there are no tools, or a guest process cannot be started here at all. A server that does not start and a program that
    /// does not return are no errors: their entries say so.
    pub async fn make<Host: ToolHost>(setting: Setting<Host>) -> anyhow::Result<Self> {
        anyhow::ensure!(!setting.scope.tools().is_empty(), "there are no tools to compare: allow some, or mend the servers");
        // In a task, as a backend's handlers are: a future that `block_on` drives is woken through one thread more.
        tokio::spawn(measure(setting)).await?
    }

    /// The entry of a run that was forked ahead, against which other starts are set.
    #[must_use]
    pub fn ready(&self) -> Option<Time> {
        self.start_up.iter().find(|entry| entry.way == start_up::READY).and_then(|entry| entry.time)
    }

    /// One page of HTML, with charts, that loads nothing.
    ///
    /// # Errors
    ///
    /// When a chart cannot be drawn.
    pub fn page(&self) -> anyhow::Result<String> {
        page::page(self)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for table in table::tables(self) {
            writeln!(to, "{table}")?;
        }
        Ok(())
    }
}

async fn measure<Host: ToolHost>(setting: Setting<Host>) -> anyhow::Result<Comparison> {
    let start_up = start_up::measure(&setting).await?;
    let context = context::measure(&setting).await?;
    let mut tasks = Vec::new();
    for task in &setting.tasks {
        (setting.progress)(&format!("task `{}`", task.name));
        tasks.push(task::measure(&setting, task).await?);
    }
    Ok(Comparison { tools: setting.scope.tools().len(), start_up, context, tasks })
}
