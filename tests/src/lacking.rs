//! A test that lacks what it needs of the machine is counted, and fails where everything is required.

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::Trial;

use crate::required::{ARGUMENT, VARIABLE};
use crate::roles;

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
