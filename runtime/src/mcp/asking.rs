//! Who may ask a user, and how often: a server asks only for what its entry allows, of clients that answer such questions, within these limits.
//!
//! What a user answers goes to the server that asked, and nowhere else.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use isolet_bindings::{AskKind, Asker, NotAnswered, Question, ToolError, ToolErrorCode, visible};
use serde_json::Value;

use super::question::Asked;
use crate::host::principal::PrincipalKey;

/// Questions of one call.
const QUESTIONS_OF_CALL_MAX: usize = 16;
/// Questions to one user in [`PERIOD`], of all servers.
const QUESTIONS_OF_USER_MAX: usize = 60;
/// Questions to one user at the same time; clients that are asked by what they are answered may leave some behind.
const OPEN_OF_USER_MAX: usize = 16;
/// The time in which questions to a user are counted.
const PERIOD: Duration = Duration::from_secs(3600);
/// Questions to all users at the same time.
const OPEN_MAX: usize = 256;

/// How often users were asked.
#[derive(Clone)]
pub(super) struct AskedUsers {
    users: Arc<Mutex<HashMap<PrincipalKey, AskedUser>>>,
    /// How long one question waits for its answer.
    answer_max: Duration,
}

struct AskedUser {
    since: Instant,
    questions: usize,
    open: usize,
}

/// A question that is counted as open.
struct Open {
    users: AskedUsers,
    user: PrincipalKey,
}

impl AskedUsers {
    /// Nobody was asked yet; each question waits so long for its answer.
    pub(super) fn new(answer_max: Duration) -> Self {
        Self { users: Arc::default(), answer_max }
    }

    fn open(&self, user: &PrincipalKey) -> Result<Open, String> {
        let mut users = self.users.lock().unwrap_or_else(PoisonError::into_inner);
        users.retain(|_, asked| asked.open > 0 || asked.since.elapsed() < PERIOD);
        if users.values().map(|asked| asked.open).sum::<usize>() >= OPEN_MAX {
            return Err(format!("{OPEN_MAX} questions to users wait for their answers already"));
        }
        let new = || AskedUser { since: Instant::now(), questions: 0, open: 0 };
        let asked = users.entry(user.clone()).or_insert_with(new);
        if asked.since.elapsed() >= PERIOD {
            (asked.since, asked.questions) = (Instant::now(), 0);
        }
        if asked.open >= OPEN_OF_USER_MAX {
            return Err(format!("the user has {OPEN_OF_USER_MAX} questions to answer already"));
        }
        if asked.questions >= QUESTIONS_OF_USER_MAX {
            return Err(format!("the user was asked {QUESTIONS_OF_USER_MAX} times within an hour"));
        }
        asked.questions += 1;
        asked.open += 1;
        Ok(Open { users: self.clone(), user: user.clone() })
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut users = self.users.users.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = users.get_mut(&self.user) {
            asked.open = asked.open.saturating_sub(1);
        }
    }
}

/// Whom a server asks in one call, with what came of it.
#[derive(Clone)]
pub(super) struct Guarded(Arc<Guard>);

struct Guard {
    server: String,
    user: PrincipalKey,
    users: AskedUsers,
    allowed: BTreeSet<AskKind>,
    client: Asker,
    questions: Mutex<usize>,
    /// Why the first question that was not answered was not.
    refusal: OnceLock<String>,
}

impl Guarded {
    /// What `server` may ask `client`, the client of `user`, for.
    pub(super) fn new(server: &str, user: PrincipalKey, users: AskedUsers, allowed: BTreeSet<AskKind>, client: Asker) -> Self {
        let server = server.to_owned();
        Self(Arc::new(Guard { server, user, users, allowed, client, questions: Mutex::default(), refusal: OnceLock::new() }))
    }

    /// What it is asked through. All questions come here, so that what is refused is known.
    pub(super) fn asker(&self) -> Asker {
        let guard = Arc::clone(&self.0);
        let kinds = [AskKind::Form, AskKind::Url, AskKind::Sampling, AskKind::Roots];
        Asker::new(kinds, move |question| {
            let guard = Arc::clone(&guard);
            Box::pin(async move {
                let answer = guard.ask(question).await;
                if let Err(NotAnswered(why)) = &answer {
                    tracing::debug!(server = %visible::line(&guard.server), why, "a question is not passed on");
                    guard.refusal.get_or_init(|| why.clone());
                }
                answer
            })
        })
    }

    /// What may be asked for: what the entry allows, and the client answers.
    pub(super) fn kinds(&self) -> BTreeSet<AskKind> {
        self.0.allowed.iter().copied().filter(|kind| self.0.client.can(*kind)).collect()
    }

    /// The error of a call in which a question was not answered, if it is the server that says that the call failed. Any other has another cause.
    pub(super) fn explained(&self, error: ToolError) -> ToolError {
        let is_servers =
            matches!(error.code, ToolErrorCode::ToolFailed | ToolErrorCode::InvalidArguments | ToolErrorCode::InvalidReply);
        let Some(why) = self.0.refusal.get().filter(|_| is_servers) else { return error };
        let said = visible::line_within(&error.message, 300).into_owned();
        ToolError::new(
            ToolErrorCode::CannotAsk,
            format!("the tool needed an answer that it did not get: {why} (it said: {said})"),
        )
    }
}

