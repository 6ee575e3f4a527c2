//! `cargo xtask bench`: the benches, and their medians as JSON.

use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context as _;

use crate::cargo;
use crate::consent::Consent;
use crate::console::{answer, say};
use crate::criterion::measurements;
use crate::pairs;
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask bench` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Print one line of JSON for each measurement, in nanoseconds, on standard output; the rest goes to standard error
    #[arg(long)]
    json: bool,
    /// Run the bench `runs` in turns with that of another commit, which is built aside, or with a program that was built from it
    #[arg(long, value_name = "COMMIT|PROGRAM")]
    against: Option<String>,
    /// How often each of the two runs
    #[arg(long, default_value_t = 10, requires = "against", value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    #[command(flatten)]
    consent: Consent,
    /// For criterion: names to filter by, `--measurement-time SECONDS`, …
    #[arg(last = true)]
    passed: Vec<String>,
}

/// Runs all benches of the workspace.
///
/// # Errors
///
/// When V8 cannot be had, cargo cannot be started, or what criterion wrote cannot be read.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    if let Some(other) = &arguments.against {
        let compared = pairs::compare(other, arguments.pairs, &arguments.passed, &arguments.consent, workspace)?;
        if arguments.json {
            compared.rows.iter().map(pairs::Row::json).for_each(answer);
        } else {
            answer(compared);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let started = SystemTime::now();
    let mut command = workspace.cargo();
    command
        .args(["bench", "--workspace", "--bench", "runs", "--bench", "bindings", "--bench", "credentials", "--"])
        .args(&arguments.passed);
    if arguments.json {
        command.stdout(std::io::stderr());
    }
    let status = command.status().context("cargo does not start")?;
    if arguments.json && status.success() {
        let measured = measurements(&workspace.target().join("criterion"), started)?;
        if measured.is_empty() {
            say("no bench has such a name: see `cargo xtask bench -- --list`");
        }
        measured.iter().for_each(answer);
    }
    Ok(cargo::exit_code(status))
}
