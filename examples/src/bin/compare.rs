//! Code mode and classic MCP on the demo's tracker: `compare [--runs N] [--html FILE]`. The tasks are the programs of
//! `examples/programs`; the child is this program again, as the tracker's MCP server.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser as _;
use isolet_examples::comparison;
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;

/// Compares code mode and classic MCP on the demo's tracker.
#[derive(clap::Parser)]
struct Arguments {
    /// Measure each start this many times.
    #[arg(long, default_value = "50")]
    runs: u16,
    /// Also write a page with charts.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Be the tracker's MCP server for this user.
    #[arg(long, value_name = "USER", hide = true)]
    serve: Option<String>,
}

fn main() -> anyhow::Result<()> {
    isolet::init();
    tokio::runtime::Runtime::new()?.block_on(compare(Arguments::parse()))
}

#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn compare(arguments: Arguments) -> anyhow::Result<()> {
    if let Some(user) = arguments.serve {
        comparison::server(&user)?.serve(stdio()).await?.waiting().await?;
        return Ok(());
    }
    let executable = std::env::current_exe().context("cannot find the path of this program")?;
    let setting = comparison::setting(arguments.runs.into(), &executable)?;
    let comparison = isolet_comparison::Comparison::make(setting).await?;
    println!("{comparison}");
    if let Some(path) = arguments.html {
        std::fs::write(&path, comparison.page()).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}
