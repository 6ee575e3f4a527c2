//! Tests that take no longer than they are waited for.

use std::time::Duration;

use anyhow::{Context as _, Result};

/// Drives a test on threads of its own, for so long at the very most.
pub(crate) fn within(patience: Duration, test: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(patience, test).await.context("the test takes too long")? })
}
