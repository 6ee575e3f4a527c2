//! The released archive: downloaded once into Cargo home, so that every checkout finds it there.
//!
//! The `v8` crate downloads too, but once for each target folder, and without a word while it does.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::archive::{self, Unfit, Wanted};
use crate::console::say;

/// How long a connection to the releases may take, seconds: behind a closed network some connections are never refused.
const CONNECT_SECONDS_MAX: &str = "15";

/// Downloads the archive to where a plain build looks.
///
/// # Errors
///
/// When `curl` is missing or cannot reach the releases, or what came is not the archive.
pub(crate) fn archive(wanted: &Wanted) -> anyhow::Result<()> {
    let folder = wanted.path.parent().context("the archive's place has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("`{}` cannot be made", folder.display()))?;
    which::which("curl").context("`curl` is missing")?;
    let head = curl(wanted)
        .args(["--head", "--silent", "--show-error", "--output", "/dev/null"])
        .stderr(Stdio::piped())
        .output()
        .context("`curl` does not start")?;
    ensure!(head.status.success(), "{}", String::from_utf8_lossy(&head.stderr).trim());
    say(format!("V8: downloading `{}` (some 30 to 50 MB) to Cargo home", wanted.address));
    let part = wanted.path.with_extension("download");
    let status = curl(wanted)
        .args(["--progress-bar", "--continue-at", "-", "--output"])
        .arg(&part)
        .status()
        .context("`curl` does not start")?;
    ensure!(status.success(), "the download broke off: call again to go on from there");
    match archive::examine(&part, wanted) {
        Ok(_) => fs::rename(&part, &wanted.path).with_context(|| format!("`{}` cannot be written", wanted.path.display())),
        Err(Unfit::Missing) => bail!("`curl` wrote no file"),
        Err(Unfit::Broken(reason)) => {
            fs::remove_file(&part).with_context(|| format!("`{}` cannot be removed", part.display()))?;
            bail!("what `{}` gave is no use: {reason}", wanted.address)
        }
    }
}

fn curl(wanted: &Wanted) -> Command {
    let mut command = Command::new("curl");
    command.args(["--fail", "--location", "--connect-timeout", CONNECT_SECONDS_MAX]);
    command.arg(&wanted.address);
    command
}
