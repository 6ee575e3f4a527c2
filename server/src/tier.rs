//! The tiers of isolation that can be asked for by name.

use clap::ValueEnum;
use isolet::Isolation;
use serde::Deserialize;

/// The walls without which nothing runs.
#[derive(Clone, Copy, Debug, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tier {
    /// No new privileges and the list of system calls: for kernels and sandboxes without landlock.
    SystemCalls,
    /// These, and landlock: the same as `--strict`.
    Strict,
}

impl Tier {
    pub(crate) fn isolation(self) -> Isolation {
        match self {
            Self::SystemCalls => Isolation::SystemCalls,
            Self::Strict => Isolation::Strict,
        }
    }
}
