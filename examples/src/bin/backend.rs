//! A backend with two signed-in users: `backend [--port N]` serves on this machine, `backend --self-test` tries itself out.

use std::time::Duration;

use clap::Parser as _;
use isolet_examples::backend::{self, ServerLimits};

/// How long the body of a request has to arrive.
const BODY_MAX: Duration = Duration::from_secs(10);

/// A backend with two signed-in users.
#[derive(clap::Parser)]
struct Arguments {
    /// The port; 0 takes a free one.
    #[arg(long, default_value = "8808")]
    port: u16,
    /// Serve on a free port, make both users' requests and some that are refused, print the answers, and end.
    #[arg(long)]
    self_test: bool,
}

fn main() -> anyhow::Result<()> {
    isolet::init();
    tokio::runtime::Runtime::new()?.block_on(start(Arguments::parse()))
}

#[expect(clippy::print_stdout, reason = "the report is what was asked for")]
async fn start(arguments: Arguments) -> anyhow::Result<()> {
    if !arguments.self_test {
        backend::log_to_standard_error();
        return backend::serve(arguments.port, ServerLimits::default(), BODY_MAX).await;
    }
    print!("{}", backend::self_test().await?);
    Ok(())
}
