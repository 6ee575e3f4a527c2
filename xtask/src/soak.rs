//! `cargo xtask soak`: half an hour of traffic with kills at random and a hostile tenant, in the test program of `tests/`.

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
    let minutes = arguments.minutes.to_string();
    let mut call = vec!["test", "--workspace", "--release", "--test", "isolet", "--", "soak", "--minutes", &minutes];
    if arguments.json {
        call.push("--json");
    }
    cargo::call(&call, workspace)
}
