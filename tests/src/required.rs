//! What a test needs of the machine: where that is missing the test is passed over, or fails if everything is required.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use libtest_mimic::{Failed, Trial};

/// Beside the arguments of every test binary: whatever a test needs has to be there.
pub(crate) const ARGUMENT: &str = "--require-all";
/// The same for what this binary plays, and for test programs that take no argument of ours.
pub(crate) const VARIABLE: &str = "ISOLET_REQUIRE_ALL";

/// Whether a test that lacks something fails.
pub(crate) fn all() -> bool {
    std::env::var_os(VARIABLE).is_some() || std::env::args().any(|argument| argument == ARGUMENT)
}

/// Whether something is there that a test, or a part of it, is about.
///
/// # Errors
///
/// Where everything is required and this is not there.
pub(crate) fn is_there(what: &str, is_there: bool) -> Result<bool> {
    ensure!(is_there || !all(), "this machine has no {what}, and everything is required (`{ARGUMENT}`)");
    Ok(is_there)
}

/// The folder of packages that were installed for tests: where `variable` says, or `name` in the target folder, wherever cargo was told to put that; if
/// the installation came to its end and left `mark` there.
pub(crate) fn installed(variable: &str, name: &str, mark: &str) -> Option<PathBuf> {
    let is_installed = |folder: &PathBuf| folder.join(mark).is_file();
    match std::env::var_os(variable) {
        Some(folder) => Some(PathBuf::from(folder)).filter(is_installed),
        None => std::env::current_exe().ok()?.ancestors().map(|folder| folder.join(name)).find(is_installed),
    }
}

/// The trial of a test that lacks something: ignored, which counts it, or failed where everything is required. `what` is missing, with the way out:
/// it stands in the test's line.
pub(crate) fn lacking(name: &str, what: &'static str) -> Trial {
    Trial::test(name, move || Err(Failed::from(what))).with_kind(what).with_ignored_flag(!all())
}
