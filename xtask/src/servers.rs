//! `cargo xtask servers`: twelve MCP servers from npm and PyPI, tried by the test program of `tests/`, as the table of `docs/servers.md`.

use std::process::ExitCode;

use crate::cargo;
use crate::consent::Consent;
use crate::python_packages;
use crate::test_packages::{NODE, SERVERS};
use crate::v8;
use crate::workspace::Workspace;

/// What `cargo xtask servers` is asked to do.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Those with these names in `tests/servers/servers.json`; all of them if none is named
    names: Vec<String>,
    #[command(flatten)]
    consent: Consent,
}

/// Installs them and the TypeScript compiler, and tries them; fails if one does not do what is expected.
///
/// # Errors
///
/// When V8 or the packages cannot be had, or cargo cannot be started.
pub(crate) fn run(arguments: &Arguments, workspace: &Workspace) -> anyhow::Result<ExitCode> {
    v8::ensure(&arguments.consent, workspace)?;
    NODE.install(workspace)?;
    SERVERS.install(workspace)?;
    let python = SERVERS.folder(workspace).join("python");
    python_packages::install_into(&python, "tests/servers/requirements.txt", workspace)?;
    let names = arguments.names.iter().map(String::as_str);
    let call: Vec<&str> = ["test", "--workspace", "--test", "isolet", "--", "servers"].into_iter().chain(names).collect();
    cargo::call(&call, workspace)
}
