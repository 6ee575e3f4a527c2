//! Building for another machine: a snapshot that was made on this one is embedded nowhere else.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;

/// The trial of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("cross_build::a_build_for_another_machine_fails_in_one_sentence", || {
        check().map_err(|error| format!("{error:#}").into())
    })]
}

/// Runs the library's own build script as cargo does for `--target`.
fn check() -> Result<()> {
    let out = tempfile::tempdir()?;
    let built = Command::new(build_script()?)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime"))
        .envs([("HOST", "x86_64-unknown-linux-gnu"), ("TARGET", "aarch64-unknown-linux-gnu")])
        .env("OUT_DIR", out.path())
        .output()?;
    let said = String::from_utf8_lossy(&built.stderr);
    ensure!(!built.status.success(), "it was built");
    ensure!(said.trim_end().lines().count() == 1, "{said}");
    for word in
        ["`x86_64-unknown-linux-gnu`", "`aarch64-unknown-linux-gnu`", "`default-features = false`", "`Config::executable`"]
    {
        ensure!(said.contains(word), "{said}");
    }
    ensure!(!out.path().join("base-jit-off.snapshot").exists() && !out.path().join("build.sha256").exists());
    Ok(())
}

/// The one that cargo built last, beside this program.
fn build_script() -> Result<PathBuf> {
    let this = std::env::current_exe()?;
    let built =
        this.ancestors().map(|folder| folder.join("build")).find(|folder| folder.is_dir()).context("nothing is built")?;
    let mut scripts = Vec::new();
    for folder in std::fs::read_dir(built)? {
        let folder = folder?;
        let is_runtimes =
            folder.file_name().to_str().and_then(|name| name.strip_prefix("isolet-")).is_some_and(|hash| !hash.contains('-'));
        let script = folder.path().join("build-script-build");
        if is_runtimes && script.is_file() {
            scripts.push((script.metadata()?.modified()?, script));
        }
    }
    scripts.into_iter().max().map(|(_, script)| script).context("the build script of `isolet` is not there")
}
