//! The issue tracker as an MCP server over stdio. `TRACKER_USER` says who uses it: `ada` is an admin, `bob` a viewer.

use std::sync::Arc;

use anyhow::Context;
use isolet_examples::tracker::{Tracker, TrackerServer};
use rmcp::{ServiceExt, transport::stdio};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let user = std::env::var("TRACKER_USER").context("`TRACKER_USER` is not set: set it to a handle, for example `ada`")?;
    let server = TrackerServer::new(Arc::new(Tracker::new()), &user)?;
    server.serve(stdio()).await?.waiting().await?;
    Ok(())
}
