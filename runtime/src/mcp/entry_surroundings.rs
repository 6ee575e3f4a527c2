//! What the credentials of an entry stand in: its variables, its folder, its position in the file.

use std::path::{Path, PathBuf};

use isolet_outbound::Secret;

use super::configuration_error::ConfigurationError;

/// What an entry stands in.
pub(super) trait Surroundings {
    /// The text of `member` with its variables replaced.
    fn expand(&mut self, member: &str, text: &str) -> Result<String, ConfigurationError>;
    /// The value of a variable that the entry names.
    fn variable(&self, name: &str) -> Option<String>;
    /// A path as the file means it.
    fn file(&self, path: &Path) -> PathBuf;
    /// Where `member` is, as `mcpServers.github.credentials`.
    fn at(&self, member: &str) -> String;
}

/// A text of the entry as a secret.
///
/// # Errors
///
/// Says where it stands, for one that is too short.
pub(super) fn secret(member: &str, text: String, around: &impl Surroundings) -> Result<Secret, ConfigurationError> {
    let problem = "it has less than 8 bytes, and could not be recognised where a server repeats it";
    Secret::new(text).map_err(|_| ConfigurationError::NoCredential { at: around.at(member), problem })
}
