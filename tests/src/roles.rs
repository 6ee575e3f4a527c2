//! What this binary is when a test has started it again: a host under attack, a guest that lies.
//!
//! A test that looks at its host's processes needs a host of its own: the trials of one binary run beside each other.

use std::process::{Output, Stdio};
use std::time::Duration;

use libtest_mimic::Failed;

use crate::{
    attack_host, attacks, backend, canary, comparison, crowd, embedding, endings, examples, frames, held, host_work, kill,
    limits, priority, processes, required, scope_snapshots, shortages, soak, stopped, unprivileged,
};

/// A role that takes longer hangs.
const ROLE_MAX: Duration = Duration::from_secs(280);

/// Plays the role that the first argument names; `None` if it names none.
pub(crate) fn play(arguments: &[String]) -> Option<anyhow::Result<()>> {
    let (role, arguments) = arguments.split_first()?;
    match &**role {
        "kill" => Some(kill::run(arguments)),
        "crowd" => Some(crowd::run(arguments)),
        soak::ARGUMENT => Some(soak::run(arguments)),
        attacks::HOST_ARGUMENT => Some(attack_host::run(arguments)),
        canary::HOST_ARGUMENT => Some(canary::host(arguments)),
        canary::SNAPSHOT_ARGUMENT => Some(canary::write_snapshot(arguments)),
        embedding::HOST_ARGUMENT => Some(embedding::host(arguments)),
        comparison::COMPARE_ARGUMENT => Some(comparison::compare()),
        comparison::SERVE_ARGUMENT => Some(comparison::serve(arguments)),
        backend::TRY_ARGUMENT => Some(backend::try_it()),
        backend::SERVE_ARGUMENT => Some(backend::serve()),
        examples::DEMO_ARGUMENT => Some(examples::demo()),
        priority::HOST_ARGUMENT => Some(priority::host(arguments)),
        priority::NEIGHBOURS_ARGUMENT => Some(priority::neighbours(arguments)),
        processes::HOST_ARGUMENT => Some(processes::host(arguments)),
        processes::LIAR_ARGUMENT => Some(processes::lie()),
        processes::BARREN_ARGUMENT => Some(processes::refuse_forks()),
        scope_snapshots::HOST_ARGUMENT => Some(scope_snapshots::host(arguments)),
        scope_snapshots::LIAR_ARGUMENT => Some(scope_snapshots::lie()),
        shortages::HOST_ARGUMENT => Some(shortages::host(arguments)),
        stopped::HOST_ARGUMENT => Some(stopped::host(arguments)),
        frames::HOST_ARGUMENT => Some(frames::host(arguments)),
        held::HOST_ARGUMENT => Some(held::host(arguments)),
        host_work::HOST_ARGUMENT => Some(host_work::host(arguments)),
        limits::HOST_ARGUMENT => Some(limits::host(arguments)),
        endings::HOST_ARGUMENT => Some(endings::host(arguments)),
        unprivileged::ARGUMENT => Some(unprivileged::play(arguments)),
        _ => None,
    }
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
