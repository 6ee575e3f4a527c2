//! What a test needs of the machine: where that is missing the test is passed over, or fails if everything is required.

use anyhow::{Result, ensure};

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
