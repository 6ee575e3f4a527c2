//! `cargo xtask soak`: half an hour of traffic with kills at random and a hostile tenant, or over HTTP, in the test program of `tests/`.

use std::process::ExitCode;

use crate::cargo;
use crate::consent::Consent;
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask soak` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long it takes
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
    /// `isolet serve` before ten servers, two of which die and one of which always changes its list, with 16 clients; nothing else is killed
    #[arg(long)]
    http: bool,
    /// How many calls those clients make in that time
    #[arg(long, default_value_t = 200_000, requires = "http", value_parser = clap::value_parser!(u64).range(1..))]
    calls: u64,
    /// Print what was found as JSON instead of a table; a line a minute goes to standard error in any case
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    consent: Consent,
}

/// Soaks; fails if a bound is broken.
///
/// # Errors
///
/// When V8 cannot be had, or cargo cannot be started.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    let (minutes, seconds) = (arguments.minutes.to_string(), (60 * arguments.minutes).to_string());
    let calls = arguments.calls.to_string();
    let mut call = vec!["test", "--workspace", "--release", "--test", "isolet", "--", "soak"];
    if arguments.http {
        call.extend(["--http", "--seconds", &seconds, "--calls", &calls]);
    } else {
        call.extend(["--minutes", &minutes]);
    }
    if arguments.json {
        call.push("--json");
    }
    cargo::call(&call, workspace)
}
