//! What a run is to do, and with what.

use std::sync::Arc;
use std::time::Instant;

use isolet_bindings::{Asker, Scope};
use tokio_util::sync::CancellationToken;

use super::event::Listeners;
use super::frame_tap::FrameTap;
use super::held::Budget;
use super::kept_results::ResultsOfUser;
use super::limits::Limits;
use super::run_id::RunId;
use super::slots::Slot;
use super::tool_host::AnyToolHost;
use super::work::HostWork;
use crate::contract::boot::Demand;
use crate::contract::run::RunStart;

/// What a run is to do.
pub(crate) struct Assignment<'run> {
    pub(crate) run: RunId,
    pub(crate) scope: &'run Scope,
    pub(crate) host: &'run Arc<dyn AnyToolHost>,
    pub(crate) source: &'run str,
    pub(crate) limits: &'run Limits,
    pub(crate) start: RunStart,
    pub(crate) listeners: Listeners,
    pub(crate) cancel: &'run CancellationToken,
    /// The walls without which it is refused.
    pub(crate) demand: Demand,
    pub(crate) requested: Instant,
    /// What this process does for the run.
    pub(crate) work: Arc<HostWork>,
    /// What was kept of the results of the user's earlier runs.
    pub(crate) kept_results: ResultsOfUser,
    /// What this process holds for the run.
    pub(crate) budget: Budget,
    /// Whom the tools of its calls can ask.
    pub(crate) asker: Asker,
    /// The slot that the run takes up.
    pub(crate) slot: &'run Slot,
    /// Who looks at the frames that go to the run.
    pub(crate) frame_tap: FrameTap,
}
