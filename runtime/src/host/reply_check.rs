//! Replies against the `outputSchema` of their tool: a mismatch is a warning in the record of the call, never a lost reply.
//!
//! It comes after the answer. A short reply is checked at once; a long one on another thread, a few at a time in this process: a program
//! can ask for more of them than any machine could check.

use isolet_bindings::{Scope, ScopedTool};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

/// Replies up to this length are checked at once.
const CHECKED_AT_ONCE_BYTES: usize = 16 << 10;
/// Longer ones that are checked at a time, of all runs.
static CHECKS: Semaphore = Semaphore::const_new(2);

/// The warnings of one reply.
pub(crate) enum Check {
    /// They are known.
    Done(Vec<String>),
    /// They will be.
    Running(JoinHandle<Vec<String>>),
}

/// Checks a reply, JSON text, of the tool that the guest calls `path`.
pub(crate) fn check(scope: &Scope, path: &str, reply: &str) -> Check {
    let Some(tool) = scope.find(path).filter(|tool| tool.definition().output_schema().is_some()) else {
        return Check::Done(Vec::new());
    };
    if reply.len() <= CHECKED_AT_ONCE_BYTES {
        return Check::Done(warnings_of(tool, reply));
    }
    let Ok(permit) = CHECKS.try_acquire() else {
        return Check::Done(vec!["the reply was not checked against its schema: too many long ones at a time".to_owned()]);
    };
    let (scope, path, reply) = (scope.clone(), path.to_owned(), reply.to_owned());
    Check::Running(tokio::task::spawn_blocking(move || {
        let _permit = permit;
        scope.find(&path).map(|tool| warnings_of(tool, &reply)).unwrap_or_default()
    }))
}

fn warnings_of(tool: &ScopedTool, reply: &str) -> Vec<String> {
    match serde_json::from_str(reply) {
        Ok(value) => tool.validate_result(&value).iter().map(ToString::to_string).collect(),
        Err(error) => vec![format!("the reply cannot be checked: {error}")],
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

    use isolet_bindings::{Catalog, Grants};
    use serde_json::json;

    use super::*;

    fn scope() -> Scope {
        let number = json!({ "name": "number", "inputSchema": { "type": "object" }, "outputSchema": { "type": "number" } });
        let any = json!({ "name": "any", "inputSchema": { "type": "object" } });
        Catalog::load([("test", vec![number, any])]).unwrap().scope(&Grants::new().allow("*")).unwrap()
    }

    async fn warnings(path: &str, reply: &str) -> Vec<String> {
        match check(&scope(), path, reply) {
            Check::Done(warnings) => warnings,
            Check::Running(warnings) => warnings.await.unwrap(),
        }
    }

    #[tokio::test]
    async fn short_and_long_replies_are_checked_alike_and_at_most_two_long_ones_at_a_time() {
        assert_eq!(warnings("test.number", "1").await, [""; 0]);
        assert_eq!(warnings("test.any", "\"x\"").await, [""; 0]);
        assert_eq!(warnings("test.number", "\"x\"").await.len(), 1);
        let long = format!("\"{}\"", "x".repeat(CHECKED_AT_ONCE_BYTES));
        assert_eq!(warnings("test.number", &long).await.len(), 1);
        let busy = CHECKS.acquire_many(2).await.unwrap();
        assert!(warnings("test.number", &long).await[0].contains("was not checked"));
        drop(busy);
    }
}
