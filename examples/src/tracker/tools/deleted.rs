//! The answer of tools that delete.

use schemars::JsonSchema;
use serde::Serialize;

/// That something is gone.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Deleted {
    /// Its identifier.
    pub(super) deleted: String,
}
