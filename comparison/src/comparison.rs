//! What a comparison found.

use serde::Serialize;

use crate::circumstances::Circumstances;
use crate::context::Context;
use crate::start_up::StartUp;
use crate::task::TaskCost;

/// What was found.
#[non_exhaustive]
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// When, where and on what it was measured.
    pub circumstances: Circumstances,
    /// The tools of the scope.
    pub tools: usize,
    /// What is in the model's context before its first call, one entry for each way. The first one is `tools/list`.
    pub context: Vec<Context>,
    /// Each task on each face.
    pub tasks: Vec<TaskCost>,
    /// From nothing to the first answer, one entry for each way.
    pub start_up: Vec<StartUp>,
}
