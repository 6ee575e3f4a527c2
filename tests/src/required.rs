//! What a test needs of the machine: where that is missing the test is passed over, or fails if everything is required.

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;

use crate::roles;

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

/// Every trial of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![Trial::test("required::a_test_that_lacks_its_packages_is_counted_and_fails_where_all_is_required", || {
        without_packages().map_err(|error| format!("{error:#}").into())
    })]
}

fn without_packages() -> Result<()> {
    let test = "npm_servers::one_program_calls_both";
    let nowhere = tempfile::tempdir()?;
    let ran = |arguments: &[&str]| -> Result<(bool, String)> {
        let output = roles::output_of(&[&["--exact", test], arguments].concat(), |command| {
            command.env_remove(VARIABLE).env("NODE_PACKAGES", nowhere.path())
        })?;
        let said = String::from_utf8(output.stdout)?;
        let result = said.lines().find(|line| line.starts_with("test result: ")).context("no result")?;
        Ok((output.status.success(), result.to_owned()))
    };
    let (succeeded, result) = ran(&[])?;
    ensure!(succeeded && result.contains(" 0 passed; 0 failed; 1 ignored;"), "{result}");
    let (succeeded, result) = ran(&[ARGUMENT])?;
    ensure!(!succeeded && result.contains(" 0 passed; 1 failed; 0 ignored;"), "{result}");
    Ok(())
}
