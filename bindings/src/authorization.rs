//! An authorization that a user has to give: for which server, and how.

use std::fmt;
use std::time::SystemTime;

/// What a user has to do before a server can be called as that user. Nothing in it is the server's own text, and nothing is a secret of the
/// user's: it may be shown to a model.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The server, as the configuration calls it.
    pub server: String,
    /// Where the user gives it: a page of the application's, never an address that the server supplied. None where there is no such page.
    pub link: Option<String>,
    /// What to do, as a part of a sentence: ``run `isolet login github` ``.
    pub instruction: String,
    /// When the link ends.
    pub expires: Option<SystemTime>,
}

impl Authorization {
    /// The authorization of `server`, which is given by doing as `instruction` says.
    #[must_use]
    pub fn new(server: impl Into<String>, instruction: impl Into<String>) -> Self {
        Self { server: server.into(), link: None, instruction: instruction.into(), expires: None }
    }

    /// The authorization of `server`, which is given at `link` until `expires`.
    #[must_use]
    pub fn at(server: impl Into<String>, link: impl Into<String>, expires: SystemTime) -> Self {
        let link = link.into();
        let instruction = format!("open {link} and agree");
        Self { link: Some(link), expires: Some(expires), ..Self::new(server, instruction) }
    }
}

/// One sentence for whoever talks to the user.
impl fmt::Display for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` needs the user's authorization: ask the user to {}", self.server, self.instruction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_the_user_has_to_do() {
        let at = Authorization::at("github", "https://app.example/a/7", SystemTime::UNIX_EPOCH);
        let expected = "`github` needs the user's authorization: ask the user to open https://app.example/a/7 and agree";
        assert_eq!(at.to_string(), expected);
        let by = Authorization::new("github", "run `isolet login github`");
        assert!(by.to_string().ends_with("ask the user to run `isolet login github`"), "{by}");
    }
}
