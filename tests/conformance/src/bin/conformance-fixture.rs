//! The fixture as a program: over stdio, or over HTTP with its address as the one line that it prints.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use axum::serve::ListenerExt as _;
use clap::Parser as _;
use isolet_conformance::fixture::{Fixture, router};
use rmcp::ServiceExt as _;
use rmcp::transport::stdio;
use tokio::net::TcpListener;

/// An MCP server with everything that the conformance suite asks for, in both eras. Speaks over stdio unless told otherwise
#[derive(clap::Parser)]
struct Arguments {
    /// Speak streamable HTTP at this address, such as `127.0.0.1:0`, under `/mcp`; the address is printed
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let fixture = Fixture::new()?;
    let Some(address) = Arguments::parse().http else {
        fixture.serve(stdio()).await?.waiting().await?;
        return Ok(());
    };
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen at `{address}`"))?;
    writeln!(std::io::stdout(), "http://{}/mcp", listener.local_addr()?)?;
    // Small messages go out at once, rather than when the client has acknowledged the one before. Where that cannot be had, they are late.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router(fixture)).await?;
    Ok(())
}
