//! The proof that an archive works: a program that links it and boots one isolate, with and without the compilers.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::work_folder::WorkFolder;
use crate::archive::{self, Unfit, Wanted};
use crate::console::say;
use crate::locked::LockedV8;
use crate::workspace::Workspace;

/// The program.
const PROGRAM: &str = include_str!("proof_program.rs");

/// Examines the archive, links it, and boots an isolate.
///
/// # Errors
///
/// When the archive is not the wanted one, does not link, or V8 does not work.
pub(crate) fn link_and_boot(
    file: &Path,
    locked: &LockedV8,
    wanted: &Wanted,
    folder: &WorkFolder,
    workspace: &Workspace,
) -> anyhow::Result<()> {
    if let Err(Unfit::Broken(reason)) = archive::examine(file, wanted) {
        bail!("the archive that was built is of no use: {reason}");
    }
    say("V8: linking the archive and booting an isolate");
    let package = folder.path().join("proof");
    let write = |name: &str, text: &str| {
        let path = package.join(name);
        fs::create_dir_all(package.join("src"))
            .and_then(|()| fs::write(&path, text))
            .with_context(|| format!("`{}` cannot be written", path.display()))
    };
    write("Cargo.toml", &manifest(locked))?;
    write("src/main.rs", PROGRAM)?;
    // The versions of everything that the crate itself is built with are the workspace's.
    let lock_file = workspace.root().join("Cargo.lock");
    write("Cargo.lock", &fs::read_to_string(&lock_file).with_context(|| format!("`{}` cannot be read", lock_file.display()))?)?;
    let run = workspace
        .cargo()
        .args(["run", "--quiet", "--offline", "--target-dir", "target"])
        .current_dir(&package)
        .env("RUSTY_V8_ARCHIVE", file)
        .output()
        .context("cargo does not start")?;
    let (out, error) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    let reason = error.lines().find(|line| line.contains("error")).or(error.lines().last()).unwrap_or("it says nothing");
    ensure!(run.status.success(), "the archive that was built does not work ({}): {}", run.status, reason.trim());
    let expected = format!("V8 {}-rusty works", wanted.engine_version);
    ensure!(out.trim() == expected, "the archive that was built says `{}` instead of `{expected}`", out.trim());
    Ok(())
}

fn manifest(locked: &LockedV8) -> String {
    format!(
        "[package]\nname = \"proof\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\nv8 = {{ version = \"={}\", features = [\"simdutf\"] }}\n\n[workspace]\n",
        locked.version
    )
}
