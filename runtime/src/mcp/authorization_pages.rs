//! The pages on which a user authorizes servers, as a client that can opens them: it shows them to its user, who decides.

use std::time::Duration;

use isolet_bindings::{AskKind, Asker, Authorization, Question, visible};
use serde_json::{Map, Value};

use super::question::Asked;

/// How long a program's result waits for the user: the link stands in it anyway.
const WAIT_MAX: Duration = Duration::from_secs(120);

/// The most pages that a user is shown for one program.
const PAGES_MAX: usize = 4;

/// Asks the user to open the pages of these authorizations; what came of it, a sentence each. Nothing where the client opens none.
pub(super) async fn offer(asker: &Asker, authorizations: &[Authorization]) -> Vec<String> {
    let mut notes = Vec::new();
    if !asker.can(AskKind::Url) {
        return notes;
    }
    let asked = async {
        for authorization in authorizations.iter().take(PAGES_MAX) {
            let Some(question) = question(authorization) else { continue };
            let Ok(answer) = asker.ask(question).await else { return };
            let said = match answer.get("action").and_then(Value::as_str) {
                Some("accept") => "agreed to open the page",
                _ => "did not agree to open the page",
            };
            notes.push(format!("asked to authorize `{}`, the user {said}", visible::line(&authorization.server)));
        }
    };
    // Who takes longer finds the link in the result.
    let _ = tokio::time::timeout(WAIT_MAX, asked).await;
    notes
}

fn question(authorization: &Authorization) -> Option<Question> {
    let link = authorization.link.as_deref()?;
    let said = [
        ("mode", "url"),
        ("message", "There you authorize its use. Then the same program can be run again."),
        ("url", link),
        // Unique for as long as it is open, which is all that it is for.
        ("elicitationId", link),
    ];
    let params: Map<String, Value> = said.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let asked = Asked::of(&authorization.server, AskKind::Url, params).ok()?;
    Some(Question::new(AskKind::Url, asked.params))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;

    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_client_that_opens_pages_is_asked_to_and_no_other() {
        let open = [
            Authorization::at("github", "https://app.example/a/7", SystemTime::UNIX_EPOCH),
            Authorization::new("files", "run `isolet login files`"),
            Authorization::at("shop", "http://app.example/a/8", SystemTime::UNIX_EPOCH),
        ];
        let seen = Arc::new(Mutex::new(Vec::new()));
        let asker = |kinds: &[AskKind], answer: &'static str| {
            let seen = Arc::clone(&seen);
            Asker::new(kinds.iter().copied(), move |question: Question| {
                seen.lock().unwrap().push(question.params);
                Box::pin(async move { Ok(json!({ "action": answer })) })
            })
        };
        assert_eq!(offer(&asker(&[AskKind::Form], "accept"), &open).await, Vec::<String>::new());
        assert!(seen.lock().unwrap().is_empty());
        let notes = offer(&asker(&[AskKind::Url], "accept"), &open).await;
        assert_eq!(notes, ["asked to authorize `github`, the user agreed to open the page"]);
        let asked = seen.lock().unwrap().pop().unwrap();
        assert_eq!((&asked["mode"], &asked["url"]), (&json!("url"), &json!("https://app.example/a/7")));
        assert!(asked["message"].as_str().unwrap().contains("of the host `app.example`"), "{asked:?}");
        let declined = offer(&asker(&[AskKind::Url], "decline"), &open).await;
        assert_eq!(declined, ["asked to authorize `github`, the user did not agree to open the page"]);
    }
}
