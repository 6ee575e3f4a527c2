//! The host's side: limits and outcomes, processes, the pool of ready runs, one run's conversation, and the gate where a call
//! is authorised. No V8 here.

pub(crate) mod call;
pub(crate) mod config;
mod control;
mod conversation;
mod descriptors;
mod ending;
mod estimate;
pub(crate) mod event;
mod gate;
pub(crate) mod held;
mod keeper;
pub(crate) mod limits;
mod machine;
mod manifest;
pub(crate) mod metrics;
pub(crate) mod outcome;
mod outgoing;
mod pool;
mod process;
mod processor;
mod pulse;
pub(crate) mod record;
pub(crate) mod reply_check;
pub(crate) mod run_error;
pub(crate) mod runtime;
pub(crate) mod session;
mod slots;
pub(crate) mod snapshots;
mod stream;
pub(crate) mod supply;
pub(crate) mod tool_host;
mod walls;
mod work;
mod zygote;
