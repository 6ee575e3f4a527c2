//! Code mode and classic MCP on the same scope, for the same user, in one run: what each takes to start, what each puts into a
//! model's context, and what a task costs either way.
//!
//! ```text
//! Setting -> context -----\
//!         -> task: agent --+--> Comparison -> Display: the table; Serialize: JSON; page: HTML with charts
//!         -> start_up -----/
//! ```
//!
//! `isolet compare` and the example `compare` are both this; it sits on the runtime as they do, and speaks MCP with the faces of a
//! session as any client would.

mod agent;
mod bars;
mod circumstances;
mod client;
mod comparison;
mod context;
mod conversation;
mod headline;
mod instruction;
mod knowledge;
mod markup;
mod measure;
mod need;
mod page;
mod recording_host;
mod repair;
mod setting;
mod side;
mod start_up;
mod table;
mod task;

pub use circumstances::{Circumstances, ServerFacts};
pub use comparison::Comparison;
pub use context::Context;
pub use conversation::{Conversation, Turn};
pub use recording_host::{Recorded, Recording, RecordingHost};
pub use repair::repaired;
pub use setting::{Hosts, Setting, Task};
pub use side::Side;
pub use start_up::{Beginning, StartUp, Time};
pub use task::TaskCost;
