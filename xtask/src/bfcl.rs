//! `cargo xtask bfcl`: conversations of the Berkeley Function Calling Leaderboard over both faces, in the test program of `tests/`.

use std::process::ExitCode;

use crate::cargo;
use crate::consent::Consent;
use crate::python_packages;
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask bfcl` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// `base`, `long_context`, `miss_func` or `miss_param`
    #[arg(long, default_value = "base")]
    category: String,
    /// So many conversations at equal distances; by default all 200
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    sample: Option<u16>,
    #[command(flatten)]
    consent: Consent,
}

/// Makes them and prints what they cost; fails if one does not leave the state of the ground truth.
///
/// # Errors
///
/// When V8 or the Python packages cannot be had, or cargo cannot be started.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    python_packages::install(workspace)?;
    let sample = arguments.sample.map(|sample| sample.to_string());
    let mut call = vec!["test", "--workspace", "--test", "isolet", "--", "--bfcl", &arguments.category];
    call.extend(sample.as_deref());
    cargo::call(&call, workspace)
}
