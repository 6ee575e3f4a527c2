//! Runs the requirement sets of the suite, and says where the outcome is not the expected one.

mod baseline;
mod check;
mod outcome;
mod report;
mod requirements;
mod server;
mod suite;

pub use baseline::{Baseline, Deviation};
pub use check::{Check, Status};
pub use outcome::{Outcome, Scenario, Verdict};
pub use report::table;
pub use requirements::{RequirementSet, Revision, Role, Unscored};
pub use server::Server;
pub use suite::{Suite, Target};
