//! An error with all that caused it, in one line: no error's own text has the text of its cause.

use std::error::Error;

/// `error: its cause: the cause of that`.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::chain;
    use crate::RunError;

    #[test]
    fn every_cause_is_there_once() {
        let source = io::Error::from_raw_os_error(2);
        let cause = source.to_string();
        let text = chain(&RunError::System { call: "execve", source });
        assert!(text.ends_with(&format!(": {cause}")) && text.matches(&cause).count() == 1, "{text}");
        assert_eq!(chain(&RunError::ShutDown), "the runtime was shut down");
    }
}
