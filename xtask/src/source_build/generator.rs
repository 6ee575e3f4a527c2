//! GN: writes the ninja files of the build from V8's build description.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::ninja_files;
use super::tools::Tools;
use super::work_folder::WorkFolder;
use crate::console::say;

/// The arguments of the official archive (the `v8` crate's `build.rs` and `.gn`), and below the line what differs.
const ARGUMENTS: &str = "\
is_debug = false
use_custom_libcxx = true
v8_enable_sandbox = false
v8_enable_pointer_compression = false
v8_enable_v8_checks = false
v8_monolithic_for_shared_library = true
rusty_v8_enable_simdutf = true
treat_warnings_as_errors = false
# Not in the package: the Rust crates that Temporal needs.
enable_rust = false
enable_rust_cxx = false
v8_enable_temporal_support = false
# No one reads the archive's line tables.
symbol_level = 0
# Not needed, and one more Debian package.
use_glib = false
# V8's own way to compile several sources as one.
v8_enable_cluster_build = true
clang_version = \"22\"
";

/// A script that V8's build description asks for when it clusters sources, and the crate's package lacks.
const CLUSTER_SCRIPT: &str = include_str!("cluster_files.py");

/// Writes the ninja files; does nothing where that was done with the same arguments and changes.
///
/// # Errors
///
/// When GN fails, or its output is not as the changes to it expect.
pub(crate) fn run(tools: &Tools, folder: &WorkFolder) -> anyhow::Result<()> {
    let output = folder.output();
    let recipe = format!("{ARGUMENTS}clang_base_path = \"{}\"\n", tools.clang().display());
    let (done, done_recipe) = (output.join("recipe"), format!("{recipe}{}{CLUSTER_SCRIPT}", ninja_files::recipe()));
    if fs::read_to_string(&done).is_ok_and(|text| text == done_recipe) {
        return Ok(());
    }
    say("V8: writing the build files");
    fs::create_dir_all(&output).with_context(|| format!("`{}` cannot be made", output.display()))?;
    fs::write(output.join("args.gn"), recipe).with_context(|| format!("`{}` cannot be written", output.display()))?;
    let script = folder.source().join("v8/tools/cluster_files.py");
    fs::write(&script, CLUSTER_SCRIPT).with_context(|| format!("`{}` cannot be written", script.display()))?;
    let run = Command::new(tools.gn())
        .args(["gen", "out", "--script-executable=python3"])
        .current_dir(folder.source())
        .env("PATH", tools.path()?)
        .output()
        .context("GN does not start")?;
    ensure!(run.status.success(), "GN failed: {}", String::from_utf8_lossy(&run.stdout).trim());
    ninja_files::change(&output)?;
    fs::write(&done, done_recipe).with_context(|| format!("`{}` cannot be written", done.display()))
}
