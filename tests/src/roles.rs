//! This binary, started again by a test to be something else: a host under attack, a guest that lies (`cast`).
//!
//! A test that looks at its host's processes needs a host of its own: the trials of one binary run beside each other.

use std::process::{Output, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use crate::required;

/// A role that takes longer hangs.
const ROLE_MAX: Duration = Duration::from_secs(280);

/// A check that is made in a process of its own: its name, and what is done there.
pub(crate) type Check = (&'static str, fn() -> anyhow::Result<()>);

/// A trial for each of `checks`, which are called `module::...` and made by a process that plays `role`.
pub(crate) fn trials_of(module: &str, role: &'static str, checks: &[Check]) -> Vec<Trial> {
    let trial = |(check, _): &Check| {
        let check = *check;
        Trial::test(format!("{module}::{check}"), move || play_in_own_process(&[role, check]))
    };
    checks.iter().map(trial).collect()
}

/// Makes the one of `checks` that `arguments` name.
pub(crate) fn make_one(checks: &[Check], arguments: &[String]) -> anyhow::Result<()> {
    match checks.iter().find(|(check, _)| arguments == [*check]) {
        Some((_, check)) => check(),
        None => anyhow::bail!("unknown check {arguments:?}"),
    }
}

/// Drives `check` as a backend would be: with two workers.
pub(crate) fn drive(check: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(check)
}

/// Starts this binary with `arguments`; what it wrote, if it fails.
pub(crate) fn play_in_own_process(arguments: &[&str]) -> Result<(), Failed> {
    play_with(arguments, |command| command)
}

/// As [`play_in_own_process`], with something changed before the start.
pub(crate) fn play_with(
    arguments: &[&str],
    change: impl FnOnce(&mut tokio::process::Command) -> &mut tokio::process::Command,
) -> Result<(), Failed> {
    let output = output_of(arguments, change)?;
    if output.status.success() {
        return Ok(());
    }
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    Err(format!("{}\n{said}{errors}", output.status).into())
}

/// Starts this binary with `arguments`, with something changed before the start; what it wrote, and how it ended.
pub(crate) fn output_of(
    arguments: &[&str],
    change: impl FnOnce(&mut tokio::process::Command) -> &mut tokio::process::Command,
) -> std::io::Result<Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut command = tokio::process::Command::new(std::env::current_exe()?);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        if required::all() {
            command.env(required::VARIABLE, "1");
        }
        let output = change(&mut command).spawn()?.wait_with_output();
        tokio::time::timeout(ROLE_MAX, output).await.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))?
    })
}
