//! What the suite writes of a scenario into `checks.json`.

use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

/// One thing that was looked at. The same id can be there more than once: for each occasion on which it was.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Check {
    /// What was looked at: `sep-2575-server-implements-discover`.
    pub id: String,
    /// What was found.
    pub status: Status,
    /// What is wrong, if the suite says so.
    pub error_message: Option<String>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[non_exhaustive]
pub enum Status {
    /// As it has to be.
    Success,
    /// Against a MUST of the specification.
    Failure,
    /// Against a SHOULD.
    Warning,
    /// Could not be, or need not be, looked at.
    Skipped,
    /// Something that happened, of which the suite thinks nothing.
    Info,
}

impl Status {
    /// Whether it needs an exception. The suite itself lets warnings pass as long as it is given no exceptions at all.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failure | Self::Warning)
    }
}

/// The checks in a file.
///
/// # Errors
///
/// When there is no such file, or it is not what the suite writes.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Check>> {
    let text = std::fs::read(path).with_context(|| format!("`{}` cannot be read", path.display()))?;
    parsed(&text).with_context(|| format!("`{}` holds no checks", path.display()))
}

fn parsed(text: &[u8]) -> serde_json::Result<Vec<Check>> {
    serde_json::from_slice(text)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;

    #[test]
    fn what_the_suite_writes_is_read() {
        let text = br#"[
            { "id": "tools-list", "name": "ToolsList", "status": "SUCCESS", "timestamp": "2026-11-28T10:17:51.283Z", "details": { "a": 1 } },
            { "id": "ping", "name": "Ping", "description": "d", "status": "FAILURE", "errorMessage": "no answer", "specReferences": [] }
        ]"#;
        let checks = parsed(text).unwrap();
        let seen: Vec<_> =
            checks.iter().map(|check| (check.id.as_str(), check.status, check.error_message.as_deref())).collect();
        assert_eq!(seen, [("tools-list", Status::Success, None), ("ping", Status::Failure, Some("no answer"))]);
    }

    #[test]
    fn a_status_that_is_not_known_is_an_error_and_not_a_pass() {
        assert!(parsed(br#"[{ "id": "a", "status": "PARTIAL" }]"#).is_err());
        assert!(parsed(br#"[{ "id": "a" }]"#).is_err());
        assert!(parsed(b"").is_err());
    }

    #[test]
    fn warnings_need_an_exception_and_what_was_skipped_does_not() {
        let bad = [Status::Success, Status::Failure, Status::Warning, Status::Skipped, Status::Info].map(Status::is_bad);
        assert_eq!(bad, [false, true, true, false, false]);
    }
}
