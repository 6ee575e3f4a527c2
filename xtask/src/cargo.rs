//! The tasks that are one call of cargo, once V8 is there.

use std::process::ExitCode;

use anyhow::Context as _;

use crate::consent::Consent;
use crate::test_packages;
use crate::v8;
use crate::workspace::Workspace;

/// What a task passes on.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    consent: Consent,
    /// Passed on to the program
    #[arg(last = true)]
    passed: Vec<String>,
}

/// Gets V8, then calls cargo with `subcommand` and what was passed; the task ends as cargo does.
///
/// # Errors
///
/// When V8 cannot be had ([`v8::ensure`]), or cargo cannot be started.
pub(crate) fn run(subcommand: &[&str], arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    run_without_v8(subcommand, arguments, workspace)
}

/// Calls cargo for a package that does not link V8.
///
/// # Errors
///
/// When cargo cannot be started.
pub(crate) fn run_without_v8(subcommand: &[&str], arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    call(&[subcommand, &arguments.passed.iter().map(String::as_str).collect::<Vec<_>>()].concat(), workspace)
}

/// Calls cargo; the task ends as it does.
///
/// # Errors
///
/// When cargo cannot be started.
pub(crate) fn call(arguments: &[&str], workspace: &Workspace) -> anyhow::Result<ExitCode> {
    let mut command = workspace.cargo();
    command.args(arguments).envs(test_packages::variables(workspace));
    Ok(exit_code(command.status().context("cargo does not start")?))
}

/// The exit code of a task whose child ended so: 1 for a child that a signal ended.
pub(crate) fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
