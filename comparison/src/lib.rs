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
mod comparison;
mod context;
mod measure;
mod page;
mod recording_host;
mod setting;
mod start_up;
mod table;
mod task;

pub use comparison::Comparison;
pub use context::Context;
pub use recording_host::{Recorded, Recording, RecordingHost};
pub use setting::{Hosts, Setting, Task};
pub use start_up::{StartUp, Time};
pub use task::{Side, TaskCost};
