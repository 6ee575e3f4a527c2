//! `isolet key`: a new key for a user, and its hash for the file.

use std::process::ExitCode;

use isolet_http::Key;

use crate::fault::Fault;
use crate::terminal;

/// Prints the key on standard output, and what to do with it on standard error.
pub(crate) fn key() -> Result<ExitCode, Fault> {
    let key = Key::new().map_err(Fault::host)?;
    terminal::print(&format!("{}\n", key.as_str())).map_err(Fault::host)?;
    terminal::say(&format!(
        "give the line on standard output to the user, who sends it as `Authorization: Bearer`; it is not shown again. Write into `[users.NAME]`: keys = [\"{}\"]",
        key.hash()
    ));
    Ok(ExitCode::SUCCESS)
}
