//! What a comparison found.

use serde::Serialize;

use crate::context::Context;
use crate::start_up::{self, StartUp, Time};
use crate::task::TaskCost;

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
    /// The entry of a run that was forked ahead, against which other starts are set.
    #[must_use]
    pub fn ready(&self) -> Option<Time> {
        self.start_up.iter().find(|entry| entry.way == start_up::READY).and_then(|entry| entry.time)
    }
}
