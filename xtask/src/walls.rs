//! `cargo xtask walls`: which walls stand around programs in each of many containers and limits, tried by the test program of `tests/`.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cargo;
use crate::consent::Consent;
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask walls` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Try this program instead of what the tests are made of
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
    #[command(flatten)]
    consent: Consent,
}

/// Tries the settings one after another; fails if one shows something else than is known of it.
///
/// # Errors
///
/// When V8 cannot be had, or cargo cannot be started.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    let program = arguments.program.as_ref().map(|program| {
        let program = program.canonicalize().with_context(|| format!("`{}` cannot be read", program.display()))?;
        program.into_os_string().into_string().ok().context("the program has a name that is no text")
    });
    let program = program.transpose()?;
    let mut call = vec!["test", "--workspace", "--test", "isolet", "--", "walls"];
    call.extend(program.as_deref());
    cargo::call(&call, workspace)
}
