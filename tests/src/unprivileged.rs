//! The tests of processes, limits, endings and walls as a user without privileges: where these run as root, in a copy of this
//! program that anybody may execute, started as `nobody`; else once more as the user that runs them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use libtest_mimic::{Arguments, Trial};

use crate::{endings, frames, limits, priority, processes, required, shortages, stopped};

/// The first argument of the copy; the second is the name of a group of trials.
pub(crate) const ARGUMENT: &str = "--unprivileged";
/// `nobody` and `nogroup`: they own nothing.
const NOBODY: u32 = 65_534;

const GROUPS: [&str; 7] = ["processes", "limits", "endings", "frames", "stopped", "shortages", "priority"];

/// One trial for each group.
pub(crate) fn trials() -> Vec<Trial> {
    let trial = |group: &'static str| {
        Trial::test(format!("unprivileged::{group}"), move || {
            play_without_privileges(group).map_err(|error| format!("{error:#}").into())
        })
    };
    GROUPS.map(trial).into()
}

/// Runs one group of trials in this process.
pub(crate) fn play(arguments: &[String]) -> anyhow::Result<()> {
    ensure!(!rustix::process::geteuid().is_root(), "this process still has its privileges");
    let [group] = arguments else { anyhow::bail!("one group, not {arguments:?}") };
    let trials = match &**group {
        "processes" => processes::trials(),
        "limits" => limits::trials(),
        "endings" => endings::trials(),
        "frames" => frames::trials(),
        "stopped" => stopped::trials(),
        "shortages" => shortages::trials(),
        "priority" => priority::trials(),
        _ => anyhow::bail!("unknown group `{group}`"),
    };
    let conclusion = libtest_mimic::run(&Arguments::default(), trials);
    ensure!(!conclusion.has_failed() && conclusion.num_passed > 0, "{} trials failed", conclusion.num_failed);
    Ok(())
}

fn play_without_privileges(group: &str) -> anyhow::Result<()> {
    use std::os::unix::process::CommandExt as _;
    let place = tempfile::tempdir()?;
    let mut command = Command::new(copy_for_all(&std::env::current_exe()?, place.path())?);
    command.args([ARGUMENT, group]).current_dir("/").stdin(Stdio::null());
    if required::all() {
        command.env(required::VARIABLE, "1");
    }
    if rustix::process::geteuid().is_root() {
        // As root this also drops all further groups.
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.output().context("the copy does not start")?;
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{}\n{said}{errors}", output.status);
    Ok(())
}

/// An executable where anybody may execute it: a hard link if it can be, for it is large.
pub(crate) fn copy_for_all(this: &Path, place: &Path) -> anyhow::Result<PathBuf> {
    let all = || std::fs::Permissions::from_mode(0o755);
    let copy = place.join("isolet");
    std::fs::set_permissions(place, all())?;
    let mode = std::fs::metadata(this)?.permissions().mode();
    if mode & 0o005 != 0o005 || std::fs::hard_link(this, &copy).is_err() {
        std::fs::copy(this, &copy)?;
        std::fs::set_permissions(&copy, all())?;
    }
    Ok(copy)
}
