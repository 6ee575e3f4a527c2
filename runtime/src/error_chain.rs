//! An error with all that caused it, in one line: no error's own text has the text of its cause.

use std::error::Error;

/// An error with all that caused it, in one line: `error: its cause: the cause of that`.
///
/// No error of this library has the text of its cause in its own.
///
/// ```
/// let error = isolet::SnapshotMismatch::Unreadable(std::io::ErrorKind::NotFound.into());
/// assert_eq!(isolet::with_causes(&error), "it cannot be read: entity not found");
/// ```
#[must_use]
pub fn with_causes(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::with_causes;
    use crate::RunError;

    #[test]
    fn every_cause_is_there_once() {
        let source = io::Error::from_raw_os_error(2);
        let cause = source.to_string();
        let text = with_causes(&RunError::System { call: "execve", source });
        assert!(text.ends_with(&format!(": {cause}")) && text.matches(&cause).count() == 1, "{text}");
        assert_eq!(with_causes(&RunError::ShutDown), "the runtime was shut down");
    }
}