impl Guard {
    async fn ask(&self, Question { name, kind, params, .. }: Question) -> Result<Value, NotAnswered> {
        if !self.allowed.contains(&kind) {
            return Err(NotAnswered(format!(
                "this server may not ask for {}: whoever runs Isolet allows it with `ask` in the server's entry",
                word(kind)
            )));
        }
        if !self.client.can(kind) {
            return Err(NotAnswered(format!("the client does not answer questions for {}: use one that does", word(kind))));
        }
        {
            let mut questions = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
            *questions += 1;
            if *questions > QUESTIONS_OF_CALL_MAX {
                return Err(NotAnswered(format!("the tool has asked {QUESTIONS_OF_CALL_MAX} times in one call")));
            }
        }
        let asked = Asked::of(&self.server, kind, params).map_err(NotAnswered)?;
        let _open = self.users.open(&self.user).map_err(NotAnswered)?;
        let answer = self.client.ask(Question::new(kind, asked.params.clone()).called(name));
        let answer_max = self.users.answer_max;
        match tokio::time::timeout(answer_max, answer).await {
            Ok(answer) => asked.answer(&answer?).map_err(NotAnswered),
            Err(_) => Err(NotAnswered(format!("there was no answer within {answer_max:?}"))),
        }
    }
}

fn word(kind: AskKind) -> &'static str {
    match kind {
        AskKind::Sampling => "what its model says (`sampling`)",
        AskKind::Roots => "its folders (`roots`)",
        _ => "anything of its user (`elicitation`)",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use serde_json::{Map, json};

    use super::*;
    use crate::host::principal::Principal;

    fn users() -> AskedUsers {
        AskedUsers::new(Duration::from_secs(60))
    }

    fn form() -> Map<String, Value> {
        let params = json!({ "message": "a", "requestedSchema": { "properties": { "name": { "type": "string" } } } });
        params.as_object().unwrap().clone()
    }

    fn client() -> Asker {
        Asker::new([AskKind::Form], |_| Box::pin(async { Ok(json!({ "action": "accept", "content": { "name": "Ada" } })) }))
    }

    fn guarded(users: &AskedUsers, user: &str, allowed: &[AskKind]) -> Guarded {
        Guarded::new("shop", Principal::new(user).key(), users.clone(), allowed.iter().copied().collect(), client())
    }

    async fn ask(guarded: &Guarded, kind: AskKind) -> Result<Value, String> {
        guarded.asker().ask(Question::new(kind, form())).await.map_err(|error| error.0)
    }

    #[tokio::test]
    async fn a_server_asks_only_for_what_its_entry_allows_and_the_client_answers() {
        let users = users();
        let nothing = guarded(&users, "ada", &[]);
        assert!(nothing.kinds().is_empty());
        assert!(ask(&nothing, AskKind::Form).await.unwrap_err().contains("`ask` in the server's entry"));
        let error = nothing.explained(ToolError::failed("no name"));
        assert_eq!(error.code, ToolErrorCode::CannotAsk);
        assert!(error.message.contains("no name"), "{error}");
        let broken_off = ToolError::new(ToolErrorCode::Unavailable, "the connection broke off");
        assert_eq!(nothing.explained(broken_off.clone()), broken_off, "a question is not why");
        let allowed = guarded(&users, "ada", &[AskKind::Form, AskKind::Roots]);
        assert_eq!(allowed.kinds(), BTreeSet::from([AskKind::Form]));
        assert!(ask(&allowed, AskKind::Form).await.is_ok());
        assert_eq!(allowed.explained(ToolError::failed("no")).code, ToolErrorCode::ToolFailed);
        assert!(ask(&allowed, AskKind::Roots).await.unwrap_err().contains("does not answer"));
    }

    #[tokio::test]
    async fn a_server_that_asks_without_end_is_refused() {
        let users = users();
        let call = guarded(&users, "ada", &[AskKind::Form]);
        let mut answered = 0;
        for _ in 0..1000 {
            answered += usize::from(ask(&call, AskKind::Form).await.is_ok());
        }
        assert_eq!(answered, QUESTIONS_OF_CALL_MAX);
        for _ in 0..10 {
            let call = guarded(&users, "ada", &[AskKind::Form]);
            while ask(&call, AskKind::Form).await.is_ok() {
                answered += 1;
            }
        }
        assert_eq!(answered, QUESTIONS_OF_USER_MAX);
        assert!(ask(&guarded(&users, "bob", &[AskKind::Form]), AskKind::Form).await.is_ok(), "another user");
    }

    #[tokio::test]
    async fn a_question_waits_only_so_long_for_its_answer() {
        let users = AskedUsers::new(Duration::from_millis(10));
        let silent = Asker::new([AskKind::Form], |_| Box::pin(std::future::pending()));
        let call = Guarded::new("shop", Principal::new("ada").key(), users.clone(), BTreeSet::from([AskKind::Form]), silent);
        assert!(ask(&call, AskKind::Form).await.unwrap_err().contains("no answer within 10ms"));
        assert_eq!(call.explained(ToolError::failed("no name")).code, ToolErrorCode::CannotAsk);
        assert!(users.users.lock().unwrap().values().all(|user| user.open == 0), "it is no question any more");
    }

    #[test]
    fn a_user_has_few_questions_at_a_time() {
        let (users, ada) = (users(), Principal::new("ada").key());
        let open: Vec<Open> = (0..OPEN_OF_USER_MAX).map(|_| users.open(&ada).ok().unwrap()).collect();
        assert!(users.open(&ada).is_err());
        drop(open);
        assert!(users.open(&ada).is_ok());
    }
}
